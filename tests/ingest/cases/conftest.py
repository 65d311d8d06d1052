"""A desk at which everybody who works on cases sits, with an alarm database on SQLite and on PostgreSQL."""

from pathlib import Path

import pytest

from ingest.alarms.database import AlarmDatabase
from ingest.cases.records import CaseRules
from tests.ingest.alarms.conftest import address, database, migrated
from tests.ingest.cases.desk import Desk
from tests.sites import small_site

__all__ = ["address", "database", "migrated"]


@pytest.fixture
def rules(tmp_path: Path) -> CaseRules:
    """Give the small site and the shipped sub-classes."""
    return CaseRules(small_site(tmp_path))


@pytest.fixture
def desk(database: AlarmDatabase, rules: CaseRules) -> Desk:
    """Give a desk whose clock stands at noon."""
    return Desk(database, rules)
