"""The alarm engine: outcomes of the journal in, transitions out. Pure: no clock, no database, no network.

Its now is the highest receive time of the journal. Between two records due timers fire in order of (due, device). The
same journal gives the same transitions, whatever the size of the batches it is fed in.
"""

import heapq
from collections.abc import Iterable, Iterator

import msgspec

from devices.decode import STATUS
from devices.readings import Quality, Reading
from devices.site import Site
from ingest.alarms.conditions import Condition, judge, level_of, new_condition
from ingest.alarms.rules import Rule, Watch, rule_book
from ingest.alarms.transitions import Transition, What
from ingest.decoding import Outcome

# The journal has a tick each second: where they are missing this collector was down, and where a tick says so the
# broker was away. Devices are not silent for the time nobody could hear them.
_DEAF_MS = 10_000
_NO_WATCHES: dict[str, tuple[Watch, ...]] = {}


class Latest(msgspec.Struct, array_like=True):
    """The newest value of a field, its device time and quality."""

    value: float | str
    at_ms: int
    quality: int


class DeviceState(msgspec.Struct, array_like=True):
    """What the engine remembers of one device; saved with the checkpoint."""

    kind: str
    district: str
    seen_ms: int = 0
    armed_ms: int = 0
    online: bool = False
    silent: bool = False
    latest: dict[str, Latest] = {}
    conditions: dict[str, Condition] = {}


