"""What officers do besides acknowledging: shelving, out of service, decisions, verdicts, acts of two persons."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    for column in (
        sa.Column("suppressed_until", sa.BigInteger),
        sa.Column("suppressed_by", sa.String(64)),
        sa.Column("suppressed_reason", sa.Text),
        sa.Column("cause", sa.String(64)),
        sa.Column("decision_due_at", sa.BigInteger),
        sa.Column("observed_until", sa.BigInteger),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("decided_by", sa.String(64)),
        sa.Column("verdict", sa.String(20)),
        sa.Column("verdict_at", sa.BigInteger),
        sa.Column("verdict_by", sa.String(64)),
        sa.Column("reset_at", sa.BigInteger),
        sa.Column("reset_by", sa.String(64)),
    ):
        op.add_column("occurrence", column)
    _partial_index("open_occurrences", "occurrence", ["priority", "raised_at"], "closed_at IS NULL", unique=False)
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_table(
        "suppression",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("approved_by", sa.String(64)),
        sa.Column("permit", sa.String(120), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("renewals", sa.Integer, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("ended_by", sa.String(64)),
        sa.Column("ended_reason", sa.Text),
    )
    _partial_index("one_standing_suppression", "suppression", ["subject", "scope", "kind"], "ended_at IS NULL")
    op.create_table(
        "joint_act",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("act", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("occurrence", sa.String(40)),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.Column("asked_role", sa.String(32), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.String(16)),
        sa.Column("settled_by", sa.String(64)),
        sa.Column("settled_at", sa.BigInteger),
    )
    op.create_index("ix_joint_act_occurrence", "joint_act", ["occurrence"])
    _partial_index("one_pending_joint_act", "joint_act", ["act", "subject"], "outcome IS NULL")


def downgrade() -> None:
    """Refuse: what officers did is never deleted."""
    raise RuntimeError("commands cannot be undone: it would delete what officers did")


def _partial_index(name: str, table: str, columns: list[str], condition: str, *, unique: bool = True) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)
