"""Overloads by vehicle, noted by each collector in the transaction of its alarms.

A vehicle is known by what the stations make of its plate, and kept only under a keyed digest of that: whoever reads the
database cannot try plates without the site's secret.
"""

import hmac
from collections.abc import Sequence

import sqlalchemy as sa

from ingest.alarms.tables import metadata
from ingest.alarms.transitions import Transition

OVERLOAD = "bridge_wim.over_pct.overload"
# An overloaded vehicle is one alarm, by the worst of these.
OVERLOADS = (OVERLOAD, "bridge_wim.gvw_kg.hundred_tonnes", "bridge_wim.over_posted_kg.posted")
_KEY_DIGITS = 20

offence = sa.Table(
    "offence",
    metadata,
    sa.Column("shard", sa.String(64), primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True),
    sa.Column("vehicle", sa.String(40), nullable=False),
    sa.Column("device", sa.String(64), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
    sa.Column("counted", sa.Boolean, nullable=False),
    sa.Column("told", sa.Boolean, nullable=False),
    sa.Index("ix_offence_vehicle", "vehicle", "at"),
)
sa.Index(
    "uncounted_offences",
    offence.c.at,
    sqlite_where=sa.not_(offence.c.counted),
    postgresql_where=sa.not_(offence.c.counted),
)


def keyed(secret: bytes, vehicle: str) -> str:
    """Return the name under which a vehicle is kept."""
    return hmac.digest(secret, b"vehicle\0" + vehicle.encode(), "sha256").hex()[:_KEY_DIGITS]


def keep(connection: sa.Connection, shard: str, transitions: Sequence[Transition], secret: bytes) -> None:
    """Note the overloads among transitions, inside the caller's transaction."""
    rows = [
        {
            "shard": shard,
            "position": each.position,
            "ordinal": each.ordinal,
            "vehicle": keyed(secret, each.who),
            "device": each.device,
            "at": each.at_ms,
            "counted": False,
            "told": False,
        }
        for each in transitions
        if each.what == "passage" and each.rule in OVERLOADS and each.who
    ]
    if rows:
        connection.execute(offence.insert(), rows)
