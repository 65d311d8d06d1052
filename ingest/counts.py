"""Counts per kind and device: exact over a kill, and cheap enough to be kept for every message.

A save writes the rows that changed since the save before, packed into one; once a minute those are folded into one per
device. Names that no site lists are bounded: the rest of a kind share one row.
"""

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.lanes import Lanes
from devices.site import Device
from ingest.lanewise import LanePlaces

REST = "…"
UNREGISTERED_ROWS = 10_000
_FOLD_AFTER = 60
_WAITING = 100_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS count_changed (side TEXT NOT NULL, id INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (side, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS count_row (side TEXT NOT NULL, kind TEXT NOT NULL, device TEXT NOT NULL,
    numbers BLOB NOT NULL, PRIMARY KEY (side, kind, device)) WITHOUT ROWID;
"""

Key = tuple[str, str]
_encode = msgspec.msgpack.Encoder().encode
_changed = msgspec.msgpack.Decoder(list[tuple[Key, list[int]]]).decode
_numbers = msgspec.msgpack.Decoder(list[int]).decode


class Names:
    """Which (kind, device) has a row of its own; all counts of one collector share it, so their rows fit together."""

    def __init__(self) -> None:
        self._registered: Mapping[str, Device] = {}
        self._own: set[Key] = set()

    def register(self, devices: Mapping[str, Device]) -> None:
        """Take over the devices a site lists."""
        self._registered = devices
        self.remember(self._own)

    def remember(self, keys: Iterable[Key]) -> None:
        """Take over rows that exist."""
        self._own = {key for key in {*self._own, *keys} if key[1] != REST and key[1] not in self._registered}

    def row(self, kind: str, device: str) -> Key:
        """Return the row that counts for a device; a registered one has its kind also where a topic did not tell it."""
        registered = self._registered.get(device)
        if registered is not None:
            return kind or registered.kind, device
        key = (kind, device[:64])
        if key not in self._own:
            if device == REST or len(self._own) >= UNREGISTERED_ROWS:
                return kind, REST
            self._own.add(key)
        return key


@dataclass(slots=True)
class Row:
    """The numbers of one row, those of its kind, and whether they changed since the last save."""

    key: Key
    numbers: list[int]
    of_kind: list[int]
    changed: bool = False


class Counts:
    """Counts of one thread, a few numbers per kind and device; other threads may read them."""

    def __init__(self, side: str, width: int, names: Names | None = None) -> None:
        """Begin empty; ``side`` is the name under which they are saved, ``width`` how many numbers a row has."""
        self.names = names or Names()
        # By kind and device as messages name them; what shares a row with others is not here.
        self.rows: dict[str, dict[str, Row]] = {}
        self._side = side
        self._width = width
        self._by_key: dict[Key, Row] = {}
        self._kinds: dict[str, list[int]] = {}
        self._changed: list[Row] = []
        self._unfolded: set[Key] = set()
        self._untold: set[Key] = set()
        self._saves = 0
        self._before: tuple[list[Row], set[Key], int] = ([], set(), 0)
        self._waiting: dict[tuple[str, tuple[int, ...]], list[str]] = {}
        self._placed: dict[tuple[str, Lanes, tuple[int, ...]], NDArray[np.int64]] = {}
        self._lock = threading.Lock()

    def touch(self, kind: str, device: str) -> Row:
        """Return the row of a device, to be changed now."""
        try:
            row = self.rows[kind][device]
        except KeyError:
            key = self.names.row(kind, device)
            row = self._row(key)
            if key[1] != REST:
                self.rows.setdefault(kind, {})[device] = row
        if not row.changed:
            self.change(row)
        return row

    def change(self, row: Row) -> None:
        """Note that a row changes."""
        row.changed = True
        self._changed.append(row)

    def add(self, kind: str, device: str, column: int, number: int) -> None:
        """Add to one number of a device."""
        row = self.touch(kind, device)
        row.numbers[column] += number
        row.of_kind[column] += number

    def add_each(self, kind: str, devices: Sequence[str], columns: Sequence[int]) -> None:
        """Add one to some numbers of each device, all of a kind that is known.

        Those of the kind are right at once, those of a device's row when they are saved (see :meth:`totals`).
        """
        self._add_of_kind(kind, len(devices), columns)
        waiting = self._waiting.setdefault((kind, tuple(columns)), [])
        waiting += devices
        if len(waiting) > _WAITING:
            self._settle()

    def add_at(self, kind: str, lanes: Lanes, places: LanePlaces, columns: tuple[int, ...]) -> None:
        """Add one to some numbers of the device at each place, as ``add_each`` does."""
        self._add_of_kind(kind, len(places), columns)
        with self._lock:
            waiting = self._placed.get((kind, lanes, columns))
            if waiting is None or len(waiting) < len(lanes):
                grown = np.zeros(len(lanes), dtype=np.int64)
                if waiting is not None:
                    grown[: len(waiting)] = waiting
                self._placed[kind, lanes, columns] = waiting = grown
            np.add.at(waiting, places, 1)

    def _add_of_kind(self, kind: str, count: int, columns: Sequence[int]) -> None:
        of_kind = self._of_kind(kind)
        for column in columns:
            of_kind[column] += count

    def _settle(self) -> None:
        """Give their rows what waits; most of it by now are many of one device."""
        with self._lock:
            waiting, self._waiting, self._placed = self._due(), {}, {}
            for kind, columns, counts in waiting:
                for device, count in counts.items():
                    row = self.touch(kind, device)
                    for column in columns:
                        row.numbers[column] += count

    def _due(self) -> list[tuple[str, Sequence[int], Mapping[str, int]]]:
        """Return what waits: how often of each device, under the lock."""
        found: list[tuple[str, Sequence[int], Mapping[str, int]]] = [
            (kind, columns, Counter(list(devices))) for (kind, columns), devices in list(self._waiting.items())
        ]
        for (kind, lanes, columns), counts in self._placed.items():
            places = np.flatnonzero(counts).tolist()
            found.append((kind, columns, {lanes.devices[place]: int(counts[place]) for place in places}))
        return found

    def clear(self) -> None:
        """Begin at zero again, for every row there is."""
        self._settle()
        for row in self._by_key.values():
            if not row.changed:
                self.change(row)
            for column, number in enumerate(row.numbers):
                row.of_kind[column] -= number
                row.numbers[column] = 0

    def kinds(self) -> dict[str, list[int]]:
        """Return the totals per kind."""
        return {kind: list(numbers) for kind, numbers in dict(self._kinds).items()}

    def changed(self) -> set[Key]:
        """Return the rows that were saved since the last call; all at the first."""
        with self._lock:
            untold, self._untold = self._untold, set()
        return untold

    def total(self, key: Key) -> list[int]:
        """Return the numbers of one row."""
        row = self._by_key.get(key)
        return [0] * self._width if row is None else list(row.numbers)

    def totals(self, keys: Iterable[Key]) -> dict[Key, list[int]]:
        """Return the numbers of some rows with what these have not been given yet; for other threads, too."""
        with self._lock:
            found = {key: self.total(key) for key in keys}
            waiting = self._due()
        for kind, columns, counts in waiting:
            for device, count in counts.items():
                numbers = found.get((kind, device))
                if numbers is not None:
                    for column in columns:
                        numbers[column] += count
        return found

    def save(self, database: sqlite3.Connection) -> None:
        """Write the rows that changed since the last save, inside the caller's transaction."""
        self._settle()
        if not self._changed:
            self._before = [], self._unfolded, self._saves
            return
        changed, self._changed = self._changed, []
        self._before = changed, self._unfolded, self._saves
        keys = [row.key for row in changed]
        self._unfolded.update(keys)
        with self._lock:
            self._untold.update(keys)
        for row in changed:
            row.changed = False
        self._saves += 1
        if self._saves < _FOLD_AFTER:
            body = _encode([(row.key, row.numbers) for row in changed])
            database.execute("INSERT INTO count_changed VALUES (?, ?, ?)", (self._side, self._saves, body))
            return
        database.execute("DELETE FROM count_changed WHERE side = ?", (self._side,))
        rows = ((self._side, *key, _encode(self._by_key[key].numbers)) for key in self._unfolded)
        database.executemany("INSERT OR REPLACE INTO count_row VALUES (?, ?, ?, ?)", rows)
        self._unfolded, self._saves = set(), 0

    def unsave(self) -> None:
        """Let everything count as changed that the last save wrote: its transaction failed."""
        changed, unfolded, saves = self._before
        self._unfolded |= unfolded
        # A number more than was saved leaves a gap, a number less would be there already.
        self._saves = max(self._saves, saves)
        for row in changed:
            if not row.changed:
                self.change(row)

    def load(self, database: sqlite3.Connection) -> None:
        """Take over what was saved."""
        found: dict[Key, list[int]] = {}
        for kind, device, body in database.execute(
            "SELECT kind, device, numbers FROM count_row WHERE side = ?", (self._side,)
        ):
            found[kind, device] = _numbers(body)
        for number, body in database.execute(
            "SELECT id, body FROM count_changed WHERE side = ? ORDER BY id", (self._side,)
        ):
            self._saves = number
            changed = dict(_changed(body))
            found.update(changed)
            self._unfolded.update(changed)
        for key, numbers in found.items():
            row = self._row(key)
            row.numbers[:] = numbers
            for column, count in enumerate(numbers):
                row.of_kind[column] += count
        self._untold = set(found)
        self.names.remember(found)

    def _row(self, key: Key) -> Row:
        row = self._by_key.get(key)
        if row is None:
            row = self._by_key[key] = Row(key, [0] * self._width, self._of_kind(key[0]))
        return row

    def _of_kind(self, kind: str) -> list[int]:
        return self._kinds.setdefault(kind, [0] * self._width)
