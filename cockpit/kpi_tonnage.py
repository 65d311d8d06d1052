"""Refuse by the hour: what was collected until now on a day, beside a day that it may be compared with."""

from dataclasses import replace
from datetime import date, timedelta

from cockpit.kpi_parts import Document, Sources, Wanted
from cockpit.kpi_period import Day, Period
from ingest.store import Asked

_KIND, _LIFTS = "refuse_truck", "bin_lift"
_LIFTED = Asked(_LIFTS, "net_kg")
_HOUR_MS = 3_600_000


def tonnage(sources: Sources, wanted: Wanted) -> Document:
    """Return the tonnes of each hour of the last day of a period, and of the same day of last year.

    Where nothing is kept of last year, the same weekday of last week is told; ``basis`` says which: ``year``, ``week``,
    or None when there is nothing to compare with. ``kept_days`` is how long the site keeps such records.
    """
    day = wanted.period.last
    against, basis, hours = None, None, None
    for name, other in (("year", _a_year_before(day)), ("week", day - timedelta(days=7))):
        found = _hours(sources, wanted, other)
        if any(found):
            against, basis, hours = other, name, found
            break
    return {
        "day": day.isoformat(),
        "hours": _hours(sources, wanted, day),
        "against": {"basis": basis, "day": against.isoformat() if against else None, "hours": hours or []},
        "last_year": _a_year_before(day).isoformat(),
        "kept_days": sources.site.store.kept(_LIFTS, False).raw_days,
    }


def _hours(sources: Sources, wanted: Wanted, day: date) -> list[float]:
    """Return the tonnes of each hour of a day that has begun; an hour that is running counts as far as it is."""
    devices = sources.devices(_KIND, wanted)
    alone = replace(wanted, period=Period(day, day, wanted.period.zone))

    def reckon(each: Day) -> list[dict[str, float]]:
        ends_ms = min(each.to_ms, wanted.known_ms)
        # A day on which nothing was collected is asked for once, not by the hour.
        if not sources.store.tallies(_LIFTED, each.from_ms, ends_ms):
            return []
        return [
            {
                device: tally.total
                for device, (tally, *_) in sources.store.tallies(
                    _LIFTED, start_ms, min(start_ms + _HOUR_MS, ends_ms)
                ).items()
            }
            for start_ms in range(each.from_ms, ends_ms, _HOUR_MS)
        ]

    found, _ = sources.daily((_LIFTED, "hours"), replace(alone, go_on=lambda: True), reckon)
    return [
        sum(kilograms for device, kilograms in hour.items() if device in devices) / 1000
        for hours in found.values()
        for hour in hours
    ]


def _a_year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        # The 29th of February.
        return day.replace(year=day.year - 1, day=28)
