"""Where each account may act."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: nothing in it means the whole city."""
    op.add_column("account", sa.Column("areas", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    """Remove the column."""
    with op.batch_alter_table("account") as table:
        table.drop_column("areas")
