"""What the alarm database says of a span: the alarms that a back-test on history does not judge, and their verdicts."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from ingest.alarms.load import activations
from ingest.alarms.revisions.episodes import Episode, Episodes
from ingest.alarms.suppressions import HIDDEN
from ingest.alarms.tables import audit, occurrence

Row = dict[str, Any]

_COLUMNS = (
    "id", "point", "rule", "device", "kind", "raised_at", "noticed_at", "returned_at", "closed_at", "level_peak",
    "priority", "value", "unit", "verdict", "case",
)  # fmt: skip


def occurrences(connection: sa.Connection, from_ms: int, to_ms: int) -> list[Row]:
    """Return the alarms that were noticed in [from, to), with what people found of them."""
    query = sa.select(*(occurrence.c[name] for name in _COLUMNS)).where(
        occurrence.c.noticed_at >= from_ms, occurrence.c.noticed_at < to_ms
    )
    return [dict(each) for each in connection.execute(query).mappings()]


def announced(
    connection: sa.Connection, from_ms: int, to_ms: int, touches: Callable[[str, str], bool]
) -> dict[str, list[Episode]]:
    """Return by point each time an alarm was announced in [from, to), but for those that a draft touches."""
    query = (
        sa.select(
            audit.c.at, audit.c.reason, occurrence.c.point, occurrence.c.rule, occurrence.c.device, occurrence.c.kind,
            occurrence.c.level_peak, occurrence.c.priority, occurrence.c.value, occurrence.c.unit,
        )
        .join(occurrence, occurrence.c.id == audit.c.occurrence)
        .where(*activations(from_ms, to_ms))
        .order_by(audit.c.at, audit.c.seq)
    )  # fmt: skip
    found = Episodes()
    for row in connection.execute(query):
        if not touches(row.rule, row.device):
            # Both sides count it alike, so when it ended makes no difference.
            found.by_point.setdefault(row.point, []).append(
                Episode(
                    row.point, row.rule, row.device, row.kind, row.at, row.at, row.at, row.level_peak, row.priority,
                    row.value, row.unit, row.reason in HIDDEN,
                )
            )  # fmt: skip
    return found.by_point
