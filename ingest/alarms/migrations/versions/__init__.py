"""Schema versions of the alarm database (Alembic)."""
