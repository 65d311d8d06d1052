"""Revisions of the rules, their back-tests, and from which journal position each collector judges by them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "rule_revision",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("author_role", sa.String(32), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("edition", sa.String(120), nullable=False),
        sa.Column("grade", sa.String(1), nullable=False),
        sa.Column("changes", sa.Text, nullable=False),
        sa.Column("restores", sa.Integer),
        sa.Column("sequence", sa.Integer, unique=True),
        sa.Column("document", sa.Text),
        sa.Column("approved_by", sa.String(64)),
        sa.Column("approved_role", sa.String(32)),
        sa.Column("approved_at", sa.BigInteger),
        sa.Column("effective_at", sa.BigInteger),
        sa.Column("discarded_by", sa.String(64)),
        sa.Column("discarded_at", sa.BigInteger),
    )
    op.create_table(
        "rule_backtest",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False, index=True),
        sa.Column("base", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("from_ms", sa.BigInteger, nullable=False),
        sa.Column("to_ms", sa.BigInteger, nullable=False),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("done", sa.BigInteger, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("told_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("result", sa.Text),
    )
    op.create_table(
        "rule_adoption",
        sa.Column("shard", sa.String(64), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Remove the tables."""
    for table in ("rule_adoption", "rule_backtest", "rule_revision"):
        op.drop_table(table)
