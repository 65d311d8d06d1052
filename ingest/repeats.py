"""Telling a repeat from news: the same message may come twice after a broken connection or a kill.

The window is a pure function of the journal: the keys of the block of positions at hand and of the block before it, so
at least 65,536 messages, as many as a broker may have in flight. It needs no saving: reading those blocks again
restores it. Foreign formats carry no identifier of ours; theirs count as repeats within ten minutes.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from devices.lanes import Lanes
from ingest.lanewise import Instants, LanePlaces, Lanewise, Mask

BLOCK = 65_536
FOREIGN_MS = 10 * 60_000
# An instant in a key has no more.
_DIGITS = 18
_FIRST = 256
_NONE: Instants = np.empty(0, dtype=np.int64)
Find = Callable[[str], tuple[Lanes, int] | None]


class _Noted:
    """Numbered messages, each newer than all of its lane before it, as columns that grow."""

    __slots__ = ("_columns", "_count", "_lanes", "_numbers")

    def __init__(self) -> None:
        self._lanes: list[Lanes] = []
        self._numbers: dict[Lanes, int] = {}
        self._columns: NDArray[np.int64] = np.empty((5, 0), dtype=np.int64)
        self._count = 0

    def add(self, lanes: Lanes, *columns: NDArray[np.int64]) -> None:
        """Add messages of some lanes: their places there, instants, numbers and receive times."""
        begin, end = self._count, self._count + len(columns[0])
        while end > self._columns.shape[1]:
            # One of them all: each batch by itself would take twenty times as much where few come together.
            self._columns = np.hstack([self._columns, np.empty((5, max(_FIRST, begin)), dtype=np.int64)])
        number = self._numbers.setdefault(lanes, len(self._lanes))
        if number == len(self._lanes):
            self._lanes.append(lanes)
        self._columns[:, begin:end] = (np.full(end - begin, number), *columns)
        self._count = end

    def rows(self) -> Iterator[tuple[str, int, int, int]]:
        """Yield lane, instant, number and receive time of each."""
        for number, place, at_ms, seq, received_ms in self._columns[:, : self._count].T.tolist():
            yield self._lanes[number].lane(place), at_ms, seq, received_ms

    def newest(self) -> Iterator[tuple[Lanes, LanePlaces, Instants]]:
        """Yield lanes with the places in them and the instants there, in the order they came."""
        numbers, places, at_ms, *_ = self._columns[:, : self._count]
        for number, lanes in enumerate(self._lanes):
            own = numbers == number
            yield lanes, places[own], at_ms[own]

    def clear(self) -> None:
        """Forget all of them."""
        self._count = 0


class _Block:
    """The keys of a block of positions, each with the receive time it counts from.

    A lane is a channel of a device. Nearly every message is newer than all of its lane before it: such a one is only
    noted as the numbers it has, and its key is made when somebody asks for one that is not.
    """

    __slots__ = ("_keys", "newest", "noted")

    def __init__(self) -> None:
        self._keys: dict[str, int] = {}
        self.newest: dict[str, int] = {}
        """The newest instant of each lane that a key tells."""
        self.noted = _Noted()

    def keys(self) -> dict[str, int]:
        """Return all of them."""
        for lane, at_ms, seq, received_ms in self.noted.rows():
            self.add(f"{lane}{at_ms}:{seq}", lane, at_ms, received_ms)
        self.noted.clear()
        return self._keys

    def get(self, key: str, noted: bool) -> int | None:
        """Return since when a key counts; it is not among the noted ones unless that is said."""
        return (self.keys() if noted else self._keys).get(key)

    def add(self, key: str, lane: str, at_ms: int, received_ms: int) -> None:
        """Remember a key."""
        self._keys[key] = received_ms
        if lane and at_ms > self.newest.get(lane, -1):
            self.newest[lane] = at_ms


class Repeats:
    """The keys seen lately."""

    def __init__(self, find: Find = lambda _lane: None) -> None:
        """Begin with none; ``find`` tells where a lane has its place, None of one that has none."""
        self._find = find
        self._block = -1
        self._previous = _Block()
        self._current = _Block()
        # The newest instant of each lane in both blocks: of those that have a place, and of all others.
        self._columns: dict[Lanes, Instants] = {}
        self._known: dict[Lanes, int] = {}
        self._newest: dict[str, int] = {}

    @staticmethod
    def window_start(position: int) -> int:
        """Return the position behind which records must be read to restore the window at a position."""
        return max(0, (position // BLOCK - 1) * BLOCK - 1)

    def newer(
        self, position: int, lanes: Lanes, lanewise: Lanewise, at_ms: Instants, seqs: Instants, received_ms: Instants
    ) -> Mask:
        """Tell of numbered messages, all in the block of a position, which of them are surely news; remember those.

        They are those of the lanes in which each is newer than all before it. Their keys are the lane, ``at_ms``, a
        colon and the number; nearly every message of a city is one of these.
        """
        self._turn(position)
        newest = self._column(lanes)
        places = lanewise.places
        found = lanewise.all_of(at_ms > lanewise.before(newest, at_ms))
        if not found.all():
            places, at_ms, seqs, received_ms = (each[found] for each in (places, at_ms, seqs, received_ms))
        if not len(places):
            return found
        newest[places] = at_ms
        self._current.noted.add(lanes, places, at_ms, seqs, received_ms)
        return found

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
        self._turn(position)
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

    def _turn(self, position: int) -> None:
        """Begin a new block where a position is the first of one."""
        block = position // BLOCK
        if block == self._block:
            return
        self._previous = previous = self._current if block == self._block + 1 else _Block()
        self._current, self._block, self._newest = _Block(), block, {}
        for column in self._columns.values():
            column.fill(-1)
        for lanes, places, at_ms in previous.noted.newest():
            # Those of a lane grew one by one.
            self._column(lanes)[places] = at_ms
        for lane, newest_ms in previous.newest.items():
            self._reach(lane, newest_ms)

    def _column(self, lanes: Lanes) -> Instants:
        # Asked once: other threads give places, too.
        count = len(lanes)
        column, known = self._columns.get(lanes, _NONE), self._known.get(lanes, 0)
        if known < count:
            if len(column) < count:
                column = np.concatenate([column, np.full(count, -1, dtype=np.int64)])
                self._columns[lanes] = column
            self._known[lanes] = count
            for place in range(known, count):
                # A lane may have had no place when its first messages came.
                column[place] = self._newest.pop(lanes.lane(place), -1)
        return column

    def _reach(self, lane: str, at_ms: int) -> None:
        """Note that a lane has come to an instant."""
        found = self._find(lane)
        if found is not None:
            column, place = self._column(found[0]), found[1]
            column[place] = max(column[place], at_ms)
        elif at_ms > self._newest.get(lane, -1):
            self._newest[lane] = at_ms

    def _placed(self, key: str) -> tuple[str, int, bool]:
        """Return the lane and the instant of a key, and whether it may be among those that are only noted."""
        lane, at_ms = _numbered(key)
        found = self._find(lane) if lane else None
        newest = self._newest.get(lane, -1) if found is None else self._column(found[0])[found[1]]
        return lane, at_ms, bool(at_ms <= newest)

    def _add(self, key: str, lane: str, at_ms: int, received_ms: int) -> None:
        self._current.add(key, lane, at_ms, received_ms)
        if lane:
            self._reach(lane, at_ms)


def _numbered(key: str) -> tuple[str, int]:
    """Return the lane and the instant that a key tells; no lane where it tells none."""
    head, bar, rest = key.rpartition("|")
    at, colon, _ = rest.partition(":")
    # What fits no column is no instant, whatever a device says.
    return (head + bar, int(at)) if bar and colon and at.isdecimal() and len(at) <= _DIGITS else ("", 0)
