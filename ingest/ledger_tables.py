"""What the collectors tell of themselves in the alarm database, so that every cockpit can show it, wherever it runs.

Copies for reading, a minute old at most; the counts that must be exact are in each collector's checkpoint. The one
table that is written by others is ``quarantine_retry``: requests, which a collector takes up.
"""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, String, Table, Text

from ingest.alarms.tables import metadata

# What each collector's ledger said at the end of each minute; ``kinds`` is JSON: the numbers of each
# kind's row (ingest.ledger), of messages and of stored readings.
ledger_minute = Table(
    "ledger_minute",
    metadata,
    Column("shard", String(64), primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("received", BigInteger, nullable=False),
    Column("journaled", BigInteger, nullable=False),
    Column("decoded", BigInteger, nullable=False),
    Column("quarantined", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("produced", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("store_lag_s", Float, nullable=False),
    Column("alarms_lag_s", Float, nullable=False),
    Column("kinds", Text, nullable=False),
)
# The row of each device, as of ``updated_at``.
ledger_device = Table(
    "ledger_device",
    metadata,
    Column("shard", String(64), primary_key=True),
    Column("kind", String(64), primary_key=True),
    Column("device", String(64), primary_key=True),
    Column("decoded", BigInteger, nullable=False),
    Column("quarantined", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("produced", BigInteger, nullable=False),
    Column("late", BigInteger, nullable=False),
    Column("skewed", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)
# What cannot be read, and why.
quarantine_group = Table(
    "quarantine_group",
    metadata,
    Column("shard", String(64), primary_key=True),
    Column("reason", String(32), primary_key=True),
    Column("device", String(64), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("sentence", Text, nullable=False),
)
# A few messages of each group, with the beginning of their bytes as text; only engineers and auditors read them.
quarantine_sample = Table(
    "quarantine_sample",
    metadata,
    Column("shard", String(64), primary_key=True),
    Column("reason", String(32), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("device", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("bytes", Integer, nullable=False),
)
# Who asked for a group to be tried again, and what came of it; never deleted. ``device`` NULL: all of the reason.
quarantine_retry = Table(
    "quarantine_retry",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("shard", String(64), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("device", String(64)),
    Column("asked_at", BigInteger, nullable=False),
    Column("asked_by", String(64), nullable=False),
    Column("role", String(32), nullable=False),
    Column("address", String(64), nullable=False),
    Column("idempotency_key", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("taken_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("total", BigInteger, nullable=False),
    Column("landed", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Column("sentence", Text, nullable=False),
)
Index("one_retry_a_key", quarantine_retry.c.idempotency_key, quarantine_retry.c.shard, unique=True)
