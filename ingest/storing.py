"""The store's writer: readings to the store, in journal order, at its own pace and with its own cursor.

While the store keeps up it is handed what the pipeline has decoded. When it falls behind (an outage, a slow disk) the
hand-over is cut, and it reads the journal again by itself until it has caught up: an outage only grows the lag.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from devices.readings import Reading
from devices.site import Site
from ingest.checkpoint import Checkpoint
from ingest.decoding import Decoder, Unregistered
from ingest.errors import JournalError, StoreError
from ingest.journal import Journal
from ingest.ledger import STORED, Stored, count_readings, count_stored, stored_counts
from ingest.metrics import Meters
from ingest.quarantine import Quarantined
from ingest.records import Record
from ingest.repeats import Repeats
from ingest.store import Store

log = logging.getLogger(__name__)

_LINGER_S = 0.2
_BATCH = 5_000
_HANDED_LIMIT = 50_000
_COUNTED_S = 1.0
_RETRY_S = (0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Handed:
    """Readings the pipeline decoded, reaching from behind ``after`` up to ``position``."""

    after: int
    position: int
    received_ms: int
    readings: Sequence[Reading]


class StoreWriter(threading.Thread):
    """Moves readings into the store until stopped."""

    def __init__(
        self,
        site: Site,
        journal: Journal,
        store: Store,
        checkpoint: Checkpoint,
        unregistered: Unregistered,
        meters: Meters,
    ) -> None:
        super().__init__(name="store", daemon=True)
        self._site = site
        self._journal = journal
        self._store = store
        self._checkpoint = checkpoint
        self._unregistered = unregistered
        self._meters = meters
        self._handed: deque[Handed] = deque()
        self._handed_readings = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._decoded_to = 0
        self._own_decoder: Decoder | None = None
        self.stored = Stored()
        self.counts = stored_counts()
        self._counted_s = 0.0
        self._counting = False
        self._writing_ms: int | None = None
        self.trouble = ""
        self.failed: BaseException | None = None

    def hand(self, handed: Handed) -> None:
        """Take decoded readings; too many at once are dropped here and read from the journal again later."""
        with self._changed:
            self._decoded_to = handed.position
            if self._handed_readings > _HANDED_LIMIT:
                self._handed.clear()
                self._handed_readings = 0
            self._handed.append(handed)
            self._handed_readings += len(handed.readings)
            self._changed.notify_all()

    def lag_s(self, now_ms: int) -> float:
        """Return how old the oldest reading is that waits, in seconds; 0 when none does."""
        with self._changed:
            waiting = [h.received_ms for h in self._handed if h.readings and h.position > self.stored.position]
            if self._writing_ms is not None:
                waiting.append(self._writing_ms)
        return max(0.0, (now_ms - min(waiting)) / 1000) if waiting else 0.0

    def stop(self, timeout_s: float) -> None:
        """Write what waits if the store takes it in time, then end."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self.join(timeout_s)

    def run(self) -> None:
        """Work until stopped; a failure that cannot be waited out ends the thread and is kept in ``failed``."""
        try:
            self._begin()
            while True:
                batch = self._next()
                if batch is None or not self._write(batch):
                    if self._counting:
                        self._checkpoint.save_stored(self.stored, (), self.counts)
                    return
        except JournalError as error:
            self.failed = error
            log.error("the store's writer stopped: %s", error)
        except Exception as error:
            self.failed = error
            log.exception("the store's writer stopped")

    def _begin(self) -> None:
        failures = 0
        while not self._stopping:
            try:
                if self._store.transactional:
                    self.stored = Stored(*self._store.position())
                else:
                    self.stored = self._checkpoint.load_stored()
                if self.stored.position > self._journal.last:
                    raise JournalError(
                        f"the journal ends at position {self._journal.last}, but the store has readings up to "
                        f"{self.stored.position}: it belongs to another journal"
                    )
                self._recount(self._checkpoint.load_stored().position)
                self._counting = True
                return
            except StoreError as error:
                failures += 1
                self._wait(error, failures)

    def _recount(self, counted: int) -> None:
        """Bring the counts per device from the position they were saved at to the store's own."""
        self._checkpoint.load_counts(self.counts)
        if self.stored.position == 0:
            # A new store; what the one before held says nothing of it.
            self.counts.clear()
            return
        # A store that commits its position by itself may be ahead after a kill, or behind after a power cut.
        sign = 1 if self.stored.position > counted else -1
        after, until = sorted((counted, self.stored.position))
        after = max(after, self._journal.first() - 1)
        decoder = self._primed(after) if after < until else None
        while decoder is not None and after < until:
            records = [record for record in self._journal.read(after, _BATCH) if record.position <= until]
            for outcome in decoder.outcomes(records):
                count_readings(self.counts, STORED, outcome.readings, sign)
            after = records[-1].position

    def _next(self) -> Handed | None:
        with self._changed:
            while True:
                self._drop_written()
                if self._handed and self._handed[0].after <= self.stored.position:
                    if self._handed_readings < _BATCH and not self._stopping:
                        self._changed.wait(_LINGER_S)
                    return self._joined()
                if self._decoded_to > self.stored.position:
                    break
                if self._stopping:
                    return None
                self._changed.wait(1.0)
        return self._from_journal()

    def _drop_written(self) -> None:
        while self._handed and self._handed[0].position <= self.stored.position:
            self._handed_readings -= len(self._handed.popleft().readings)

    def _joined(self) -> Handed:
        first = self._handed.popleft()
        readings = list(first.readings)
        last = first
        while self._handed and len(readings) < _BATCH:
            last = self._handed.popleft()
            readings.extend(last.readings)
        self._handed_readings = sum(len(handed.readings) for handed in self._handed)
        self._own_decoder = None
        if first.after < self.stored.position:
            readings = [reading for reading in readings if reading.position > self.stored.position]
        return Handed(first.after, last.position, first.received_ms, readings)

    def _from_journal(self) -> Handed:
        position = self.stored.position
        try:
            if self._own_decoder is None:
                log.info("store is behind, reading the journal again from=%d to=%d", position, self._decoded_to)
                self._own_decoder = self._primed(position)
            records = [r for r in self._journal.read(position, _BATCH) if r.position <= self._decoded_to]
        except JournalError as error:
            # What retention removed cannot be written any more; said once, the rest goes on.
            first = self._journal.first()
            if first <= position + 1:
                raise
            log.error("journal lost readings before they were stored from=%d to=%d: %s", position + 1, first - 1, error)
            return Handed(position, first - 1, self._journal.received_ms, [])
        outcomes = self._own_decoder.outcomes(records)
        readings = [reading for outcome in outcomes for reading in outcome.readings]
        return Handed(position, records[-1].position, records[0].received_ms, readings)

    def _primed(self, position: int) -> Decoder:
        decoder = Decoder(self._site, self._unregistered)
        after = max(Repeats.window_start(position), self._journal.first() - 1)
        quarantined = self._checkpoint.unread(after)
        while after < position:
            records: list[Record] = [r for r in self._journal.read(after, _BATCH) if r.position <= position]
            decoder.prime(records, quarantined)
            after = records[-1].position
        return decoder

    def _write(self, batch: Handed) -> bool:
        self._writing_ms = batch.received_ms if batch.readings else None
        failures = 0
        while True:
            try:
                result = self._store.write(batch.readings, batch.position)
                break
            except StoreError as error:
                failures += 1
                self._wait(error, failures)
                if self._stopping:
                    return False
        if failures:
            log.info("store takes readings again behind=%d", self._decoded_to - batch.position)
        self.trouble = ""
        if self._writing_ms is not None:
            self._meters.stored(self._writing_ms, len(batch.readings))
        self._writing_ms = None
        self.stored = Stored(
            batch.position, self.stored.stored + result.stored, self.stored.refused + len(result.refused)
        )
        count_stored(self.counts, batch.readings, result.refused)
        # What a kill leaves unsaved is written again, in the same places, and counted once.
        now_s = time.monotonic()
        if result.refused or now_s - self._counted_s >= _COUNTED_S:
            self._counted_s = now_s
            return self._noted([self._refused(*pair) for pair in result.refused])
        return True

    def _noted(self, refused: Sequence[Quarantined]) -> bool:
        failures = 0
        while True:
            try:
                self._checkpoint.save_stored(self.stored, refused, self.counts)
                self.trouble = ""
                return True
            except JournalError as error:
                failures += 1
                self._wait(error, failures)
                if self._stopping:
                    return False

    def _wait(self, error: StoreError | JournalError, failures: int) -> None:
        self._meters.store_errors.inc()
        if str(error) != self.trouble:
            self.trouble = str(error)
            log.warning("%s; readings wait in the journal", error)
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, _RETRY_S[min(failures, len(_RETRY_S)) - 1])

    def _refused(self, reading: Reading, sentence: str) -> Quarantined:
        place = self.counts.names.row(reading.kind, reading.device)
        words = ("refused", reading.device, reading.measurement, sentence)
        return Quarantined(reading.position, reading.received_ms, *words, *place)
