"""Cases from report to closing, their evidence, and leases."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "cases",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("reference", sa.String(160), nullable=False),
        sa.Column("sub_class", sa.String(64), nullable=False),
        sa.Column("severe", sa.Boolean, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("street", sa.String(64), nullable=False),
        sa.Column("grid", sa.String(64), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("lat", sa.Float),
        sa.Column("lon", sa.Float),
        sa.Column("device", sa.String(64)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("limit_ms", sa.BigInteger, nullable=False),
        sa.Column("limit_version", sa.String(16), nullable=False),
        sa.Column("extended_ms", sa.BigInteger, nullable=False),
        sa.Column("suspended_ms", sa.BigInteger, nullable=False),
        sa.Column("suspended_at", sa.BigInteger),
        sa.Column("remind_at", sa.BigInteger),
        sa.Column("amber_at", sa.BigInteger),
        sa.Column("deadline_at", sa.BigInteger),
        sa.Column("reminded_at", sa.BigInteger),
        sa.Column("ambered_at", sa.BigInteger),
        sa.Column("overdue_at", sa.BigInteger),
        sa.Column("found_at", sa.BigInteger, nullable=False),
        sa.Column("reported_at", sa.BigInteger, nullable=False),
        sa.Column("reported_by", sa.String(64), nullable=False),
        sa.Column("registered_at", sa.BigInteger),
        sa.Column("registered_by", sa.String(64)),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("dispatched_at", sa.BigInteger),
        sa.Column("dispatched_by", sa.String(64)),
        sa.Column("handler", sa.String(64)),
        sa.Column("accepted_at", sa.BigInteger),
        sa.Column("done_at", sa.BigInteger),
        sa.Column("done_by", sa.String(64)),
        sa.Column("verified_at", sa.BigInteger),
        sa.Column("verified_by", sa.String(64)),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("closed_by", sa.String(64)),
        sa.Column("forced", sa.Boolean, nullable=False),
        sa.Column("force_by", sa.String(64)),
        sa.Column("force_at", sa.BigInteger),
        sa.Column("force_reason", sa.Text, nullable=False),
        sa.Column("reworks", sa.Integer, nullable=False),
        sa.Column("returns", sa.Integer, nullable=False),
        sa.Column("recurrence_of", sa.String(40)),
        sa.Column("version", sa.Integer, nullable=False),
    )
    for column in ("sub_class", "street", "state", "deadline_at", "reported_at"):
        op.create_index(f"ix_cases_{column}", "cases", [column])
    named = sa.text("reference != ''")
    op.create_index(
        "one_case_per_reference",
        "cases",
        ["source", "reference"],
        unique=True,
        sqlite_where=named,
        postgresql_where=named,
    )
    op.create_table(
        "case_evidence",
        sa.Column("case", sa.String(40), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("reference", sa.String(300), nullable=False),
        sa.Column("act", sa.String(16), nullable=False),
        sa.Column("route", sa.String(64), nullable=False),
        sa.Column("finding", sa.String(64), nullable=False),
        sa.Column("confidence", sa.Float),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.add_column("audit", sa.Column("case", sa.String(40)))
    op.create_index("ix_audit_case", "audit", ["case"])
    op.create_index("ix_occurrence_case", "occurrence", ["case"])


def downgrade() -> None:
    """Refuse: what was done about a case is never deleted."""
    raise RuntimeError("cases cannot be undone: it would delete what was done about them")
