"""The alarm engine: outcomes of the journal in, transitions out. Pure: no clock, no database, no network.

Its now is the highest receive time of the journal. Between two records due timers fire in order of (due, device). The
same journal gives the same transitions, whatever the size of the batches it is fed in. A message on which a rule fails
by a fault of ours goes to quarantine: every restart would read it again, and the city needs its other alarms.
"""

import logging
from collections.abc import Container, Iterable, Mapping, Sequence

from devices.decode import STATUS
from devices.kind import Value
from devices.readings import Quality, Reading
from devices.site import Site
from ingest.alarms.books import Books
from ingest.alarms.course import Course
from ingest.alarms.glance import Look, look, look_closely
from ingest.alarms.groups import Groups
from ingest.alarms.judging import Judging
from ingest.alarms.memory import DeviceState, GroupState, Memory
from ingest.alarms.own_kind import KIND as OWN_KIND
from ingest.alarms.own_kind import own_device
from ingest.alarms.revisions.revision import SITE_FILE, Revision
from ingest.alarms.rows import Row
from ingest.alarms.silence import Silence
from ingest.alarms.sources import clocked, counted, doubted
from ingest.alarms.stretches import Made, Seen, Stretches
from ingest.alarms.transitions import Transition
from ingest.outcomes import AnyOutcome, Batch, Outcome
from ingest.sheets import Sheet, Usual

log = logging.getLogger(__name__)

_NOTHING: frozenset[str] = frozenset()


def _singles(outcomes: Sequence[AnyOutcome]) -> Iterable[tuple[int, AnyOutcome]]:
    return outcomes.single.items() if isinstance(outcomes, Batch) else enumerate(outcomes)


