"""Minutes, on every store: the same envelope as the readings they sum up, whatever has expired meanwhile."""

import random
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devices.readings import Quality, Reading
from devices.site import Keep, Site, StoreSettings
from ingest.store import Asked, Least, Series, SqliteStore, Store, Tally
from ingest.store.influx import InfluxStore
from tests.ingest.messages import T_MS
from tests.ingest.test_stores import reading
from tests.servers.influxdb import Influx

MIN_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
SPAN_MS = 8 * HOUR_MS
SETTINGS = StoreSettings("embedded", 90, 730)
EXPIRED_MS = T_MS + 100 * DAY_MS

Make = Callable[..., Store]


@pytest.fixture(params=["sqlite", "influx", "influx with two buckets"])
def make(request: pytest.FixtureRequest, tmp_path: Path, site: Site) -> Iterator[Make]:
    """Return a function that opens the same store, again and again."""
    opened: list[Store] = []
    long = ""
    if request.param != "sqlite":
        server: Influx = request.getfixturevalue("influx")
        url = f"{server.url}?org={server.org}&bucket={server.database}"
        if request.param == "influx with two buckets":
            long = f"long_{uuid.uuid4().hex[:12]}"
            server.create_database(long)
            url = f"{url}&bucket_1m={long}"

    def open_again(settings: StoreSettings = SETTINGS) -> Store:
        if request.param == "sqlite":
            opened.append(SqliteStore(tmp_path / "readings.db", site.catalog, settings))
        else:
            opened.append(InfluxStore(url, site.catalog, settings, tmp_path / "minutes.db"))
        return opened[-1]

    yield open_again
    for store in opened:
        store.close()
    if long:
        server.drop_database(long)


@pytest.fixture
def store(make: Make) -> Store:
    return make()


@pytest.fixture
def drop_raw(request: pytest.FixtureRequest, site: Site) -> Callable[[Store, int], None]:
    """Return what makes readings of more than 90 days expire; in a bucket of their own the bucket itself does that."""

    def drop(store: Store, now_ms: int) -> None:
        while store.expire(now_ms):
            pass
        if "two buckets" in request.node.name:
            server: Influx = request.getfixturevalue("influx")
            for measurement in site.catalog.measurements:
                server.query(f'DELETE FROM "{measurement}" WHERE time < {(now_ms - 90 * DAY_MS) * 1_000_000}')

    return drop


def made(store: Store, until_ms: int = T_MS + SPAN_MS + MIN_MS) -> int:
    """Make all minutes up to an instant and return how many steps that took."""
    steps = 0
    while store.summarise(until_ms) is not None:
        steps += 1
    return steps


def day(seed: int = 7, count: int = 300) -> list[Reading]:
    """Return readings of two devices with every sort of quality, gaps and fields that are not always there."""
    chance = random.Random(seed)
    found = []
    for n in range(count):
        at_ms = T_MS + chance.randrange(SPAN_MS)
        if T_MS + 3 * HOUR_MS < at_ms < T_MS + 4 * HOUR_MS:
            continue
        values = {"temp_c": chance.gauss(20, 9)} if n % 5 else {}
        if n % 3 or not values:
            values["conc_ppm"] = chance.choice([0.0, 1.5, 1e6, -3.25])
        flags = {"temp_c": chance.choice(["range", "sensor_fault"])} if chance.random() < 0.02 else {}
        quality = chance.choices(list(Quality), [96, 3, 1])[0]
        found.append(reading(values, at_ms, f"gas-{1 + n % 2}", flags=flags, quality=quality))
    return found


WINDOWS = [(T_MS, T_MS + SPAN_MS), (T_MS + HOUR_MS, T_MS + SPAN_MS - HOUR_MS), (T_MS - DAY_MS, T_MS + DAY_MS)]
STEPS = [MIN_MS, 10 * MIN_MS, HOUR_MS]


