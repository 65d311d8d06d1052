"""The checkpoint: how far the pipeline is, what it counted and what its engine remembers, committed as one.

Restart = checkpoint + the journal behind its position. Only devices that changed since the last checkpoint are written.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from ingest import counts, positions, quarantine
from ingest.alarms.writing import NOTHING, Unkept
from ingest.counts import Counts
from ingest.decoding import Unregistered
from ingest.errors import JournalError
from ingest.ledger import Ledger, Stored

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS device (id TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS device_changed (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS unkept (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS unregistered (id TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
{quarantine.SCHEMA}
{counts.SCHEMA}
"""
# In one statement.
_DEVICES = 1_000
# Alarms wait for a save: it writes the devices that changed in one piece, and only now and then a row for each.
_FOLD_AFTER, _FOLD_BYTES = 20, 16 * 1024 * 1024
_encode = msgspec.msgpack.Encoder().encode
_changed = msgspec.msgpack.Decoder(dict[str, bytes]).decode


@dataclass(slots=True)
class Saved:
    """What a restart begins with."""

    position: int = 0
    now_ms: int = 0
    listening_ms: int = 0
    ledger: Ledger = field(default_factory=Ledger)
    devices: dict[str, bytes] = field(default_factory=dict)
    unregistered: Unregistered = field(default_factory=Unregistered)
    rules: bytes | None = None
    unkept: dict[int, bytes] = field(default_factory=dict)
    """What the alarm database had not taken by then (see ingest.alarms.writing)."""


