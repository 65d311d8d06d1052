"""Where in the journal the messages of each quarantine group stand, however many there are.

One row a save and stretch of the journal: the groups it touched, each with the positions that came and those that
left, as differences packed together. Ten thousand unreadable messages a second take 50 to 3,000 bytes a second (at
worst, with a new device name each, about a twentieth of their own bytes in the journal), and rows go when the journal
files they point into do.

After a flood these are tens of millions, so nobody holds all of them: they are read a stretch at a time. No row belongs
to two, so that finding those of one takes no look at any other, however many there are.
"""

import sqlite3
import zlib
from collections import OrderedDict
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from ingest.quarantine import Origin

SCHEMA = """
CREATE TABLE IF NOT EXISTS quarantine_position (
    id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS quarantine_position_stretch ON quarantine_position (first, last);
CREATE TABLE IF NOT EXISTS quarantine_try (
    request TEXT NOT NULL, fate TEXT NOT NULL, count INTEGER NOT NULL, last INTEGER NOT NULL, sentence TEXT NOT NULL,
    PRIMARY KEY (request, fate)
) WITHOUT ROWID;
"""

_STRETCH = 65_536
_STRETCHES_KEPT = 32

# Reason and device of the group, kind and device of the row in the ledger.
PlaceKey = tuple[str, str, str, str]


class Stand(NamedTuple):
    """A position that stands in a group; more than once where several readings of one message do."""

    position: int
    place: PlaceKey
    times: int


class _Packed(NamedTuple):
    reason: str
    device: str
    kind: str
    row: str
    came: list[int]
    left: list[int]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[_Packed]).decode


class Moves:
    """The positions that one save adds to groups and takes from them."""

    def __init__(self) -> None:
        self._came: dict[PlaceKey, list[int]] = {}
        self._left: dict[PlaceKey, list[int]] = {}
        self._tries: dict[tuple[str, str], tuple[int, int, str]] = {}

    def came(self, place: PlaceKey, position: int) -> None:
        """Note a position that belongs to a group now."""
        try:
            self._came[place].append(position)
        except KeyError:
            self._came[place] = [position]

    def moved(self, place: PlaceKey, origin: "Origin") -> None:
        """Note a position that was tried again and belongs to another group now."""
        self.came(place, origin.position)
        self.left(origin)

    def left(self, origin: "Origin") -> None:
        """Note a position that belongs to its group no more."""
        place = (origin.reason, origin.device, origin.kind, origin.row)
        self._left.setdefault(place, []).append(origin.position)

    def tried(self, origin: "Origin", fate: str, sentence: str) -> None:
        """Note what became of a position that was tried again: ``decoded``, ``duplicate`` or a reason."""
        count, last, _ = self._tries.get((origin.request, fate), (0, 0, ""))
        self._tries[origin.request, fate] = (count + 1, max(last, origin.position), cut(sentence))

    def gone(self) -> dict[tuple[str, str], list[int]]:
        """Return the positions that left, by reason and device."""
        found: dict[tuple[str, str], list[int]] = {}
        for (reason, device, _, _), left in self._left.items():
            found.setdefault((reason, device), []).extend(left)
        return found

    def write(self, database: sqlite3.Connection) -> None:
        """Write them, and what became of each request."""
        database.executemany(
            "INSERT INTO quarantine_try VALUES (?, ?, ?, ?, ?) ON CONFLICT (request, fate) DO UPDATE SET "
            "count = count + excluded.count, last = max(last, excluded.last), sentence = excluded.sentence",
            ((*key, *tried) for key, tried in self._tries.items()),
        )
        places = {**self._came, **self._left}
        _write(database, {place: (self._came.get(place, ()), self._left.get(place, ())) for place in places})


def walk(database: sqlite3.Connection, reason: str | None, device: str | None, after: int = 0) -> Iterator[Stand]:
    """Yield what stands in a group behind a position, ascending, as it is now; what comes or leaves later counts not.

    Of all reasons or devices where none is named.
    """
    newest = _newest(database)
    low = after + 1
    while (number := _next_stretch(database, low, newest)) is not None:
        high = (number + 1) * _STRETCH
        low = max(low, number * _STRETCH)
        found: dict[tuple[int, PlaceKey], int] = {}
        for packed in _rows(database, number, newest):
            if (reason is None or packed.reason == reason) and (device is None or packed.device == device):
                _apply(found, packed)
        for (position, place), count in sorted(found.items()):
            if position >= low:
                yield Stand(position, place, count)
        low = high


class Positions(Container[int]):
    """Whether a position stands in any group; of the whole journal it holds a few stretches, those read last."""

    def __init__(self, database: sqlite3.Connection, but: str | None = None) -> None:
        """Look at what there is now; ``but`` is a reason that does not count."""
        self._database = database
        self._but = but
        self._newest = _newest(database)
        self._stretches: OrderedDict[int, bytearray] = OrderedDict()

    def __contains__(self, position: object) -> bool:
        if not isinstance(position, int):
            return False
        number, place = divmod(position, _STRETCH)
        stretch = self._stretches.get(number)
        if stretch is None:
            stretch = self._stretches[number] = self._read(number)
            if len(self._stretches) > _STRETCHES_KEPT:
                self._stretches.popitem(last=False)
        return bool(stretch[place])

    def _read(self, number: int) -> bytearray:
        found: dict[tuple[int, PlaceKey], int] = {}
        for packed in _rows(self._database, number, self._newest):
            if packed.reason != self._but:
                _apply(found, packed)
        stretch = bytearray(_STRETCH)
        for position, _ in found:
            stretch[position % _STRETCH] = 1
        return stretch


