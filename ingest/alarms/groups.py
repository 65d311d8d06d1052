"""Rules on the devices of one circuit or street: how many lamps burn, how much leaks in all, how many failed together.

Figures are looked at once a minute of the engine's now, each group at a second of its own; alarms that come together
are counted as they come. The devices of a group belong to one collector.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import isfinite
from zlib import crc32

from devices.signals import Registered, Share, Tagged, Together, Total, While
from devices.site import Site
from ingest.alarms.books import Books, judge_bound
from ingest.alarms.conditions import judge, level_of, new_condition
from ingest.alarms.memory import DeviceState, GroupState, Memory
from ingest.alarms.rules import GroupRule
from ingest.alarms.transitions import Transition, What

_PERIOD_S = 60
# A group that was not looked at for longer was not seen meanwhile.
_UNSEEN_MS = 3 * _PERIOD_S * 1000


class Groups:
    """The groups of a site."""

    def __init__(self, site: Site, books: Books, memory: Memory) -> None:
        """Find out who belongs together."""
        book = books.book
        self._site = site
        self._books = books
        self._memory = memory
        self._own = book.own_groups
        self._together: dict[str, list[GroupRule]] = {}
        self._members: dict[str, dict[GroupRule, list[str]]] = {}
        for rule in book.groups:
            if isinstance(rule.group.of, Together):
                self._together.setdefault(f"{rule.kind}.{rule.group.of.rule}", []).append(rule)
                continue
            for device in site.devices.values():
                name = self._group(rule, device.id)
                if name is not None:
                    here = self._in_force(rule, name)
                    self._members.setdefault(name, {}).setdefault(here, []).append(device.id)
        self._turns: list[list[str]] = [[] for _ in range(_PERIOD_S)]
        for name in sorted(self._members):
            self._turns[crc32(name.encode()) % _PERIOD_S].append(name)

    def due(self, after_ms: int, until_ms: int) -> list[tuple[int, str]]:
        """Return the groups whose turn lies in (after, until], each once, in order of (due, name)."""
        last = until_ms // 1000
        first = max(after_ms // 1000, last - _PERIOD_S) + 1
        return [(second * 1000, name) for second in range(first, last + 1) for name in self._turns[second % _PERIOD_S]]

    def look(self, name: str, due_ms: int) -> Iterator[Transition]:
        """Judge the figures of a group as they stand."""
        for rule, devices in self._members[name].items():
            limit = rule.group.limit
            state = self._memory.groups.get(name)
            if state is not None and rule.id in state.bound and rule.id in state.conditions:
                yield from self._look_bound(name, state, rule, devices, due_ms)
                continue
            armed = self._is_armed(rule, devices[0], due_ms)
            figure = self._figure(rule, devices) if armed else None
            if armed and figure is None:
                continue
            condition = state.conditions.get(rule.id) if state is not None else None
            if condition is None:
                if figure is None or not level_of(limit, figure):
                    continue
                condition = new_condition(limit)
            state = self._state(name, rule)
            state.conditions[rule.id] = condition
            before = condition.level
            judge(condition, limit, figure, due_ms, _UNSEEN_MS)
            after = condition.level
            if condition.idle:
                del state.conditions[rule.id]
            if after != before:
                what: What = "raise" if before == 0 else "return" if after == 0 else "change"
                yield self._told(what, name, state, rule, after, after or before, figure)

    def _look_bound(
        self, name: str, state: GroupState, rule: GroupRule, devices: list[str], due_ms: int
    ) -> Iterator[Transition]:
        """Judge a figure whose open alarm stays with a rule of before."""
        self._memory.note(name)
        condition, bound = state.conditions[rule.id], state.bound[rule.id]
        old = self._books.group(bound.revision, name, rule)
        before = condition.level
        figure = self._figure(rule, devices)
        armed = [self._is_armed(each, devices[0], due_ms) for each in (old, rule)]
        if figure is None and any(armed):
            return
        values = [figure if each else None for each in armed]
        over, _ = judge_bound(condition, bound, old.group.limit, rule.group.limit, values, due_ms, _UNSEEN_MS)
        after = condition.level
        if over and bound.successor is not None:
            del state.bound[rule.id]
            after = bound.successor.level
            state.conditions[rule.id] = bound.successor
            if bound.successor.idle:
                del state.conditions[rule.id]
        if over or after != before:
            judged = rule if over and after else old
            yield self._told("change" if after else "return", name, state, judged, after, after or before, figure)

    def _is_armed(self, rule: GroupRule, device: str, due_ms: int) -> bool:
        place = self._site.place(device)
        schedules = (each for each in rule.group.limit.armed if not isinstance(each, While | Registered | Tagged))
        return all(place.holds(each, due_ms) for each in schedules)

    def joins(self, rule_id: str) -> bool:
        """Tell whether alarms of a rule are counted together."""
        return rule_id in self._together

    def joined(self, told: Transition) -> Iterator[Transition]:
        """Yield the transition of a member, and what follows from it for its group."""
        for rule in self._together[told.rule]:
            name = self._group(rule, told.device)
            if name is None or told.what not in ("raise", "return"):
                continue
            state = self._state(name, rule)
            members = state.members.setdefault(told.rule, {})
            if told.what == "raise":
                members[told.device] = told.now_ms
                if rule.id in state.open:
                    told = replace(told, suppression="by_design", cause=name)
            else:
                members.pop(told.device, None)
        yield told
        for rule in self._together[told.rule]:
            name = self._group(rule, told.device)
            if name is None:
                continue
            if told.what == "return" and rule.id in self._state(name, rule).open:
                # What is over is no member any more; whoever has to acknowledge it must see it.
                yield from self._folded("unfold", told, (told.device,), "")
            yield from self._counted(name, self._in_force(rule, name), told)

    def _counted(self, name: str, rule: GroupRule, told: Transition) -> Iterator[Transition]:
        assert isinstance(rule.group.of, Together)
        state = self._state(name, rule)
        members = state.members.get(told.rule, {})
        least = rule.group.limit.levels[0].value
        since_ms = told.now_ms - rule.group.of.within_s * 1000
        if rule.id in state.open:
            bound = state.bound.get(rule.id)
            own = rule if bound is None else self._books.group(bound.revision, name, rule)
            if len(members) < min(least, own.group.limit.levels[0].value):
                state.open.remove(rule.id)
                state.bound.pop(rule.id, None)
                yield self._told("return", name, state, rule, 0, 1, float(len(members)))
                yield from self._folded("unfold", told, members, "")
        elif sum(at_ms >= since_ms for at_ms in members.values()) >= least:
            state.open.append(rule.id)
            yield self._told("raise", name, state, rule, 1, 1, float(len(members)))
            yield from self._folded("fold", told, members, name)

    def _folded(self, what: What, told: Transition, members: Iterable[str], cause: str) -> Iterator[Transition]:
        tail = told.point.removeprefix(told.device)
        for device in members:
            state = self._memory.device(device)
            assert state is not None
            yield self._memory.transition(
                what, device, state, f"{device}{tail}", told.rule, told.rule_version,
                suppression="by_design" if cause else "none", cause=cause,
            )  # fmt: skip

    def _told(
        self, what: What, name: str, state: GroupState, rule: GroupRule, level: int, ranked: int, value: float | None
    ) -> Transition:
        limit = rule.group.limit
        return self._memory.transition(
            what, name, state, f"{name}/{limit.key}", rule.id, rule.version, level,
            limit.levels[ranked - 1].priority, field=limit.key, value=value, unit=rule.group.unit, latch=limit.latch,
        )  # fmt: skip

    def _group(self, rule: GroupRule, device: str) -> str | None:
        found = self._site.devices.get(device)
        if found is None or found.kind != rule.kind:
            return None
        where = rule.group.where
        name = found.circuit if rule.group.by == "circuit" else found.street
        return f"{rule.group.by}:{name}" if name and (where is None or getattr(found, where[0]) == where[1]) else None

    def _in_force(self, rule: GroupRule, name: str) -> GroupRule:
        return self._own.get((rule.id, name), rule)

    def _state(self, name: str, rule: GroupRule) -> GroupState:
        self._memory.note(name)
        return self._memory.groups.setdefault(name, GroupState(rule.kind))

    def _figure(self, rule: GroupRule, devices: list[str]) -> float | None:
        known = self._memory.device
        heard = [state for state in (known(device) for device in devices) if state is not None and state.online]
        of = rule.group.of
        if isinstance(of, Total):
            values = [value for value in (state.known(of.field) for state in heard) if value is not None]
            total = sum(values)
            return total if values and isfinite(total) else None
        assert isinstance(of, Share)
        among = [state for state in heard if _meets(state, of.among)]
        if len(among) < of.least:
            return None
        return 100.0 * sum(_meets(state, of.of) for state in among) / len(among)


def _meets(state: DeviceState, conditions: tuple[While, ...]) -> bool:
    return all(each.holds(state.known(each.field)) for each in conditions)