def envelopes(store: Store) -> dict[tuple[str, str, int, int], Series]:
    return {
        (device, key, start, step): store.series("gas_alarm", device, key, start, stop, step)
        for device in ("gas-1", "gas-2")
        for key in ("temp_c", "conc_ppm")
        for start, stop in WINDOWS
        for step in STEPS
    }


def test_the_envelope_is_the_same_from_readings_and_from_minutes(
    store: Store, drop_raw: Callable[[Store, int], None]
) -> None:
    store.write(day(), 1)
    from_readings = envelopes(store)
    assert {quality for series in from_readings.values() for _, _, quality in series.points} == {0, 1, 2}
    assert min(len(series.points) for series in from_readings.values()) >= 10
    for until_ms in (T_MS + 2 * HOUR_MS + 17 * MIN_MS, T_MS + SPAN_MS + MIN_MS):
        assert made(store, until_ms) > 50
        assert envelopes(store) == from_readings
    for expired_ms in (T_MS + HOUR_MS + 7 * MIN_MS, T_MS + 2 * DAY_MS):
        drop_raw(store, expired_ms + 90 * DAY_MS)
        assert envelopes(store) == from_readings
    assert [device for device, _, _ in store.rows("gas_alarm", [], 9)] == [], "only minutes are left"


def test_a_short_window_takes_minutes_where_readings_are_gone(
    store: Store, drop_raw: Callable[[Store, int], None]
) -> None:
    store.write([reading({"temp_c": float(n % 7)}, T_MS + n * 10_000) for n in range(60)], 1)
    window = ("gas_alarm", "gas-1", "temp_c", T_MS, T_MS + 10 * MIN_MS)
    raw, stepped = store.series(*window, 0), store.series(*window, 2 * MIN_MS)
    assert len(raw.points) == 60
    made(store)
    assert (store.series(*window, 0), store.series(*window, 2 * MIN_MS)) == (raw, stepped)
    drop_raw(store, T_MS + 5 * MIN_MS + 90 * DAY_MS)
    half = store.series(*window, 0)
    assert half.points[10:] == raw.points[30:]
    assert [(at - T_MS) // 30_000 for at, _, _ in half.points[:10]] == list(range(10))
    assert half.points[:2] == [(T_MS, 0.0, 0), (T_MS + 30_000, 5.0, 0)]
    assert store.series(*window, 2 * MIN_MS) == stepped
    drop_raw(store, EXPIRED_MS)
    gone = store.series(*window, 0)
    assert (gone.step_s, len(gone.points)) == (60, 20)
    assert store.series(*window, 2 * MIN_MS) == stepped
    assert store.series(*window, 1_000).points == gone.points


def test_a_step_that_is_no_whole_minute_is_rounded_up_over_a_long_span(store: Store) -> None:
    store.write(day(), 1)
    made(store)
    found = store.series("gas_alarm", "gas-1", "temp_c", T_MS, T_MS + SPAN_MS, 95_000)
    assert found == store.series("gas_alarm", "gas-1", "temp_c", T_MS, T_MS + SPAN_MS, 120_000)
    assert found.step_s == 120
    short = store.series("gas_alarm", "gas-1", "temp_c", T_MS, T_MS + HOUR_MS, 95_000)
    assert short.step_s == 95


def test_a_late_reading_has_its_minute_made_again(store: Store, drop_raw: Callable[[Store, int], None]) -> None:
    early = day()
    late = [found for found in day(8, 120) if found.device == "gas-1"]
    store.write(early, 1)
    made(store)
    assert made(store) == 0
    for start in range(0, len(late), 50):
        store.write(late[start : start + 50], 2 + start)
    expected = {
        (key, step): store.series("gas_alarm", "gas-1", key, T_MS, T_MS + HOUR_MS, step)
        for key in ("temp_c", "conc_ppm")
        for step in STEPS
    }
    minutes = {found.at_ns // 60_000_000_000 for found in late}
    assert made(store) == len(minutes), "these minutes, once each, and no others"
    assert made(store) == 0
    drop_raw(store, EXPIRED_MS)
    for (key, step), series in expected.items():
        assert store.series("gas_alarm", "gas-1", key, T_MS, T_MS + HOUR_MS, step) == series


def test_what_comes_when_the_readings_of_its_minute_are_gone_does_not_make_it_wrong(
    store: Store, drop_raw: Callable[[Store, int], None]
) -> None:
    store.write([reading({"temp_c": float(n)}, T_MS + n * 1000) for n in range(60)], 1)
    made(store)
    drop_raw(store, EXPIRED_MS)
    made(store, EXPIRED_MS)
    window = ("gas_alarm", "gas-1", "temp_c", T_MS, T_MS + SPAN_MS, HOUR_MS)
    before = store.series(*window)
    store.write([reading({"temp_c": 30.5}, T_MS + 500)], 2)
    assert made(store, EXPIRED_MS) == 0
    drop_raw(store, EXPIRED_MS + DAY_MS)
    assert store.series(*window) == before
    assert [value for _, value, _ in before.points] == [0.0, 59.0]


def test_a_restart_goes_on_where_it_was(make: Make) -> None:
    first = make()
    first.write(day(), 1)
    whole = made(make_again(first, make), T_MS + 2 * HOUR_MS)
    second = make()
    assert second.summarise(T_MS + 2 * HOUR_MS) is None
    second.write([reading({"temp_c": 1.0}, T_MS + 5 * MIN_MS)], 2)
    second.close()
    third = make()
    assert third.summarise(T_MS + 2 * HOUR_MS) == T_MS + 5 * MIN_MS, "marks survive as well"
    assert third.summarise(T_MS + 2 * HOUR_MS) is None
    assert whole > 50
    assert made(third) > whole


def make_again(store: Store, make: Make) -> Store:
    store.close()
    return make()


def test_a_gap_is_passed_in_one_step(store: Store) -> None:
    store.write([reading({"temp_c": 1.0}, T_MS), reading({"temp_c": 2.0}, T_MS + 80 * DAY_MS)], 1)
    measurements = 40
    assert made(store, T_MS + 81 * DAY_MS) < measurements
    points = store.series("gas_alarm", "gas-1", "temp_c", T_MS, T_MS + 81 * DAY_MS, HOUR_MS).points
    assert [value for _, value, _ in points] == [1.0, 1.0, 2.0, 2.0]


def test_readings_whose_minute_is_not_made_do_not_expire(store: Store) -> None:
    store.write(day(), 1)
    made(store, T_MS + HOUR_MS)
    while store.expire(EXPIRED_MS):
        pass
    rows = store.rows("gas_alarm", [], 10_000)
    assert len(rows) > 100
    kept = [found for found in day() if found.at_ns >= (T_MS + HOUR_MS) * 1_000_000]
    assert {at for _, at, _ in rows} >= {found.at_ns // 1_000_000 for found in kept}


def test_records_stay_as_long_as_minutes_and_are_not_summed_up(
    store: Store, drop_raw: Callable[[Store, int], None]
) -> None:
    passages = [
        reading(
            {"pass_id": f'p {n}"', "gvw_kg": 1000.0 * n},
            T_MS + n * 1000,
            "wim-1",
            measurement="wim_pass",
            tags={"lane": "2, left"},
            flags={"gvw_kg": "range"} if n == 3 else {},
        )
        for n in range(5)
    ]
    store.write([*passages, reading({"online": 0.0}, T_MS, "wim-1", measurement="device_status")], 1)
    window = (T_MS, T_MS + SPAN_MS)

    def read() -> list[Series]:
        return [
            store.series("wim_pass", "wim-1", "gvw_kg", *window, 0),
            store.series("wim_pass", "wim-1", "gvw_kg", *window, HOUR_MS),
            store.series("wim_pass", "wim-1", "pass_id", *window, 0),
            store.series("device_status", "wim-1", "online", *window, 0),
        ]

    before = read()
    assert [value for _, value, _ in before[2].points] == [f'p {n}"' for n in range(5)]
    assert [quality for _, _, quality in before[0].points] == [0, 0, 0, 1, 0]
    made(store)
    drop_raw(store, EXPIRED_MS)
    assert read() == before


def test_a_measurement_has_its_own_times(make: Make, drop_raw: Callable[[Store, int], None]) -> None:
    keep = {"gas_alarm": Keep(1, 30), "wim_pass": Keep(20, 20), "light_pole": Keep(95, 730)}
    store = make(StoreSettings("embedded", 90, 730, keep))
    names = {"gas_alarm": "temp_c", "wim_pass": "gvw_kg", "light_pole": "dim_pct", "gateway": "children"}
    store.write([reading({key: 1.0}, T_MS, "x-1", measurement=name) for name, key in names.items()], 1)

    def left() -> dict[str, int]:
        return {
            name: len(store.rows(name, [], 9)) + 10 * bool(series(name).points)
            for name in names
        }  # fmt: skip

    def series(name: str) -> Series:
        return store.series(name, "x-1", names[name], T_MS, T_MS + DAY_MS, HOUR_MS)

    made(store)
    assert left() == {"gas_alarm": 11, "wim_pass": 11, "light_pole": 11, "gateway": 11}
    for days, expected in (
        (2, {"gas_alarm": 10, "wim_pass": 11, "light_pole": 11, "gateway": 11}),
        (21, {"gas_alarm": 10, "wim_pass": 0, "light_pole": 11, "gateway": 11}),
        (31, {"gas_alarm": 0, "wim_pass": 0, "light_pole": 11, "gateway": 11}),
    ):
        while store.expire(T_MS + days * DAY_MS):
            pass
        assert left() == expected, f"after {days} days"


def test_a_store_that_is_only_read_shows_minutes_too(
    make: Make, drop_raw: Callable[[Store, int], None], site: Site
) -> None:
    store = make()
    store.write(day(), 1)
    made(store)
    drop_raw(store, EXPIRED_MS)
    window = ("gas_alarm", "gas-1", "temp_c", T_MS, T_MS + SPAN_MS, HOUR_MS)
    assert store.series(*window).points
    reader = make()
    assert reader.series(*window) == store.series(*window)


def test_tallies_of_minutes_and_of_records_that_moved(make: Make, drop_raw: Callable[[Store, int], None]) -> None:
    """A condition must hold through the minute; records are counted once, whichever bucket still has them."""
    store = make()
    for second, (dim, fail) in enumerate([(80.0, 0.0), (80.0, 0.0), (0.0, 0.0), (80.0, 1.0)]):
        values = {"cmd_pct": 80.0, "dim_pct": dim, "lamp_fail": fail}
        store.write([reading(values, T_MS + second * 30_000, measurement="light_pole", device="pole-1")], 1)
    lifts = [
        reading({"net_kg": 10.0, "lift_id": str(n)}, T_MS + n * 1000, measurement="bin_lift", device="truck-1")
        for n in range(3)
    ]
    store.write(lifts, 2)
    lit = Least("dim_pct", 1.0)
    lamps = Asked("light_pole", "cmd_pct", ((), (lit,), (lit, Least("lamp_fail", 0.0, more=True))), minutes=True)
    collected = Asked("bin_lift", "net_kg")
    while store.summarise(T_MS + 10 * MIN_MS) is not None:
        pass
    for _ in range(2):
        found = store.tallies(lamps, T_MS, T_MS + 2 * MIN_MS)
        assert [tally.rows for tally in found["pole-1"]] == [2, 1, 0]
        assert store.tallies(collected, T_MS, T_MS + MIN_MS) == {"truck-1": [Tally(3, 30.0)]}
        drop_raw(store, EXPIRED_MS)