class Checkpoint:
    """The checkpoint file of one collector. Each thread that uses it opens its own."""

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises:
            JournalError: it cannot be opened.
        """
        self._quarantine = quarantine.Keeping()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=30, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
            positions.divide(self._database)
            self._database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"checkpoint {path.name}: cannot be opened: {error}") from error

    def position(self) -> int:
        """Return up to which journal position everything was saved."""
        found = self._get("pipeline")
        return 0 if found is None else int(msgspec.msgpack.decode(found)[0])

    def load(self) -> Saved:
        """Return what was saved last, or an empty beginning.

        Raises:
            JournalError: the file is damaged.
        """
        try:
            # What the collector folds between two looks of another process must not be missing in both.
            self._database.execute("BEGIN")
            try:
                return self._load()
            finally:
                self._database.rollback()
        except (sqlite3.Error, msgspec.MsgspecError, TypeError) as error:
            raise JournalError(f"checkpoint: cannot be read: {error}") from error

    def _load(self) -> Saved:
        saved = Saved()
        found = self._get("pipeline")
        if found is not None:
            saved.position, saved.now_ms, saved.listening_ms, totals = msgspec.msgpack.decode(
                found, type=tuple[int, int, int, dict[str, Any]]
            )
            saved.ledger = Ledger(**totals)
        saved.ledger.counts.load(self._database)
        saved.rules = self.rules()
        saved.devices = dict(self._database.execute("SELECT id, state FROM device")) | self._unfolded()
        saved.unkept = dict(self._database.execute("SELECT number, body FROM unkept"))
        newcomers = self._get("newcomers")
        hour, count = (0, 0) if newcomers is None else msgspec.msgpack.decode(newcomers, type=tuple[int, int])
        saved.unregistered = Unregistered(
            dict(self._database.execute("SELECT id, position FROM unregistered")),
            hour=hour,
            count=count,
            judged=saved.position,
        )
        return saved

    def save(
        self,
        position: int,
        now_ms: int,
        listening_ms: int,
        ledger: Ledger,
        devices: Mapping[str, bytes],
        unregistered: Unregistered,
        found: Iterable[quarantine.Quarantined],
        landed: Iterable[quarantine.Landed] = (),
        rules: bytes | None = None,
        unkept: Unkept = NOTHING,
    ) -> None:
        """Commit everything that belongs to a position in one transaction.

        Raises:
            JournalError: nothing was written (the disk is full); the same can be tried again.
        """
        with self._transaction(ledger.counts):
            self._put("pipeline", msgspec.msgpack.encode((position, now_ms, listening_ms, ledger.totals())))
            ledger.counts.save(self._database)
            self._put_devices(devices)
            self._database.executemany("INSERT OR REPLACE INTO unregistered VALUES (?, ?)", unregistered.fresh.items())
            if rules is not None:
                self._put("rules", rules)
            self._put("newcomers", msgspec.msgpack.encode((unregistered.hour, unregistered.count)))
            self._quarantine.keep(self._database, found, landed)
            self._database.execute("DELETE FROM unkept WHERE number <= ?", (unkept.kept_to,))
            self._database.executemany("INSERT OR REPLACE INTO unkept VALUES (?, ?)", unkept.fresh.items())

    def rules(self) -> bytes | None:
        """Return the rules that were in force when this was saved (see ingest.alarms.books)."""
        return self._get("rules")

    def load_stored(self) -> Stored:
        """Return how far the store was when this was saved last; a remote store knows it from here only."""
        found = self._get("stored")
        return Stored() if found is None else msgspec.msgpack.decode(found, type=Stored)

    def load_counts(self, counted: Counts) -> None:
        """Let counts begin with what was saved of them."""
        counted.load(self._database)

    def save_stored(
        self,
        stored: Stored,
        refused: Iterable[quarantine.Quarantined] = (),
        counted: Counts | None = None,
        landed: Iterable[quarantine.Landed] = (),
    ) -> None:
        """Commit how far the store is, with the lines it refused, those it took at last, and the counts per device.

        Raises:
            JournalError: nothing was written (the disk is full); the same can be tried again.
        """
        with self._transaction(counted):
            self._put("stored", msgspec.msgpack.encode(stored))
            self._quarantine.keep(self._database, refused, landed)
            if counted is not None:
                counted.save(self._database)

    def quarantine_groups(self) -> list[quarantine.Group]:
        """Return what is in quarantine, grouped."""
        return quarantine.groups(self._database)

    def quarantine_samples(self, reason: str, device: str) -> list[quarantine.Quarantined]:
        """Return remembered messages of one group."""
        return quarantine.samples(self._database, reason, device)

    def walk(self, reason: str | None, device: str | None, after: int = 0) -> Iterator[positions.Stand]:
        """Yield where the messages of a group stand, ascending; of all reasons or devices where none is named."""
        return positions.walk(self._database, reason, device, after)

    def quarantined(self) -> positions.Positions:
        """Return where anything is in quarantine, to be asked for single positions while this is open."""
        return positions.Positions(self._database)

    def unread(self) -> positions.Positions:
        """Return where messages stand that could not be read, as above; what a store refused had been read."""
        return positions.Positions(self._database, but="refused")

    def tries(self, request: str) -> tuple[int, dict[str, tuple[int, str]]]:
        """Return how far a request to try again is, and what became of its messages."""
        return positions.tries(self._database, request)

    def forget_before(self, position: int) -> None:
        """Remove references to journal records before a position."""
        with self._database:
            positions.forget_before(self._database, position)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def _transaction(self, counted: Counts | None) -> Iterator[None]:
        try:
            with self._database:
                yield
        except sqlite3.Error as error:
            # Both have noted as written what was not.
            self._quarantine = quarantine.Keeping()
            if counted is not None:
                counted.unsave()
            raise JournalError(f"checkpoint: cannot be written ({error})") from error

    def _get(self, key: str) -> bytes | None:
        row = self._database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def _put_devices(self, devices: Mapping[str, bytes]) -> None:
        newest, size = self._database.execute(
            "SELECT coalesce(max(id), 0), coalesce(sum(length(body)), 0) FROM device_changed"
        ).fetchone()
        # A whole city in one piece would take as much memory again.
        if newest + 1 < _FOLD_AFTER and size + sum(map(len, devices.values())) < _FOLD_BYTES:
            self._database.execute("INSERT INTO device_changed VALUES (?, ?)", (newest + 1, _encode(devices)))
            return
        folded = self._unfolded() | dict(devices) if newest else devices
        # Many in one statement take less, and neighbours share a page.
        names = sorted(folded)
        for begin in range(0, len(names), _DEVICES):
            part = names[begin : begin + _DEVICES]
            rows = ", ".join(["(?, ?)"] * len(part))
            values = [each for name in part for each in (name, folded[name])]
            self._database.execute(f"INSERT OR REPLACE INTO device VALUES {rows}", values)
        self._database.execute("DELETE FROM device_changed")

    def _unfolded(self) -> dict[str, bytes]:
        """Return the newest state of the devices that changed since each got its row."""
        found: dict[str, bytes] = {}
        for (body,) in self._database.execute("SELECT body FROM device_changed ORDER BY id"):
            found.update(_changed(body))
        return found

    def _put(self, key: str, value: bytes) -> None:
        self._database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
