"""What there is to be replayed."""

from pathlib import Path

import pytest

from tests.ingest.replay.recorded import dense_minutes, some_minutes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a data folder that heard seven minutes."""
    return some_minutes(tmp_path)


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    """Return a data folder that heard a minute and a half with several instants a second."""
    return dense_minutes(tmp_path)
