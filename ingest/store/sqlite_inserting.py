"""Readings as rows of the embedded store: many by one statement, in the order in which their table keeps them."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from operator import attrgetter, itemgetter
from typing import Any, TypeVar

from devices.readings import Reading
from ingest.store.usual import UsualReadings, may_meet

# A row by itself costs as much again for being a statement, and other threads run only while a statement does.
# Few lengths, for each is a statement of its own; SQLite takes 32,766 values in one.
_LENGTHS = (2_000, 200, 20, 1)
_VALUES_MOST = 30_000
_OWN_COLUMNS = ("device_id", "at_ns", "district", "quality", "flags")
_device = attrgetter("device")
_first = itemgetter(0)

Row = tuple[Any, ...]
Each = TypeVar("Each")

Refused = list[tuple[Reading, str]]


class Inserting:
    """Inserts readings; statements are remembered."""

    def __init__(self) -> None:
        self._statements: dict[tuple[str, tuple[str, ...], int], str] = {}

    def insert(self, database: sqlite3.Connection, readings: Sequence[Reading]) -> Refused:
        """Insert readings inside the caller's transaction; return what SQLite cannot hold, each with a sentence."""
        refused: Refused = []
        by_measurement: dict[str, list[Reading]] = {}
        # Neighbours in a table are written together; of one device all stay in their order, for they may be merged.
        for reading in sorted(readings, key=_device):
            by_measurement.setdefault(reading.measurement, []).append(reading)
        for measurement, found in by_measurement.items():
            for columns, alike in groupby(found, _columns):
                for part in _parts(list(alike), _most(columns)):
                    refused += self._inserted(database, measurement, columns, part)
        return refused

    def insert_usual(
        self, database: sqlite3.Connection, readings: Sequence[Reading], usual: Sequence[UsualReadings]
    ) -> bool:
        """Insert usual readings; where it matters what is written first, or one is unfit, tell so by False."""
        if may_meet(readings, usual):
            return False
        found: dict[tuple[str, tuple[str, ...]], list[Row]] = {}
        for each in usual:
            rows = found.setdefault((each.measurement, tuple(each.fields)), [])
            rows += [
                (device, at_ms * 1_000_000, district, 0, None, *numbers)
                for device, at_ms, district, numbers in zip(
                    each.devices, each.at_ms, each.districts, each.values(), strict=True
                )
            ]
        try:
            for (measurement, columns), rows in found.items():
                rows.sort(key=_first)
                for part in _parts(rows, _most(columns)):
                    statement = self._statement(measurement, columns, len(part))
                    database.execute(statement, list(chain.from_iterable(part)))
        except (OverflowError, UnicodeEncodeError):
            return False
        return True

    def _inserted(
        self, database: sqlite3.Connection, measurement: str, columns: tuple[str, ...], readings: list[Reading]
    ) -> Refused:
        values = list(chain.from_iterable(map(_row, readings)))
        try:
            database.execute(self._statement(measurement, columns, len(readings)), values)
        except (OverflowError, UnicodeEncodeError) as error:
            if len(readings) == 1:
                return [(readings[0], f"the embedded store cannot hold it: {error}")]
            return [lost for each in readings for lost in self._inserted(database, measurement, columns, [each])]
        return []

    def _statement(self, measurement: str, columns: tuple[str, ...], rows: int) -> str:
        statement = self._statements.get((measurement, columns, rows))
        if statement is None:
            statement = self._statements[measurement, columns, rows] = _statement(measurement, columns, rows)
        return statement


def _statement(measurement: str, columns: tuple[str, ...], rows: int) -> str:
    names = ", ".join((*_OWN_COLUMNS, *(f'"{column}"' for column in columns)))
    marks = ", ".join("?" * (len(_OWN_COLUMNS) + len(columns)))
    # Fragments of one instant are merged: one without flags does not take away those of another.
    updates = ", ".join(
        ["flags = coalesce(excluded.flags, flags)"]
        + [f'"{column}" = excluded."{column}"' for column in ("quality", *columns)]
    )
    return (
        f'INSERT INTO "{measurement}" ({names}) VALUES {", ".join([f"({marks})"] * rows)} '
        f"ON CONFLICT (device_id, at_ns) DO UPDATE SET {updates}"
    )


def _columns(reading: Reading) -> tuple[str, ...]:
    return (*reading.tags, *reading.values) if reading.tags else tuple(reading.values)


def _row(reading: Reading) -> Row:
    flags = " ".join([f"{key}:{code}" for key, code in reading.flags.items()]) if reading.flags else None
    return (
        reading.device, reading.at_ns, reading.district, int(reading.quality), flags,
        *(reading.tags.values() if reading.tags else ()), *reading.values.values(),
    )  # fmt: skip


def _most(columns: tuple[str, ...]) -> int:
    return _VALUES_MOST // (len(_OWN_COLUMNS) + len(columns))


def _parts(rows: list[Each], most: int) -> Iterator[list[Each]]:
    begin = 0
    for length in _LENGTHS:
        while length <= min(most, len(rows) - begin):
            yield rows[begin : begin + length]
            begin += length
