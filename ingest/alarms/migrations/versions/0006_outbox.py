"""Announcements, their deliveries and the escalation of what nobody acknowledges."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "announcement",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("occurrence", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("priority", sa.String(8), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("why", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("taken_at", sa.BigInteger),
    )
    _waiting_index("waiting_announcements", "announcement", "at", "taken_at IS NULL")
    op.create_table(
        "delivery",
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
    _waiting_index("waiting_deliveries", "delivery", "due_at", "sent_at IS NULL AND dead_at IS NULL")
    op.create_table(
        "escalation",
        sa.Column("occurrence", sa.String(40), primary_key=True),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False, index=True),
    )


def downgrade() -> None:
    """Remove the tables."""
    for table in ("escalation", "delivery", "announcement"):
        op.drop_table(table)


def _waiting_index(name: str, table: str, column: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)
