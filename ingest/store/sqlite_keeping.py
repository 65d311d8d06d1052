"""Keeping in the embedded store: minutes by one statement a step, and deletion a few rows at a time.

Each step is a transaction of its own on a connection of its own, short enough that the writer hardly waits. Pages that
deletion frees are used again by what is written next, so the file stops growing once a whole retention time is in it.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from devices.kind import Field
from devices.site import StoreSettings
from ingest.errors import StoreError
from ingest.store import minutes
from ingest.store.minutes import MINUTE_NS, SUMS, table_of

_ROWS_A_STEP = 2_000
_DAY_NS = 86_400_000_000_000
_AGGREGATES = {"min": "min", "max": "max", "mean": "avg", "count": "count"}


class SqliteKeeping:
    """Makes minutes and removes expired rows; used by one thread, while the store's own writes and others read."""

    def __init__(
        self,
        path: Path,
        measurements: Collection[str],
        summed: Mapping[str, tuple[Field, ...]],
        settings: StoreSettings,
    ) -> None:
        self._path = path
        self._measurements = tuple(measurements)
        self._summed = summed
        self._settings = settings
        self._statements = {measurement: statement(measurement, fields) for measurement, fields in summed.items()}
        self._connection: sqlite3.Connection | None = None

    def summarise(self, until_ms: int) -> int | None:
        """See :meth:`ingest.store.base.Store.summarise`; a step is a minute of one measurement."""
        until_ns = until_ms * 1_000_000 // MINUTE_NS * MINUTE_NS
        with self._transaction() as database:
            if database is None:
                return None
            unmade = minutes.next_unmade(database, until_ns)
            if unmade is not None and unmade[0] in self._summed:
                return self._make_next(database, *unmade, until_ns) // 1_000_000
            if unmade is not None:
                # A kind that the site had once: its readings stay as they are until they expire.
                minutes.made(database, unmade[0], until_ns)
                return until_ns // 1_000_000
            again = minutes.next_late(database)
            if again is None:
                return None
            measurement, at_ns, marks = again
            if measurement in self._summed:
                self._make(database, measurement, at_ns)
            minutes.unmark(database, measurement, at_ns, marks)
            return at_ns // 1_000_000

    def expire(self, now_ms: int) -> int:
        """See :meth:`ingest.store.base.Store.expire`; a step is at most some thousand rows of one table."""
        now_ns = now_ms * 1_000_000
        for measurement in self._measurements:
            keep = self._settings.kept(measurement, measurement in self._summed)
            with self._transaction() as database:
                if database is None:
                    return 0
                before_ns = now_ns - keep.raw_days * _DAY_NS
                if measurement in self._summed:
                    before_ns = minutes.removable_ns(database, measurement, before_ns)
                count = _delete(database, measurement, before_ns)
                if not count and measurement in self._summed:
                    count = _delete(database, table_of(measurement), now_ns - keep.minute_days * _DAY_NS)
            if count:
                return count
        if self._connection is not None:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        return 0

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _make_next(self, database: sqlite3.Connection, measurement: str, made_ns: int, until_ns: int) -> int:
        (next_ns,) = database.execute(
            f'SELECT min(at_ns) FROM "{measurement}" WHERE at_ns >= ? AND at_ns < ?', (made_ns, until_ns)
        ).fetchone()
        if next_ns is None:
            minutes.made(database, measurement, until_ns)
            return until_ns
        at_ns = int(next_ns) // MINUTE_NS * MINUTE_NS
        self._make(database, measurement, at_ns)
        minutes.made(database, measurement, at_ns + MINUTE_NS)
        return at_ns + MINUTE_NS

    def _make(self, database: sqlite3.Connection, measurement: str, at_ns: int) -> None:
        database.execute(self._statements[measurement], (at_ns, at_ns, at_ns + MINUTE_NS))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection | None]:
        """Give a write transaction, or None while the writer has not made the tables yet."""
        try:
            if self._connection is None and not self._opened():
                yield None
                return
            assert self._connection is not None
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self.close()
            raise StoreError(f"the embedded store {self._path.name} cannot be kept in order: {error}") from error

    def _opened(self) -> bool:
        if not self._path.exists():
            return False
        database = sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables.issuperset((*self._measurements, *map(table_of, self._summed))):
            database.close()
            return False
        database.execute("PRAGMA synchronous=NORMAL")
        self._connection = database
        return True


def create_minute_tables(database: sqlite3.Connection, summed: Mapping[str, tuple[Field, ...]]) -> None:
    """Make the tables of minutes, and columns for fields that are new in a kind."""
    for measurement, fields in summed.items():
        table = table_of(measurement)
        database.execute(
            f'CREATE TABLE IF NOT EXISTS "{table}" (device_id TEXT NOT NULL, at_ns INTEGER NOT NULL, '
            "quality INTEGER, flags TEXT, PRIMARY KEY (device_id, at_ns)) WITHOUT ROWID"
        )
        database.execute(f'CREATE INDEX IF NOT EXISTS "{table}_at" ON "{table}" (at_ns)')
        have = {row[1] for row in database.execute(f'PRAGMA table_info("{table}")')}
        for column in _columns(fields):
            if column not in have:
                database.execute(f'ALTER TABLE "{table}" ADD COLUMN "{column}" REAL')


def _columns(fields: tuple[Field, ...]) -> list[str]:
    return [f"{field.key}_{name}" for field in fields for name in SUMS]


def statement(measurement: str, fields: tuple[Field, ...]) -> str:
    """Return what makes one minute of a measurement; its values are the minute, and its beginning and end."""
    names = ", ".join(f'"{column}"' for column in _columns(fields))
    sums = ", ".join(f'{_AGGREGATES[name]}("{field.key}")' for field in fields for name in SUMS)
    return (
        f'INSERT OR REPLACE INTO "{table_of(measurement)}" (device_id, at_ns, quality, flags, {names}) '
        f"SELECT device_id, ?, max(quality), replace(group_concat(DISTINCT flags), ',', ' '), {sums} "
        # Else the key's order tempts it to read the whole table for the sake of the grouping.
        f'FROM "{measurement}" INDEXED BY "{measurement}_at" WHERE at_ns >= ? AND at_ns < ? GROUP BY device_id'
    )


def _delete(database: sqlite3.Connection, table: str, before_ns: int) -> int:
    return database.execute(
        f'DELETE FROM "{table}" WHERE (device_id, at_ns) IN '
        f'(SELECT device_id, at_ns FROM "{table}" WHERE at_ns < ? ORDER BY at_ns LIMIT {_ROWS_A_STEP})',
        (before_ns,),
    ).rowcount
