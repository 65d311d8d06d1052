"""Overloads by vehicle, of which repeat offenders are told."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "offence",
        sa.Column("shard", sa.String(64), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True),
        sa.Column("ordinal", sa.Integer, primary_key=True),
        sa.Column("vehicle", sa.String(40), nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("counted", sa.Boolean, nullable=False),
        sa.Column("told", sa.Boolean, nullable=False),
    )
    op.create_index("ix_offence_vehicle", "offence", ["vehicle", "at"])
    where = sa.text("NOT counted")
    op.create_index("uncounted_offences", "offence", ["at"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("offence")
