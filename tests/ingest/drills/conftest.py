"""An alarm database of its own for each test: on SQLite and on PostgreSQL."""

from tests.ingest.alarms.conftest import address, database, migrated

__all__ = ["address", "database", "migrated"]