def tries(database: sqlite3.Connection, request: str) -> tuple[int, dict[str, tuple[int, str]]]:
    """Return how far a request is (its last position), and per fate the count and a sentence."""
    rows = database.execute("SELECT fate, count, last, sentence FROM quarantine_try WHERE request = ?", (request,))
    found = {fate: (count, last, sentence) for fate, count, last, sentence in rows}
    reached = max((last for _, last, _ in found.values()), default=0)
    return reached, {fate: (count, sentence) for fate, (count, _, sentence) in found.items()}


def divide(database: sqlite3.Connection) -> None:
    """Let each row of a file of before belong to one stretch, in the order in which they were written."""
    if not _is_of_before(database):
        return
    database.execute("BEGIN IMMEDIATE")
    with database:
        # Another process may have been quicker.
        if not _is_of_before(database):
            return
        columns = {row[1] for row in database.execute("PRAGMA table_info(quarantine_position)")}
        if "first" not in columns:
            database.execute("ALTER TABLE quarantine_position ADD COLUMN first INTEGER NOT NULL DEFAULT 0")
        for (number,) in database.execute("SELECT id FROM quarantine_position ORDER BY id").fetchall():
            (body,) = database.execute("SELECT body FROM quarantine_position WHERE id = ?", (number,)).fetchone()
            database.execute("DELETE FROM quarantine_position WHERE id = ?", (number,))
            sides: dict[PlaceKey, tuple[list[int], list[int]]] = {}
            for packed in _decode(zlib.decompress(body)):
                sides[_place(packed)] = [*accumulate(packed.came)], [*accumulate(packed.left)]
            _write(database, sides)
        database.execute("DROP INDEX IF EXISTS quarantine_position_reach")
        database.execute("CREATE INDEX quarantine_position_stretch ON quarantine_position (first, last)")


def forget_before(database: sqlite3.Connection, position: int) -> None:
    """Remove what concerns only positions before one."""
    database.execute("DELETE FROM quarantine_position WHERE first < ? AND last < ?", (position, position))
    database.execute("DELETE FROM quarantine_try WHERE last < ?", (position,))


def cut(text: str) -> str:
    """Return at most 500 characters of a foreign text, fit to be written: half characters are replaced."""
    return text[:500].encode("utf-8", "replace").decode()


def _write(database: sqlite3.Connection, sides: Mapping[PlaceKey, tuple[Iterable[int], Iterable[int]]]) -> None:
    """Write positions that came and left, by place."""
    stretches: dict[int, dict[PlaceKey, tuple[list[int], list[int]]]] = {}
    for place, both in sides.items():
        for side, found in enumerate(both):
            for number, there in groupby(sorted(found), _stretch_of):
                stretches.setdefault(number, {}).setdefault(place, ([], []))[side].extend(there)
    for _, places in sorted(stretches.items()):
        packed = [_Packed(*place, _differences(came), _differences(left)) for place, (came, left) in places.items()]
        reach = [side[end] for both in places.values() for side in both if side for end in (0, -1)]
        database.execute(
            "INSERT INTO quarantine_position (first, last, body) VALUES (?, ?, ?)",
            (min(reach), max(reach), zlib.compress(_encode(packed), 1)),
        )


def _stretch_of(position: int) -> int:
    return position // _STRETCH


def _next_stretch(database: sqlite3.Connection, low: int, newest: int) -> int | None:
    """Return the first stretch, from that of a position on, of which anything was written."""
    row = database.execute(
        "SELECT first FROM quarantine_position INDEXED BY quarantine_position_stretch "
        "WHERE first >= ? AND id <= ? ORDER BY first LIMIT 1",
        (_stretch_of(low) * _STRETCH, newest),
    ).fetchone()
    return None if row is None else _stretch_of(row[0])


def _rows(database: sqlite3.Connection, number: int, newest: int) -> Iterator[_Packed]:
    """Yield what was written of a stretch, in that order."""
    # A key by itself: the planner would go through all bodies to have them in order.
    keys = database.execute(
        "SELECT id FROM quarantine_position INDEXED BY quarantine_position_stretch "
        "WHERE first >= ? AND first < ? AND id <= ?",
        (number * _STRETCH, (number + 1) * _STRETCH, newest),
    ).fetchall()
    for key in sorted(keys):
        row = database.execute("SELECT body FROM quarantine_position WHERE id = ?", key).fetchone()
        # It may have gone with its journal file meanwhile.
        if row is not None:
            yield from _decode(zlib.decompress(row[0]))


def _apply(found: dict[tuple[int, PlaceKey], int], packed: _Packed) -> None:
    place = _place(packed)
    for position in accumulate(packed.came):
        found[position, place] = found.get((position, place), 0) + 1
    for position in accumulate(packed.left):
        if (position, place) in found:
            found[position, place] -= 1
            if not found[position, place]:
                del found[position, place]


def _place(packed: _Packed) -> PlaceKey:
    return packed.reason, packed.device, packed.kind, packed.row


def _newest(database: sqlite3.Connection) -> int:
    (newest,) = database.execute("SELECT max(id) FROM quarantine_position").fetchone()
    return newest or 0


def _is_of_before(database: sqlite3.Connection) -> bool:
    names = database.execute("SELECT name FROM sqlite_master WHERE tbl_name = 'quarantine_position'").fetchall()
    return bool(names) and ("quarantine_position_stretch",) not in names


def _differences(ordered: list[int]) -> list[int]:
    return [after - before for before, after in zip([0, *ordered], ordered, strict=False)]