class Engine:
    """Judges readings and silence for every device of a site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._book = rule_book(site.catalog)
        self._watches = self._book.watches()
        self._conditional = {key for key, rule in self._book.silence.items() if rule.no_data.while_field is not None}
        self.devices: dict[str, DeviceState] = {}
        self.changed: set[str] = set()
        self.now_ms = 0
        self._due: list[tuple[int, str]] = []
        self._queued: dict[str, int] = {}
        self._armed = False
        self.listening_ms = 0
        self._position = 0
        self._ordinal = 0

    def restore(self, states: dict[str, DeviceState], now_ms: int, listening_ms: int) -> None:
        """Take over what a checkpoint saved; timers come back from stored instants, due ones fire at once."""
        self.devices = states
        self.now_ms, self.listening_ms = now_ms, listening_ms
        for device, state in states.items():
            self._queue(device, state)

    def _arm(self) -> None:
        # Registered devices that were never heard count from now, not from a first message.
        for device in self._site.devices.values():
            if device.id not in self.devices:
                self._state(device.id, device.kind, device.district)

    def feed(self, outcomes: Iterable[Outcome]) -> list[Transition]:
        """Judge outcomes in journal order and return what changed."""
        found: list[Transition] = []
        for outcome in outcomes:
            self._position, self._ordinal = outcome.position, 0
            if outcome.received_ms > self.now_ms:
                if outcome.received_ms - self.now_ms > _DEAF_MS or (outcome.status is False and outcome.fate == "tick"):
                    self.listening_ms = outcome.received_ms
                found.extend(self._timers(outcome.received_ms))
                self.now_ms = outcome.received_ms
            if not self._armed:
                self._armed = True
                self._arm()
            for reading in outcome.readings:
                self._heard(reading, outcome, found)
        return found

    def _state(self, device: str, kind: str, district: str) -> DeviceState:
        state = self.devices.get(device)
        if state is None:
            state = self.devices[device] = DeviceState(kind, district, armed_ms=self.now_ms)
            self._queue(device, state)
            self.changed.add(device)
        return state

    def _heard(self, reading: Reading, outcome: Outcome, found: list[Transition]) -> None:
        device = reading.device
        state = self.devices.get(device)
        if state is None:
            state = self._state(device, reading.kind, reading.district)
        self.changed.add(device)
        woken = not state.online or state.silent or outcome.status is False
        if woken:
            found.extend(self._alive(device, state, outcome))
        if outcome.status is not False:
            state.seen_ms = outcome.received_ms
        if reading.measurement == STATUS:
            self._queue(device, state)
            return
        at_ms = reading.at_ns // 1_000_000
        watches = self._watches.get(reading.measurement, _NO_WATCHES)
        flagged = reading.quality or reading.flags
        for key, value in reading.values.items():
            quality = reading.quality_of(key) if flagged else Quality.GOOD
            before = state.latest.get(key)
            if key in watches and isinstance(value, float) and quality != Quality.BAD:
                for watch in watches[key]:
                    condition = state.conditions.get(watch.rule.id)
                    if condition is not None or not watch.quiet(value):
                        last_ms = before.at_ms if before is not None else 0
                        found.extend(self._judged(watch.rule, condition, reading, state, value, at_ms, last_ms))
            if before is None or at_ms >= before.at_ms:
                state.latest[key] = Latest(value, at_ms, int(quality))
        # A device in the queue is looked at in time by itself, unless it has just come back or its mode can arm a
        # shorter silence.
        if woken or device not in self._queued or state.kind in self._conditional:
            self._queue(device, state)

    def _alive(self, device: str, state: DeviceState, outcome: Outcome) -> Iterator[Transition]:
        if outcome.status is False:
            if state.online:
                state.online = False
                yield self._transition("stale", device, state, device, "", "", 0, "", quality="stale")
            return
        rule = self._book.silence.get(state.kind)
        if state.silent and rule is not None:
            state.silent = False
            yield self._transition(
                "return", device, state, f"{device}/no_data", rule.id, rule.version, 0, rule.no_data.priority
            )
        if not state.online:
            state.online = True
            yield self._transition("fresh", device, state, device, "", "", 0, "")

    def _judged(
        self,
        rule: Rule,
        condition: Condition | None,
        reading: Reading,
        state: DeviceState,
        value: float,
        at_ms: int,
        last_ms: int,
    ) -> Iterator[Transition]:
        if rule.limit.passage:
            yield from self._passage(rule, reading, state, value)
            return
        if condition is None:
            # Only what is or may become an alarm is remembered; all else is the field's latest value.
            condition = state.conditions[rule.id] = new_condition(rule.limit, last_ms)
        yield from self._stepped(rule, condition, reading, state, value, at_ms)
        if condition.idle:
            del state.conditions[rule.id]

    def _stepped(
        self, rule: Rule, condition: Condition, reading: Reading, state: DeviceState, value: float, at_ms: int
    ) -> Iterator[Transition]:
        before = condition.level
        late = judge(condition, rule.limit, value, at_ms, rule.stale_after_ms)
        after = condition.level
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
        point = f"{reading.device}/{rule.field}.{rule.limit.key}"
        # A return is told with the priority of the level it returns from.
        priority = rule.priority(after or before)
        yield self._transition(
            what, reading.device, state, point, rule.id, rule.version, after, priority,
            rule=rule, value=value, at_ms=at_ms, quality=reading.quality_of(rule.field).word,
        )  # fmt: skip

    def _passage(self, rule: Rule, reading: Reading, state: DeviceState, value: float) -> Iterator[Transition]:
        level = level_of(rule.limit, value)
        if level == 0:
            return
        identity = reading.values.get(rule.passage or "") or reading.at_ns
        yield self._transition(
            "passage", reading.device, state, f"{reading.device}/{rule.field}.{rule.limit.key}/{identity}",
            rule.id, rule.version, level, rule.priority(level),
            rule=rule, value=value, at_ms=reading.at_ns // 1_000_000, quality=reading.quality_of(rule.field).word,
        )  # fmt: skip

    def _queue(self, device: str, state: DeviceState) -> None:
        # One valid entry a device. A later due needs none: the earlier one is popped, seen too early and queued anew;
        # a mode that arms a shorter silence must not wait for the longer timer set before.
        due_ms = self._next_due(state)
        queued_ms = self._queued.get(device)
        if due_ms is not None and (queued_ms is None or due_ms < queued_ms):
            self._queued[device] = due_ms
            heapq.heappush(self._due, (due_ms, device))

    def _next_due(self, state: DeviceState) -> int | None:
        pending: list[int] = []
        kind = self._site.catalog.kinds.get(state.kind)
        if kind is None:
            return None
        if state.online:
            pending.append(max(state.seen_ms, self.listening_ms) + round(kind.stale_after_s * 1000))
        silent_ms = self._silent_at(state)
        if silent_ms is not None:
            pending.append(silent_ms)
        return min(pending, default=None)

    def _silent_at(self, state: DeviceState) -> int | None:
        rule = self._book.silence.get(state.kind)
        if rule is None or state.silent:
            return None
        if not rule.armed(
            {key: latest.value for key, latest in state.latest.items() if key == rule.no_data.while_field}
        ):
            return None
        since_ms = max(state.seen_ms or state.armed_ms, self.listening_ms)
        return since_ms + round(rule.no_data.after_s * 1000)

    def _timers(self, until_ms: int) -> Iterator[Transition]:
        while self._due and self._due[0][0] <= until_ms:
            due_ms, device = heapq.heappop(self._due)
            if self._queued.get(device) != due_ms:
                continue
            del self._queued[device]
            state = self.devices[device]
            actual_ms = self._next_due(state)
            if actual_ms is not None and actual_ms <= due_ms:
                self.now_ms = max(self.now_ms, due_ms)
                yield from self._fired(device, state, due_ms)
            self._queue(device, state)

    def _fired(self, device: str, state: DeviceState, due_ms: int) -> Iterator[Transition]:
        self.changed.add(device)
        stale_ms = round(self._site.catalog.kinds[state.kind].stale_after_s * 1000)
        if state.online and max(state.seen_ms, self.listening_ms) + stale_ms <= due_ms:
            state.online = False
            yield self._transition("stale", device, state, device, "", "", 0, "", quality="stale")
        silent_ms = self._silent_at(state)
        if silent_ms is not None and silent_ms <= due_ms:
            state.silent = True
            rule = self._book.silence[state.kind]
            yield self._transition(
                "raise", device, state, f"{device}/no_data", rule.id, rule.version, 1, rule.no_data.priority,
                value=rule.no_data.after_s, unit="s", quality="stale",
            )  # fmt: skip

    def _transition(
        self, what: What, device: str, state: DeviceState, point: str, rule_id: str, version: str, level: int,
        priority: str, *, rule: Rule | None = None, value: float | None = None, at_ms: int | None = None,
        unit: str = "1", quality: str = "good",
    ) -> Transition:  # fmt: skip
        self._ordinal += 1
        return Transition(
            what, self._position, self._ordinal, point, device, state.kind, rule_id, version, level, priority,
            self.now_ms if at_ms is None else at_ms, self.now_ms,
            rule.field if rule else "", value, rule.unit if rule else unit, rule.limit.latch if rule else False,
            quality,
        )  # fmt: skip
