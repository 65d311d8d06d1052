"""What only InfluxDB does: odd characters, nanoseconds, and lines it refuses among others."""

import time
from collections.abc import Iterator

import pytest

from devices.site import Site
from ingest.store.influx import InfluxStore
from tests.ingest.messages import T_MS
from tests.ingest.posts import counted_posts
from tests.ingest.test_stores import reading
from tests.servers.influxdb import Influx


@pytest.fixture
def store(influx: Influx, site: Site) -> Iterator[InfluxStore]:
    opened = InfluxStore(f"{influx.url}?org={influx.org}&bucket={influx.database}", site.catalog)
    yield opened
    opened.close()


@pytest.mark.parametrize("tag", ["valve well", "a,b=c", "ends with \\", "line\nbreak", "城市", "=", ",", "'"])
def test_odd_characters_in_a_tag_neither_break_the_line_nor_move_it(
    influx: Influx, store: InfluxStore, tag: str
) -> None:
    assert (
        store.write([reading({"conc_ppm": 1.0}, tags={"gas": tag}), reading({"conc_ppm": 2.0}, T_MS + 1)], 2).stored
        == 2
    )
    assert [row["conc_ppm"] for row in influx.rows("SELECT conc_ppm FROM gas_alarm")] == [1.0, 2.0]
    (row,) = influx.rows("SELECT gas, conc_ppm FROM gas_alarm WHERE gas != ''")
    assert row["gas"] == tag.replace("\\", "/").replace("\n", " ")


def test_nanoseconds_and_floats_arrive_as_such(influx: Influx, store: InfluxStore) -> None:
    store.write([reading({"conc_ppm": 0.0}, at_ns=1_767_225_600_123_456_789)], 1)
    store.write([reading({"conc_ppm": 0.1}, at_ns=1_767_225_600_123_456_790)], 2)
    assert [row["time"] for row in influx.rows("SELECT conc_ppm FROM gas_alarm")] == [
        1_767_225_600_123_456_789,
        1_767_225_600_123_456_790,
    ]
    types = {row["fieldKey"]: row["fieldType"] for row in influx.rows("SHOW FIELD KEYS FROM gas_alarm")}
    assert types == {"conc_ppm": "float", "quality": "integer"}


def test_a_line_that_conflicts_is_cut_out_and_the_others_are_stored(influx: Influx, store: InfluxStore) -> None:
    store.write([reading({"conc_ppm": 1.0}, T_MS - 1)], 1)
    batch = [reading({"conc_ppm": float(n)}, T_MS + n, position=n) for n in range(1000)]
    batch[637] = reading({"conc_ppm": "plenty"}, T_MS + 637, position=637)
    result = store.write(batch, 1000)
    assert result.stored == 999
    ((refused, sentence),) = result.refused
    assert refused.position == 637
    assert "field type conflict" in sentence
    assert "conc_ppm" in sentence
    (row,) = influx.rows("SELECT count(conc_ppm) FROM gas_alarm")
    assert row["count"] == 1000
    assert store.write(batch, 1000).stored == 999, "the same write again says the same"
    assert influx.rows("SELECT count(conc_ppm) FROM gas_alarm") == [row]


def test_several_poison_lines_each_have_their_own_words(store: InfluxStore) -> None:
    store.write([reading({"conc_ppm": 1.0, "temp_c": 1.0}, T_MS - 1)], 1)
    batch = [reading({"conc_ppm": 1.0}, T_MS + n, position=n) for n in range(64)]
    for n, key in ((0, "conc_ppm"), (31, "temp_c"), (32, "conc_ppm"), (63, "temp_c")):
        batch[n] = reading({key: "text"}, T_MS + n, position=n)
    result = store.write(batch, 64)
    assert (result.stored, [found.position for found, _ in result.refused]) == (60, [0, 31, 32, 63])
    assert [("temp_c" in sentence) for _, sentence in result.refused] == [False, True, False, True]


@pytest.fixture
def writes(store: InfluxStore, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many lines each request to write had."""
    return counted_posts(store, monkeypatch)


def test_many_that_conflict_are_found_in_a_few_writes(influx: Influx, store: InfluxStore, writes: list[int]) -> None:
    """One in ten is a text where the database knows a number, scattered over a batch with other fields and devices."""
    store.write([reading({"conc_ppm": 1.0}, T_MS - 1)], 1)
    batch = [
        reading(
            {"conc_ppm": "plenty", "temp_c": 3.0} if n % 10 == 0 else {"conc_ppm" if n % 2 else "temp_c": float(n)},
            T_MS + n, f"gas-{n % 7}", position=n,
        )
        for n in range(5_000)
    ]  # fmt: skip
    writes.clear()
    result = store.write(batch, 5_000)
    assert (result.stored, [found.position for found, _ in result.refused]) == (4_500, [*range(0, 5_000, 10)])
    assert len(writes) < 10, writes


def test_what_is_too_old_is_found_by_its_time(influx: Influx, store: InfluxStore, writes: list[int]) -> None:
    influx.rows(f'ALTER RETENTION POLICY "autogen" ON "{influx.database}" DURATION 168h')
    now_ms = time.time_ns() // 1_000_000
    batch = [reading({"conc_ppm": 1.0}, now_ms - n % 3 * 30 * 86_400_000 - n, position=n) for n in range(1_200)]
    result = store.write(batch, 1_200)
    assert [found.position for found, _ in result.refused] == [n for n in range(1_200) if n % 3]
    assert all("retention" in sentence for _, sentence in result.refused)
    assert (result.stored, len(writes) < 40) == (400, True), writes
    (row,) = influx.rows("SELECT count(conc_ppm) FROM gas_alarm")
    assert row["count"] == 400
