"""Where in the journal the messages of each quarantine group stand, however many there are.

One row a save: the groups it touched, each with the positions that came and those that left, as differences packed
together. Ten thousand unreadable messages a second take 50 to 3,000 bytes a second (at worst, with a new device name
each, about a twentieth of their own bytes in the journal), and rows go when the journal files they point into do.
"""

import sqlite3
import zlib
from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from ingest.quarantine import Origin

SCHEMA = """
CREATE TABLE IF NOT EXISTS quarantine_position (id INTEGER PRIMARY KEY, last INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS quarantine_try (
    request TEXT NOT NULL, fate TEXT NOT NULL, count INTEGER NOT NULL, last INTEGER NOT NULL, sentence TEXT NOT NULL,
    PRIMARY KEY (request, fate)
) WITHOUT ROWID;
"""

# Reason and device of the group, kind and device of the row in the ledger.
PlaceKey = tuple[str, str, str, str]


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
        """Write them as one row, and what became of each request."""
        database.executemany(
            "INSERT INTO quarantine_try VALUES (?, ?, ?, ?, ?) ON CONFLICT (request, fate) DO UPDATE SET "
            "count = count + excluded.count, last = max(last, excluded.last), sentence = excluded.sentence",
            ((*key, *tried) for key, tried in self._tries.items()),
        )
        places = {**self._came, **self._left}
        if not places:
            return
        last = max(max(found) for side in (self._came, self._left) for found in side.values())
        packed = [
            _Packed(*place, _differences(self._came.get(place, [])), _differences(self._left.get(place, [])))
            for place in places
        ]
        body = zlib.compress(_encode(packed), 1)
        database.execute("INSERT INTO quarantine_position (last, body) VALUES (?, ?)", (last, body))


def positions_of(
    database: sqlite3.Connection, reason: str | None, device: str | None, after: int = -1
) -> dict[int, PlaceKey]:
    """Return the positions of a group behind ``after`` with their places, ascending.

    Those of all reasons or devices where none is named.
    """
    found: dict[int, PlaceKey] = {}
    for packed in _rows(database, after):
        if (reason is not None and packed.reason != reason) or (device is not None and packed.device != device):
            continue
        place = (packed.reason, packed.device, packed.kind, packed.row)
        found.update(dict.fromkeys((position for position in accumulate(packed.came) if position > after), place))
        for position in accumulate(packed.left):
            if found.get(position) == place:
                del found[position]
    return dict(sorted(found.items()))


def tries(database: sqlite3.Connection, request: str) -> tuple[int, dict[str, tuple[int, str]]]:
    """Return how far a request is (its last position), and per fate the count and a sentence."""
    rows = database.execute("SELECT fate, count, last, sentence FROM quarantine_try WHERE request = ?", (request,))
    found = {fate: (count, last, sentence) for fate, count, last, sentence in rows}
    reached = max((last for _, last, _ in found.values()), default=0)
    return reached, {fate: (count, sentence) for fate, (count, _, sentence) in found.items()}


def forget_before(database: sqlite3.Connection, position: int) -> None:
    """Remove what concerns only positions before one."""
    database.execute("DELETE FROM quarantine_position WHERE last < ?", (position,))
    database.execute("DELETE FROM quarantine_try WHERE last < ?", (position,))


def cut(text: str) -> str:
    """Return at most 500 characters of a foreign text, fit to be written: half characters are replaced."""
    return text[:500].encode("utf-8", "replace").decode()


def _rows(database: sqlite3.Connection, after: int) -> Iterator[_Packed]:
    for (body,) in database.execute("SELECT body FROM quarantine_position WHERE last > ? ORDER BY id", (after,)):
        yield from _decode(zlib.decompress(body))


def _differences(found: list[int]) -> list[int]:
    ordered = sorted(found)
    return [after - before for before, after in zip([0, *ordered], ordered, strict=False)]
