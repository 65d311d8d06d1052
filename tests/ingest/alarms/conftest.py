"""An alarm database of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.alarms.database import AlarmDatabase


@pytest.fixture
def database(tmp_path: Path) -> Iterator[AlarmDatabase]:
    """Give an empty, migrated alarm database."""
    opened = AlarmDatabase(f"sqlite:///{tmp_path / 'alarms.db'}")
    opened.migrate()
    yield opened
    opened.close()
