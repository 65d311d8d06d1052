"""Refuse: how much was collected, by day, street and truck; and the red and black list of its trucks' streets.

The rule of the list is a proposal (grade C), to be confirmed by the city: streets that collected something are ranked
by alarms of their trucks (overloaded, full, tipping) for each hundred tonnes. Among
equals the one that collected more stands first. Red: the first three, without any alarm or with fewer for each hundred
tonnes than the whole city. Black: the last three, if above the whole city.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping

from cockpit.kpi_parts import Document, Sources, Wanted, on_day
from ingest.alarms.tables import occurrence
from ingest.store import Asked

KIND = "refuse_truck"
RULES = tuple(f"{KIND}.{rule}" for rule in ("over_pct.overload", "load_pct.full", "load_kg.tipping"))
LISTED = 3
_LIFTED = Asked("bin_lift", "net_kg")
_MOST_TRUCKS = 20


def refuse(sources: Sources, wanted: Wanted) -> Document:
    """Return tonnes and lifts in all, by day, street and truck, with the alarms of the trucks and the list."""
    devices = sources.devices(KIND, wanted)
    lifted, waiting = sources.tallies(_LIFTED, wanted)
    raised = sources.alarms(wanted, occurrence.c.rule.in_(RULES))
    alarms = Counter(str(row["device"]) for day in lifted for row in on_day(raised, day))
    kilograms: dict[str, float] = defaultdict(float)
    lifts: Counter[str] = Counter()
    for found in lifted.values():
        for device, (tally, *_) in found.items():
            if device in devices:
                kilograms[device] += tally.total
                lifts[device] += tally.rows

    def figures(names: list[str]) -> Document:
        collected = {"tonnes": sum(kilograms[name] for name in names) / 1000, "lifts": sum(lifts[n] for n in names)}
        return {**collected, "alarms": sum(alarms[name] for name in names)}

    total = figures(list(devices))
    streets: list[Document] = [
        {"street": street, **figures([key for key, each in devices.items() if each.street == street])}
        for street in sources.streets(wanted)
    ]
    trucks: list[Document] = [
        {"device": key, "street": each.street, **figures([key])} for key, each in sorted(devices.items())
    ]
    return {
        "waiting": waiting,
        "rules": list(RULES),
        "total": {**total, "per_100_t": per_100_t(total)},
        "days": [
            {
                "day": day.date.isoformat(),
                "tonnes": sum(each[0].total for device, each in found.items() if device in devices) / 1000,
                "lifts": sum(each[0].rows for device, each in found.items() if device in devices),
            }
            for day, found in lifted.items()
        ],
        "streets": listed(streets, per_100_t(total)),
        "trucks": sorted(trucks, key=lambda row: (-row["alarms"], -row["tonnes"], row["device"]))[:_MOST_TRUCKS],
    }


def per_100_t(row: Mapping[str, float]) -> float | None:
    """Return the alarms for each hundred tonnes; None where nothing was collected."""
    return row["alarms"] * 100 / row["tonnes"] if row["tonnes"] > 0 else None


def listed(streets: list[Document], mean: float | None) -> list[Document]:
    """Return the streets with rank and list, the best first, those that collected nothing last in their own order."""
    rates = {row["street"]: per_100_t(row) for row in streets}
    known = [(rate, -row["tonnes"], row["street"]) for row in streets if (rate := rates[row["street"]]) is not None]
    order = [street for _, _, street in sorted(known)]
    whole = mean or 0.0

    def placed(row: Document) -> Document:
        rate = rates[row["street"]]
        if rate is None:
            return {**row, "per_100_t": None, "rank": None, "listed": None}
        place = order.index(row["street"])
        found = None
        if place < LISTED and (not rate or rate < whole):
            found = "red"
        elif place >= len(order) - LISTED and rate > whole:
            found = "black"
        return {**row, "per_100_t": rate, "rank": 1 + sum(other < rate for other, _, _ in known), "listed": found}

    rows = {row["street"]: placed(row) for row in streets}
    return [rows[street] for street in order] + [row for row in rows.values() if row["rank"] is None]
