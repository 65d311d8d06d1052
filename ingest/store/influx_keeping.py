"""Keeping in InfluxDB: minutes read by ``GROUP BY time(1m)`` and written as line protocol, and deletion where it can.

Retention belongs to a bucket there. Each bucket should keep what is kept longest in it; what the site keeps shorter is
deleted by InfluxQL's ``DELETE`` once a day, which 1 and 2 know and 3 does not. With a bucket of their own for minutes
(``bucket_1m``), records such as passages are copied into it too, since they are kept as long. Nothing of InfluxQL's
``SELECT INTO`` or of Flux is used. How far the minutes are made stands in a file beside the checkpoint.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devices.catalog import Catalog
from devices.decode import STATUS
from devices.kind import Field
from devices.readings import Reading
from devices.site import Keep, StoreSettings
from ingest.errors import StoreError
from ingest.store import minutes
from ingest.store.influx_reading import Server, StatementRefused, identifier
from ingest.store.minutes import MINUTE_NS, SUMS, table_of
from ingest.store.usual import UsualReadings

log = logging.getLogger(__name__)

_LINES_A_POST = 1_000
_DAY_MS = 86_400_000
_DAY_NS = _DAY_MS * 1_000_000
# A bucket drops whole spans at a time of its own choosing: minutes that near to the end are not made again.
_MARGIN_NS = 3_600_000_000_000
_TAGS = ("device_id", "district")
# Posts lines to a bucket; answers why the server refuses some of them for good, or an empty text.
Post = Callable[[str, list[str]], str]


class InfluxKeeping:
    """Makes minutes and deletes; used by one thread, while another notes late readings."""

    def __init__(self, server: Server, catalog: Catalog, settings: StoreSettings, state: Path, post: Post) -> None:
        self._server = server
        self._settings = settings
        self._state = state
        self._post = post
        self._summed = minutes.summed(catalog)
        kinds = {key: m.fields for key, (_, m) in catalog.measurements.items()}
        self._records: Mapping[str, tuple[Field, ...]] = {
            key: fields for key, fields in {**kinds, STATUS: ()}.items() if key not in self._summed
        }
        self._copied = tuple(self._records) if server.long != server.bucket else ()
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._known: dict[str, tuple[int, int]] | None = None
        self._deleted_ms: dict[tuple[str, str], int] = {}

    def note(self, readings: Sequence[Reading], usual: Sequence[UsualReadings] = ()) -> None:
        """Mark the minutes of readings that were just written and come late.

        Raises:
            StoreError: the marks cannot be kept; the readings must be written again.
        """
        late = minutes.late(readings, self._spans(), usual)
        if late:
            with self._kept() as database:
                minutes.mark(database, late)

    def summarise(self, until_ms: int) -> int | None:
        """See :meth:`ingest.store.base.Store.summarise`; a step is a minute of one measurement."""
        until_ns = until_ms * 1_000_000 // MINUTE_NS * MINUTE_NS
        with self._kept() as database:
            unmade = minutes.next_unmade(database, until_ns)
        if unmade is not None:
            return self._make_next(*unmade, until_ns) // 1_000_000
        with self._kept() as database:
            for measurement in (*self._summed, *self._copied):
                keep = self._settings.kept(measurement, measurement in self._summed)
                minutes.gone(database, measurement, until_ns - keep.raw_days * _DAY_NS + _MARGIN_NS)
            again = minutes.next_late(database)
        if again is None:
            return None
        measurement, at_ns, marks = again
        self._make(measurement, at_ns)
        with self._kept() as database:
            minutes.unmark(database, measurement, at_ns, marks)
        return at_ns // 1_000_000

    def expire(self, now_ms: int) -> int:
        """See :meth:`ingest.store.base.Store.expire`; a step is one measurement, and each has one a day."""
        for (bucket, measurement), days in self._deletions().items():
            if now_ms - self._deleted_ms.get((bucket, measurement), -_DAY_MS) < _DAY_MS:
                continue
            before_ns = (now_ms - days * _DAY_MS) * 1_000_000
            if measurement in self._summed:
                with self._kept() as database:
                    before_ns = minutes.removable_ns(database, measurement, before_ns)
            place = f"FROM {identifier(measurement)} WHERE time < {before_ns}"
            # A DELETE of InfluxDB 1 can hide series that get their first point meanwhile, until they get another.
            try:
                old = bool(self._server.ask(f'SELECT "quality" {place} LIMIT 1', bucket))
                if old:
                    self._server.ask(f"DELETE {place}", bucket, method="POST")
            except StatementRefused as error:
                old = False
                log.warning("%s; %s of more than %d days stays: see docs/influxdb.md", error, measurement, days)
            self._deleted_ms[bucket, measurement] = now_ms
            if old:
                log.info("readings of %s of more than %d days are deleted", measurement, days)
                return 1
        return 0

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _spans(self) -> dict[str, tuple[int, int]]:
        known = self._known
        if known is None:
            with self._kept() as database:
                known = self._known = minutes.spans(database)
        return known

    def _deletions(self) -> dict[tuple[str, str], int]:
        """Return the days of every (bucket, measurement) whose time is shorter than that of its bucket."""
        days: dict[tuple[str, str], int] = {}
        for measurement in self._summed:
            keep: Keep = self._settings.kept(measurement, True)
            days[self._server.bucket, measurement] = keep.raw_days
            days[self._server.long, table_of(measurement)] = keep.minute_days
        for measurement in self._records:
            days[self._server.long, measurement] = self._settings.kept(measurement, False).raw_days
        longest: dict[str, int] = {}
        for (bucket, _), kept in days.items():
            longest[bucket] = max(kept, longest.get(bucket, 0))
        for measurement in self._copied:
            # What came first goes with its bucket, unless it must go sooner than that.
            days[self._server.bucket, measurement] = days[self._server.long, measurement]
        return {place: kept for place, kept in days.items() if kept < longest[place[0]]}

    def _make_next(self, measurement: str, made_ns: int, until_ns: int) -> int:
        at_ns = made_ns
        # From now on what is written counts as late: it may come behind the query and before the cursor.
        self._known = {**self._spans(), measurement: (0, until_ns)}
        if measurement not in self._summed and measurement not in self._copied:
            at_ns = until_ns
        elif not self._make(measurement, made_ns):
            found = self._server.ask(
                f'SELECT "quality" FROM {identifier(measurement)} WHERE time >= {made_ns} AND time < {until_ns} '
                "ORDER BY time LIMIT 1",
                self._server.bucket,
                "ns",
            )
            at_ns = int(found[0]["values"][0][0]) // MINUTE_NS * MINUTE_NS if found else until_ns
            if at_ns < until_ns:
                self._make(measurement, at_ns)
        reached_ns = min(at_ns + MINUTE_NS, until_ns)
        with self._kept() as database:
            minutes.made(database, measurement, reached_ns)
            self._known = minutes.spans(database)
        return reached_ns

    def _make(self, measurement: str, at_ns: int) -> bool:
        """Write a minute anew and tell whether there was anything in it."""
        if measurement in self._summed:
            lines = self._sums(measurement, self._summed[measurement], at_ns)
        else:
            lines = self._copies(measurement, self._records.get(measurement, ()), at_ns)
        for start in range(0, len(lines), _LINES_A_POST):
            refused = self._post(self._server.long, lines[start : start + _LINES_A_POST])
            if refused:
                log.warning("minutes refused measurement=%s at_s=%d: %s", measurement, at_ns // 10**9, refused)
        return bool(lines)

    def _sums(self, measurement: str, fields: tuple[Field, ...], at_ns: int) -> list[str]:
        table, window = identifier(measurement), f"time >= {at_ns} AND time < {at_ns + MINUTE_NS}"
        columns = [f"{field.key}_{sum_}" for field in fields for sum_ in SUMS]
        sums = ", ".join(
            f"{sum_}({identifier(field.key)}) AS {identifier(f'{field.key}_{sum_}')}"
            for field in fields
            for sum_ in SUMS
        )
        found = self._server.ask(
            f'SELECT {sums}, max("quality") AS "quality" FROM {table} WHERE {window} '
            'GROUP BY time(1m), "device_id", "district" fill(none)',
            self._server.bucket,
            "ns",
        )
        if not found:
            return []
        flags = self._flags(table, window)
        lines = []
        for series in found:
            tags = series["tags"]
            for row in series["values"]:
                values = dict(zip(series["columns"], row, strict=True))
                numbers: dict[str, float | str] = {
                    column: float(values[column])
                    for column in columns
                    # Without a value in this minute there is no mean either, only a count of none.
                    if values.get(column) is not None and (not column.endswith("_count") or values[column])
                }
                words = flags.get((tags["device_id"], tags["district"]))
                if words:
                    numbers["flags"] = " ".join(sorted(words))
                lines.append(_line(table_of(measurement), tags, numbers, values["quality"], at_ns))
        return lines

    def _flags(self, table: str, window: str) -> dict[tuple[str, str], set[str]]:
        found: dict[tuple[str, str], set[str]] = {}
        for series in self._server.ask(
            f'SELECT "flags" FROM {table} WHERE {window} AND "flags" != \'\' GROUP BY "device_id", "district"',
            self._server.bucket,
        ):
            words = found.setdefault((series["tags"]["device_id"], series["tags"]["district"]), set())
            for _, flags in series["values"]:
                words.update((flags or "").split())
        return found

    def _copies(self, measurement: str, fields: tuple[Field, ...], at_ns: int) -> list[str]:
        tags = {*_TAGS, *(field.key for field in fields if field.tag)}
        lines = []
        for series in self._server.ask(
            f"SELECT * FROM {identifier(measurement)} WHERE time >= {at_ns} AND time < {at_ns + MINUTE_NS}",
            self._server.bucket,
            "ns",
        ):
            for row in series["values"]:
                values = {k: v for k, v in zip(series["columns"], row, strict=True) if v is not None}
                time_ns, quality = values.pop("time"), values.pop("quality", 0)
                own = {key: str(values.pop(key)) for key in tags & values.keys()}
                kept = {key: value if isinstance(value, str) else float(value) for key, value in values.items()}
                lines.append(_line(measurement, own, kept, quality, time_ns))
        return lines

    @contextmanager
    def _kept(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is None:
                    self._state.parent.mkdir(parents=True, exist_ok=True)
                    self._connection = sqlite3.connect(self._state, timeout=30, check_same_thread=False)
                    self._connection.execute("PRAGMA journal_mode=WAL")
                    for table in minutes.SCHEMA:
                        self._connection.execute(table)
                    minutes.begin(self._connection, (*self._summed, *self._copied))
                    self._connection.commit()
                with self._connection:
                    yield self._connection
            except (OSError, sqlite3.Error) as error:
                if self._connection is not None:
                    self._connection.close()
                self._connection = None
                raise StoreError(f"{self._state.name} cannot be used: {error}") from error


def _line(name: str, tags: Mapping[str, Any], values: Mapping[str, float | str], quality: Any, at_ns: int) -> str:
    head = "".join(f",{key}={_escaped(str(value))}" for key, value in sorted(tags.items()) if value)
    fields = ",".join(
        f"{key}={value!r}" if isinstance(value, float) else f"{key}={_text(value)}" for key, value in values.items()
    )
    return f"{name}{head} {fields}{',' if fields else ''}quality={int(quality or 0)}i {at_ns}"


def _escaped(tag: str) -> str:
    return tag.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
