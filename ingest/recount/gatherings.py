"""The figures of whole circuits and streets: shares, sums, and how many stand under one alarm."""

import math
from collections.abc import Iterator
from zlib import crc32

from devices.kind import Limit
from devices.signals import Registered, Share, Tagged, Together, Total, While
from devices.site import Site
from ingest.alarms.rules import GroupRule
from ingest.recount.in_force import InForce
from ingest.recount.levels import at_rest, feed, reached
from ingest.recount.state import Gathered, Happening, Heard, Judged, Memory

# Each group is looked at once a minute, at a second that its name decides; after three it counts as not looked at.
_MINUTE_S = 60
_UNSEEN_MS = 180_000


class Gatherings:
    """The groups of a site."""

    def __init__(self, site: Site, in_force: InForce, memory: Memory) -> None:
        """Find out who belongs together."""
        self._site = site
        self._memory = memory
        self._in_force = in_force
        rules, own = in_force.book.groups, in_force.book.own_groups
        self._own = own
        self._together = [rule for rule in rules if isinstance(rule.group.of, Together)]
        self._of: dict[tuple[str, str], str] = {}
        self._looked: dict[str, list[tuple[GroupRule, list[str]]]] = {}
        for rule in rules:
            members: dict[str, list[str]] = {}
            for device in site.devices.values():
                where = rule.group.where
                name = device.circuit if rule.group.by == "circuit" else device.street
                if device.kind == rule.kind and name and (where is None or getattr(device, where[0]) == where[1]):
                    members.setdefault(f"{rule.group.by}:{name}", []).append(device.id)
                    self._of[rule.id, device.id] = f"{rule.group.by}:{name}"
            if not isinstance(rule.group.of, Together):
                for name, devices in members.items():
                    self._looked.setdefault(name, []).append((own.get((rule.id, name), rule), devices))
        self._turns: dict[int, list[str]] = {}
        for name in sorted(self._looked):
            self._turns.setdefault(crc32(name.encode()) % _MINUTE_S, []).append(name)

    def turns(self, after_ms: int, until_ms: int) -> Iterator[tuple[int, str]]:
        """Yield when which group is looked at between two instants; after a long gap once."""
        last_s = until_ms // 1000
        for second in range(max(after_ms // 1000, last_s - _MINUTE_S) + 1, last_s + 1):
            for name in self._turns.get(second % _MINUTE_S, ()):
                yield second * 1000, name

    def look(self, name: str, due_ms: int) -> Iterator[Happening]:
        """Judge a group as it stands."""
        gathered = self._memory.groups.setdefault(name, Gathered())
        for rule, devices in self._looked[name]:
            flip, limit = gathered.flips.get(rule.id), rule.group.limit
            figure = self._figure(rule, devices)
            if rule.id in gathered.stays and flip is not None:
                was = self._in_force.limit(gathered.stays[rule.id], name, rule)
                armed = (self._armed(was, devices[0], due_ms), self._armed(limit, devices[0], due_ms))
                if figure is None and any(armed):
                    continue
                both = (figure if armed[0] else None, figure if armed[1] else None)
                judged = self._in_force.both(gathered, name, rule, both, due_ms, _UNSEEN_MS)
            else:
                armed_now = self._armed(limit, devices[0], due_ms)
                # Too few to judge by is no all-clear.
                if armed_now and figure is None:
                    continue
                if flip is None and not (armed_now and figure is not None and reached(limit, figure)):
                    continue
                flip = flip or at_rest(limit)
                before = flip.level
                feed(limit, flip, figure if armed_now else None, due_ms, _UNSEEN_MS)
                judged = Judged(before, flip.level)
                gathered.flips[rule.id] = flip
                if flip.at_rest:
                    del gathered.flips[rule.id]
            if judged.what:
                yield self._happening(judged.what, name, rule, judged.level)

    def _armed(self, limit: Limit, device: str, due_ms: int) -> bool:
        place = self._site.place(device)
        return all(
            place.holds(each, due_ms) for each in limit.armed if not isinstance(each, While | Registered | Tagged)
        )

    def joined(self, told: Happening) -> Iterator[Happening]:
        """Yield what follows for a group from an alarm of one of its members."""
        if told.what not in ("raise", "return"):
            return
        for rule in self._together:
            of = rule.group.of
            name = self._of.get((rule.id, told.device))
            if not isinstance(of, Together) or name is None or told.rule != f"{rule.kind}.{of.rule}":
                continue
            rule = self._own.get((rule.id, name), rule)
            gathered = self._memory.groups.setdefault(name, Gathered())
            members = gathered.members.setdefault(told.rule, {})
            if told.what == "raise":
                members[told.device] = told.now_ms
            else:
                members.pop(told.device, None)
            least = rule.group.limit.levels[0].value
            lately = sum(at_ms >= told.now_ms - of.within_s * 1000 for at_ms in members.values())
            if rule.id in gathered.standing:
                stays = gathered.stays.get(rule.id)
                if stays is not None:
                    least = min(least, self._in_force.limit(stays, name, rule).levels[0].value)
                if len(members) < least:
                    gathered.standing.remove(rule.id)
                    gathered.stays.pop(rule.id, None)
                    yield self._happening("return", name, rule, 0)
            elif lately >= least:
                gathered.standing.append(rule.id)
                yield self._happening("raise", name, rule, 1)

    def _figure(self, rule: GroupRule, devices: list[str]) -> float | None:
        heard = [self._memory.devices[each] for each in devices if each in self._memory.devices]
        heard = [device for device in heard if device.online]
        of = rule.group.of
        if isinstance(of, Total):
            values = [value for value in (device.number(of.field) for device in heard) if value is not None]
            total = sum(values)
            return total if values and math.isfinite(total) else None
        if not isinstance(of, Share):
            raise TypeError(f"{of!r} is not looked at by turns")
        among = [device for device in heard if _meets(device, of.among)]
        if len(among) < of.least:
            return None
        return 100.0 * sum(_meets(device, of.of) for device in among) / len(among)

    def _happening(self, what: str, name: str, rule: GroupRule, level: int) -> Happening:
        memory, limit = self._memory, rule.group.limit
        return Happening(
            memory.position, what, name, f"{name}/{limit.key}", rule.id, rule.version, level, memory.now_ms,
            memory.now_ms, limit.latch,
        )  # fmt: skip


def _meets(device: Heard, conditions: tuple[While, ...]) -> bool:
    return all(each.holds(device.number(each.field)) for each in conditions)
