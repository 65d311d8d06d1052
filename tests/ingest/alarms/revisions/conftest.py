"""A desk on an empty alarm database, with half an hour of gas readings in its journal."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from tests.ingest.alarms.feeding import message, ticks
from tests.ingest.alarms.revisions.desk import Desk


@pytest.fixture
def desk(database: AlarmDatabase, site: Site, tmp_path: Path) -> Iterator[Desk]:
    """Give the desk; the journal holds two rises of one detector: to 12 %LEL at minute 5, to 60 at minute 20."""
    found = Desk(database, site, tmp_path)
    readings = []
    for second in range(0, 1800, 10):
        value = 12.0 if 300 <= second < 400 else 60.0 if 1200 <= second < 1300 else 1.0
        readings.append(message(second, "gas_alarm", "gas-1", {"conc_pct_lel": value}, seq=second // 10))
    found.record([*readings, *ticks(0, 1800)])
    yield found
    found.journal.close()
