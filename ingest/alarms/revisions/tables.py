"""The tables of revisions; nothing is ever deleted from them. Instants are epoch ms UTC."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from ingest.alarms.tables import metadata

# ``changes`` is what the author wrote, ``document`` what stood whole when it was approved; ``sequence`` counts the
# approved ones in the order in which they take effect. ``restores`` is the older revision that it publishes again.
rule_revision = Table(
    "rule_revision",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("author", String(64), nullable=False),
    Column("author_role", String(32), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("source", String(200), nullable=False),
    Column("edition", String(120), nullable=False),
    Column("grade", String(1), nullable=False),
    Column("changes", Text, nullable=False),
    Column("restores", Integer),
    Column("sequence", Integer, unique=True),
    Column("document", Text),
    Column("approved_by", String(64)),
    Column("approved_role", String(32)),
    Column("approved_at", BigInteger),
    Column("effective_at", BigInteger),
    Column("discarded_by", String(64)),
    Column("discarded_at", BigInteger),
)

# ``base`` and ``digest`` say of exactly which rules and which draft this is the back-test.
rule_backtest = Table(
    "rule_backtest",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("revision", Integer, nullable=False, index=True),
    Column("base", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("to_ms", BigInteger, nullable=False),
    Column("asked_by", String(64), nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("told_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("sentence", Text, nullable=False),
    Column("result", Text),
)

# The journal record from which a collector judges by a revision.
rule_adoption = Table(
    "rule_adoption",
    metadata,
    Column("shard", String(64), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
)
