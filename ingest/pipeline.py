"""The main flow, on one page: broker → journal → acknowledge → decode → alarms → store and live views.

Two threads: the *journaller* (ingest.journaller) writes what arrived and only then acknowledges it; the *pipeline*
follows the journal.
The store has a third (ingest.storing), so that it may be slow or away without alarms waiting for it.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping

from devices.site import Site
from ingest.alarms import occurrences
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.engine import Engine
from ingest.alarms.writing import AlarmWriter, Step
from ingest.cases.findings import MEASUREMENT as FINDING
from ingest.cases.findings import Findings
from ingest.checkpoint import Checkpoint
from ingest.counts import Counts
from ingest.decoding import Decoder, Unregistered
from ingest.errors import IngestError, JournalError
from ingest.handed import Handed
from ingest.journal import Journal
from ingest.ledger import Hops, ledger_document
from ingest.live import Live
from ingest.metrics import Meters
from ingest.outcomes import AnyOutcome, Batch
from ingest.patience import patiently
from ingest.quarantine import Landed, Quarantined, Teller
from ingest.records import Records
from ingest.repeats import Repeats
from ingest.storing import StoreWriter
from ingest.unsaved import Unsaved

log = logging.getLogger(__name__)

_BATCH = 2_000
_ALARMS_WAIT = "alarms wait"
_SECOND_MS = 1_000
# While a backlog is read, this long after each part of it.
_TELL_S = 0.02
_TOPIC_CHARS = 500


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
        meters: Meters,
        secret: bytes,
    ) -> None:
        super().__init__(name="pipeline", daemon=True)
        self._shard = shard
        self._journal = journal
        self._checkpoint = checkpoint
        self._database = database
        self._secret = secret
        self._received = received
        self._meters = meters
        self._stopping = threading.Event()
        self._asked = threading.Event()
        self.failed: BaseException | None = None
        self.recount: Mapping[str, object] | None = None
        """What came of the newest recount of the alarms; told with the ledger."""

        saved = checkpoint.load()
        _check_same_journal(journal, "checkpoint", saved.position)
        _check_same_journal(journal, "alarm database", occurrences.position_of(database, shard))
        self._position = saved.position
        self._ledger = saved.ledger
        self._ledger.counts.names.register(site.devices)
        self._unregistered = saved.unregistered
        self._decoder = Decoder(site, self._unregistered)
        self.engine = Engine(site, shard)
        self.engine.restore(saved.devices, saved.now_ms, saved.listening_ms, saved.rules)
        self._findings = Findings(database, site, self.engine.memory.position_of)
        self._alarms = AlarmWriter(self._keep, saved.unkept)
        self._quarantined: list[Quarantined] = []
        self._again: list[Quarantined] = []
        self._landed: list[Landed] = []
        self._teller = Teller()
        self._told_ms, self._told_s = 0, 0.0
        self._unsaved = Unsaved(self.engine.memory)
        self._untold: set[str] = set()
        self.writer = writer(self._unregistered)
        self.writer.resume(saved.position, saved.now_ms)
        self.writer.counts.names = self._ledger.counts.names
        self._live = live(self.engine)

    def ask(self) -> None:
        """Publish a snapshot with the next step."""
        self._asked.set()

    def tell_metrics(self, now_ms: int) -> None:
        """Publish the metrics of this collector (from any thread)."""
        self._live.metrics(self._meters.text(), now_ms)

    def stop(self) -> None:
        """Finish what the journal holds, save the checkpoint and end."""
        self._stopping.set()
        self.join()

    def run(self) -> None:
        """Work until stopped; a failure that cannot be waited out ends the thread and is kept in ``failed``."""
        try:
            self._prime()
            self._alarms.start()
            self.writer.start()
            while not (self._stopping.is_set() and (self._journal.last <= self._position or self._alarms.full)):
                records = self._read()
                if records:
                    self._step(records)
                self._go_on(len(records) >= _BATCH)
                if not self._stopping.is_set():
                    self.writer.await_room(self._journal.last - self._position)
            self._alarms.stop()
            self._live.alarms(self._alarms.touched())
            self._live.finish()
            self._save()
        except IngestError as error:
            self.failed = error
            log.error("the pipeline stopped: %s", error)
        except Exception as error:
            self.failed = error
            log.exception("the pipeline stopped")

    def _read(self) -> Records:
        """Return what follows; while the journal cannot be read alarms wait, and a stop does not."""
        if self._alarms.full:
            self._alarms.await_room()
            return Records.of(())
        self._journal.wait(self._position, 0.0 if self._live.busy or self._unsaved.busy else 0.5)
        return patiently(lambda: self._journal.read(self._position, _BATCH), self._stopping, _ALARMS_WAIT)

    def _prime(self) -> None:
        after = max(Repeats.window_start(self._position), self._journal.first() - 1, 0)
        quarantined = self._checkpoint.unread()
        while after < self._position:
            records = self._journal.read(after, _BATCH).upto(self._position)
            self._decoder.prime(records, quarantined)
            after = records[-1].position

    def _step(self, records: Records) -> None:
        outcomes = self._decoder.outcomes(records)
        before, self._position = self._position, records[-1].position
        transitions = self.engine.feed(outcomes)
        if transitions:
            self._alarms.hand(Step(self._position, self.engine.memory.now_ms, transitions))
        self._live.alarms(self._alarms.touched())
        readings, usual = outcomes.readings()
        found = [reading for reading in readings if reading.measurement == FINDING]
        if found:
            reports = self._findings.reports(found)
            self._alarms.hand(Step(self._position, self.engine.memory.now_ms, reports=reports))
        self.writer.hand(Handed(before, self._position, records[0].received_ms, readings, usual))
        self._count(outcomes)
        self._live.heard(readings)
        self._meters.judged(records[0].received_ms)
        # The journal's time stands still when the machine's clock was set back, and runs while a backlog is read.
        now_ms, now_s = self.engine.memory.now_ms, time.monotonic()
        if not self._live.busy:
            self._begin_to_tell(now_ms, now_s)
        self._unsaved.begin_where_due(now_s)

    def _begin_to_tell(self, now_ms: int, now_s: float) -> None:
        """Begin to tell the cockpits what they asked for, and each second what changed."""
        if self._asked.is_set():
            self._asked.clear()
            self._live.snapshot()
        if now_ms - self._told_ms >= _SECOND_MS or now_s - self._told_s >= _SECOND_MS / 1000:
            self._told_ms, self._told_s = now_ms, now_s
            self._note_changes()
            untold, self._untold = self._untold, set()
            self._live.second(sorted(untold), self.ledger())

    def _go_on(self, behind: bool) -> None:
        """Go on telling, a piece at a time: an alarm must not wait until a whole city is told.

        Where the journal is far ahead alarms are late by far more than a few pieces. The same goes for a save.
        """
        begun_s = time.monotonic()
        if self._unsaved.busy:
            self._go_on_saving()
        self._live.go_on()
        while behind and self._live.busy and time.monotonic() - begun_s < _TELL_S:
            self._live.go_on()

    def _go_on_saving(self) -> None:
        begun_s = time.thread_time()
        self._note_changes()
        ready = self._unsaved.prepare()
        if ready:
            self._save()
        self._unsaved.worked(time.thread_time() - begun_s, saved=ready)

    def _note_changes(self) -> None:
        """Remember which devices changed, until they are told and until they are saved."""
        changed = self.engine.memory.changes()
        self._untold |= changed
        self._unsaved.note(changed)

    def _keep(self, step: Step) -> list[tuple[str, int]]:
        """Keep a step, by whichever thread."""
        touched = []
        if step.transitions:
            place = (step.position, step.now_ms, self._secret)
            with self._meters.commit_seconds.time():
                touched = occurrences.apply(self._database, self._shard, step.transitions, *place)
        self._findings.keep(step.reports, step.now_ms)
        return touched

    def _count(self, outcomes: Batch) -> None:
        for outcome in self._ledger.count(outcomes):
            if outcome.ahead_ms:
                self._tell_skew(outcome)
            if outcome.fate == "quarantined":
                self._quarantine(outcome)
            elif outcome.origin is not None:
                self._landed.append(Landed(outcome.origin, outcome.fate))

    def _quarantine(self, outcome: AnyOutcome) -> None:
        place = self._ledger.counts.names.row(outcome.kind, outcome.device)
        # A topic may have 64 KiB, and many wait here for the next save.
        words = (outcome.reason, outcome.device, outcome.topic[:_TOPIC_CHARS], outcome.sentence)
        item = Quarantined(outcome.position, outcome.received_ms, *words, *place)
        origin = outcome.origin
        if origin is not None:
            self._again.append(item._replace(position=origin.position, at_ms=origin.received_ms, origin=origin))
            return
        self._quarantined.append(item)
        if self._teller.worth(item):
            log.warning("quarantine reason=%s topic=%.200r: %.300s", item.reason, item.topic, item.sentence)

    def _tell_skew(self, outcome: AnyOutcome) -> None:
        sentence = f"the clock of {outcome.device} is more than five minutes ahead; the receive time counts"
        item = Quarantined(outcome.position, outcome.received_ms, "clock_skew", outcome.device, outcome.topic, sentence)
        if self._teller.worth(item):
            log.warning("%s", sentence)

    @property
    def counts(self) -> tuple[Counts, Counts]:
        """Return the counts per device: of messages, and of readings stored."""
        return self._ledger.counts, self.writer.counts

    def ledger(self) -> dict[str, object]:
        """Return the ledger as it stands."""
        now_ms = self.engine.memory.now_ms
        lag_s = 0.0 if self._position >= self._journal.last else max(0.0, (time.time() * 1000 - now_ms) / 1000)
        oldest_ms = self._alarms.oldest_ms()
        if oldest_ms is not None:
            lag_s = max(lag_s, (now_ms - oldest_ms) / 1000)
        hops = Hops(now_ms, self._received(), self._journal.messages, self.writer.lag_s(now_ms), lag_s)
        document = ledger_document(self._ledger, self.writer.stored, hops, self.writer.counts.kinds())
        return {
            **document,
            "trouble": self.writer.trouble,
            "alarms_trouble": self._alarms.trouble,
            "recount": self.recount,
        }

    def _save(self) -> None:
        memory = self.engine.memory
        self._note_changes()
        states = self._unsaved.take()
        found, self._quarantined = self._quarantined, []
        self._meters.quarantined(found)
        (again, self._again), (landed, self._landed) = (self._again, []), (self._landed, [])
        quarantined = [*found, *again]
        saved = (
            self._position, memory.now_ms, memory.listening_ms, self._ledger, states, self._unregistered, quarantined,
            landed, self.engine.books.saved(), self._alarms.unkept(),
        )  # fmt: skip
        patiently(lambda: self._checkpoint.save(*saved), self._stopping, _ALARMS_WAIT)
        self._unregistered.fresh = {}


def _check_same_journal(journal: Journal, what: str, position: int) -> None:
    # Positions begin at 1 again in a new journal: everything up to the old ones would be passed over in silence.
    if position > journal.last:
        raise JournalError(
            f"the journal ends at position {journal.last}, but the {what} is at {position}: it belongs to another "
            "journal; bring that one back, or move the other state aside too"
        )
