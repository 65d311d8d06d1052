"""Silence: who has not been heard for too long, and whose silence is explained by a device it hangs on.

A device is shown as stale after its kind's ``stale_after_s``; its no-data alarm rises later, by the rule of its kind.
While a gateway is down, the silence of everything behind it is folded under it: judged and recorded, but not announced.
Only silence folds, never an alarm about the city itself, and never the cause. When the gateway is back, each of its
children has its whole time again to be heard before its silence counts on its own.
"""

import heapq
from collections.abc import Iterator

from devices.site import Site
from ingest.alarms.memory import DeviceState, Memory
from ingest.alarms.rules import RuleBook
from ingest.alarms.transitions import Transition
from ingest.outcomes import AnyOutcome

_NEVER_MS = 2**63


class Silence:
    """The timers of all devices of a site."""

    def __init__(self, site: Site, book: RuleBook, memory: Memory) -> None:
        self._site = site
        self._book = book
        self._memory = memory
        self._due: list[tuple[int, str]] = []
        self._queued: dict[str, int] = {}
        # Kinds whose own values decide how long a silence may last.
        self.conditional = {key for key, rule in book.silence.items() if rule.no_data.while_field is not None}
        self._stale_ms = {key: round(kind.stale_after_s * 1000) for key, kind in site.catalog.kinds.items()}
        self._children: dict[str, list[str]] = {}
        for device in site.devices.values():
            if device.parent:
                self._children.setdefault(device.parent, []).append(device.id)

    def watch(self, device: str, state: DeviceState) -> None:
        """See to it that a device is looked at when its silence would begin to matter."""
        # One valid entry a device. A later due needs none: the earlier one is popped, seen too early and queued anew;
        # a mode that arms a shorter silence must not wait for the longer timer set before.
        due_ms = self._next_due(device, state)
        queued_ms = self._queued.get(device)
        if due_ms is not None and (queued_ms is None or due_ms < queued_ms):
            self._queued[device] = due_ms
            heapq.heappush(self._due, (due_ms, device))

    def watched(self, device: str, kind: str) -> bool:
        """Tell whether a device that was just heard is looked at in time by itself."""
        return device in self._queued and kind not in self.conditional

    def heard(self, device: str, state: DeviceState, outcome: AnyOutcome) -> Iterator[Transition]:
        """Take in that a device, or its last will, said something."""
        memory = self._memory
        if outcome.status is False:
            if state.online:
                yield from self._down(device, state, "last_will")
            return
        rule = self._book.silence.get(state.kind)
        if state.silent and rule is not None:
            folded = state.folded
            state.silent = state.folded = False
            yield memory.transition(
                "return", device, state, f"{device}/no_data", rule.id, rule.version, 0, rule.no_data.priority
            )
            if folded:
                # What is over hangs on nothing any more; whoever has to acknowledge it must see it.
                yield memory.transition("unfold", device, state, f"{device}/no_data", rule.id, rule.version)
        if not state.online:
            state.online = True
            state.back_ms = memory.now_ms
            if state.seen_ms:
                yield memory.transition("fresh", device, state, device)
                # What was bad before it fell silent is bad still.
                for key in state.bad:
                    field = key.partition("/")[2]
                    yield memory.transition("doubt", device, state, device, field=field, quality="bad")
            for child, child_state in self._below(device):
                if child_state.folded:
                    self.watch(child, child_state)

    @property
    def next_ms(self) -> int:
        """Return when the next timer is due; behind all times while there is none."""
        return self._due[0][0] if self._due else _NEVER_MS

    def is_due(self, until_ms: int) -> bool:
        """Tell whether ``timers`` has anything to look at up to an instant."""
        return self.next_ms <= until_ms

    def timers(self, until_ms: int) -> Iterator[Transition]:
        """Let everything happen that is due up to an instant, in order of (due, device)."""
        memory = self._memory
        while self.is_due(until_ms):
            due_ms, device = heapq.heappop(self._due)
            if self._queued.get(device) != due_ms:
                continue
            del self._queued[device]
            state = memory.device(device)
            assert state is not None
            actual_ms = self._next_due(device, state)
            if actual_ms is not None and actual_ms <= due_ms:
                memory.now_ms = max(memory.now_ms, due_ms)
                memory.note(device)
                yield from self._fired(device, state, due_ms)
            self.watch(device, state)

    def _fired(self, device: str, state: DeviceState, due_ms: int) -> Iterator[Transition]:
        memory = self._memory
        if state.online and max(state.seen_ms, memory.listening_ms) + self._stale_ms[state.kind] <= due_ms:
            yield from self._down(device, state, "stale_after")
        silent_ms = self._silent_at(device, state)
        if silent_ms is not None and silent_ms <= due_ms:
            rule = self._book.silence[state.kind]
            cause = self._cause(device)
            if state.folded:
                state.folded = False
                yield memory.transition("unfold", device, state, f"{device}/no_data", rule.id, rule.version)
                return
            state.silent, state.folded = True, bool(cause)
            state.settle()
            yield memory.transition(
                "raise", device, state, f"{device}/no_data", rule.id, rule.version, 1, rule.no_data.priority,
                value=rule.no_data.after_s, unit="s", quality="stale",
                suppression="by_design" if cause else "none", cause=cause,
            )  # fmt: skip
            yield from self._fold(device)

    def _down(self, device: str, state: DeviceState, why: str) -> Iterator[Transition]:
        state.online = False
        state.settle()
        yield self._memory.transition("stale", device, state, device, field=why, quality="stale")
        yield from self._fold(device)

    def _fold(self, device: str) -> Iterator[Transition]:
        """Fold what is silent already under the device that is found to be down."""
        for child, state in self._below(device):
            if state.silent and not state.folded:
                state.folded = True
                self._memory.note(child)
                rule = self._book.silence[state.kind]
                yield self._memory.transition(
                    "fold", child, state, f"{child}/no_data", rule.id, rule.version,
                    suppression="by_design", cause=self._cause(child),
                )  # fmt: skip

    def _next_due(self, device: str, state: DeviceState) -> int | None:
        stale_ms = self._stale_ms.get(state.kind)
        if stale_ms is None:
            return None
        silent_ms = self._silent_at(device, state)
        if not state.online:
            return silent_ms
        due_ms = max(state.seen_ms, self._memory.listening_ms) + stale_ms
        return due_ms if silent_ms is None else min(due_ms, silent_ms)

    def _silent_at(self, device: str, state: DeviceState) -> int | None:
        """Return when the silence of a device begins to matter on its own, None when it cannot or does already."""
        rule = self._book.silence.get(state.kind)
        if rule is None:
            return None
        if state.silent and not (state.folded and not self._cause(device)):
            return None
        field = rule.no_data.while_field
        latest = state.newest(field) if field is not None else None
        if not rule.armed(latest.value if latest is not None else None):
            return None
        since_ms = max(state.seen_ms or state.armed_ms, self._memory.listening_ms, self._way_back_ms(device))
        return since_ms + round(rule.no_data.after_s * 1000)

    def _parents(self, device: str) -> Iterator[tuple[str, DeviceState]]:
        registered = self._site.devices.get(device)
        while registered is not None and registered.parent:
            state = self._memory.device(registered.parent)
            if state is not None:
                yield registered.parent, state
            registered = self._site.devices.get(registered.parent)

    def _cause(self, device: str) -> str:
        """Return the uppermost device above this one that is down, empty when all are up."""
        found = ""
        for parent, state in self._parents(device):
            if state.silent or (state.seen_ms and not state.online):
                found = parent
        return found

    def _way_back_ms(self, device: str) -> int:
        return max((state.back_ms for _, state in self._parents(device)), default=0)

    def _below(self, device: str) -> Iterator[tuple[str, DeviceState]]:
        for child in self._children.get(device, ()):
            state = self._memory.device(child)
            if state is not None:
                yield child, state
            yield from self._below(child)
