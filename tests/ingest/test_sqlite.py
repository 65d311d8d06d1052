"""What only the embedded store does: its position, its columns, its own cleaning."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from devices.catalog import Catalog
from devices.kind import number
from devices.readings import Reading
from devices.site import Site
from ingest.errors import StoreError
from ingest.store import SqliteStore
from tests.ingest.messages import T_MS
from tests.ingest.test_stores import reading


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "readings.db"


@pytest.fixture
def store(path: Path, site: Site) -> Iterator[SqliteStore]:
    opened = SqliteStore(path, site.catalog)
    yield opened
    opened.close()


def some(count: int, start: int = 0) -> list[Reading]:
    return [reading({"conc_ppm": float(n)}, T_MS + n) for n in range(start, start + count)]


def test_the_position_is_committed_with_the_readings(store: SqliteStore, path: Path, site: Site) -> None:
    assert (store.transactional, store.position()) == (True, (0, 0, 0))
    store.write(some(3), 30)
    store.write([], 40)
    store.write([*some(2, 3), reading({"conc_ppm": 1.0}, at_ns=10**20)], 50)
    store.close()
    again = SqliteStore(path, site.catalog)
    assert again.position() == (50, 5, 1)
    again.close()


def test_a_write_that_fails_moves_neither(store: SqliteStore, path: Path) -> None:
    store.write(some(3), 30)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("ALTER TABLE wim_pass RENAME TO wim_pass_away")
    broken = [*some(3, 3), reading({"gvw_kg": 1.0}, measurement="wim_pass")]
    for _ in range(2):
        with pytest.raises(StoreError, match=r"the embedded store readings.db cannot be used: .*wim_pass"):
            store.write(broken, 60)
        assert store.position() == (30, 3, 0)
        assert len(store.rows("gas_alarm", [], 100)) == 3
        # Opening again made an empty table in its place; take that away too.
        other.execute("DROP TABLE IF EXISTS wim_pass")
    other.close()
    store.close()
    assert store.write(broken, 60).stored == 4
    assert store.position() == (60, 7, 0)


def test_a_file_that_is_no_database_is_one_sentence(store: SqliteStore, path: Path) -> None:
    path.write_bytes(b"no database" * 500)
    with pytest.raises(StoreError, match=r"the embedded store readings.db cannot be used: file is not a database"):
        store.write(some(1), 1)
    path.unlink()
    assert store.write(some(1), 1).stored == 1


def test_a_new_field_in_a_kind_file_adds_a_column(store: SqliteStore, path: Path, site: Site) -> None:
    store.write(some(3), 3)
    store.close()
    kind = site.catalog.kinds["gas_alarm"]
    (measurement,) = kind.measurements
    grown = replace(measurement, fields=(*measurement.fields, number("humidity_pct", "湿度", "Humidity", "%")))
    catalog = Catalog({**site.catalog.kinds, "gas_alarm": replace(kind, measurements=(grown,))})
    again = SqliteStore(path, catalog)
    again.write([reading({"humidity_pct": 60.0, "conc_ppm": 9.0}, T_MS + 9)], 4)
    points = again.series("gas_alarm", "gas-1", "humidity_pct", T_MS, T_MS + 60_000, 0).points
    assert points == [(T_MS + 9, 60.0, 0)]
    assert len(again.rows("gas_alarm", [], 100)) == 4
    again.close()


def test_a_name_that_is_no_field_never_reaches_the_statement(store: SqliteStore) -> None:
    store.write(some(1), 1)
    for measurement, key in (("gas_alarm", 'conc_ppm" FROM progress --'), ("progress", "position"), ("gas_alarm", "x")):
        with pytest.raises(StoreError, match="has no field"):
            store.series(measurement, "gas-1", key, T_MS, T_MS + 1, 0)


def test_old_readings_are_dropped_while_others_are_read(store: SqliteStore) -> None:
    store.expire(T_MS)
    store.write([*some(10), reading({"dim_pct": 1.0}, T_MS, "pole-1", measurement="light_pole")], 11)
    store.expire(T_MS + 7)
    assert [at - T_MS for _, at, _ in store.rows("gas_alarm", [], 100)] == [9, 8, 7]
    assert store.rows("light_pole", [], 100) == []
    assert store.position() == (11, 11, 0)
