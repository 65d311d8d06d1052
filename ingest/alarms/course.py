"""The course of time: what happens by itself, between two records, and from when on a device is waited for.

Now is the highest receive time of the journal. Due timers fire in order of (due, device), and before the record that is
received then.
"""

from collections.abc import Iterator

from devices.site import Site
from ingest.alarms.dates import Dates
from ingest.alarms.groups import Groups
from ingest.alarms.memory import DeviceState, Memory
from ingest.alarms.silence import Silence
from ingest.alarms.transitions import Transition
from ingest.outcomes import AnyOutcome

# The journal has a tick each second: where they are missing this collector was down, and where a tick says so the
# broker was away. Devices are not silent for the time nobody could hear them.
_DEAF_MS = 10_000


class Course:
    """Moves a memory's now on.

    Attributes:
        groups: whose turns come with time; others with each change of the rules.
    """

    groups: Groups

    def __init__(self, site: Site, memory: Memory, silence: Silence) -> None:
        """Begin; nobody is waited for before the first record."""
        self._site = site
        self._memory = memory
        self._silence = silence
        self._dates = Dates(site, memory)
        self._armed = False

    def reach(self, outcome: AnyOutcome, found: list[Transition]) -> None:
        """Let happen what is due when an outcome comes."""
        if outcome.received_ms > self._memory.now_ms:
            self._advance(outcome, found)
        if not self._armed:
            self._armed = True
            self._arm()
            found.extend(self._dates.look())

    def idle_until(self) -> int:
        """Return up to when nothing is due: in the second at hand, before the first timer."""
        if not self._armed:
            return -1
        end_ms = self._memory.now_ms // 1000 * 1000 + 999
        return min(end_ms, self._silence.next_ms - 1)

    def device(self, device: str, kind: str, district: str) -> DeviceState:
        """Return the state of a device; one that is new is waited for from now on."""
        memory = self._memory
        state = memory.device(device)
        if state is None:
            state = DeviceState(kind, district, armed_ms=memory.now_ms)
            memory.add(device, state)
            self._silence.watch(device, state)
        return state

    def _arm(self) -> None:
        # Registered devices that were never heard count from now, not from a first message.
        awaited = self._site.awaited
        for device in self._site.devices.values():
            if awaited is None or device.id in awaited:
                self.device(device.id, device.kind, device.district)

    def _advance(self, outcome: AnyOutcome, found: list[Transition]) -> None:
        """Let now come up to the receipt of an outcome."""
        memory = self._memory
        received_ms = outcome.received_ms
        deaf = outcome.status is False and outcome.fate == "tick"
        if deaf or received_ms - memory.now_ms > _DEAF_MS:
            memory.listening_ms = received_ms
        if received_ms // 1000 > memory.now_ms // 1000:
            found.extend(self._second(received_ms))
        elif self._silence.is_due(received_ms):
            found.extend(self._silence.timers(received_ms))
        memory.now_ms = received_ms

    def _second(self, until_ms: int) -> Iterator[Transition]:
        """Let happen what is due up to an instant of another second: silence, turns of groups, the day's dates."""
        memory = self._memory
        begun_ms = memory.now_ms
        for due_ms, group in self.groups.due(begun_ms, until_ms):
            yield from self._silence.timers(due_ms)
            memory.now_ms = max(memory.now_ms, due_ms)
            yield from self.groups.look(group, due_ms)
        yield from self._silence.timers(until_ms)
        memory.now_ms = until_ms
        if self._armed and self._dates.turned(begun_ms, until_ms):
            yield from self._dates.look()
