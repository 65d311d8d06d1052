"""The devices that changed since the last save, made ready for the next a piece at a time: alarms need not wait."""

import time
from collections.abc import Iterable
from itertools import islice

from ingest.alarms.memory import Memory

# Takes some milliseconds.
PIECE = 500
# Saving what tens of thousands of devices sent takes its time: it may have a hundredth of all there is, and the journal
# is read again for what came after the last save.
_REST = 100
_LEAST_MS, _MOST_MS = 1_000, 10_000


class Unsaved:
    """Names of devices and groups, and the states of those that are ready; one that changes again is so no more."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._names: set[str] = set()
        self._states: dict[str, bytes] = {}
        self._pieces = 0
        self._due_ms, self._due_s = 0.0, 0.0
        self._lasted_s = 0.0
        self.busy = False
        """Whether the next save is being made ready."""

    def note(self, changed: Iterable[str]) -> None:
        """Add what changed."""
        self._names.update(changed)
        if self._states:
            for name in changed:
                self._states.pop(name, None)

    def begin_where_due(self, now_s: float) -> None:
        """Begin with a save when it is time: by the journal's clock or by ours, for the former may stand or run."""
        if not self.busy and (self._memory.now_ms >= self._due_ms or now_s >= self._due_s):
            self.busy = True
            # Where they change faster than they are made ready it comes to an end, too.
            self._pieces = 2 * (len(self._names) + len(self._memory.changed)) // PIECE + 1

    def prepare(self) -> bool:
        """Make a piece ready; return whether the rest may as well be saved at once."""
        if len(self._names) <= PIECE or self._pieces <= 0:
            return True
        self._pieces -= 1
        piece = list(islice(self._names, PIECE))
        self._names.difference_update(piece)
        self._states.update(self._memory.encoded(piece))
        return False

    def take(self) -> dict[str, bytes]:
        """Return the states of all as they are now, and begin anew."""
        self._states.update(self._memory.encoded(self._names))
        states, self._states, self._names = self._states, {}, set()
        return states

    def worked(self, lasted_s: float, saved: bool) -> None:
        """Note how long a part of a save took; behind the last comes a rest."""
        self._lasted_s += lasted_s
        if saved:
            rest_ms = min(max(_LEAST_MS, self._lasted_s * 1000 * _REST), _MOST_MS)
            self._due_ms = self._memory.now_ms + rest_ms
            self._due_s = time.monotonic() + rest_ms / 1000
            self._lasted_s, self.busy = 0.0, False
