"""A desk on an empty alarm database, with half an hour of gas readings in its journal."""

from collections.abc import Iterator

import pytest

from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.journal import Journal
from tests.ingest.alarms.feeding import message, tick
from tests.ingest.alarms.revisions.desk import Desk, record


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """Give a journal that holds two rises of one detector: to 12 %LEL at minute 5, to 60 at minute 20."""
    journal = Journal(tmp_path_factory.mktemp("recorded") / "journal")
    readings = []
    for second in range(0, 1800, 10):
        value = 12.0 if 300 <= second < 400 else 60.0 if 1200 <= second < 1300 else 1.0
        readings.append(message(second, "gas_alarm", "gas-1", {"conc_pct_lel": value}, seq=second // 10))
    record(journal, [*readings, *(tick(second) for second in range(0, 1800, 10))])
    yield journal
    journal.close()


@pytest.fixture
def desk(database: AlarmDatabase, site: Site, recorded: Journal) -> Desk:
    """Give the desk at the end of the recording."""
    return Desk(database, site, recorded)
