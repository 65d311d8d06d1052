"""The tables of the alarm database, the same on SQLite and PostgreSQL. Instants are epoch ms UTC."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

occurrence = Table(
    "occurrence",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("point", String(300), nullable=False, index=True),
    Column("device", String(64), nullable=False, index=True),
    Column("kind", String(64), nullable=False),
    Column("rule", String(160), nullable=False),
    Column("rule_version", String(16), nullable=False),
    Column("field", String(64), nullable=False),
    Column("unit", String(16), nullable=False),
    Column("level_now", Integer, nullable=False),
    Column("level_peak", Integer, nullable=False),
    Column("level_acked", Integer, nullable=False),
    Column("priority", String(8), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("acked", Boolean, nullable=False),
    Column("latched", Boolean, nullable=False),
    Column("suppression", String(16), nullable=False),
    Column("quality", String(16), nullable=False),
    Column("value", Float),
    Column("activations", Integer, nullable=False),
    Column("raised_at", BigInteger, nullable=False, index=True),
    Column("noticed_at", BigInteger, nullable=False),
    Column("acked_at", BigInteger),
    Column("acked_by", String(64)),
    Column("returned_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("decision", String(20)),
    Column("case", String(40)),
    Column("version", Integer, nullable=False),
    # Why and until when it is hidden, while ``suppression`` is not none.
    Column("suppressed_until", BigInteger),
    Column("suppressed_by", String(64)),
    Column("suppressed_reason", Text),
    # The device under which it is folded: suppressed by design as long as this says so.
    Column("cause", String(64)),
    # The absolute instants at which an acknowledged one is announced again.
    Column("decision_due_at", BigInteger),
    Column("observed_until", BigInteger),
    Column("decided_at", BigInteger),
    Column("decided_by", String(64)),
    Column("verdict", String(20)),
    Column("verdict_at", BigInteger),
    Column("verdict_by", String(64)),
    Column("reset_at", BigInteger),
    Column("reset_by", String(64)),
)
# The one guarantee that a point has at most one open occurrence; never check-then-insert.
Index(
    "one_open_occurrence",
    occurrence.c.point,
    unique=True,
    sqlite_where=occurrence.c.closed_at.is_(None),
    postgresql_where=occurrence.c.closed_at.is_(None),
)

# What the list of open alarms and the timers ask for each second.
Index(
    "open_occurrences",
    occurrence.c.priority,
    occurrence.c.raised_at,
    sqlite_where=occurrence.c.closed_at.is_(None),
    postgresql_where=occurrence.c.closed_at.is_(None),
)

# What was open at an instant of the past is what was closed after it.
Index("closed_occurrences", occurrence.c.closed_at, occurrence.c.noticed_at)

# Why an alarm point, or everything of a device, is hidden; a row is ended, never deleted. ``level`` is what was seen
# when a point was shelved: a worse one lifts the shelf.
suppression = Table(
    "suppression",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("scope", String(8), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("level", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("by", String(64), nullable=False),
    Column("approved_by", String(64)),
    Column("permit", String(120), nullable=False),
    Column("reason", Text, nullable=False),
    Column("renewals", Integer, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_by", String(64)),
    Column("ended_reason", Text),
)
Index(
    "one_standing_suppression",
    suppression.c.subject,
    suppression.c.scope,
    suppression.c.kind,
    unique=True,
    sqlite_where=suppression.c.ended_at.is_(None),
    postgresql_where=suppression.c.ended_at.is_(None),
)

# Acts that need two persons: asked for by one, settled by another, or run out.
joint_act = Table(
    "joint_act",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("act", String(20), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("occurrence", String(40), index=True),
    Column("body", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_by", String(64), nullable=False),
    Column("asked_role", String(32), nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("outcome", String(16)),
    Column("settled_by", String(64)),
    Column("settled_at", BigInteger),
)
Index(
    "one_pending_joint_act",
    joint_act.c.act,
    joint_act.c.subject,
    unique=True,
    sqlite_where=joint_act.c.outcome.is_(None),
    postgresql_where=joint_act.c.outcome.is_(None),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("position", BigInteger, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("role", String(32), nullable=False),
    Column("address", String(64), nullable=False),
    Column("action", String(32), nullable=False),
    Column("point", String(300), nullable=False),
    Column("occurrence", String(40), index=True),
    Column("case", String(40), index=True),
    Column("version_before", Integer),
    Column("version_after", Integer),
    Column("state_before", String(16), nullable=False),
    Column("state_after", String(16), nullable=False),
    Column("level", Integer),
    Column("value", Float),
    Column("unit", String(16), nullable=False),
    Column("rule", String(160), nullable=False),
    Column("rule_version", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("idempotency_key", String(128)),
    # The columns that the act changed, as they were afterwards, as JSON: what tells how anything stood at an instant.
    Column("changes", Text),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

# The head of the audit chain: locking this row is what keeps the sequence without gaps.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)

# How far each collector's transitions are kept; committed with them.
collector = Table(
    "collector",
    metadata,
    Column("shard", String(64), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("now_ms", BigInteger, nullable=False),
)

# Replies to commands that carried an idempotency key, so that a repeat gets the identical one.
reply = Table(
    "reply",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("request", String(300), nullable=False),
    Column("body", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)
