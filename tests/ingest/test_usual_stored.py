"""Usual readings written by column are those written one by one."""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from devices.readings import Reading
from devices.site import Site
from ingest.store import SqliteStore
from ingest.store.usual import UsualReadings, in_order
from tests.ingest.messages import T_MS
from tests.ingest.test_stores import reading


def usual(
    first: int, devices: Sequence[str], at_ms: Sequence[int], fields: Sequence[str] = ("conc_ppm",)
) -> UsualReadings:
    count = len(devices)
    numbers = [float(n) for n in range(count * len(fields))]
    return UsualReadings(
        "gas_alarm", "gas_alarm", fields, devices, ["demo"] * count, at_ms, [T_MS] * count,
        range(first, first + count), struct.pack(f"{len(numbers)}d", *numbers),
    )  # fmt: skip


def rows(store: SqliteStore) -> list[Any]:
    return sorted(store.rows("gas_alarm", [], 10_000), key=repr)


SOME = usual(1, [f"gas-{n % 7}" for n in range(3_000)], [T_MS + n // 7 for n in range(3_000)])
TWO_FIELDS = usual(4_000, ["gas-1", "gas-9"], [T_MS + 9_000, T_MS + 9_000], ("conc_ppm", "temp_c"))


@pytest.mark.parametrize(
    ("readings", "columns"),
    [
        ([], [SOME, TWO_FIELDS]),
        ([reading({"conc_ppm": 5.0}, T_MS + 20_000)], [SOME]),
        # The same points once more: the later one counts, whichever way it comes.
        ([], [SOME, usual(5_000, ["gas-2"], [T_MS + 1])]),
        ([], [SOME, usual(5_000, ["gas-2"], [T_MS + 1], ("temp_c",))]),
        ([reading({"temp_c": 20.0}, T_MS + 3)], [usual(1, ["gas-1"], [T_MS + 3])]),
        # Beyond what SQLite holds: that one alone is refused.
        ([], [SOME, usual(6_000, ["gas-3"], [9_999_999_999_999])]),
    ],
)
def test_by_column_as_one_by_one(
    tmp_path: Path, site: Site, readings: list[Reading], columns: list[UsualReadings]
) -> None:
    by_column, one_by_one = (SqliteStore(tmp_path / name, site.catalog) for name in ("columns.db", "ones.db"))
    everything = in_order(readings, columns)
    assert len(everything) == len(readings) + sum(len(each.devices) for each in columns)
    found, expected = by_column.write(readings, 7, columns), one_by_one.write(everything, 7)
    assert (found.stored, found.refused) == (expected.stored, expected.refused)
    assert rows(by_column) == rows(one_by_one) != []
    assert by_column.position() == one_by_one.position()
    for store in (by_column, one_by_one):
        store.close()


def test_what_is_late_has_its_minute_made_again(tmp_path: Path, site: Site) -> None:
    store = SqliteStore(tmp_path / "readings.db", site.catalog)
    store.write([reading({"conc_ppm": 5.0}, T_MS), reading({"conc_ppm": 5.0}, T_MS + 600_000)], 1)
    while store.summarise(T_MS + 600_000) is not None:
        pass
    before = minutes(store)
    store.write([], 2, [usual(9, ["gas-1"], [T_MS + 30_000])])
    while store.summarise(T_MS + 600_000) is not None:
        pass
    assert minutes(store) != before
    store.close()


def minutes(store: SqliteStore) -> list[Any]:
    return store._read("SELECT * FROM gas_alarm_1m", ())
