"""Lamp switching: what is wanted, and the command to each lamp with what became of it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "lamp_order",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("dim_pct", sa.Integer),
        sa.Column("for_s", sa.Integer),
        sa.Column("until", sa.BigInteger),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("lamps", sa.Integer, nullable=False),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.Column("asked_role", sa.String(32), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("settled_by", sa.String(64)),
        sa.Column("settled_at", sa.BigInteger),
        sa.Column("state", sa.String(16), nullable=False),
    )
    where = sa.text("state = 'asked'")
    op.create_index(
        "one_asked_lamp_order",
        "lamp_order",
        ["scope", "subject"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )
    op.create_table(
        "lamp_command",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("order", sa.String(40), nullable=False, index=True),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("district", sa.String(64), nullable=False),
        sa.Column("dim_pct", sa.Integer),
        sa.Column("until", sa.BigInteger),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("claimed_until", sa.BigInteger, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("accepted", sa.Boolean),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("settled_at", sa.BigInteger),
        sa.Column("obeyed_at", sa.BigInteger),
    )
    op.create_index("ix_lamp_command_device", "lamp_command", ["device", "made_at"])
    where = sa.text("state IN ('waiting', 'sending', 'sent')")
    op.create_index("open_lamp_commands", "lamp_command", ["claimed_until"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Refuse: who switched which lamp is never deleted."""
    raise RuntimeError("lamp orders cannot be undone: it would delete who switched which lamp")
