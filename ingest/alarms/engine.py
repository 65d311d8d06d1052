"""The alarm engine: outcomes of the journal in, transitions out. Pure: no clock, no database, no network.

Its now is the highest receive time of the journal. Between two records due timers fire in order of (due, device). The
same journal gives the same transitions, whatever the size of the batches it is fed in.
"""

from collections.abc import Iterator, Sequence

from devices.decode import STATUS
from devices.kind import Value
from devices.readings import Quality, Reading
from devices.site import Site
from ingest.alarms.columns import Columns
from ingest.alarms.conditions import Condition, judge, level_of, new_condition
from ingest.alarms.memory import DeviceState, Memory, Row
from ingest.alarms.own_kind import KIND as OWN_KIND
from ingest.alarms.own_kind import own_device
from ingest.alarms.rules import Rule, rule_book
from ingest.alarms.silence import Silence
from ingest.alarms.sources import clocked, counted
from ingest.alarms.transitions import Transition, What
from ingest.decoding import Outcome

# The journal has a tick each second: where they are missing this collector was down, and where a tick says so the
# broker was away. Devices are not silent for the time nobody could hear them.
_DEAF_MS = 10_000


class Engine:
    """Judges readings and silence for every device of a site."""

    def __init__(self, site: Site, shard: str = "main") -> None:
        self._site = site
        self._own_device = own_device(shard)
        self.memory = Memory()
        book = rule_book(site.catalog)
        self._watches = book.watches()
        self._columns = Columns(self._watches)
        self._silence = Silence(site, book, self.memory)
        self._armed = False

    def restore(self, states: dict[str, DeviceState], now_ms: int, listening_ms: int) -> None:
        """Take over what a checkpoint saved; timers come back from stored instants, due ones fire at once."""
        self.memory.devices = states
        self.memory.now_ms, self.memory.listening_ms = now_ms, listening_ms
        for device, state in states.items():
            self._silence.watch(device, state)

    def feed(self, outcomes: Sequence[Outcome]) -> list[Transition]:
        """Judge outcomes in journal order and return what changed."""
        memory = self.memory
        found: list[Transition] = []
        loud = self._columns.loud([reading for outcome in outcomes for reading in outcome.readings])
        index = 0
        for outcome in outcomes:
            memory.begin(outcome.position)
            if outcome.received_ms > memory.now_ms:
                deaf = outcome.status is False and outcome.fate == "tick"
                if deaf or outcome.received_ms - memory.now_ms > _DEAF_MS:
                    memory.listening_ms = outcome.received_ms
                found.extend(self._silence.timers(outcome.received_ms))
                memory.now_ms = outcome.received_ms
            if not self._armed:
                self._armed = True
                self._arm()
            if outcome.own:
                found.extend(self._own(outcome))
            for reading in outcome.readings:
                self._heard(reading, outcome, index in loud, found)
                index += 1
            if outcome.seq is not None and outcome.readings:
                self._count(outcome, outcome.seq, found)
        return found

    def _count(self, outcome: Outcome, seq: int, found: list[Transition]) -> None:
        state = self.memory.devices[outcome.device]
        if state.seq is not None and seq == state.seq + 1 and not state.missed:
            state.seq = seq
        elif outcome.fate == "decoded" and not outcome.readings[0].history:
            found.extend(counted(outcome.device, state, seq, self.memory))

    def _arm(self) -> None:
        # Registered devices that were never heard count from now, not from a first message.
        for device in self._site.devices.values():
            if device.id not in self.memory.devices:
                self._state(device.id, device.kind, device.district)

    def _state(self, device: str, kind: str, district: str) -> DeviceState:
        memory = self.memory
        state = memory.devices.get(device)
        if state is None:
            state = memory.devices[device] = DeviceState(kind, district, armed_ms=memory.now_ms)
            self._silence.watch(device, state)
            memory.changed.add(device)
        return state

    def _heard(self, reading: Reading, outcome: Outcome, loud: bool, found: list[Transition]) -> None:
        device = reading.device
        memory = self.memory
        state = memory.devices.get(device)
        if state is None:
            state = self._state(device, reading.kind, reading.district)
        memory.changed.add(device)
        woken = not state.online or state.silent or outcome.status is False
        if woken:
            found.extend(self._silence.heard(device, state, outcome))
        if outcome.status is not False:
            state.seen_ms = outcome.received_ms
        if reading.measurement == STATUS:
            self._silence.watch(device, state)
            return
        if state.ahead or outcome.ahead_ms:
            found.extend(clocked(device, state, outcome, memory))
        if loud or state.conditions:
            self._judge(reading, state, found)
        at_ms = reading.at_ns // 1_000_000
        row = state.rows.get(reading.measurement)
        if row is None:
            row = state.rows[reading.measurement] = Row({}, at_ms, 0)
        row.take(reading, at_ms)
        if woken or not self._silence.watched(device, state.kind):
            self._silence.watch(device, state)

    def _judge(self, reading: Reading, state: DeviceState, found: list[Transition]) -> None:
        for key, watches in self._watches.get(reading.measurement, {}).items():
            value: Value | None = reading.values.get(key)
            if not isinstance(value, float) or reading.quality_of(key) == Quality.BAD:
                continue
            for watch in watches:
                condition = state.conditions.get(watch.rule.id)
                if condition is None and watch.quiet(value):
                    continue
                if watch.rule.limit.passage:
                    found.extend(self._passage(watch.rule, reading, state, value))
                else:
                    found.extend(self._stepped(watch.rule, condition, reading, state, value))

    def _stepped(
        self, rule: Rule, condition: Condition | None, reading: Reading, state: DeviceState, value: float
    ) -> Iterator[Transition]:
        if condition is None:
            # Only what is or may become an alarm is remembered; all else is the field's latest value.
            last = state.newest(rule.field)
            condition = state.conditions[rule.id] = new_condition(rule.limit, last.at_ms if last else 0)
        before = condition.level
        at_ms = reading.at_ns // 1_000_000
        late = judge(condition, rule.limit, value, at_ms, rule.stale_after_ms)
        after = condition.level
        if condition.idle:
            del state.conditions[rule.id]
        what: What
        if late is not None:
            what, after = "late", late
        elif after == before:
            return
        elif before == 0:
            what = "raise"
        elif after == 0:
            what = "return"
        else:
            what = "change"
        # A return is told with the priority of the level it returns from.
        yield self._told(what, rule, reading, state, after, after or before, value)

    def _passage(self, rule: Rule, reading: Reading, state: DeviceState, value: float) -> Iterator[Transition]:
        level = level_of(rule.limit, value)
        if level:
            identity = reading.values.get(rule.passage or "") or reading.at_ns
            yield self._told("passage", rule, reading, state, level, level, value, f"/{identity}")

    def _told(
        self, what: What, rule: Rule, reading: Reading, state: DeviceState, level: int, ranked: int, value: float,
        suffix: str = "",
    ) -> Transition:  # fmt: skip
        return self.memory.transition(
            what, reading.device, state, f"{reading.device}/{rule.field}.{rule.limit.key}{suffix}",
            rule.id, rule.version, level, rule.priority(ranked),
            at_ms=reading.at_ns // 1_000_000, field=rule.field, value=value, unit=rule.unit, latch=rule.limit.latch,
            quality=reading.quality_of(rule.field).word,
        )  # fmt: skip

    def _own(self, outcome: Outcome) -> list[Transition]:
        """Judge what the collector says of itself by the rules of its own kind."""
        found: list[Transition] = []
        state = self._state(self._own_device, OWN_KIND, self._site.district)
        values: dict[str, Value] = dict(outcome.own)
        reading = Reading(
            OWN_KIND, OWN_KIND, self._own_device, self._site.district, outcome.received_ms * 1_000_000, values, {},
            Quality.GOOD, {}, outcome.received_ms, outcome.position,
        )  # fmt: skip
        self._judge(reading, state, found)
        if found or state.conditions:
            self.memory.changed.add(self._own_device)
        return found
