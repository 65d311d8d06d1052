"""The main flow, on one page: broker → journal → acknowledge → decode → alarms → store and live views.

Two threads: the *journaller* writes what arrived and only then acknowledges it; the *pipeline* follows the journal.
The store has a third (ingest.storing), so that it may be slow or away without alarms waiting for it.
"""

import logging
import threading
import time
from collections.abc import Callable

import msgspec

from devices.site import Site
from ingest.alarms import occurrences
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.engine import DeviceState, Engine
from ingest.alarms.transitions import Transition
from ingest.checkpoint import Checkpoint
from ingest.decoding import Decoder, Outcome, Unregistered
from ingest.errors import AlarmError, JournalError
from ingest.journal import AWAY, TICK, Journal, Record
from ingest.ledger import Hops, ledger_document
from ingest.live import Live
from ingest.quarantine import Quarantined, Teller
from ingest.repeats import Repeats
from ingest.storing import Handed, StoreWriter
from ingest.subscriber import Subscriber

log = logging.getLogger(__name__)

_LINGER_S = 0.005
_ENOUGH = 100
_BATCH = 2_000
_SECOND_MS = 1_000


class Journaller(threading.Thread):
    """Writes what arrived to the journal, then acknowledges it; a tick each second."""

    def __init__(self, subscriber: Subscriber, journal: Journal, clock_ms: Callable[[], int]) -> None:
        super().__init__(name="journaller", daemon=True)
        self._subscriber = subscriber
        self._journal = journal
        self._clock_ms = clock_ms
        self._next_tick_ms = 0
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End after the batch at hand; what still waits in the inbox is delivered again."""
        self._stopping.set()
        self._subscriber.inbox.close()
        self.join()

    def run(self) -> None:
        """Work until stopped."""
        while not self._stopping.is_set():
            wait_s = max(0.0, (self._next_tick_ms - self._clock_ms()) / 1000)
            arrived = self._subscriber.inbox.take(wait_s, _LINGER_S, _ENOUGH)
            batch = [(message.topic, message.payload) for message in arrived]
            now_ms = self._clock_ms()
            if now_ms >= self._next_tick_ms:
                batch.append((TICK, b"" if self._subscriber.connected else AWAY))
                self._next_tick_ms = now_ms - now_ms % _SECOND_MS + _SECOND_MS
            if batch and self._written(batch):
                self._subscriber.acknowledge(arrived)

    def _written(self, batch: list[tuple[str, bytes]]) -> bool:
        while True:
            try:
                self._journal.append(batch, self._clock_ms())
                return True
            except JournalError as error:
                log.error("%s", error)
                if self._stopping.wait(1.0):
                    return False


class Pipeline(threading.Thread):
    """Follows the journal: decodes, judges, hands over, counts, and remembers how far it is."""

    def __init__(
        self,
        site: Site,
        shard: str,
        journal: Journal,
        checkpoint: Checkpoint,
        database: AlarmDatabase,
        live: Callable[[Engine], Live],
        writer: Callable[[Unregistered], StoreWriter],
        received: Callable[[], int],
    ) -> None:
        super().__init__(name="pipeline", daemon=True)
        self._shard = shard
        self._journal = journal
        self._checkpoint = checkpoint
        self._database = database
        self._received = received
        self._stopping = threading.Event()
        self._asked = threading.Event()
        self.failed: BaseException | None = None

        saved = checkpoint.load()
        _check_same_journal(journal, "checkpoint", saved.position)
        _check_same_journal(journal, "alarm database", occurrences.position_of(database, shard))
        self._position = saved.position
        self._ledger = saved.ledger
        self._unregistered = saved.unregistered
        self._decoder = Decoder(site, self._unregistered)
        self.engine = Engine(site)
        states = {name: msgspec.msgpack.decode(state, type=DeviceState) for name, state in saved.devices.items()}
        self.engine.restore(states, saved.now_ms, saved.listening_ms)
        self._quarantined: list[Quarantined] = []
        self._teller = Teller()
        self._saved_ms = 0
        self.writer = writer(self._unregistered)
        self._live = live(self.engine)

    def ask(self) -> None:
        """Publish a snapshot with the next step."""
        self._asked.set()

    def stop(self) -> None:
        """Finish what the journal holds, save the checkpoint and end."""
        self._stopping.set()
        self.join()

    def run(self) -> None:
        """Work until stopped; a failure that cannot be waited out ends the thread and is kept in ``failed``."""
        try:
            self._prime()
            self.writer.start()
            while not (self._stopping.is_set() and self._journal.last <= self._position):
                self._journal.wait(self._position, 0.5)
                records = self._journal.read(self._position, _BATCH)
                if records:
                    self._step(records)
            self._save()
        except Exception as error:
            self.failed = error
            log.exception("the pipeline stopped")

    def _prime(self) -> None:
        after = max(Repeats.window_start(self._position), self._journal.first() - 1, 0)
        while after < self._position:
            records = [r for r in self._journal.read(after, _BATCH) if r.position <= self._position]
            self._decoder.prime(records)
            after = records[-1].position

    def _step(self, records: list[Record]) -> None:
        outcomes = [self._decoder.outcome(record) for record in records]
        before, self._position = self._position, records[-1].position
        transitions = self.engine.feed(outcomes)
        if transitions:
            self._live.alarms(self._kept(transitions))
        readings = [reading for outcome in outcomes for reading in outcome.readings]
        self.writer.hand(Handed(before, self._position, records[0].received_ms, readings))
        self._count(outcomes)
        self._live.heard(outcomes)
        if self._asked.is_set():
            self._asked.clear()
            self._live.snapshot()
        if self.engine.now_ms - self._saved_ms >= _SECOND_MS:
            self._live.second(self.ledger())
            self._save()
            self._saved_ms = self.engine.now_ms

    def _kept(self, transitions: list[Transition]) -> list[tuple[str, int]]:
        while True:
            try:
                return occurrences.apply(self._database, self._shard, transitions, self._position, self.engine.now_ms)
            except AlarmError as error:
                # Never pretend: the pipeline waits here, the journal goes on receiving.
                log.error("%s; alarms wait", error)
                if self._stopping.wait(1.0):
                    raise

    def _count(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            self._ledger.count(outcome)
            if outcome.readings and outcome.readings[0].flags.get("") == "clock_skew":
                self._tell_skew(outcome)
            if outcome.fate == "quarantined":
                item = Quarantined(
                    outcome.position,
                    outcome.received_ms,
                    outcome.reason,
                    outcome.device,
                    outcome.topic,
                    outcome.sentence,
                )
                self._quarantined.append(item)
                if self._teller.worth(item):
                    log.warning("quarantine reason=%s topic=%.200r: %.300s", item.reason, item.topic, item.sentence)

    def _tell_skew(self, outcome: Outcome) -> None:
        sentence = f"the clock of {outcome.device} is more than five minutes ahead; the receive time counts"
        item = Quarantined(outcome.position, outcome.received_ms, "clock_skew", outcome.device, outcome.topic, sentence)
        if self._teller.worth(item):
            log.warning("%s", sentence)

    def ledger(self) -> dict[str, object]:
        """Return the ledger as it stands."""
        now_ms = self.engine.now_ms
        lag_s = 0.0 if self._position >= self._journal.last else max(0.0, (time.time() * 1000 - now_ms) / 1000)
        hops = Hops(now_ms, self._received(), self._journal.messages, self.writer.lag_s(now_ms), lag_s)
        return {**ledger_document(self._ledger, self.writer.stored, hops), "trouble": self.writer.trouble}

    def _save(self) -> None:
        changed, self.engine.changed = self.engine.changed, set()
        states = {name: msgspec.msgpack.encode(self.engine.devices[name]) for name in changed}
        found, self._quarantined = self._quarantined, []
        now_ms, listening_ms = self.engine.now_ms, self.engine.listening_ms
        self._checkpoint.save(self._position, now_ms, listening_ms, self._ledger, states, self._unregistered, found)
        self._unregistered.fresh = {}


def _check_same_journal(journal: Journal, what: str, position: int) -> None:
    # Positions begin at 1 again in a new journal: everything up to the old ones would be passed over in silence.
    if position > journal.last:
        raise JournalError(
            f"the journal ends at position {journal.last}, but the {what} is at {position}: it belongs to another "
            "journal; bring that one back, or move the other state aside too"
        )
