"""The tables of lamp switching: what somebody wants, and the one command to each lamp that comes of it."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from ingest.alarms.tables import metadata

# Without ``dim_pct`` the lamp is to follow its own schedule again.
lamp_order = Table(
    "lamp_order",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("scope", String(8), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("dim_pct", Integer),
    Column("for_s", Integer),
    Column("until", BigInteger),
    Column("reason", Text, nullable=False),
    Column("lamps", Integer, nullable=False),
    Column("asked_by", String(64), nullable=False),
    Column("asked_role", String(32), nullable=False),
    Column("asked_at", BigInteger, nullable=False, index=True),
    # Until when a second person may approve; nothing for one lamp, which takes none.
    Column("expires_at", BigInteger),
    Column("settled_by", String(64)),
    Column("settled_at", BigInteger),
    # asked · declined · expired · ordered
    Column("state", String(16), nullable=False),
)
Index(
    "one_asked_lamp_order",
    lamp_order.c.scope,
    lamp_order.c.subject,
    unique=True,
    sqlite_where=lamp_order.c.state == "asked",
    postgresql_where=lamp_order.c.state == "asked",
)

lamp_command = Table(
    "lamp_command",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("order", String(40), nullable=False, index=True),
    Column("device", String(64), nullable=False),
    Column("district", String(64), nullable=False),
    Column("dim_pct", Integer),
    Column("until", BigInteger),
    # waiting · sending · sent · acked · refused · timed_out · expired · overtaken
    Column("state", String(16), nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    # Until then whoever claimed it publishes it; afterwards anybody may again.
    Column("claimed_until", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("answered_at", BigInteger),
    Column("accepted", Boolean),
    Column("answer", Text, nullable=False),
    Column("settled_at", BigInteger),
    # When a reading first showed what was wanted.
    Column("obeyed_at", BigInteger),
)
Index("ix_lamp_command_device", lamp_command.c.device, lamp_command.c.made_at)
Index(
    "open_lamp_commands",
    lamp_command.c.claimed_until,
    sqlite_where=lamp_command.c.state.in_(("waiting", "sending", "sent")),
    postgresql_where=lamp_command.c.state.in_(("waiting", "sending", "sent")),
)
