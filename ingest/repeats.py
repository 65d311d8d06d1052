"""Telling a repeat from news: the same message may come twice after a broken connection or a kill.

The window is a pure function of the journal: the keys of the block of positions at hand and of the block before it, so
at least 65,536 messages, as many as a broker may have in flight. It needs no saving: reading those blocks again
restores it. Foreign formats carry no identifier of ours; theirs count as repeats within ten minutes.
"""

from collections.abc import Iterator
from typing import Any

BLOCK = 65_536
FOREIGN_MS = 10 * 60_000


class _Block:
    """The keys of a block of positions, each with the receive time it counts from.

    A lane is a channel of a device. Nearly every message is newer than all of its lane before it: such a one is only
    noted as the numbers it has, and its key is made when somebody asks for one that is not.
    """

    __slots__ = ("_keys", "_newest", "noted")

    def __init__(self) -> None:
        self._keys: dict[str, int] = {}
        self._newest: dict[str, int] = {}
        # Lane, instant, number and receive time, one behind the other: a tuple for each would take three times as much.
        self.noted: list[Any] = []

    def keys(self) -> dict[str, int]:
        """Return all of them."""
        for lane, at_ms, seq, received_ms in _fours(self.noted):
            self.add(f"{lane}{at_ms}:{seq}", lane, at_ms, received_ms)
        self.noted.clear()
        return self._keys

    def get(self, key: str, noted: bool) -> int | None:
        """Return since when a key counts; it is not among the noted ones unless that is said."""
        return (self.keys() if noted else self._keys).get(key)

    def add(self, key: str, lane: str, at_ms: int, received_ms: int) -> None:
        """Remember a key."""
        self._keys[key] = received_ms
        if lane and at_ms > self._newest.get(lane, -1):
            self._newest[lane] = at_ms

    def newest(self) -> dict[str, int]:
        """Return the newest instant of each lane."""
        # Those that are noted of a lane grew one by one.
        found = dict(zip(self.noted[0::4], self.noted[1::4], strict=True))
        for lane, at_ms in self._newest.items():
            if at_ms > found.get(lane, -1):
                found[lane] = at_ms
        return found


class Repeats:
    """The keys seen lately."""

    def __init__(self) -> None:
        self._block = -1
        self._previous = _Block()
        self._begin(_Block(), {})

    @staticmethod
    def window_start(position: int) -> int:
        """Return the position behind which records must be read to restore the window at a position."""
        return max(0, (position // BLOCK - 1) * BLOCK - 1)

    def newer(self, lane: str, at_ms: int, seq: int, position: int, received_ms: int) -> bool:
        """Remember a numbered message that is newer than all of its lane, and tell so; otherwise nothing is remembered.

        Its key is ``lane``, ``at_ms``, a colon and ``seq``; nearly every message of a city is one of these.
        """
        newest = self._newest
        if at_ms <= newest.get(lane, -1) or position // BLOCK != self._block:
            return False
        newest[lane] = at_ms
        self._note((lane, at_ms, seq, received_ms))
        return True

    def fresh(self, key: str, position: int, received_ms: int) -> bool:
        """Remember a key that is surely news, and tell so; otherwise nothing is remembered and ``seen`` tells."""
        if position // BLOCK != self._block or not key:
            return False
        lane, at_ms, noted = self._placed(key)
        if self._current.get(key, noted) is not None or self._previous.get(key, noted) is not None:
            return False
        self._add(key, lane, at_ms, received_ms)
        return True

    def seen(self, key: str, position: int, received_ms: int, foreign: bool) -> bool:
        """Remember a key and tell whether it is a repeat; an empty key never is."""
        block = position // BLOCK
        if block != self._block:
            self._previous = self._current if block == self._block + 1 else _Block()
            self._begin(_Block(), self._previous.newest())
            self._block = block
        if not key:
            return False
        lane, at_ms, noted = self._placed(key)
        own = self._current.get(key, noted)
        before = self._previous.get(key, noted) if own is None else own
        repeat = before is not None and not (foreign and received_ms - before > FOREIGN_MS)
        # A repeat of the block before is a key of this block too: else a restart, which does not read further back,
        # would know keys that this process forgot.
        if own is None or not repeat:
            self._add(key, lane, at_ms, received_ms)
        return repeat

    def _begin(self, block: _Block, newest: dict[str, int]) -> None:
        self._current = block
        # Asked for every message: the newest instant of each lane in both blocks.
        self._newest, self._note = newest, block.noted.extend

    def _placed(self, key: str) -> tuple[str, int, bool]:
        """Return the lane and the instant of a key, and whether it may be among those that are only noted."""
        lane, at_ms = _numbered(key)
        return lane, at_ms, at_ms <= self._newest.get(lane, -1)

    def _add(self, key: str, lane: str, at_ms: int, received_ms: int) -> None:
        self._current.add(key, lane, at_ms, received_ms)
        if lane and at_ms > self._newest.get(lane, -1):
            self._newest[lane] = at_ms


def _fours(flat: list[Any]) -> Iterator[tuple[str, int, int, int]]:
    each = iter(flat)
    return zip(each, each, each, each, strict=True)


def _numbered(key: str) -> tuple[str, int]:
    """Return the lane and the instant that a key tells; no lane where it tells none."""
    head, bar, rest = key.rpartition("|")
    at, colon, _ = rest.partition(":")
    return (head + bar, int(at)) if bar and colon and at.isdecimal() else ("", 0)
