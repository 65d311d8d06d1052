"""Bridges: how many of the vehicles that passed were overloaded, and which came overloaded again."""

from collections import Counter

import sqlalchemy as sa

from cockpit.kpi_parts import Document, Sources, Wanted, on_day, share
from cockpit.times import rfc3339
from ingest.alarms.offences import OVERLOAD, OVERLOADS, offence
from ingest.alarms.tables import occurrence
from ingest.store import Asked

KIND = "bridge_wim"
_PASSED = Asked("wim_pass", "gvw_kg")
_MOST_PLATES = 20


def bridges(sources: Sources, wanted: Wanted) -> Document:
    """Return overloads as a share of the passages, in all, by street, bridge and day; and the repeat plates.

    An overload is an alarm of one of the rules, so that each stands in the list of alarms; a passage is a record of the
    store.
    """
    devices = sources.devices(KIND, wanted)
    passed, waiting = sources.tallies(_PASSED, wanted)
    # A share needs both its numbers of the same days.
    raised = sources.alarms(wanted, occurrence.c.rule.in_(OVERLOADS))
    alarms = [row for day in passed for row in on_day(raised, day)]
    over = Counter(str(row["device"]) for row in alarms)
    passages: Counter[str] = Counter()
    for found in passed.values():
        passages.update({device: tallies[0].rows for device, tallies in found.items() if device in devices})

    def rate(names: list[str]) -> Document:
        return share(sum(over[name] for name in names), sum(passages[name] for name in names))

    return {
        "waiting": waiting,
        "at_least_pct": _at_least_pct(sources),
        "rules": list(OVERLOADS),
        "total": {"overload": rate(list(devices))},
        "days": [
            {
                "day": day.date.isoformat(),
                "overload": share(
                    sum(row["device"] in devices for row in on_day(alarms, day)),
                    sum(tallies[0].rows for device, tallies in found.items() if device in devices),
                ),
            }
            for day, found in passed.items()
        ],
        "streets": [
            {"street": street, "overload": rate([key for key, each in devices.items() if each.street == street])}
            for street in sources.streets(wanted)
        ],
        "bridges": [
            {"device": key, "street": each.street, "overload": rate([key])} for key, each in sorted(devices.items())
        ],
        "plates": _plates(sources, wanted, list(devices)),
    }


def _plates(sources: Sources, wanted: Wanted, devices: list[str]) -> list[Document]:
    """Return the vehicles that were overloaded at least twice, the worst first, under their keyed digests."""
    times = sa.func.count()
    query = (
        sa.select(offence.c.vehicle, times.label("times"), sa.func.max(offence.c.at).label("last"))
        .where(
            offence.c.at >= wanted.period.from_ms,
            offence.c.at < min(wanted.period.to_ms, wanted.known_ms + 1),
            offence.c.device.in_(devices),
        )
        .group_by(offence.c.vehicle)
        .having(times >= 2)
        .order_by(times.desc(), sa.func.max(offence.c.at).desc())
        .limit(_MOST_PLATES)
    )
    with sources.database.read() as connection:
        rows = connection.execute(query).all()
        seen = connection.execute(
            sa.select(offence.c.vehicle, offence.c.device, offence.c.at).where(
                offence.c.vehicle.in_([row.vehicle for row in rows]),
                offence.c.at >= wanted.period.from_ms,
                offence.c.at < min(wanted.period.to_ms, wanted.known_ms + 1),
            )
        ).all()
    zone = sources.site.timezone
    return [
        {
            "plate": row.vehicle,
            "times": int(row.times),
            "last_at": rfc3339(int(row.last), zone),
            "devices": sorted({each.device for each in seen if each.vehicle == row.vehicle}),
        }
        for row in rows
    ]


def _at_least_pct(sources: Sources) -> float:
    """Return how far a vehicle must be over its limit to count: the mildest level of the rule."""
    field = sources.site.catalog.kinds[KIND].field("over_pct")
    limit = next(limit for limit in field.limits if f"{KIND}.{field.key}.{limit.key}" == OVERLOAD)
    return limit.levels[0].value
