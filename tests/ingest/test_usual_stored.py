"""Usual readings written by column are those written one by one."""

import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from devices.readings import Reading
from devices.site import Site
from ingest.store import SqliteStore, Store
from ingest.store.influx import InfluxStore
from ingest.store.usual import UsualReadings, in_order, times_of
from tests.ingest.messages import T_MS
from tests.ingest.posts import counted_posts
from tests.ingest.test_stores import reading
from tests.servers.influxdb import Influx


def usual(
    first: int,
    devices: Sequence[str],
    at_ms: Sequence[int],
    fields: Sequence[str] = ("conc_ppm",),
    **tags: Sequence[str],
) -> UsualReadings:
    count = len(devices)
    numbers = [float(n) for n in range(count * len(fields))]
    times = times_of(at_ms, [T_MS] * count, range(first, first + count))
    packed = struct.pack(f"{len(numbers)}d", *numbers)
    return UsualReadings(
        "gas_alarm", "gas_alarm", fields, devices, ["demo"] * count, times, packed, tuple(tags), tuple(tags.values())
    )


def rows(store: Store) -> list[Any]:
    return sorted(store.rows("gas_alarm", [], 10_000), key=repr)


MakeStore = Callable[[str], Store]


@pytest.fixture(params=["sqlite", "influx"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path, site: Site) -> Iterator[MakeStore]:
    """Give what opens a store by name; each is empty at first."""
    opened: list[Store] = []

    def make(name: str) -> Store:
        if request.param == "sqlite":
            opened.append(SqliteStore(tmp_path / f"{name}.db", site.catalog))
        else:
            server: Influx = request.getfixturevalue("influx")
            database = f"{server.database}_{name}"
            server.create_database(database)
            state = tmp_path / f"{name}.db"
            opened.append(InfluxStore(f"{server.url}?org={server.org}&bucket={database}", site.catalog, state=state))
            request.addfinalizer(lambda: server.drop_database(database))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


SOME = usual(1, [f"gas-{n % 7}" for n in range(3_000)], [T_MS + n // 7 for n in range(3_000)])
TAGGED = usual(3_500, ["gas-3", "gas-2", "gas-2"], [T_MS + 40_000 + n for n in range(3)], gas=["CH4", "CO", "CO"])
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
        # What two channels carry of one measurement was received by turns.
        ([], [usual(7, ["gas-9", "gas-1"], [T_MS + 1, T_MS + 3]), usual(5, ["gas-1"], [T_MS + 3])]),
        # With tags, beside some without, and one that changes though it must not.
        ([], [SOME, TAGGED, usual(7_000, ["gas-1"], [T_MS + 50_000], gas=["CH4"], premises=["home"])]),
        ([reading({"conc_ppm": 5.0}, T_MS + 20_000)], [TAGGED]),
        ([], [TAGGED, usual(7_000, ["gas-2"], [T_MS + 40_001], gas=["C O"])]),
        # Beyond what SQLite holds: that one alone is refused.
        ([], [SOME, usual(6_000, ["gas-3"], [9_999_999_999_999])]),
    ],
)
def test_by_column_as_one_by_one(make_store: MakeStore, readings: list[Reading], columns: list[UsualReadings]) -> None:
    by_column, one_by_one = make_store("columns"), make_store("ones")
    everything = in_order(readings, columns)
    assert len(everything) == len(readings) + sum(len(each.devices) for each in columns)
    found, expected = by_column.write(readings, 7, columns), one_by_one.write(everything, 7)
    assert (found.stored, [each for each, _ in found.refused]) == (
        expected.stored,
        [one for one, _ in expected.refused],
    )
    assert rows(by_column) == rows(one_by_one) != []
    assert by_column.position() == one_by_one.position()


def test_what_is_late_has_its_minute_made_again(make_store: MakeStore) -> None:
    store = make_store("late")

    def made() -> int:
        """Make all minutes that are due, and return in how many steps."""
        return sum(1 for _ in iter(lambda: store.summarise(T_MS + 600_000), None))

    store.write([reading({"conc_ppm": 5.0}, T_MS), reading({"conc_ppm": 5.0}, T_MS + 600_000)], 1)
    assert made() > 0
    store.write([], 2, [usual(9, ["gas-2"], [T_MS + 700_000])])
    assert made() == 0
    store.write([], 3, [usual(11, ["gas-3", "gas-1"], [T_MS + 700_000, T_MS + 30_000])])
    assert made() == 1


@pytest.fixture
def store(influx: Influx, site: Site) -> Iterator[InfluxStore]:
    opened = InfluxStore(f"{influx.url}?org={influx.org}&bucket={influx.database}", site.catalog)
    yield opened
    opened.close()


def test_a_batch_by_column_is_one_write(store: InfluxStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one with single readings of something else; what is refused is found afterwards."""
    sizes = counted_posts(store, monkeypatch)
    assert store.write([reading({"x": 1.0}, measurement="wim_pass")], 1, [SOME]).stored == 3_001
    assert sizes == [3_001]
    text = reading({"conc_ppm": "plenty"}, T_MS + 5_000, position=7_000)
    result = store.write([text], 2, [usual(5_000, ["gas-1", "gas-2"], [T_MS + 1_000] * 2)])
    assert (result.stored, [each.position for each, _ in result.refused]) == (2, [7_000])


def test_a_large_batch_by_column_is_written_in_pieces_of_about_a_size(
    store: InfluxStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.store.influx._PIECE", 1_000)
    columns = [usual(1 + n * 200, ["gas-1"] * 200, [T_MS + n * 200 + k for k in range(200)]) for n in range(14)]
    sizes = counted_posts(store, monkeypatch)
    assert store.write([], 1, columns[:7]).stored == 1_400
    assert store.write([reading({"x": 1.0}, measurement="wim_pass")], 2, columns).stored == 2_801
    assert sizes == [1_400, 1_001, 1_000, 800]
    assert len(rows(store)) == 2_800


def test_where_a_piece_is_refused_all_else_is_stored_and_counted_once(
    store: InfluxStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.store.influx._PIECE", 400)
    columns = [usual(1 + n * 200, ["gas-1"] * 200, [T_MS + n * 200 + k for k in range(200)]) for n in range(4)]
    # Before InfluxDB's first instant.
    columns.append(usual(900, ["gas-2", "gas-2"], [-9_300_000_000_000, T_MS]))
    columns += [usual(1_000 + n * 200, ["gas-3"] * 200, [T_MS + n * 200 + k for k in range(200)]) for n in range(4)]
    result = store.write([], 1, columns)
    assert (result.stored, [each.position for each, _ in result.refused]) == (1_601, [900])
    assert len(rows(store)) == 1_601


def test_a_server_that_takes_little_is_given_pieces_of_that(
    store: InfluxStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = [usual(1 + n * 100, ["gas-1"] * 100, [T_MS + n * 100 + k for k in range(100)]) for n in range(6)]
    store._portion.refused(500)
    sizes = counted_posts(store, monkeypatch)
    assert store.write([], 1, columns).stored == 600
    assert (sizes[0], sum(sizes)) == (250, 600)
    # A server that took little for a while is tried with more, little by little.
    for number in range(2, 12):
        store.write([], number, columns)
    assert max(sizes) > 300


def test_no_request_has_more_lines_than_proxies_are_told_to_pass(
    store: InfluxStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.store.influx._PIECE", 1_000)
    monkeypatch.setattr("ingest.store.influx._PIECE_MOST", 1_500)
    sizes = counted_posts(store, monkeypatch)
    alone = [reading({"conc_ppm": 5.0}, T_MS + 50_000 + n, position=9_000 + n) for n in range(2_000)]
    assert store.write([], 1, [SOME]).stored == 3_000
    assert store.write(alone, 2).stored == 2_000
    assert store.write(alone, 3, [SOME]).stored == 5_000
    assert max(sizes) == 1_500
