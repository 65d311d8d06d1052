"""The desk of the rules' tests, with its journal, and an alarm database."""

from tests.ingest.alarms.conftest import address, database, migrated
from tests.ingest.alarms.revisions.conftest import desk, recorded

__all__ = ["address", "database", "desk", "migrated", "recorded"]
