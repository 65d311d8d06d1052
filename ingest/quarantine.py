"""Quarantine: references into the journal to what could not be read, grouped by reason and device.

The count of a group is never bounded. The bytes stay in the journal; here stand, of each group, up to 100 messages with
topic and sentence, and the position of every message (ingest.positions), so that all of them can be tried again.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ingest import positions
from ingest.counts import REST

SAMPLES_PER_GROUP = 100
_MAX_GROUPS = 10_000
_LINES_A_MINUTE = 30

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS quarantine_group (
    reason TEXT NOT NULL, device TEXT NOT NULL, count INTEGER NOT NULL, first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL, sentence TEXT NOT NULL, PRIMARY KEY (reason, device)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quarantine_sample (
    position INTEGER NOT NULL, reason TEXT NOT NULL, device TEXT NOT NULL, at_ms INTEGER NOT NULL,
    topic TEXT NOT NULL, sentence TEXT NOT NULL, PRIMARY KEY (position, reason)
) WITHOUT ROWID;
{positions.SCHEMA}
"""

GroupKey = tuple[str, str]


class Origin(NamedTuple):
    """Where a message that is tried again stood: the request, its group, its row in the ledger, its first record."""

    request: str
    reason: str
    device: str
    kind: str
    row: str
    position: int
    received_ms: int


class Quarantined(NamedTuple):
    """One message, or one refused line of it, that could not be used; ``kind`` and ``row`` are its row in the ledger.

    ``origin`` is set on one that was tried again and still cannot be read.
    """

    position: int
    at_ms: int
    reason: str
    device: str
    topic: str
    sentence: str
    kind: str = ""
    row: str = ""
    origin: Origin | None = None


class Landed(NamedTuple):
    """One message that left quarantine: its new fate is ``decoded`` or ``duplicate``."""

    origin: Origin
    fate: str


@dataclass(frozen=True, slots=True)
class Group:
    """How many messages of one device could not be used for one reason."""

    reason: str
    device: str
    count: int
    first_ms: int
    last_ms: int
    sentence: str


class Teller:
    """Decides which messages are worth a line in the log: of each reason and device one a minute, 30 in all."""

    def __init__(self) -> None:
        self._minute = -1
        self._told: set[tuple[str, str]] = set()

    def worth(self, item: Quarantined) -> bool:
        """Tell whether to say it; the rest is counted and kept all the same."""
        minute = item.at_ms // 60_000
        if minute != self._minute:
            self._minute, self._told = minute, set()
        if (item.reason, item.device) in self._told or len(self._told) >= _LINES_A_MINUTE:
            return False
        self._told.add((item.reason, item.device))
        return True


@dataclass(slots=True)
class _Added:
    """What one save adds to a group."""

    first: Quarantined
    last: Quarantined
    count: int = 0
    samples: list[Quarantined] = field(default_factory=list)


class Keeping:
    """Adds to the groups of one file; remembers which there are, so that a flood asks for none of them."""

    def __init__(self) -> None:
        self._counts: dict[GroupKey, int] | None = None

    def keep(self, database: sqlite3.Connection, found: Iterable[Quarantined], landed: Iterable[Landed] = ()) -> None:
        """Add messages to their groups and take away those that landed, inside the caller's transaction."""
        if self._counts is None:
            rows = database.execute("SELECT reason, device, count FROM quarantine_group")
            self._counts = {(reason, device): count for reason, device, count in rows}
        added: dict[GroupKey, _Added] = {}
        moves = positions.Moves()
        for item in found:
            key = self._key(item)
            if item.origin is not None:
                moves.tried(item.origin, item.reason, item.sentence)
                if key == (item.origin.reason, item.origin.device):
                    continue
                moves.moved((*key, item.kind, item.row), item.origin)
            else:
                moves.came((*key, item.kind, item.row), item.position)
            group = added.get(key)
            if group is None:
                group = added[key] = _Added(item, item)
            group.last = item
            group.count += 1
            if self._counts[key] + group.count <= SAMPLES_PER_GROUP:
                group.samples.append(item)
        for gone in landed:
            moves.left(gone.origin)
            moves.tried(gone.origin, gone.fate, "")
        for key, group in added.items():
            self._counts[key] += group.count
            _write(database, key, group)
        self._take_away(database, moves)
        moves.write(database)

    def _key(self, item: Quarantined) -> GroupKey:
        assert self._counts is not None
        key = (item.reason, item.device)
        if key not in self._counts:
            # Made-up device names must not make groups without end: the rest share one group per reason.
            if len(self._counts) >= _MAX_GROUPS:
                key = (item.reason, REST)
            self._counts.setdefault(key, 0)
        return key

    def _take_away(self, database: sqlite3.Connection, moves: positions.Moves) -> None:
        assert self._counts is not None
        for (reason, device), gone in moves.gone().items():
            self._counts[reason, device] = self._counts.get((reason, device), 0) - len(gone)
            database.execute(
                "UPDATE quarantine_group SET count = count - ? WHERE reason = ? AND device = ?",
                (len(gone), reason, device),
            )
            database.executemany(
                "DELETE FROM quarantine_sample WHERE position = ? AND reason = ?", ((at, reason) for at in gone)
            )
            if self._counts[reason, device] <= 0:
                del self._counts[reason, device]
                database.execute("DELETE FROM quarantine_group WHERE reason = ? AND device = ?", (reason, device))


def _write(database: sqlite3.Connection, key: GroupKey, added: _Added) -> None:
    database.execute(
        "INSERT INTO quarantine_group VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (reason, device) DO UPDATE SET "
        "count = count + excluded.count, last_ms = max(last_ms, excluded.last_ms), sentence = excluded.sentence",
        (*key, added.count, added.first.at_ms, added.last.at_ms, positions.cut(added.last.sentence)),
    )
    database.executemany(
        "INSERT OR REPLACE INTO quarantine_sample VALUES (?, ?, ?, ?, ?, ?)",
        (
            (item.position, *key, item.at_ms, positions.cut(item.topic), positions.cut(item.sentence))
            for item in added.samples
        ),
    )


def groups(database: sqlite3.Connection) -> list[Group]:
    """Return all groups, the largest first."""
    rows = database.execute(
        "SELECT reason, device, count, first_ms, last_ms, sentence FROM quarantine_group "
        "ORDER BY count DESC, reason, device"
    )
    return [Group(*row) for row in rows]


def samples(database: sqlite3.Connection, reason: str, device: str) -> list[Quarantined]:
    """Return the remembered messages of one group, oldest first."""
    rows = database.execute(
        "SELECT position, at_ms, reason, device, topic, sentence FROM quarantine_sample "
        "WHERE reason = ? AND device = ? ORDER BY position",
        (reason, device),
    )
    return [Quarantined(*row) for row in rows]
