"""Notices stand in the alarm database, so they are tested on the same ones."""

from tests.ingest.alarms.conftest import address, database, migrated

__all__ = ["address", "database", "migrated"]