class Engine:
    """Judges readings and silence for every device of a site."""

    def __init__(self, site: Site, shard: str = "main", revision: Revision = SITE_FILE) -> None:
        self._site = site
        self._own_device = own_device(shard)
        self.memory = Memory()
        self.books = Books(site, revision)
        self._silence = Silence(site, self.books.book, self.memory)
        self.course = Course(site, self.memory, self._silence)
        self._faults: set[str] = set()
        # Asked for every reading.
        self._conditional = self._silence.conditional
        self._compile()

    def _compile(self) -> None:
        self._groups = Groups(self.books.site, self.books, self.memory)
        self.course.groups = self._groups
        self._judging = Judging(self.books, self.memory, self._groups)
        self._followed = self._judging.followed

    def restore(self, saved: Mapping[str, bytes], now_ms: int, listening_ms: int, rules: bytes | None = None) -> None:
        """Take over what a checkpoint saved; timers come back from stored instants, due ones fire at once."""
        if rules is not None:
            self.books.restore(rules)
            self._compile()
        self.memory.restore(saved)
        self.memory.now_ms, self.memory.listening_ms = now_ms, listening_ms
        for device, state in self.memory.devices.items():
            self._silence.watch(device, state)

    def feed(self, outcomes: Sequence[AnyOutcome]) -> list[Transition]:
        """Judge outcomes in journal order and return what changed."""
        found: list[Transition] = []
        begin = 0
        for index, outcome in _singles(outcomes):
            if outcome.revision is not None:
                self._fed(outcomes[begin : index + 1], found)
                self.adopt(outcome.revision, outcome.position, outcome.received_ms)
                begin = index + 1
        self._fed(outcomes[begin:] if begin else outcomes, found)
        return found

    def adopt(self, revision: Revision, position: int, at_ms: int) -> None:
        """Judge by other rules from now on; nothing is raised and nothing returns by that alone."""
        memory = self.memory
        states: dict[str, DeviceState | GroupState] = {**memory.devices, **memory.groups}
        for name in self.books.adopt(revision, position, at_ms, states):
            memory.note(name)
        for state in memory.devices.values():
            state.settle()
        self._compile()

    def _fed(self, outcomes: Sequence[AnyOutcome], found: list[Transition]) -> None:
        if isinstance(outcomes, Batch):
            Stretches(self, outcomes, found).judge()
            return
        loud = self.loud(outcome for outcome in outcomes if type(outcome) is Outcome)
        seen: dict[Sheet, Seen] = {}
        for outcome in outcomes:
            if type(outcome) is Outcome:
                self.take(outcome, loud, found)
            elif type(outcome) is Usual:
                if outcome.sheet not in seen:
                    seen[outcome.sheet] = self.seen(outcome.sheet)
                self.take_usual(outcome, seen[outcome.sheet], found)

    def take(self, outcome: Outcome, loud: Container[int], found: list[Transition]) -> None:
        """Judge one outcome by itself; ``loud`` are the readings (their ``id``) that may concern a rule."""
        try:
            self.memory.position, self.memory.ordinal = outcome.position, 0
            self.course.reach(outcome, found)
            if outcome.own:
                found.extend(self._own(outcome))
            for reading in outcome.readings:
                is_loud = id(reading) in loud
                if is_loud or not self._quiet(reading, outcome, found):
                    self._heard(reading, outcome, is_loud, found)
            if outcome.seq is not None and outcome.readings:
                self._counted(outcome, outcome.seq, outcome.readings[0].history, found)
        except Exception as error:  # noqa: BLE001 - a fault of ours, or of a rule, must not stop the city
            self._failed(outcome, error)

    def take_usual(self, outcome: Usual, seen: Seen, found: list[Transition]) -> None:
        """Judge one usual message, and let happen before what is due."""
        try:
            self.memory.position, self.memory.ordinal = outcome.position, 0
            self.course.reach(outcome, found)
        except Exception as error:  # noqa: BLE001 - as in take()
            self._failed(outcome, error)
        else:
            self.take_row(seen, outcome.row, lambda _sheet, _row: outcome, found)

    def take_row(self, seen: Seen, row: int, made: Made, found: list[Transition]) -> bool:
        """Judge a row of a sheet, before which nothing is due; tell whether it had to be ``made`` a message."""
        calm = seen.calm
        shape, place, at_ms, seq, received_ms = seen.rows[row]
        try:
            if shape == calm.shapes[place] and at_ms >= calm.at_ms[place]:
                state = calm.state(place)
                learned = self._judging.learned(seen.learning, row, state) if seen.learning else ()
                if learned:
                    outcome = self._at(made(seen.sheet, row))
                    state.release()
                    self._judging.weigh(learned, outcome.readings[0], state, found)
                follows = calm.take(place, at_ms, seq, received_ms, seen.sheet.samples[row])
                if learned:
                    state.settle()
                if follows:
                    return bool(learned)
                outcome = self._at(made(seen.sheet, row))
            else:
                outcome = self._at(made(seen.sheet, row))
                self._stirred(outcome, seen, found)
            self._counted(outcome, outcome.seq, outcome.history, found)
        except Exception as error:  # noqa: BLE001 - as in take()
            self._failed(made(seen.sheet, row), error)
        return True

    def _at(self, outcome: Usual) -> Usual:
        """Stand at an outcome."""
        memory = self.memory
        if memory.position != outcome.position:
            memory.position, memory.ordinal = outcome.position, 0
        return outcome

    def _counted(self, outcome: AnyOutcome, seq: int, history: bool, found: list[Transition]) -> None:
        """Follow the numbers of a device."""
        state = self._state_of(outcome.device)
        if state.seq == seq - 1 and not state.missed:
            state.seq = seq
        elif outcome.fate == "decoded" and not history:
            found.extend(counted(outcome.device, state, seq, self.memory))
        state.renumber()

    def loud(self, outcomes: Iterable[Outcome]) -> set[int]:
        """Return which readings that came one by one (their ``id``) may concern a rule."""
        readings = [reading for outcome in outcomes for reading in outcome.readings]
        try:
            loud = self._judging.columns.loud(readings)
        except Exception as error:  # noqa: BLE001 - as in take(); one by one it turns out which it is
            self._tell(error)
            return set(map(id, readings))
        return {id(readings[place]) for place in loud}

    def seen(self, sheet: Sheet) -> Seen:
        """Return what is seen of a sheet at a glance, with where its calm devices are kept."""
        return Seen(sheet, self._look(sheet), self.memory.calm(sheet))

    def _look(self, sheet: Sheet) -> Look:
        way = sheet.ways[0]
        if way.kind in self._conditional:
            return look_closely(sheet)
        try:
            return look(way.simple, sheet, self._judging)
        except Exception as error:  # noqa: BLE001 - as in loud()
            self._tell(error)
            return look_closely(sheet)

    def _stirred(self, outcome: Usual, seen: Seen, found: list[Transition]) -> None:
        """Take in a usual message of a device that is not calm, or not known by messages of this shape."""
        (reading,) = outcome.readings
        loud = bool(seen.look.loud[outcome.row])
        if loud or not self._quiet(reading, outcome, found):
            self._heard(reading, outcome, loud, found)
        state = self._state_of(outcome.device)
        row = state.rows[reading.measurement]
        if state.calm and row.values is reading.values and not row.apart:
            for other in state.rows.values():
                other.stir()
            row.bind(seen.calm, outcome.way.place, state, outcome.shape)

    def _failed(self, outcome: AnyOutcome, error: Exception) -> None:
        """Let a message go to quarantine with what was read from it; what it changed until then stays."""
        self._tell(error)
        self.memory.now_ms = max(self.memory.now_ms, outcome.received_ms)
        for reading in outcome.readings:
            state = self.memory.device(reading.device)
            if state is not None:
                self.memory.note(reading.device)
                state.settle()
        if outcome.fate != "decoded":
            return
        sentence = f"judging failed: {type(error).__name__}: {error}"
        if type(outcome) is Usual:
            outcome.sheet.failed[outcome.row] = "failure", sentence
        elif type(outcome) is Outcome:
            outcome.fate, outcome.reason, outcome.sentence = "quarantined", "failure", sentence

    def _tell(self, error: Exception) -> None:
        name = type(error).__name__
        if name not in self._faults:
            self._faults.add(name)
            place = self.memory.position
            log.error("judging failed, the message goes to quarantine position=%d", place, exc_info=error)

    def _quiet(self, reading: Reading, outcome: AnyOutcome, found: list[Transition]) -> bool:
        """Take in a reading as nearly all are: a device that is well sends the fields it sent before.

        Whatever else there is to see is told by False, and left to ``_heard``.
        """
        device, measurement, values = reading.device, reading.measurement, reading.values
        state = self.memory.device(device)
        if state is None or not state.calm:
            return False
        if reading.flags or reading.quality or outcome.status is not None or outcome.ahead_ms:
            return False
        row = state.rows.get(measurement)
        if row is None or row.apart or values.keys() != row.values.keys() or reading.kind in self._conditional:
            return False
        at_ms = reading.at_ns // 1_000_000
        if at_ms < row.at_ms:
            return False
        self.memory.note(device)
        if not self._followed.get(measurement, _NOTHING).isdisjoint(values):
            self._judging.follow(reading, state, found)
            state.settle()
        # What quality it has was said: it is good.
        row.values, row.at_ms, row.quality = values, at_ms, 0
        if outcome.origin is None:
            state.seen_ms = outcome.received_ms
        return True

    def _state_of(self, device: str) -> DeviceState:
        state = self.memory.device(device)
        assert state is not None
        return state

    def _heard(self, reading: Reading, outcome: AnyOutcome, loud: bool, found: list[Transition]) -> None:
        device = reading.device
        memory = self.memory
        state = self.course.device(device, reading.kind, reading.district)
        memory.note(device)
        # What is tried again was sent long ago: no sign of life.
        alive = outcome.origin is None
        woken = alive and (not state.online or state.silent or outcome.status is False)
        if woken:
            found.extend(self._silence.heard(device, state, outcome))
        if alive and outcome.status is not False:
            state.seen_ms = outcome.received_ms
        if reading.measurement == STATUS:
            self._silence.watch(device, state)
            return
        if state.ahead or outcome.ahead_ms:
            found.extend(clocked(device, state, outcome, memory))
        if alive and not reading.history and (state.bad or reading.flags or reading.quality == Quality.BAD):
            found.extend(doubted(reading, state, memory))
        if state.conditions and (reading.flags or reading.quality == Quality.BAD):
            self._judging.doubt(reading, state)
        row = state.rows.get(reading.measurement)
        # What comes in fragments may deviate from something that came before.
        pieces = row is not None and (row.apart or not row.values.keys() <= reading.values.keys())
        if loud or state.conditions or pieces:
            self._judging.judge(reading, state, found)
        self._judging.follow(reading, state, found)
        at_ms = reading.at_ns // 1_000_000
        if row is None:
            row = state.rows[reading.measurement] = Row({}, at_ms, 0)
        row.take(reading, at_ms)
        state.settle()
        if woken or not self._silence.watched(device, state.kind):
            self._silence.watch(device, state)

    def _own(self, outcome: AnyOutcome) -> list[Transition]:
        """Judge what the collector says of itself by the rules of its own kind."""
        found: list[Transition] = []
        state = self.course.device(self._own_device, OWN_KIND, self._site.district)
        values: dict[str, Value] = dict(outcome.own)
        reading = Reading(
            OWN_KIND, OWN_KIND, self._own_device, self._site.district, outcome.received_ms * 1_000_000, values, {},
            Quality.GOOD, {}, outcome.received_ms, outcome.position,
        )  # fmt: skip
        pending = bool(state.conditions)
        self._judging.judge(reading, state, found)
        if found or pending or state.conditions:
            self.memory.note(self._own_device)
        return found
