"""Readings as rows of the embedded store: many by one statement, in the order in which their table keeps them."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain, groupby, islice
from operator import attrgetter
from typing import Any

import numpy as np

from devices.readings import Reading
from ingest.store.usual import UsualReadings, may_meet

# A row by itself costs as much again for being a statement, and other threads run only while a statement does.
# Few lengths, for each is a statement of its own; SQLite takes 32,766 values in one.
_LENGTHS = (2_000, 200, 20, 1)
_VALUES_MOST = 30_000
_TOGETHER = 2_000
_OWN_COLUMNS = ("device_id", "at_ns", "district", "quality", "flags")
# What is the same in all usual readings stands in the statement: these two of ten values took a sixth of the time.
_ALWAYS = {"quality": "0", "flags": "NULL"}
_device = attrgetter("device")

Row = tuple[Any, ...]

Refused = list[tuple[Reading, str]]


class Inserting:
    """Inserts readings; statements are remembered."""

    def __init__(self) -> None:
        self._statements: dict[tuple[str, tuple[str, ...], int, bool], str] = {}

    def insert(self, database: sqlite3.Connection, readings: Sequence[Reading]) -> Refused:
        """Insert readings inside the caller's transaction; return what SQLite cannot hold, each with a sentence."""
        refused: Refused = []
        by_measurement: dict[str, list[Reading]] = {}
        # Neighbours in a table are written together; of one device all stay in their order, for they may be merged.
        for reading in sorted(readings, key=_device):
            by_measurement.setdefault(reading.measurement, []).append(reading)
        for measurement, found in by_measurement.items():
            for columns, alike in groupby(found, _columns):
                rows = list(alike)
                for begin, end in _cuts(len(rows), _most(columns)):
                    refused += self._inserted(database, measurement, columns, rows[begin:end])
        return refused

    def insert_usual(
        self, database: sqlite3.Connection, readings: Sequence[Reading], usual: Sequence[UsualReadings]
    ) -> bool:
        """Insert usual readings; where it matters what is written first, or one is unfit, tell so by False."""
        if may_meet(readings, usual):
            return False
        found: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[UsualReadings]] = {}
        for each in usual:
            found.setdefault((each.measurement, tuple(each.tag_keys), tuple(each.fields)), []).append(each)
        try:
            for (measurement, tag_keys, fields), alike in found.items():
                columns = (*tag_keys, *fields)
                rows = _rows(alike)
                for begin, end in _cuts(sum([len(each.devices) for each in alike]), _most(columns)):
                    statement = self._statement(measurement, columns, end - begin, usual=True)
                    database.execute(statement, list(chain.from_iterable(islice(rows, end - begin))))
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

    def _statement(self, measurement: str, columns: tuple[str, ...], rows: int, usual: bool = False) -> str:
        key = measurement, columns, rows, usual
        statement = self._statements.get(key)
        if statement is None:
            statement = self._statements[key] = _statement(*key)
        return statement


def _statement(measurement: str, columns: tuple[str, ...], rows: int, usual: bool) -> str:
    names = ", ".join((*_OWN_COLUMNS, *(f'"{column}"' for column in columns)))
    given = [_ALWAYS.get(column, "?") if usual else "?" for column in _OWN_COLUMNS]
    marks = ", ".join((*given, *"?" * len(columns)))
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


def _rows(usual: Sequence[UsualReadings]) -> Iterator[Row]:
    """Yield the values of all rows; the devices in order, and of each what came first."""
    devices = [device for each in usual for device in each.devices]
    order = sorted(range(len(devices)), key=devices.__getitem__)
    at_ms = np.concatenate([each.at_ms for each in usual])
    districts = [district for each in usual for district in each.districts]
    tags = [list(chain.from_iterable(columns)) for columns in zip(*(each.tags for each in usual), strict=True)]
    numbers = np.concatenate([each.table() for each in usual])
    # Not all at once: what is made must still lie near when it is written.
    for begin in range(0, len(order), _TOGETHER):
        places = order[begin : begin + _TOGETHER]
        yield from zip(
            [devices[place] for place in places],
            # Python's own numbers know no end: SQLite tells which are too large.
            [at * 1_000_000 for at in at_ms[places].tolist()],
            [districts[place] for place in places],
            *([column[place] for place in places] for column in tags),
            *numbers[places].T.tolist(),
            strict=False,
        )


def _cuts(rows: int, most: int) -> Iterator[tuple[int, int]]:
    """Yield where each statement begins and ends."""
    begin = 0
    for length in _LENGTHS:
        while length <= min(most, rows - begin):
            yield begin, begin + length
            begin += length
