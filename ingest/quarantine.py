"""Quarantine: references into the journal to what could not be read, grouped by reason and device.

The count of a group is never bounded; of its messages up to 100 are remembered, so a flood fills neither memory nor
disk. The bytes themselves stay in the journal.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

SAMPLES_PER_GROUP = 100
_MAX_GROUPS = 10_000
_REST = "…"
_LINES_A_MINUTE = 30

SCHEMA = """
CREATE TABLE IF NOT EXISTS quarantine_group (
    reason TEXT NOT NULL, device TEXT NOT NULL, count INTEGER NOT NULL, first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL, sentence TEXT NOT NULL, PRIMARY KEY (reason, device)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quarantine_sample (
    position INTEGER NOT NULL, reason TEXT NOT NULL, device TEXT NOT NULL, at_ms INTEGER NOT NULL,
    topic TEXT NOT NULL, sentence TEXT NOT NULL, PRIMARY KEY (position, reason)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One message, or one refused line of it, that could not be used."""

    position: int
    at_ms: int
    reason: str
    device: str
    topic: str
    sentence: str


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


def keep(database: sqlite3.Connection, found: Iterable[Quarantined]) -> None:
    """Add messages to their groups, inside the caller's transaction."""
    counts: dict[tuple[str, str], int] = {
        (reason, device): count
        for reason, device, count in database.execute("SELECT reason, device, count FROM quarantine_group")
    }
    for item in found:
        # Made-up device names must not make groups without end: the rest share one group per reason.
        known = (item.reason, item.device) in counts or len(counts) < _MAX_GROUPS
        device = item.device if known else _REST
        before = counts.get((item.reason, device), 0)
        counts[item.reason, device] = before + 1
        database.execute(
            "INSERT INTO quarantine_group VALUES (?, ?, 1, ?, ?, ?) ON CONFLICT (reason, device) DO UPDATE SET "
            "count = count + 1, last_ms = excluded.last_ms, sentence = excluded.sentence",
            (item.reason, device, item.at_ms, item.at_ms, item.sentence[:500]),
        )
        if before < SAMPLES_PER_GROUP:
            database.execute(
                "INSERT OR REPLACE INTO quarantine_sample VALUES (?, ?, ?, ?, ?, ?)",
                (item.position, item.reason, device, item.at_ms, item.topic[:500], item.sentence[:500]),
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
