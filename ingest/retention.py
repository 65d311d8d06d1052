"""Keeping: journal files for as long as the recording is wanted, readings for as long as the site says."""

import logging

from devices.site import Site
from ingest.errors import IngestError
from ingest.journal import Journal
from ingest.store import Store
from ingest.storing import StoreWriter

log = logging.getLogger(__name__)

JOURNAL_DAYS = 7
_DAY_MS = 86_400_000
_EVERY_MS = 600_000


class Keeper:
    """Removes what is older than wanted, every ten minutes; never a journal file that a cursor has not passed."""

    def __init__(self, site: Site, journal: Journal, store: Store, writer: StoreWriter) -> None:
        self._journal = journal
        self._store = store
        self._writer = writer
        self._journal_ms = min(JOURNAL_DAYS, site.store.retention_days) * _DAY_MS
        self._readings_ms = site.store.retention_days * _DAY_MS
        self._next_ms = 0

    def look(self, now_ms: int) -> None:
        """Remove what is due."""
        if now_ms < self._next_ms:
            return
        self._next_ms = now_ms + _EVERY_MS
        try:
            for name in self._journal.remove_before(self._writer.stored.position, now_ms - self._journal_ms):
                log.info("journal file removed name=%s", name)
            self._store.expire(now_ms - self._readings_ms)
        except IngestError as error:
            log.warning("keeping: %s", error)
