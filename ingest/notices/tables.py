"""Deliveries and escalations, the same on SQLite and PostgreSQL. Instants are epoch ms UTC."""

import sqlalchemy as sa

from ingest.alarms.tables import metadata

delivery = sa.Table(
    "delivery",
    metadata,
    # The same on every attempt: a receiver that gets it twice after a crash can tell.
    sa.Column("key", sa.String(160), primary_key=True),
    sa.Column("announcement", sa.String(64), nullable=False),
    sa.Column("channel", sa.String(64), nullable=False),
    sa.Column("priority", sa.String(8), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("due_at", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("sent_at", sa.BigInteger),
    sa.Column("dead_at", sa.BigInteger),
    sa.Column("trouble", sa.Text, nullable=False),
)
_waiting = sa.and_(delivery.c.sent_at.is_(None), delivery.c.dead_at.is_(None))
sa.Index("waiting_deliveries", delivery.c.due_at, sqlite_where=_waiting, postgresql_where=_waiting)

escalation = sa.Table(
    "escalation",
    metadata,
    sa.Column("occurrence", sa.String(40), primary_key=True),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("due_at", sa.BigInteger, nullable=False, index=True),
)
