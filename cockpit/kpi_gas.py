"""Gas alarms: how soon somebody took notice of them."""

from collections import defaultdict

from cockpit.kpi_parts import Document, Row, Sources, Wanted, on_day
from ingest.alarms.load import latency
from ingest.alarms.tables import occurrence

KIND = "gas_alarm"
PRIORITIES = ("P1", "P2", "P3", "P4")


def gas(sources: Sources, wanted: Wanted) -> Document:
    """Return the times from notice to acknowledgement in all, by priority, street and day; faults of devices aside."""
    rows = sources.alarms(wanted, occurrence.c.kind == KIND, occurrence.c.priority.in_(PRIORITIES))
    by_street = defaultdict(list)
    for row in rows:
        by_street[sources.site.devices[row["device"]].street].append(row)
    return {
        "waiting": 0,
        "total": _figures(rows),
        "priorities": [
            {"priority": priority, **_figures([row for row in rows if row["priority"] == priority])}
            for priority in PRIORITIES
        ],
        "days": [
            {"day": day.date.isoformat(), **_figures(on_day(rows, day))}
            for day in wanted.period.days
            if day.from_ms <= wanted.known_ms
        ],
        "streets": [{"street": street, **_figures(by_street[street])} for street in sources.streets(wanted)],
    }


def _figures(rows: list[Row]) -> Document:
    took = latency([row["acked_at"] - row["noticed_at"] for row in rows if row["acked_at"] is not None])
    return {"alarms": len(rows), "acked": took.count, "median_s": took.median_s, "p95_s": took.p95_s}
