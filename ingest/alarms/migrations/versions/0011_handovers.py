"""Notes from shift to shift."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "handover",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("shift_from", sa.BigInteger, nullable=False),
        sa.Column("shift_to", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("written_by", sa.String(64), nullable=False),
        sa.Column("written_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("accepted_by", sa.String(64)),
        sa.Column("accepted_at", sa.BigInteger),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("handover")
