"""What only the embedded store does: its position, its columns, its own cleaning."""

import sqlite3
import threading
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
from ingest.store.minutes import MINUTE_NS, made, summed
from ingest.store.sqlite_keeping import statement
from tests.ingest.messages import T_MS
from tests.ingest.test_stores import reading
from tests.servers.waiting import wait_until


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


def test_many_rows_of_all_shapes_are_as_if_written_one_by_one(store: SqliteStore, path: Path, site: Site) -> None:
    """Among them what SQLite cannot hold, fragments of one instant, and several measurements."""
    found = some(430)
    found.insert(215, reading({"conc_ppm": 1.0}, at_ns=10**20))
    found.insert(17, reading({"gvw_kg": 1.0}, at_ns=-(10**20), device="wim-1", measurement="wim_pass"))
    found += [reading({"temp_c": float(n)}, T_MS + n, flags={"temp_c": "range"}) for n in range(0, 430, 3)]
    found += [reading({"gvw_kg": float(n)}, T_MS + n, "wim-1", measurement="wim_pass") for n in range(25)]
    found += [reading({"conc_ppm": -5.0}, T_MS + n, device=f"gas-{n}") for n in range(230)]
    found += [reading({"conc_ppm": 7.0}, T_MS + 3), reading({"conc_ppm": 8.0}, T_MS + 3)]
    together = store.write(found, 1)
    other = SqliteStore(path.with_name("single.db"), site.catalog, durable=False)
    single = [other.write([each], 1) for each in found]
    assert together.stored == sum(each.stored for each in single) == len(found) - 2
    assert {id(each) for each, _ in together.refused} == {id(each) for one in single for each, _ in one.refused}
    for measurement in ("gas_alarm", "wim_pass"):
        rows = [sqlite3.connect(each).execute(f"SELECT * FROM {measurement}").fetchall() for each in
                (path, path.with_name("single.db"))]  # fmt: skip
        assert rows[0] == rows[1]
    assert ("gas-1", T_MS * 10**6 + 3 * 10**6, 8.0, "temp_c:range", 3.0) in sqlite3.connect(path).execute(
        "SELECT device_id, at_ns, conc_ppm, flags, temp_c FROM gas_alarm"
    ).fetchall()
    other.close()


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


DAY_MS = 86_400_000


