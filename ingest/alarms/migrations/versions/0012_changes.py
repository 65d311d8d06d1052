"""What each act changed, kept with its audit row; and a way to what was open at an instant."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the index."""
    op.add_column("audit", sa.Column("changes", sa.Text))
    op.create_index("closed_occurrences", "occurrence", ["closed_at", "noticed_at"])


def downgrade() -> None:
    """Refuse: an audit is never deleted."""
    raise RuntimeError("what acts changed is part of the audit chain and is never deleted")
