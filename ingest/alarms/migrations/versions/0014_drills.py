"""Exercises: who led which scenario, when, and the report of what the desk did."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "drill",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("scenario", sa.String(64), nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("led_by", sa.String(64), nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("beat_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("ended_by", sa.String(64)),
        sa.Column("outcome", sa.String(16)),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("report", sa.Text),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("drill")
