"""The embedded store: one SQLite file, one table per measurement, a column per field; needs no server.

Readings and the journal position they reach up to are committed together; the shards of a site share the file, each
with a position of its own. Summaries of minutes stand in tables beside;
:mod:`ingest.store.sqlite_keeping` makes them and removes what has expired.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

from devices.catalog import Catalog
from devices.decode import STATUS
from devices.kind import Field
from devices.readings import Reading
from devices.site import StoreSettings
from ingest.errors import StoreError
from ingest.places import MAIN
from ingest.store import sqlite_before, sqlite_history, sqlite_tallies
from ingest.store.base import Held, Point, Series, WriteResult, point_quality
from ingest.store.history import Column, Sought, Source, Told, joined
from ingest.store.minutes import late, mark, spans, summed, table_of
from ingest.store.spans import Slot, Wanted, series_of
from ingest.store.sqlite_inserting import Inserting
from ingest.store.sqlite_keeping import SqliteKeeping
from ingest.store.sqlite_schema import indexes, prepare
from ingest.store.tallies import Asked, Tally
from ingest.store.usual import UsualReadings, in_order

Read = TypeVar("Read")
_WINDOW = "device_id = ? AND at_ns >= ? AND at_ns < ?"


class SqliteStore:
    """Readings in one file; one thread a process writes while others read."""

    transactional = True

    def __init__(
        self,
        path: Path,
        catalog: Catalog,
        settings: StoreSettings | None = None,
        shard: str = MAIN,
        durable: bool = True,
        indexed: bool = True,
    ) -> None:
        """Keep the path; the file is opened, and made if missing, at the first use.

        Only what can be made again may do without being ``durable``; who is not ``indexed`` is not asked for what was
        at a time before :meth:`index`.
        """
        self._durable = durable
        self._indexed = indexed
        self._path = path
        self._shard = shard
        self._summed = summed(catalog)
        self._fields: dict[str, tuple[Field, ...]] = {key: m.fields for key, (_, m) in catalog.measurements.items()}
        self._fields[STATUS] = (Field("online", "在线", "Online", "flag"),)
        self._inserting = Inserting()
        self._writer: sqlite3.Connection | None = None
        self._local = threading.local()
        self._keeping = SqliteKeeping(path, self._fields, self._summed, settings or StoreSettings())

    def write(self, readings: Sequence[Reading], position: int, usual: Sequence[UsualReadings] = ()) -> WriteResult:
        """See :meth:`Store.write`; what SQLite cannot hold (an instant beyond 64 bits) is refused."""
        count = len(readings) + sum([len(each.devices) for each in usual])
        with self._mended() as database, database:
            # Behind the write lock, so that the minutes made are those of this moment.
            database.execute("BEGIN IMMEDIATE")
            made = spans(database)
            if usual and not self._inserting.insert_usual(database, readings, usual):
                readings, usual = in_order(readings, usual), ()
            refused = self._inserting.insert(database, readings)
            mark(database, late(readings, made, usual))
            database.execute(
                "INSERT INTO reached VALUES (?, ?, ?, ?) ON CONFLICT (shard) DO UPDATE SET "
                "position = excluded.position, stored = stored + excluded.stored, refused = refused + excluded.refused",
                (self._shard, position, count - len(refused), len(refused)),
            )
        return WriteResult(count - len(refused), refused)

    def index(self) -> None:
        """Make the indexes by time, where the store was begun without: of many rows at once they cost half as much.

        Each by itself, for what was made of them before something went wrong is of use.
        """
        with self._mended() as database:
            self._index(database)
        self._indexed = True

    def position(self) -> tuple[int, int, int]:
        """See :meth:`Store.position`."""
        with self._mended() as database:
            row = database.execute(
                "SELECT position, stored, refused FROM reached WHERE shard = ?", (self._shard,)
            ).fetchone()
        return (0, 0, 0) if row is None else (int(row[0]), int(row[1]), int(row[2]))

    def series(self, measurement: str, device: str, key: str, start_ms: int, stop_ms: int, step_ms: int) -> Series:
        """See :meth:`Store.series`."""
        self._known(measurement, key)
        has_minutes = any(field.key == key for field in self._summed.get(measurement, ()))
        return series_of(self, Wanted(measurement, device, key, start_ms, stop_ms), step_ms, has_minutes)

    def raw(self, wanted: Wanted) -> list[Point]:
        """See :meth:`ingest.store.spans.Source.raw`."""
        key = wanted.key
        rows = self._read(
            f'SELECT at_ns, "{key}", quality, flags FROM "{wanted.measurement}" '
            f'WHERE {_WINDOW} AND "{key}" IS NOT NULL ORDER BY at_ns',
            _window(wanted),
        )
        return [
            (at_ns // 1_000_000, value, point_quality(key, quality, flags)) for at_ns, value, quality, flags in rows
        ]

    def raw_slots(self, wanted: Wanted, step_ms: int) -> list[Slot]:
        """See :meth:`ingest.store.spans.Source.raw_slots`."""
        return self._slots(wanted, step_ms, wanted.measurement, wanted.key, wanted.key)

    def minute_slots(self, wanted: Wanted, step_ms: int) -> list[Slot]:
        """See :meth:`ingest.store.spans.Source.minute_slots`."""
        return self._slots(wanted, step_ms, table_of(wanted.measurement), f"{wanted.key}_min", f"{wanted.key}_max")

    def _slots(self, wanted: Wanted, step_ms: int, table: str, low: str, high: str) -> list[Slot]:
        rows = self._read(
            f'SELECT at_ns / {step_ms * 1_000_000}, min("{low}"), max("{high}"), max(quality), '
            f'group_concat(DISTINCT flags) FROM "{table}" WHERE {_WINDOW} '
            f'GROUP BY 1 HAVING count("{low}") > 0 ORDER BY 1',
            _window(wanted),
        )
        return [
            Slot(slot * step_ms, least, most, point_quality(wanted.key, quality, (flags or "").replace(",", " ")))
            for slot, least, most, quality, flags in rows
        ]

    def rows(
        self, measurement: str, devices: Sequence[str], limit: int
    ) -> list[tuple[str, int, dict[str, float | str]]]:
        """See :meth:`Store.rows`."""
        keys = [field.key for field in self._fields.get(measurement, ())]
        if not keys:
            return []
        names = ", ".join(f'"{key}"' for key in keys)
        where = f"WHERE device_id IN ({', '.join('?' * len(devices))})" if devices else ""
        found = self._read(
            f'SELECT device_id, at_ns, quality, {names} FROM "{measurement}" {where} ORDER BY at_ns DESC LIMIT ?',
            (*devices, limit),
        )
        rows = []
        for device, at_ns, quality, *values in found:
            named = {key: value for key, value in zip(keys, values, strict=True) if value is not None}
            rows.append((str(device), int(at_ns) // 1_000_000, {**named, "quality": quality}))
        return rows

    def before(
        self, measurement: str, at_ms: int, horizon_ms: int, devices: Sequence[str] = (), most: int | None = None
    ) -> list[Held]:
        """See :meth:`Store.before`."""
        keys = [field.key for field in self._fields.get(measurement, ())]
        if not keys:
            return []
        statement = sqlite_before.statement(measurement, keys, len(devices))
        window = ((at_ms - horizon_ms + 1) * 1_000_000, (at_ms + 1) * 1_000_000)
        return sqlite_before.held(self._read(statement, (*window, *devices, -1 if most is None else most)), keys)

    def count(self, measurement: str, start_ns: int, stop_ns: int) -> dict[str, int]:
        """See :meth:`Store.count`."""
        if measurement not in self._fields:
            return {}
        rows = self._read(
            f'SELECT device_id, count(*) FROM "{measurement}" WHERE at_ns >= ? AND at_ns < ? GROUP BY device_id',
            (start_ns, stop_ns),
        )
        return {str(device): int(count) for device, count in rows}

    def instants(
        self, measurement: str, start_ns: int, stop_ns: int, device: str | None = None
    ) -> dict[str, Sequence[int]]:
        """See :meth:`Store.instants`."""
        if measurement not in self._fields:
            return {}
        where, values = ("AND device_id = ?", (device,)) if device is not None else ("", ())
        found: dict[str, Sequence[int]] = {}
        rows = self._read(
            f'SELECT device_id, at_ns FROM "{measurement}" WHERE at_ns >= ? AND at_ns < ? {where} ORDER BY device_id',
            (start_ns, stop_ns, *values),
        )
        for name, same in groupby(rows, itemgetter(0)):
            found[str(name)] = [int(at_ns) for _, at_ns in same]
        return found

    def tallies(self, asked: Asked, start_ms: int, stop_ms: int) -> dict[str, list[Tally]]:
        """See :meth:`Store.tallies`."""
        for key in asked.fields:
            self._known(asked.measurement, key)
        text, values = sqlite_tallies.statement(asked)
        return sqlite_tallies.tallies(self._read(text, (*values, start_ms * 1_000_000, stop_ms * 1_000_000)))

    def reach(self, measurement: str) -> tuple[int, int] | None:
        """See :meth:`Store.reach`."""
        return self._read_by(lambda database: sqlite_history.reach(database, measurement), None)

    def extremes(self, sought: Sought, highest: bool, tell: Told = lambda _done, _total: None) -> dict[Source, float]:
        """See :meth:`Store.extremes`."""
        self._known(sought.measurement, sought.key)
        return self._read_by(lambda database: sqlite_history.extremes(database, sought, highest, tell), {})

    def column(self, sought: Sought, source: Source) -> Column:
        """See :meth:`Store.column`."""
        self._known(sought.measurement, sought.key)
        return self._read_by(lambda database: sqlite_history.column(database, sought, source), joined(()))

    def summarise(self, until_ms: int) -> int | None:
        """See :meth:`Store.summarise`."""
        return self._keeping.summarise(until_ms)

    def expire(self, now_ms: int) -> int:
        """See :meth:`Store.expire`."""
        return self._keeping.expire(now_ms)

    def close(self) -> None:
        """Close the writer and the keeper's connection."""
        self._keeping.close()
        self._close_writer()

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    @contextmanager
    def _mended(self) -> Iterator[sqlite3.Connection]:
        try:
            if self._writer is None:
                self._writer = self._opened()
            yield self._writer
        except (OSError, sqlite3.Error) as error:
            self._close_writer()
            raise StoreError(f"the embedded store {self._path.name} cannot be used: {error}") from error

    def _opened(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._path, timeout=30, check_same_thread=False)
        try:
            prepare(database, self._fields, self._summed, self._durable)
            if self._indexed:
                self._index(database)
            database.commit()
        except BaseException:
            # Whoever holds the error would hold the file's lock, too.
            database.close()
            raise
        return database

    def _index(self, database: sqlite3.Connection) -> None:
        for statement in indexes(self._fields):
            database.execute(statement)

    def _known(self, measurement: str, key: str) -> None:
        # The names go into the statement's text, so only those of the tables may pass.
        if key not in {field.key for field in self._fields.get(measurement, ())}:
            raise StoreError(f"{measurement} has no field {key!r}")

    def _read(self, statement: str, values: Sequence[object]) -> list[tuple]:  # type: ignore[type-arg]
        return self._read_by(lambda database: database.execute(statement, values).fetchall(), [])

    def _read_by(self, read: Callable[[sqlite3.Connection], Read], nothing: Read) -> Read:
        """Return what is read by this thread's connection, or nothing while there is no file or no such table."""
        reader: sqlite3.Connection | None = self._local.__dict__.get("reader")
        try:
            if reader is None:
                if not self._path.exists():
                    return nothing
                reader = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=10)
                self._local.reader = reader
            return read(reader)
        except sqlite3.Error as error:
            if "no such table" in str(error):
                return nothing
            raise StoreError(f"the embedded store {self._path.name} cannot be read: {error}") from error


def _window(wanted: Wanted) -> tuple[str, int, int]:
    return wanted.device, wanted.start_ms * 1_000_000, wanted.stop_ms * 1_000_000
