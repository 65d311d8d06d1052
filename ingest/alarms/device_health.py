"""The history of the devices' own health: heard or not and why, numbers skipped, clocks ahead.

Committed with the alarms, so that it stands once whatever happens. Rows are kept for ``KEPT_DAYS``.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import metadata
from ingest.alarms.transitions import Transition

KEPT_DAYS = 90

device_health = sa.Table(
    "device_health",
    metadata,
    sa.Column("shard", sa.String(64), primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True),
    sa.Column("device", sa.String(64), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
    sa.Column("what", sa.String(16), nullable=False),
    sa.Column("why", sa.String(16), nullable=False),
    sa.Column("value", sa.Float, nullable=False),
    sa.Index("ix_device_health_device", "device", "at"),
)


def keep(connection: sa.Connection, shard: str, transitions: Sequence[Transition]) -> None:
    """Write what concerns the devices themselves, inside the caller's transaction."""
    rows = [_row(shard, each) for each in transitions if each.what in ("stale", "fresh", "health")]
    if rows:
        connection.execute(device_health.insert(), rows)


def forget(database: AlarmDatabase, now_ms: int) -> None:
    """Remove rows older than they are kept."""
    with database.write() as connection:
        connection.execute(device_health.delete().where(device_health.c.at < now_ms - KEPT_DAYS * 86_400_000))


def history(connection: sa.Connection, device: str, from_ms: int, to_ms: int, limit: int) -> list[dict[str, Any]]:
    """Return a device's rows in [from, to), newest first."""
    query = (
        sa.select(device_health.c.at, device_health.c.what, device_health.c.why, device_health.c.value)
        .where(device_health.c.device == device, device_health.c.at >= from_ms, device_health.c.at < to_ms)
        .order_by(device_health.c.at.desc(), device_health.c.ordinal.desc())
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _row(shard: str, transition: Transition) -> dict[str, Any]:
    online = transition.what in ("stale", "fresh")
    return {
        "shard": shard,
        "position": transition.position,
        "ordinal": transition.ordinal,
        "device": transition.device,
        "at": transition.now_ms,
        "what": "online" if online else transition.field,
        "why": transition.field if online else "",
        "value": float(transition.what == "fresh") if online else float(transition.value or 0.0),
    }
