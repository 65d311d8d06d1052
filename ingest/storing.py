"""The store's writer: readings to the store, in journal order, at its own pace and with its own cursor.

While the store keeps up it is handed what the pipeline has decoded. When it falls behind (an outage, a slow disk) the
hand-over is cut, and it reads the journal again by itself until it has caught up: an outage only grows the lag.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence

from devices.readings import Reading
from devices.site import Site
from ingest.checkpoint import Checkpoint
from ingest.decoding import Unregistered
from ingest.errors import JournalError, StoreError
from ingest.handed import Handed, Waiting
from ingest.journal import Journal
from ingest.ledger import REFUSED, STORED, Stored, count_readings, count_stored, stored_counts
from ingest.metrics import Meters
from ingest.quarantine import Landed, Quarantined
from ingest.records import OWN
from ingest.refused import Trial
from ingest.rereading import READ, Rereading
from ingest.store import Store
from ingest.store.base import WriteResult
from ingest.store.usual import UsualReadings

log = logging.getLogger(__name__)

# One of 20,000 lines costs InfluxDB half as much a line as one of 5,000. Whoever is behind takes several times as many,
# and the store makes a part ready while it writes another.
_BATCH, _MOST = 20_000, 60_000
# What is half a second's work; and how long alarms may wait at once, and in all, while that much waits for them.
_FAR_BEHIND, _ROOM_S, _WAITED_MOST_S = 20_000, 0.2, 30.0
_COUNTED_S = 1.0
_RETRY_S = (0.5, 1.0, 2.0, 5.0)


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
        self._journal = journal
        self._store = store
        self._checkpoint = checkpoint
        self._meters = meters
        # Up to there all newcomers are judged; what the pipeline judges from now on it hands over.
        self._judged = unregistered.judged
        self._waiting = Waiting()
        self._trials: deque[Trial] = deque()
        self._stopping = False
        self._rereading = Rereading(site, journal, checkpoint, unregistered, self._waiting)
        self.stored = Stored()
        self.saved_to = 0
        """The position that a restart would begin with: what lies behind it is still needed."""
        self.counts = stored_counts()
        self._counted_s = 0.0
        self._waited_s = 0.0
        self.trouble = ""
        self.failed: BaseException | None = None
        # The store itself may not answer yet; it is about as far as was saved.
        self._look_behind(checkpoint.load_stored().position)

    def resume(self, position: int, at_ms: int) -> None:
        """Go on behind a pipeline that was saved at a position; before ``start``.

        A store that is behind can then catch up although nothing new can be journaled, as on a full disk.
        """
        self._waiting.resume(position, at_ms)

    def hand(self, handed: Handed) -> None:
        """Take decoded readings; too many at once are dropped here and read from the journal again later."""
        self._waiting.hand(handed)

    def await_room(self, behind: int) -> None:
        """Wait a moment where readings are handed over faster than the store takes them.

        Only where whoever hands over is far behind with so many records, and alarms are late by more than that anyway;
        and not for long in all, for a store may be slower than what comes in. One that takes nothing holds nobody
        up for long.
        """
        if behind < _FAR_BEHIND:
            self._waited_s = 0.0
        elif self._waited_s < _WAITED_MOST_S and not self.trouble:
            begun_s = time.monotonic()
            self._waiting.await_room(_ROOM_S)
            self._waited_s += time.monotonic() - begun_s

    def write_again(self, trial: Trial) -> bool:
        """Write readings again that the store refused, between those that come; False when this store never can."""
        if self._store.transactional:
            return False
        with self._waiting.changed:
            self._trials.append(trial)
            self._waiting.changed.notify_all()
        return True

    def lag_s(self, now_ms: int) -> float:
        """Return how old the oldest reading is that the store has not, in seconds; 0 when it has all."""
        oldest_ms = self._waiting.oldest_ms(self._journal.last)
        return 0.0 if oldest_ms is None else max(0.0, (now_ms - oldest_ms) / 1000)

    def stop(self, timeout_s: float) -> None:
        """Write what waits if the store takes it in time, then end."""
        with self._waiting.changed:
            self._stopping = True
            self._waiting.changed.notify_all()
        if self.is_alive():
            self.join(timeout_s)

    def run(self) -> None:
        """Work until stopped; a failure that cannot be waited out ends the thread and is kept in ``failed``."""
        try:
            if not self._begun():
                return
            while True:
                batch = self._next()
                if batch is None or not (self._try(batch) if isinstance(batch, Trial) else self._write(batch)):
                    self._checkpoint.save_stored(self.stored, (), self.counts)
                    return
        except JournalError as error:
            self.failed = error
            log.error("the store's writer stopped: %s", error)
        except Exception as error:
            self.failed = error
            log.exception("the store's writer stopped")

    def _begun(self) -> bool:
        """Find out how far the store is; False when stopped before that is known, and what it has counted."""
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
                self._look_behind(self.stored.position)
                counted = self._checkpoint.load_stored().position
                if not self._passed(max(counted, self.stored.position)):
                    return False
                self._recount(counted)
                self.saved_to = min(counted, self.stored.position)
                return True
            except StoreError as error:
                failures += 1
                self._wait(error, failures)
        return False

    def _look_behind(self, position: int) -> None:
        """Find out since when what is behind a position waits."""
        after = max(position, self._journal.first() - 1)
        found = self._journal.read(after, READ)
        heard = (record.received_ms for record in found if record.topic not in OWN)
        self._waiting.begin(position, next(heard, found[-1].received_ms if found else None))

    def _passed(self, position: int) -> bool:
        """Wait until the pipeline has passed a position: only it may judge newcomers; False when stopped before."""
        waiting = self._waiting

        def passed() -> bool:
            return max(waiting.decoded_to, self._judged) >= position

        with waiting.changed:
            waiting.changed.wait_for(lambda: self._stopping or passed())
            return passed()

    def _recount(self, counted: int) -> None:
        """Bring the counts per device from the position they were saved at to the store's own."""
        self._checkpoint.load_counts(self.counts)
        if self.stored.position == 0:
            # A new store; what the one before held says nothing of it.
            self.counts.clear()
            return
        # A store that commits its position by itself may be ahead after a kill, or behind after a power cut.
        sign = 1 if self.stored.position > counted else -1
        for outcomes in self._rereading.between(*sorted((counted, self.stored.position))):
            for outcome in outcomes:
                count_readings(self.counts, STORED, outcome.readings, sign)

    def _next(self) -> Handed | Trial | None:
        waiting = self._waiting
        lingered = False

        def enough() -> bool:
            # Meanwhile the hand-over may be cut, too.
            return bool(self._trials) or self._stopping or waiting.holds(_BATCH) or not waiting.follows

        with waiting.changed:
            while True:
                if self._trials:
                    return self._trials.popleft()
                if waiting.follows:
                    if lingered or enough():
                        self._rereading.end()
                        return waiting.take(_MOST)
                    lingered = True
                    waiting.await_company(enough, self._journal)
                    continue
                if waiting.decoded_to > self.stored.position:
                    decoded_to = waiting.decoded_to
                    break
                if self._stopping:
                    return None
                waiting.changed.wait(1.0)
        return self._from_journal(decoded_to)

    def _from_journal(self, decoded_to: int) -> Handed | None:
        """Return what follows as soon as it can be read; None when stopped before."""
        failures = 0
        while True:
            try:
                return self._rereading.batch(self.stored.position, decoded_to, _BATCH)
            except JournalError as error:
                failures += 1
                self._wait(error, failures)
                if self._stopping:
                    return None

    def _write(self, batch: Handed) -> bool:
        result = self._taken(batch.readings, batch.position, batch.usual)
        if result is None:
            return False
        if len(batch):
            self._meters.stored(batch.received_ms, len(batch))
        self.stored = Stored(
            batch.position, self.stored.stored + result.stored, self.stored.refused + len(result.refused)
        )
        self._waiting.stored(batch.position)
        count_stored(self.counts, batch.readings, result.refused, batch.usual)
        # What a kill leaves unsaved is written again, in the same places, and counted once.
        now_s = time.monotonic()
        if result.refused or now_s - self._counted_s >= _COUNTED_S:
            self._counted_s = now_s
            self._note([self._refused(*pair) for pair in result.refused])
        return True

    def _taken(
        self, readings: Sequence[Reading], position: int, usual: Sequence[UsualReadings] = ()
    ) -> WriteResult | None:
        """Return what became of readings as soon as the store takes them; None when stopped before."""
        failures = 0
        while True:
            try:
                result = self._store.write(readings, position, usual)
                break
            except StoreError as error:
                failures += 1
                self._wait(error, failures)
                if self._stopping:
                    return None
        if failures:
            log.info("store takes readings again behind=%d", self._waiting.decoded_to - position)
        self.trouble = ""
        return result

    def _try(self, trial: Trial) -> bool:
        """Write again what was refused."""
        readings = [reading for message in trial.messages for reading in message.readings]
        result = self._taken(readings, self.stored.position)
        if result is None:
            return False
        landed, refused = trial.came_of(result)
        for gone in landed:
            self.counts.add(gone.origin.kind, gone.origin.row, REFUSED, -1)
            self.counts.add(gone.origin.kind, gone.origin.row, STORED, 1)
        count = len(landed)
        self.stored = Stored(self.stored.position, self.stored.stored + count, self.stored.refused - count)
        self._note(refused, landed)
        trial.done.set()
        return True

    def _note(self, refused: Sequence[Quarantined], landed: Sequence[Landed] = ()) -> None:
        """Save how far the store is and what was refused: together, or after a restart neither is so."""
        failures = 0
        while True:
            try:
                self._checkpoint.save_stored(self.stored, refused, self.counts, landed)
                self.saved_to = self.stored.position
                self.trouble = ""
                return
            except JournalError as error:
                failures += 1
                self._wait(error, failures)
                if self._stopping:
                    raise

    def _wait(self, error: StoreError | JournalError, failures: int) -> None:
        self._meters.store_errors.inc()
        if str(error) != self.trouble:
            self.trouble = str(error)
            log.warning("%s; readings wait in the journal", error)
        with self._waiting.changed:
            self._waiting.changed.wait_for(lambda: self._stopping, _RETRY_S[min(failures, len(_RETRY_S)) - 1])

    def _refused(self, reading: Reading, sentence: str) -> Quarantined:
        place = self.counts.names.row(reading.kind, reading.device)
        words = ("refused", reading.device, reading.measurement, sentence)
        return Quarantined(reading.position, reading.received_ms, *words, *place)
