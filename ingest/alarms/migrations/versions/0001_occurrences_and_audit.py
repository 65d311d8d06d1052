"""Occurrences, audit chain, collectors' positions and replies."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "occurrence",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("point", sa.String(300), nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("rule", sa.String(160), nullable=False),
        sa.Column("rule_version", sa.String(16), nullable=False),
        sa.Column("field", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(16), nullable=False),
        sa.Column("level_now", sa.Integer, nullable=False),
        sa.Column("level_peak", sa.Integer, nullable=False),
        sa.Column("level_acked", sa.Integer, nullable=False),
        sa.Column("priority", sa.String(8), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("acked", sa.Boolean, nullable=False),
        sa.Column("latched", sa.Boolean, nullable=False),
        sa.Column("suppression", sa.String(16), nullable=False),
        sa.Column("quality", sa.String(16), nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("activations", sa.Integer, nullable=False),
        sa.Column("raised_at", sa.BigInteger, nullable=False),
        sa.Column("noticed_at", sa.BigInteger, nullable=False),
        sa.Column("acked_at", sa.BigInteger),
        sa.Column("acked_by", sa.String(64)),
        sa.Column("returned_at", sa.BigInteger),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("decision", sa.String(20)),
        sa.Column("case", sa.String(40)),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("ix_occurrence_point", "occurrence", ["point"])
    op.create_index("ix_occurrence_device", "occurrence", ["device"])
    op.create_index("ix_occurrence_raised_at", "occurrence", ["raised_at"])
    still_open = sa.text("closed_at IS NULL")
    op.create_index(
        "one_open_occurrence",
        "occurrence",
        ["point"],
        unique=True,
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("point", sa.String(300), nullable=False),
        sa.Column("occurrence", sa.String(40)),
        sa.Column("version_before", sa.Integer),
        sa.Column("version_after", sa.Integer),
        sa.Column("state_before", sa.String(16), nullable=False),
        sa.Column("state_after", sa.String(16), nullable=False),
        sa.Column("level", sa.Integer),
        sa.Column("value", sa.Float),
        sa.Column("unit", sa.String(16), nullable=False),
        sa.Column("rule", sa.String(160), nullable=False),
        sa.Column("rule_version", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.String(128)),
        sa.Column("prev_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("ix_audit_occurrence", "audit", ["occurrence"])
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": "0" * 64}])
    op.create_table(
        "collector",
        sa.Column("shard", sa.String(64), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("now_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "reply",
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("request", sa.String(300), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Refuse: an audit is never deleted."""
    raise RuntimeError("the first version of the alarm database cannot be undone: it would delete the audit")
