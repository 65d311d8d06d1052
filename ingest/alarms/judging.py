"""A reading judged by the rules in force for its device: what is raised, what changes, what returns."""

from collections.abc import Iterable, Iterator
from math import isfinite

from devices.kind import PRIORITIES, Value
from devices.readings import Quality, Reading
from devices.signals import Registered, Tagged, While
from ingest.alarms.books import Books, judge_bound
from ingest.alarms.columns import Columns
from ingest.alarms.conditions import Condition, judge, level_of, new_condition
from ingest.alarms.following import Follow, follows, instants
from ingest.alarms.groups import Groups
from ingest.alarms.learning import Learning
from ingest.alarms.memory import DeviceState, Memory
from ingest.alarms.rules import Rule, Watch
from ingest.alarms.signals import Seen
from ingest.alarms.transitions import Transition, What


class Judging:
    """The rules of one revision, made ready to judge; what they remember is in the memory of the engine."""

    def __init__(self, books: Books, memory: Memory, groups: Groups) -> None:
        site, book = books.site, books.book
        self.books = books
        self.memory = memory
        self._site = site
        self._groups = groups
        watches, own = book.watches(), book.watches_of_devices()
        self._watches = instants(watches)
        self.follows = follows(watches, site)
        made = {id(each): (instants(each), follows(each, site)) for each in own.values()}
        self.own_rules = {device: made[id(each)] for device, each in own.items()}
        self.columns = Columns(watches, own)
        # The fields of each measurement that are looked at with every sample.
        self.followed = {m: frozenset(each.field for each in found) for m, found in self.follows.items()}

    def follow(self, reading: Reading, state: DeviceState, found: list[Transition]) -> None:
        """Judge what has to be looked at with every sample, because it lies in several."""
        for follow in self.follows.get(reading.measurement, ()):
            if follow.field in reading.values:
                self._follow(follow, reading, state, found)

    def learned(self, learning: Iterable[Learning], row: int, state: DeviceState) -> list[tuple[Follow, float]]:
        """Follow the learned signals of a row of a calm device; return what is not quiet, and its figure."""
        found = []
        for each in learning:
            figure = each.figure(row, state.windows)
            if figure is not None and (state.conditions or not each.follow.quiet(figure)):
                found.append((each.follow, figure))
        return found

    def weigh(
        self, loud: Iterable[tuple[Follow, float]], reading: Reading, state: DeviceState, found: list[Transition]
    ) -> None:
        """Judge figures of learned signals that are not quiet."""
        for follow, figure in loud:
            for watch in follow.watches:
                self._weighed(watch, figure, reading, state, found)

    def doubt(self, reading: Reading, state: DeviceState) -> None:
        """Let the delays stand still of what a reading has bad values for."""
        at_ms = reading.at_ns // 1_000_000
        for rule_id, condition in state.conditions.items():
            rule = self.books.book.by_id.get(rule_id)
            if not isinstance(rule, Rule) or rule.measurement != reading.measurement:
                continue
            if reading.quality_of(rule.field) == Quality.BAD:
                condition.doubt(at_ms)
                bound = state.bound.get(rule_id)
                if bound is not None and bound.successor is not None:
                    bound.successor.doubt(at_ms)

    def judge(self, reading: Reading, state: DeviceState, found: list[Transition]) -> None:
        """Judge what one sample says all about, or with what else is known of its device."""
        own = self.own_rules.get(reading.device)
        passed: list[tuple[Rule, int, float]] = []
        for key, watches in (self._watches if own is None else own[0]).get(reading.measurement, {}).items():
            value: Value | None = reading.values.get(key)
            if not isinstance(value, float) or reading.quality_of(key) == Quality.BAD:
                continue
            for watch in watches:
                figure = value
                if watch.other is not None:
                    commanded = _looked(watch.other, reading, state)
                    if commanded is None:
                        continue
                    figure = abs(value - commanded)
                    if not isfinite(figure):
                        continue
                if not watch.rule.limit.passage:
                    self._weighed(watch, figure, reading, state, found)
                elif not watch.quiet(figure) and self._is_armed(watch.rule, reading, state):
                    passed.append((watch.rule, level_of(watch.rule.limit, figure), figure))
        if passed:
            found.append(self._passage(passed, reading, state))

    def _follow(self, follow: Follow, reading: Reading, state: DeviceState, found: list[Transition]) -> None:
        value = reading.values[follow.field]
        if not isinstance(value, float) or reading.quality_of(follow.field) == Quality.BAD:
            return
        own = self.own_rules.get(reading.device)
        if own is not None:
            follow = next(each for each in own[1][reading.measurement] if each.window == follow.window)
        figure = follow.reduce(
            state.windows.setdefault(follow.window, []),
            Seen(
                value,
                reading.at_ns // 1_000_000,
                reading.values,
                state.known,
                self._site.devices.get(reading.device),
                bool(state.conditions) and any(watch.rule.id in state.conditions for watch in follow.watches),
            ),
        )
        if figure is not None and (state.conditions or not follow.quiet(figure)):
            for watch in follow.watches:
                self._weighed(watch, figure, reading, state, found)

    def _weighed(
        self, watch: Watch, figure: float, reading: Reading, state: DeviceState, found: list[Transition]
    ) -> None:
        rule = watch.rule
        condition = state.conditions.get(rule.id)
        if condition is None and watch.quiet(figure):
            return
        if condition is not None and rule.id in state.bound:
            for told in self._stepped_bound(rule, condition, reading, state, figure):
                found.extend(self._groups.joined(told) if self._groups.joins(rule.id) else (told,))
            return
        armed = not rule.limit.armed or self._is_armed(rule, reading, state)
        if condition is not None or armed:
            for told in self._stepped(rule, condition, reading, state, figure, armed):
                found.extend(self._groups.joined(told) if self._groups.joins(rule.id) else (told,))

    def _is_armed(self, rule: Rule, reading: Reading, state: DeviceState) -> bool:
        for arming in rule.limit.armed:
            if isinstance(arming, While):
                if not arming.holds(_looked(arming.field, reading, state)):
                    return False
            elif isinstance(arming, Registered):
                device = self._site.devices.get(reading.device)
                if not arming.holds("" if device is None else device.premises):
                    return False
            elif isinstance(arming, Tagged):
                if not arming.holds(reading.tags.get(arming.tag, "")):
                    return False
            elif not self._site.place(reading.device).holds(arming, reading.at_ns // 1_000_000):
                return False
        return True

    def _stepped(
        self, rule: Rule, condition: Condition | None, reading: Reading, state: DeviceState, value: float, armed: bool
    ) -> Iterator[Transition]:
        if condition is None:
            # Only what is or may become an alarm is remembered; all else is the field's latest value.
            last = state.newest(rule.field)
            condition = state.conditions[rule.id] = new_condition(rule.limit, last.at_ms if last else 0)
        before = condition.level
        at_ms = reading.at_ns // 1_000_000
        late = judge(condition, rule.limit, value if armed else None, at_ms, rule.stale_after_ms)
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

    def _stepped_bound(
        self, rule: Rule, condition: Condition, reading: Reading, state: DeviceState, value: float
    ) -> Iterator[Transition]:
        bound = state.bound[rule.id]
        old = self.books.rule(bound.revision, reading.device, rule)
        before = condition.level
        values = [value if self._is_armed(each, reading, state) else None for each in (old, rule)]
        at_ms = reading.at_ns // 1_000_000
        over, late = judge_bound(condition, bound, old.limit, rule.limit, values, at_ms, rule.stale_after_ms)
        after = condition.level
        if over and bound.successor is not None:
            del state.bound[rule.id]
            after = bound.successor.level
            state.conditions[rule.id] = bound.successor
            if bound.successor.idle:
                del state.conditions[rule.id]
        if late is not None and late > after:
            yield self._told("late", old, reading, state, late, late, value)
        elif over or after != before:
            judged = rule if over and after else old
            yield self._told("change" if after else "return", judged, reading, state, after, after or before, value)

    def _passage(self, passed: list[tuple[Rule, int, float]], reading: Reading, state: DeviceState) -> Transition:
        """Tell the worst that a passage reached, of equals the first: one vehicle is one thing to deal with."""
        rule, level, value = min(passed, key=lambda each: PRIORITIES.index(each[0].priority(each[1])))
        identity = reading.values.get(rule.passage or "") or reading.at_ns
        who = str(reading.values.get(rule.vehicle or "", ""))
        return self._told("passage", rule, reading, state, level, level, value, f"/{identity}", who)

    def _told(
        self, what: What, rule: Rule, reading: Reading, state: DeviceState, level: int, ranked: int, value: float,
        suffix: str = "", who: str = "",
    ) -> Transition:  # fmt: skip
        return self.memory.transition(
            what, reading.device, state, f"{reading.device}/{rule.field}.{rule.limit.key}{suffix}",
            rule.id, rule.version, level, rule.priority(ranked),
            at_ms=reading.at_ns // 1_000_000, field=rule.field, value=value, unit=rule.unit, latch=rule.limit.latch,
            quality=reading.quality_of(rule.field).word, who=who,
        )  # fmt: skip


def _looked(key: str, reading: Reading, state: DeviceState) -> float | None:
    """Return another field of a reading, else the newest one of its device that is known."""
    value = reading.values.get(key)
    if value is None:
        return state.known(key)
    return value if isinstance(value, float) else None