def test_old_readings_are_dropped_while_others_are_read(store: SqliteStore) -> None:
    assert store.expire(T_MS) == 0
    minutes = [reading({"conc_ppm": float(n)}, T_MS + n * 60_000) for n in range(10)]
    store.write([*minutes, reading({"dim_pct": 1.0}, T_MS, "pole-1", measurement="light_pole")], 11)
    while store.summarise(T_MS + DAY_MS) is not None:
        pass
    assert dropped(store, T_MS + 90 * DAY_MS + 7 * 60_000 + 59_999) == 8
    assert [(at - T_MS) // 60_000 for _, at, _ in store.rows("gas_alarm", [], 100)] == [9, 8, 7]
    assert store.rows("light_pole", [], 100) == []
    assert store.position() == (11, 11, 0)


def dropped(store: SqliteStore, now_ms: int) -> int:
    total = 0
    while count := store.expire(now_ms):
        assert count <= 2_000, "a step is small, so that the writer comes next"
        total += count
    return total


def test_pages_that_deletion_frees_are_used_again(store: SqliteStore, path: Path) -> None:
    sizes = []
    for round_ in range(4):
        start_ms = T_MS + round_ * 100 * DAY_MS
        for n in range(10):
            store.write(
                [
                    reading({"conc_ppm": 1.0, "temp_c": float(i)}, start_ms + n * 1000 + i, f"gas-{n}")
                    for i in range(900)
                ],
                n,
            )
        while store.summarise(start_ms + DAY_MS) is not None:
            pass
        sizes.append(pages(path))
        assert dropped(store, start_ms + 95 * DAY_MS) == 9_000
    assert sizes[0] > 100
    assert max(sizes[1:]) < sizes[0] * 1.2, "the file has stopped growing"


def pages(path: Path) -> int:
    database = sqlite3.connect(path)
    (count,) = database.execute("PRAGMA page_count").fetchone()
    database.close()
    return int(count)


def test_a_step_reads_its_minute_and_not_the_whole_table(store: SqliteStore, path: Path, site: Site) -> None:
    store.write(some(1), 1)
    database = sqlite3.connect(path)
    for measurement, fields in summed(site.catalog).items():
        plan = database.execute(f"EXPLAIN QUERY PLAN {statement(measurement, fields)}", (0, 0, 1)).fetchall()
        assert any(f"SEARCH {measurement} USING INDEX {measurement}_at (at_ns>? AND at_ns<?)" in row[3] for row in plan)
    database.close()


def test_a_minute_that_is_made_while_its_late_reading_waits_is_made_again(
    store: SqliteStore, path: Path, site: Site
) -> None:
    """Which minutes are made is asked when it is the writer's turn, not before."""
    store.write([reading({"conc_ppm": 5.0}, T_MS), reading({"conc_ppm": 5.0}, T_MS + 600_000)], 1)
    keeper = sqlite3.connect(path, isolation_level=None)
    keeper.execute("BEGIN IMMEDIATE")
    asked: list[str] = []
    assert store._writer is not None
    store._writer.set_trace_callback(asked.append)
    late = threading.Thread(target=store.write, args=([reading({"conc_ppm": 90.0}, T_MS + 30_000)], 2))
    late.start()
    wait_until(lambda: any(each.startswith(("BEGIN IMMEDIATE", "INSERT")) for each in asked))
    begin_ns = T_MS * 1_000_000 // MINUTE_NS * MINUTE_NS
    end_ns = begin_ns + MINUTE_NS
    keeper.execute(statement("gas_alarm", summed(site.catalog)["gas_alarm"]), (begin_ns, begin_ns, end_ns))
    made(keeper, "gas_alarm", end_ns)
    keeper.execute("COMMIT")
    late.join()
    while store.summarise(T_MS + 120_000) is not None:
        pass
    assert keeper.execute("SELECT conc_ppm_max FROM gas_alarm_1m").fetchall() == [(90.0,)]
    keeper.close()


def test_a_file_without_all_tables_has_nothing_to_keep(path: Path, store: SqliteStore) -> None:
    """The keeper may look before the writer has opened the file of a city with a new kind."""
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE gas_alarm (device_id TEXT, at_ns INTEGER)")
    database.commit()
    database.close()
    assert (store.summarise(T_MS), store.expire(T_MS)) == (None, 0)


def test_keeping_a_broken_file_is_one_sentence(store: SqliteStore, path: Path) -> None:
    store.write(some(1), 1)
    store.summarise(T_MS)
    other = sqlite3.connect(path)
    other.execute("DROP TABLE gas_alarm_1m")
    other.commit()
    other.close()
    with pytest.raises(StoreError, match=r"the embedded store readings.db cannot be kept in order: .*gas_alarm_1m"):
        for _ in range(100):
            store.summarise(T_MS + DAY_MS)


def test_the_shards_of_a_site_share_a_file_and_each_has_its_cursor(path: Path, site: Site) -> None:
    north, south = (SqliteStore(path, site.catalog, shard=shard) for shard in ("north", "south"))
    north.write([reading({"conc_ppm": 1.0}, T_MS)], 5)
    south.write([reading({"conc_ppm": 2.0}, T_MS, "gas-2"), reading({"conc_ppm": 3.0}, T_MS + 1, "gas-2")], 900)
    north.write([], 7)
    assert (north.position(), south.position()) == ((7, 1, 0), (900, 2, 0))
    assert south.count("gas_alarm", 0, 2**62) == {"gas-1": 1, "gas-2": 2}
    again = SqliteStore(path, site.catalog, shard="west")
    assert (again.position(), again.count("gas_alarm", 0, 2**62)) == ((0, 0, 0), {"gas-1": 1, "gas-2": 2})
    for store in (north, south, again):
        store.close()


def test_a_file_of_before_keeps_its_cursor(path: Path, site: Site) -> None:
    """It had one cursor, in a table of its own, since no two collectors wrote into one file."""
    with sqlite3.connect(path) as database:
        database.execute(
            "CREATE TABLE progress (id INTEGER PRIMARY KEY, position INTEGER, stored INTEGER, refused INTEGER)"
        )
        database.execute("INSERT INTO progress VALUES (1, 42, 40, 2)")
    database.close()
    for _ in range(2):
        store = SqliteStore(path, site.catalog)
        assert store.position() == (42, 40, 2)
        store.write([reading({"conc_ppm": 1.0}, T_MS)], 43)
        assert store.position() == (43, 41, 2)
        store.close()
        with sqlite3.connect(path) as database:
            database.execute("UPDATE reached SET position = 42, stored = 40")
        database.close()
