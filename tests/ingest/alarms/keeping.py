"""Making transitions by hand, and reading back what was kept."""

from typing import Any

import sqlalchemy as sa

from ingest.alarms import occurrences
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.states import row_state
from ingest.alarms.tables import audit, occurrence
from ingest.alarms.transitions import Transition, What

POINT = "gas-1/conc_pct_lel.high"
PRIORITY = {0: "P2", 1: "P2", 2: "P1"}


def transition(what: What, position: int, level: int = 1, **changes: Any) -> Transition:
    """Return a transition of the gas point at a journal position (also its second)."""
    values: dict[str, Any] = {
        "point": POINT,
        "device": "gas-1",
        "kind": "gas_alarm",
        "rule": "gas_alarm.conc_pct_lel.high",
        "rule_version": "v1",
        "priority": PRIORITY[level],
        "at_ms": position * 1000,
        "now_ms": position * 1000,
        "field": "conc_pct_lel",
        "value": 10.0 * position,
        "unit": "%LEL",
    }
    return Transition(what, position, 1, level=level, **{**values, **changes})


def keep(database: AlarmDatabase, *found: Transition, position: int | None = None) -> list[tuple[str, int]]:
    """Apply transitions up to the position of the last one."""
    last = found[-1]
    return occurrences.apply(database, "main", found, last.position if position is None else position, last.now_ms)


def rows(database: AlarmDatabase) -> list[dict[str, Any]]:
    """Return all occurrences, oldest first, each with its state."""
    with database.read() as connection:
        found = connection.execute(sa.select(occurrence).order_by(occurrence.c.raised_at)).mappings().all()
    return [{**row, "state": row_state(row)} for row in found]


def acts(database: AlarmDatabase) -> list[tuple[str, str, str, str]]:
    """Return (actor, action, state before, state after) of the whole audit."""
    with database.read() as connection:
        found = connection.execute(sa.select(audit).order_by(audit.c.seq)).mappings().all()
    return [(row["actor"], row["action"], row["state_before"], row["state_after"]) for row in found]
