"""The journal read and decoded again: for a store that is behind, and for what was counted of it."""

import logging
from collections.abc import Iterator

from devices.site import Site
from ingest.checkpoint import Checkpoint
from ingest.decoding import Decoder, Unregistered
from ingest.errors import JournalError
from ingest.handed import Handed, Waiting
from ingest.journal import Journal
from ingest.outcomes import Batch
from ingest.repeats import Repeats

log = logging.getLogger(__name__)

# Records at a time of what is only looked at or counted.
READ = 5_000


class Rereading:
    """Reads on where it read before; from anywhere else it begins with what may be repeated."""

    def __init__(
        self, site: Site, journal: Journal, checkpoint: Checkpoint, unregistered: Unregistered, waiting: Waiting
    ) -> None:
        self._site = site
        self._journal = journal
        self._checkpoint = checkpoint
        self._unregistered = unregistered
        self._waiting = waiting
        self._decoder: Decoder | None = None

    def end(self) -> None:
        """Note that readings are handed over again."""
        self._decoder = None

    def batch(self, position: int, decoded_to: int, most: int) -> Handed:
        """Return what lies behind a position, of about so many records, up to where the pipeline has decoded.

        Raises:
            JournalError: the journal cannot be read, though it holds that.
        """
        try:
            if self._decoder is None:
                log.info("store is behind, reading the journal again from=%d to=%d", position, decoded_to)
                self._decoder = self._primed(position)
            records = self._journal.read(position, most).upto(decoded_to)
        except JournalError as error:
            # What retention removed cannot be written any more; said once, the rest goes on.
            first = self._journal.first()
            if first <= position + 1:
                raise
            log.error("journal lost readings before they were stored from=%d to=%d: %s", position + 1, first - 1, error)
            return Handed(position, first - 1, self._journal.received_ms, [])
        self._waiting.reading(records[0].received_ms)
        readings, usual = self._decoder.outcomes(records).readings()
        first_ms = [reading.received_ms for reading in readings[:1]] + [int(each.received_ms[0]) for each in usual]
        heard_ms = min(first_ms, default=records[0].received_ms)
        batch = Handed(position, records[-1].position, heard_ms, readings, usual)
        self._waiting.read(batch, records[-1].received_ms)
        return batch

    def between(self, after: int, until: int) -> Iterator[Batch]:
        """Yield what became of the records behind a position up to another.

        Raises:
            JournalError: the journal cannot be read.
        """
        after = max(after, self._journal.first() - 1)
        decoder = self._primed(after) if after < until else None
        while decoder is not None and after < until:
            records = self._journal.read(after, READ).upto(until)
            yield decoder.outcomes(records)
            after = records[-1].position

    def _primed(self, position: int) -> Decoder:
        decoder = Decoder(self._site, self._unregistered)
        after = max(Repeats.window_start(position), self._journal.first() - 1)
        quarantined = self._checkpoint.unread()
        while after < position:
            records = self._journal.read(after, READ).upto(position)
            decoder.prime(records, quarantined)
            after = records[-1].position
        return decoder
