"""Opening what a draft is tested on, for as long as the test takes."""

from collections.abc import Iterator
from contextlib import contextmanager

from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.revisions.recordings import recordings
from ingest.backtest.material import History, Material, Origin, Recorded
from ingest.places import Places
from ingest.store import open_store


@contextmanager
def opened(origin: Origin, site: Site, places: Places, database: AlarmDatabase) -> Iterator[Material]:
    """Give the recordings below a data folder, or the history in the site's store.

    Raises:
        JournalError: nothing was recorded there, or a file is damaged.
    """
    if origin == "journal":
        yield Recorded(site, recordings(site, places))
        return
    store = open_store(site, places)
    try:
        yield History(site, store, database)
    finally:
        store.close()
