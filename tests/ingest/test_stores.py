"""One promise, kept by every store: the embedded one and a real InfluxDB."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.readings import Quality, Reading
from devices.site import Site
from ingest.decoding import Decoder, Unregistered
from ingest.records import Record
from ingest.store import Asked, Least, SqliteStore, Store, Tally
from ingest.store.influx import InfluxStore
from tests.ingest.messages import T_MS, passage
from tests.servers.influxdb import Influx

MIN_MS = 60_000


@pytest.fixture(params=["sqlite", "influx"])
def store(request: pytest.FixtureRequest, tmp_path: Path, site: Site) -> Iterator[Store]:
    opened: Store
    if request.param == "sqlite":
        opened = SqliteStore(tmp_path / "readings.db", site.catalog)
    else:
        server: Influx = request.getfixturevalue("influx")
        opened = InfluxStore(f"{server.url}?org={server.org}&bucket={server.database}", site.catalog)
    yield opened
    opened.close()


def reading(values: dict[str, Any], at_ms: float = T_MS, device: str = "gas-1", **other: Any) -> Reading:
    measurement = other.pop("measurement", "gas_alarm")
    at_ns = other.pop("at_ns", round(at_ms) * 1_000_000)
    named = {"tags": {}, "quality": Quality.GOOD, "flags": {}, "received_ms": T_MS, "position": 1, **other}
    return Reading(other.get("kind", measurement), measurement, device, "demo", at_ns, values, **named)


def raw(store: Store, key: str, device: str = "gas-1", measurement: str = "gas_alarm") -> list[tuple[int, Any, int]]:
    return store.series(measurement, device, key, T_MS - 10 * MIN_MS, T_MS + 10 * MIN_MS, 0).points


def test_what_is_written_is_read_back_in_order(store: Store) -> None:
    written = [reading({"conc_pct_lel": float(n)}, T_MS + n * 1000) for n in (3, 0, 2, 1)]
    assert store.write(written, 4).stored == 4
    found = store.series("gas_alarm", "gas-1", "conc_pct_lel", T_MS, T_MS + 10_000, 0)
    assert found.points == [(T_MS + n * 1000, float(n), 0) for n in range(4)]
    assert found.step_s == 0


def test_a_window_holds_its_start_and_not_its_stop(store: Store) -> None:
    store.write([reading({"conc_ppm": float(n)}, T_MS + n * 1000) for n in range(5)], 5)
    points = store.series("gas_alarm", "gas-1", "conc_ppm", T_MS + 1000, T_MS + 3000, 0).points
    assert [value for _, value, _ in points] == [1.0, 2.0]


def test_steps_give_the_minimum_and_the_maximum(store: Store) -> None:
    values = {0: 5.0, 10: 1.0, 50: 9.0, 60: 4.0, 190: -2.5}
    store.write([reading({"temp_c": value}, T_MS + second * 1000) for second, value in values.items()], 5)
    store.write([reading({"conc_ppm": 1.0}, T_MS + 130_000)], 6)
    found = store.series("gas_alarm", "gas-1", "temp_c", T_MS, T_MS + 4 * MIN_MS, MIN_MS)
    assert found.step_s == 60
    assert [(at - T_MS, value) for at, value, _ in found.points] == [
        (0, 1.0), (30_000, 9.0), (60_000, 4.0), (90_000, 4.0), (180_000, -2.5), (210_000, -2.5),
    ]  # fmt: skip


def test_a_step_is_as_good_as_the_worst_in_it(store: Store) -> None:
    qualities = [Quality.GOOD, Quality.BAD, Quality.UNCERTAIN, Quality.GOOD]
    store.write([reading({"temp_c": 1.0}, T_MS + n * 30_000, quality=q) for n, q in enumerate(qualities)], 4)
    points = store.series("gas_alarm", "gas-1", "temp_c", T_MS, T_MS + 2 * MIN_MS, MIN_MS).points
    assert [quality for _, _, quality in points] == [2, 2, 1, 1]


def test_fragments_of_one_instant_become_one_row(store: Store) -> None:
    store.write([reading({"conc_pct_lel": 3.0}), reading({"batt_v": 3.6, "state": 0.0})], 2)
    store.write([reading({"temp_c": 21.0})], 3)
    assert store.rows("gas_alarm", ["gas-1"], 10) == [
        ("gas-1", T_MS, {"conc_pct_lel": 3.0, "batt_v": 3.6, "state": 0.0, "temp_c": 21.0, "quality": 0})
    ]


def test_a_later_fragment_does_not_unflag_an_earlier_one(store: Store) -> None:
    store.write([reading({"conc_pct_lel": 300.0}, flags={"conc_pct_lel": "range"}), reading({"batt_v": 3.6})], 2)
    assert raw(store, "conc_pct_lel") == [(T_MS, 300.0, 1)]


def test_writing_again_changes_nothing(store: Store) -> None:
    written = [
        reading({"conc_pct_lel": float(n), "temp_c": 20.0}, T_MS + n, f"gas-{n % 7}", tags={"gas": "CH4"})
        for n in range(500)
    ]
    store.write(written, 500)
    before = store.rows("gas_alarm", [], 10_000)
    assert store.write(written, 500).stored == 500
    assert store.write(written[100:300], 500).stored == 200
    assert len(before) == 500
    assert store.rows("gas_alarm", [], 10_000) == before


def test_a_reading_written_again_with_another_value_overwrites_itself(store: Store) -> None:
    store.write([reading({"conc_pct_lel": 1.0})], 1)
    store.write([reading({"conc_pct_lel": 2.0}, quality=Quality.UNCERTAIN)], 2)
    assert raw(store, "conc_pct_lel") == [(T_MS, 2.0, 1)]


def test_a_nanosecond_makes_two_readings(store: Store) -> None:
    at_ns = 1_767_225_600_123_456_789
    store.write([reading({"conc_ppm": float(n)}, at_ns=at_ns + n) for n in range(3)], 3)
    assert raw(store, "conc_ppm") == [(1_767_225_600_123, float(n), 0) for n in range(3)]


def test_passages_of_one_millisecond_stay_apart(store: Store, site: Site) -> None:
    decoder = Decoder(site, Unregistered())
    outcomes = [decoder.outcome(Record(n, T_MS, *passage("wim-1", f"p{n}", T_MS))) for n in range(1, 201)]
    readings = [found for outcome in outcomes for found in outcome.readings]
    store.write(readings, 200)
    rows = store.rows("wim_pass", ["wim-1"], 1000)
    assert {str(values["pass_id"]) for _, _, values in rows} == {f"p{n}" for n in range(1, 201)}
    assert {at for _, at, _ in rows} == {T_MS}
    assert rows[0][2]["lane"] == "1"


@pytest.mark.parametrize(
    "text", ["浙A·12345", 'say "hi"', "back\\slash", "a,b=c d", "ends with \\", "'; DROP TABLE x --", "🚚", "5i", "t"]
)
def test_texts_come_back_as_they_were(store: Store, text: str) -> None:
    store.write([reading({"plate_hash": text, "gvw_kg": 1.0}, device="wim-1", measurement="wim_pass")], 1)
    assert raw(store, "plate_hash", "wim-1", "wim_pass") == [(T_MS, text, 0)]


def test_a_line_break_in_a_text_breaks_no_line(store: Store) -> None:
    odd = "one\ntwo\rgas_alarm,device_id=forged conc_pct_lel=99 1"
    store.write([reading({"plate_hash": odd, "gvw_kg": 1.0}, device="wim-1", measurement="wim_pass")], 1)
    ((_, found, _),) = raw(store, "plate_hash", "wim-1", "wim_pass")
    assert str(found).split() == odd.split()
    assert raw(store, "conc_pct_lel", "forged") == []


@pytest.mark.parametrize(
    ("quality", "flags", "expected"),
    [
        (Quality.GOOD, {}, 0),
        (Quality.UNCERTAIN, {}, 1),
        (Quality.BAD, {}, 2),
        (Quality.GOOD, {"temp_c": "range"}, 1),
        (Quality.GOOD, {"temp_c": "sensor_fault"}, 2),
        (Quality.GOOD, {"conc_ppm": "sensor_fault"}, 0),
        (Quality.GOOD, {"c": "range", "emp_c": "range"}, 0),
        (Quality.BAD, {"temp_c": "range"}, 2),
        (Quality.UNCERTAIN, {"": "clock_skew"}, 1),
    ],
)
def test_quality_is_the_fields_own(store: Store, quality: Quality, flags: dict[str, str], expected: int) -> None:
    written = reading({"temp_c": 20.0, "conc_ppm": 1.0}, quality=quality, flags=flags)
    store.write([written], 1)
    assert raw(store, "temp_c") == [(T_MS, 20.0, expected)]
    assert expected == written.quality_of("temp_c")


def test_what_nobody_wrote_is_empty(store: Store) -> None:
    assert raw(store, "conc_ppm") == []
    assert store.rows("gas_alarm", [], 10) == []
    store.write([reading({"conc_ppm": 1.0})], 1)
    assert raw(store, "conc_ppm", "nobody") == []
    assert raw(store, "conc_ppm", "gas-1' OR 'a' = 'a") == []
    assert raw(store, "temp_c") == []
    assert store.series("gas_alarm", "nobody", "conc_ppm", T_MS, T_MS + MIN_MS, MIN_MS).points == []
    assert store.rows("gas_alarm", ["nobody"], 10) == []
    assert store.rows("no_measurement", [], 10) == []


def test_rows_are_the_newest_first(store: Store) -> None:
    store.write([reading({"conc_ppm": float(n)}, T_MS + n, f"gas-{n % 3}") for n in range(30)], 30)
    assert [values["conc_ppm"] for _, _, values in store.rows("gas_alarm", [], 4)] == [29.0, 28.0, 27.0, 26.0]
    some = store.rows("gas_alarm", ["gas-0", "gas-2"], 3)
    assert [(device, at - T_MS) for device, at, _ in some] == [("gas-2", 29), ("gas-0", 27), ("gas-2", 26)]


def test_a_tag_is_read_back_with_the_row(store: Store) -> None:
    store.write([reading({"conc_ppm": 1.0}, tags={"gas": "CO", "premises": "home"})], 1)
    assert store.rows("gas_alarm", [], 1)[0][2] == {"conc_ppm": 1.0, "gas": "CO", "premises": "home", "quality": 0}


def test_whole_numbers_stay_numbers_with_a_point(store: Store) -> None:
    """A drone sends 0 and later 0.1; the first must not decide that the field is an integer for ever."""
    values = (0.0, 0.1, -0.0, 1e21, 5e-324)
    written = [reading({"speed_mps": v}, T_MS + n, "drone-1", measurement="drone") for n, v in enumerate(values)]
    assert store.write(written, 5).stored == 5
    assert [value for _, value, _ in raw(store, "speed_mps", "drone-1", "drone")] == [0.0, 0.1, 0.0, 1e21, 5e-324]


def test_online_and_offline_are_kept(store: Store) -> None:
    words = [reading({"online": value}, T_MS + n, measurement="device_status") for n, value in enumerate((1.0, 0.0))]
    store.write(words, 2)
    assert [value for _, value, _ in raw(store, "online", measurement="device_status")] == [1.0, 0.0]


def test_nothing_is_written_without_complaint(store: Store) -> None:
    result = store.write([], 7)
    assert (result.stored, list(result.refused)) == (0, [])


def test_an_impossible_time_costs_only_its_own_reading(store: Store) -> None:
    """The year 1 and the year 2400 are no nanoseconds a database can hold."""
    good = [reading({"conc_ppm": float(n)}, T_MS + n) for n in range(100)]
    for at_ns in (-(10**20), 10**20):
        good.insert(50, reading({"conc_ppm": -1.0}, at_ns=at_ns))
    result = store.write(good, 102)
    assert result.stored == 100
    assert [found.at_ns for found, _ in result.refused] == [10**20, -(10**20)]
    assert all(sentence for _, sentence in result.refused)
    assert len(raw(store, "conc_ppm")) == 100


def test_tallies_add_up_by_device(store: Store) -> None:
    """Each case counts the rows that meet all it asks for; a row without the field, or outside the span, counts not."""
    for second, (device, gvw, over) in enumerate(
        [("wim-1", 10.0, 0.0), ("wim-1", 20.0, 10.0), ("wim-1", 30.5, 30.0), ("wim-2", 5.0, 0.0), ("wim-1", 99.0, 99.0)]
    ):
        values = {"gvw_kg": gvw, "over_pct": over}
        at_ms = T_MS + second * 1000
        store.write([reading(values, at_ms, device, measurement="wim_pass")], 1)
    store.write([reading({"speed_kmh": 1.0}, T_MS + 500, "wim-1", measurement="wim_pass")], 1)
    asked = Asked("wim_pass", "gvw_kg", ((), (Least("over_pct", 10.0),), (Least("over_pct", 10.0, more=True),)))
    assert store.tallies(asked, T_MS, T_MS + 4000) == {
        "wim-1": [Tally(3, 60.5), Tally(2, 50.5), Tally(1, 30.5)],
        "wim-2": [Tally(1, 5.0), Tally(0, 0.0), Tally(0, 0.0)],
    }
    assert store.tallies(asked, T_MS + 60_000, T_MS + 120_000) == {}


def test_what_was_before_an_instant_is_given_newest_first(store: Store) -> None:
    store.write([reading({"conc_ppm": float(n)}, T_MS + n * 1000, f"gas-{n % 2}") for n in range(6)], 6)
    found = store.before("gas_alarm", T_MS + 4000, 3000)
    assert [(row.device, row.at_ms - T_MS, row.values) for row in found] == [
        ("gas-0", 4000, {"conc_ppm": 4.0}), ("gas-1", 3000, {"conc_ppm": 3.0}), ("gas-0", 2000, {"conc_ppm": 2.0}),
    ]  # fmt: skip
    assert [row.at_ms - T_MS for row in store.before("gas_alarm", T_MS + 4000, 60_000, ["gas-1"])] == [3000, 1000]
    assert [row.at_ms - T_MS for row in store.before("gas_alarm", T_MS + 4000, 60_000, (), 1)] == [4000]
    assert store.before("gas_alarm", T_MS - 1, 60_000) == []
    assert store.before("gas_alarm", T_MS, 1, ["gas-1' OR 'a' = 'a"]) == []
    assert store.before("no_measurement", T_MS, 60_000) == []


def test_a_row_of_before_bears_its_district_tags_quality_and_flags(store: Store) -> None:
    flagged = reading({"conc_ppm": 1.0}, tags={"gas": "CO"}, quality=Quality.UNCERTAIN, flags={"conc_ppm": "range"})
    store.write([flagged], 1)
    (row,) = store.before("gas_alarm", T_MS, 1)
    assert row == ("gas-1", "demo", T_MS, {"conc_ppm": 1.0, "gas": "CO"}, 1, "conc_ppm:range")
