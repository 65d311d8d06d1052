"""Opening what a draft is tested on, and the store with the readings behind its alarms, for as long as it takes."""

from collections.abc import Iterator
from contextlib import contextmanager

from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.revisions.recordings import recordings
from ingest.backtest.material import History, Material, Origin, Recorded
from ingest.backtest.readings import Document, add_readings
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


def stored_readings(found: Document, site: Site, places: Places) -> None:
    """Add to the alarms of a result what their device measured, as the site's store has it.

    Raises:
        StoreError: the store is away.
    """
    store = open_store(site, places)
    try:
        add_readings(found, site, store)
    finally:
        store.close()
