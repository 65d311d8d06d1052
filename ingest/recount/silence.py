"""Who is silent, and since when: the deadlines of ALARMS §4 by the journal's own time."""

import heapq
from collections.abc import Iterator, Mapping

from devices.site import Site
from ingest.alarms.rules import SilenceRule
from ingest.recount.state import Happening, Heard, Memory


class Silences:
    """The deadlines of all devices, the next one first."""

    def __init__(self, site: Site, rules: Mapping[str, SilenceRule], memory: Memory) -> None:
        self._rules = rules
        self._memory = memory
        self._stale_ms = {key: round(kind.stale_after_s * 1000) for key, kind in site.catalog.kinds.items()}
        self._above = {device.id: _chain(site, device.id) for device in site.devices.values() if device.parent}
        self._next: list[tuple[int, str]] = []
        self._entered: dict[str, int] = {}
        for name, device in memory.devices.items():
            self.enter(name, device)

    def enter(self, name: str, device: Heard) -> None:
        """Have a device looked at when its silence begins to count."""
        deadlines = [each for each in (self._stale_at(device), self._silent_at(name, device)) if each is not None]
        if deadlines and min(deadlines) < self._entered.get(name, 1 << 62):
            self._entered[name] = min(deadlines)
            heapq.heappush(self._next, (min(deadlines), name))

    def entered(self, name: str, device: Heard) -> bool:
        """Tell whether a device that goes on speaking is looked at in time as it is."""
        rule = self._rules.get(device.kind)
        return name in self._entered and (rule is None or rule.no_data.while_field is None)

    def heard(self, name: str, device: Heard) -> Iterator[Happening]:
        """Take in a sign of life: silence is over."""
        memory = self._memory
        if device.silent:
            device.silent = False
            yield self._happening("return", name, device, 0)
        if not device.online:
            device.online, device.back_ms = True, memory.now_ms
        device.seen_ms = memory.now_ms

    def until(self, at_ms: int) -> Iterator[Happening]:
        """Yield whose silence begins to count up to an instant."""
        memory = self._memory
        while self._next and self._next[0][0] <= at_ms:
            due_ms, name = heapq.heappop(self._next)
            if self._entered.get(name) != due_ms:
                continue
            del self._entered[name]
            device = memory.devices[name]
            stale_at, silent_at = self._stale_at(device), self._silent_at(name, device)
            if stale_at is not None and stale_at <= due_ms:
                device.online = False
            if silent_at is not None and silent_at <= due_ms:
                memory.now_ms = max(memory.now_ms, due_ms)
                device.silent = True
                yield self._happening("raise", name, device, 1)
            self.enter(name, device)

    def _stale_at(self, device: Heard) -> int | None:
        stale_ms = self._stale_ms.get(device.kind)
        return max(device.seen_ms, self._memory.listening_ms) + stale_ms if device.online and stale_ms else None

    def _silent_at(self, name: str, device: Heard) -> int | None:
        rule = self._rules.get(device.kind)
        if rule is None or device.silent or device.kind not in self._stale_ms:
            return None
        field = rule.no_data.while_field
        if field is not None:
            known = device.newest(field)
            if known is None or known.value not in rule.no_data.while_values:
                return None
        # Behind a gateway that was away everybody has the whole time again once it is back.
        backs = (
            self._memory.devices[each].back_ms for each in self._above.get(name, ()) if each in self._memory.devices
        )
        since_ms = max(device.seen_ms or device.armed_ms, self._memory.listening_ms, max(backs, default=0))
        return since_ms + round(rule.no_data.after_s * 1000)

    def _happening(self, what: str, name: str, device: Heard, level: int) -> Happening:
        rule, memory = self._rules[device.kind], self._memory
        return Happening(
            memory.position, what, name, f"{name}/no_data", rule.id, rule.version, level, memory.now_ms, memory.now_ms
        )


def _chain(site: Site, name: str) -> tuple[str, ...]:
    found: list[str] = []
    device = site.devices.get(name)
    while device is not None and device.parent and device.parent not in found:
        found.append(device.parent)
        device = site.devices.get(device.parent)
    return tuple(found)
