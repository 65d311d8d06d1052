"""Sources whose messages come badly (numbers skipped, clocks ahead, messages late), and the story of each of them."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ingest.alarms.database import AlarmDatabase
from ingest.alarms.device_health import device_health, history
from ingest.ledger_tables import ledger_device

Document = dict[str, Any]
GAP, SKEW = "seq_gap", "clock_skew_s"
_MOST = 1_000


@dataclass(slots=True)
class Faults:
    """What one device did: numbers skipped and seconds ahead since an instant, messages late or ahead of all time."""

    device: str
    kind: str = ""
    gaps: int = 0
    ahead_s: float = 0.0
    last_ms: int | None = None
    late: int = 0
    skewed: int = 0

    @property
    def weight(self) -> tuple[int, int]:
        """Return by what the worst come first: messages that are missing, then those at a wrong time."""
        return self.gaps, self.skewed + self.late


def faulty_sources(database: AlarmDatabase, since_ms: int) -> list[Faults]:
    """Return the devices with faults, the worst first; blocks.

    Raises:
        AlarmError: the database cannot be read.
    """
    table = device_health
    told = (
        sa.select(
            table.c.device,
            table.c.what,
            sa.func.sum(table.c.value).label("total"),
            sa.func.max(table.c.value).label("most"),
            sa.func.max(table.c.at).label("last"),
        )
        .where(table.c.at >= since_ms, table.c.what.in_((GAP, SKEW)), table.c.value > 0)
        .group_by(table.c.device, table.c.what)
    )
    rows = ledger_device
    untimely = rows.c.late + rows.c.skewed
    counted = (
        sa.select(rows.c.device, rows.c.kind, rows.c.late, rows.c.skewed)
        .where(untimely > 0)
        .order_by(untimely.desc())
        .limit(_MOST)
    )
    found: dict[str, Faults] = {}
    with database.read() as connection:
        for row in connection.execute(told):
            faults = found.setdefault(row.device, Faults(row.device))
            if row.what == GAP:
                faults.gaps = round(row.total)
            else:
                faults.ahead_s = round(row.most, 1)
            faults.last_ms = max(row.last, faults.last_ms or 0)
        for counts in connection.execute(counted):
            faults = found.setdefault(counts.device, Faults(counts.device))
            faults.kind = counts.kind
            faults.late += counts.late
            faults.skewed += counts.skewed
    return sorted(found.values(), key=lambda faults: (*(-part for part in faults.weight), faults.device))


def health_readings(
    database: AlarmDatabase, device: str, start_ms: int, stop_ms: int, limit: int, offset: int
) -> list[Document]:
    """Return what happened to one device itself, the newest first; blocks.

    Raises:
        AlarmError: the database cannot be read.
    """
    with database.read() as connection:
        rows = history(connection, device, start_ms, stop_ms, limit, offset)
    found = []
    for row in rows:
        why = row["why"] or None
        folded = row["what"] == "folded"
        found.append({**row, "why": None if folded else why, "cause": why if folded else None})
    return found
