"""The history of the devices' own health: each thing that happened to a device itself is one reading of it.

``online`` 0 or 1, and why it went (``last_will`` or ``stale_after``); ``seq_gap``, numbers skipped within a minute;
``clock_skew_s``, how far its clock is ahead, 0 when it is right again; ``folded`` 1 while its silence is explained by
the device above it (``why`` names that one), 0 when it no longer is.

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
    sa.Column("why", sa.String(64), nullable=False),
    sa.Column("value", sa.Float, nullable=False),
    sa.Index("ix_device_health_device", "device", "at"),
)


def keep(connection: sa.Connection, shard: str, transitions: Sequence[Transition]) -> None:
    """Write what concerns the devices themselves, inside the caller's transaction."""
    rows = [row for each in transitions if (row := _row(shard, each)) is not None]
    if rows:
        connection.execute(device_health.insert(), rows)


def forget(database: AlarmDatabase, now_ms: int) -> None:
    """Remove rows older than they are kept."""
    with database.write() as connection:
        connection.execute(device_health.delete().where(device_health.c.at < now_ms - KEPT_DAYS * 86_400_000))


def history(
    connection: sa.Connection, device: str, from_ms: int, to_ms: int, limit: int, offset: int = 0
) -> list[dict[str, Any]]:
    """Return a device's rows in [from, to), newest first."""
    query = (
        sa.select(device_health.c.at, device_health.c.what, device_health.c.why, device_health.c.value)
        .where(device_health.c.device == device, device_health.c.at >= from_ms, device_health.c.at < to_ms)
        .order_by(device_health.c.at.desc(), device_health.c.position.desc(), device_health.c.ordinal.desc())
        .limit(limit)
        .offset(offset)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _row(shard: str, transition: Transition) -> dict[str, Any] | None:
    found = _reading(transition)
    if found is None:
        return None
    what, value, why = found
    return {
        "shard": shard,
        "position": transition.position,
        "ordinal": transition.ordinal,
        "device": transition.device,
        "at": transition.now_ms,
        "what": what,
        "why": why,
        "value": value,
    }


def _reading(transition: Transition) -> tuple[str, float, str] | None:
    """Return what a transition says of the device itself, its value and why; None when it says nothing of it."""
    match transition.what:
        case "stale" | "fresh":
            return "online", float(transition.what == "fresh"), transition.field
        case "health":
            return transition.field, float(transition.value or 0.0), ""
        case "fold" | "raise" | "unfold" if transition.point.endswith("/no_data"):
            if transition.what != "raise" or transition.cause:
                return "folded", float(transition.what != "unfold"), transition.cause
    return None
