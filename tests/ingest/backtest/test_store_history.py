"""Reading history in columns: the same promise from the embedded store and from a real InfluxDB."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.readings import Quality, Reading
from devices.site import Site
from ingest.errors import StoreError
from ingest.store import Store
from ingest.store.history import Column, Sought, Source
from ingest.store.influx import InfluxStore
from ingest.store.sqlite import SqliteStore
from tests.servers.influxdb import Influx

T_MS = 1_767_225_600_000
DAY_MS = 86_400_000
WHOLE = Sought("gas_alarm", "conc_ppm", T_MS, T_MS + 40 * DAY_MS)


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


def reading(at_ms: int, value: float | None, device: str = "gas-1", **other: Any) -> Reading:
    values: dict[str, Any] = {"temp_c": 20.0} if value is None else {"conc_ppm": value}
    named = {"tags": {}, "quality": Quality.GOOD, "flags": {}, **other}
    return Reading(
        "gas_alarm", "gas_alarm", device, "demo", (T_MS + at_ms) * 1_000_000, values, received_ms=T_MS, position=1,
        **named,
    )  # fmt: skip


def rows(column: Column) -> list[tuple[int, float]]:
    return [(at - T_MS, value) for at, value in zip(column.t_ms.tolist(), column.values.tolist(), strict=True)]


def test_a_column_is_in_order_and_within_its_span(store: Store) -> None:
    """Without what other messages of the device said; a window holds its start and not its stop."""
    store.write(
        [reading(n * 1000, float(n)) for n in (3, 0, 2, 1)] + [reading(1500, None), reading(0, 9.0, "gas-2")], 6
    )
    sought = Sought("gas_alarm", "conc_ppm", T_MS + 1000, T_MS + 3000)
    assert rows(store.column(sought, Source("gas-1"))) == [(1000, 1.0), (2000, 2.0)]
    assert rows(store.column(WHOLE, Source("gas-3"))) == []


@pytest.mark.parametrize("value", [0.1, 1e-12, -1e-7, 1 / 3, 123456789.123456, 1e21, -5.0])
def test_numbers_come_back_as_they_were(store: Store, value: float) -> None:
    store.write([reading(0, value)], 1)
    assert rows(store.column(WHOLE, Source("gas-1"))) == [(0, value)]


def test_what_is_bad_is_left_out_and_told(store: Store) -> None:
    """By the quality of the whole, or by a flag of this field; one out of its range is judged all the same."""
    cases: list[tuple[float | None, dict[str, Any]]] = [
        (1.0, {"quality": Quality.BAD}), (1.0, {"quality": Quality.UNCERTAIN}),
        (1.0, {"flags": {"conc_ppm": "sensor_fault"}}), (1.0, {"flags": {"conc_ppm": "range"}}),
        (1.0, {"flags": {"temp_c": "sensor_fault"}}), (1.0, {"flags": {"temp_c": "comm", "conc_ppm": "comm"}}),
        (1.0, {}),
        # Without a value, too, a device may say that it has none to be believed.
        (None, {"quality": Quality.BAD}), (None, {"flags": {"conc_ppm": "comm"}}),
        (None, {"flags": {"temp_c": "comm"}}),
    ]  # fmt: skip
    store.write([reading(n, value, **case) for n, (value, case) in enumerate(cases)], 10)
    found = store.column(WHOLE, Source("gas-1"))
    assert [at for at, _ in rows(found)] == [1, 3, 4, 6]
    assert (found.doubts_ms - T_MS).tolist() == [0, 2, 5, 7, 8]


def test_extremes_by_device_over_many_days(store: Store) -> None:
    """Found in the store, some days at a time; a device without a value has none."""
    store.write([reading(day * DAY_MS, float(day % 7 - 3)) for day in range(40)], 40)
    store.write([reading(0, 5.0, "gas-2"), reading(40 * DAY_MS, 99.0, "gas-2"), reading(0, None, "gas-3")], 43)
    told: list[tuple[int, int]] = []
    assert store.extremes(WHOLE, True, lambda done, of: told.append((done, of))) == {
        Source("gas-1"): 3.0, Source("gas-2"): 5.0,
    }  # fmt: skip
    assert store.extremes(WHOLE, False) == {Source("gas-1"): -3.0, Source("gas-2"): 5.0}
    assert told
    assert told[0][0] == 0
    assert all(done < of for done, of in told)


def test_a_tag_tells_sources_apart(store: Store) -> None:
    """An absent tag is an empty text; the values of one are not those of another."""
    store.write([reading(0, 1.0, tags={"gas": "CH4"}), reading(1, 2.0, tags={"gas": "CO"}), reading(2, 3.0)], 3)
    tagged = Sought("gas_alarm", "conc_ppm", T_MS, T_MS + 10, "gas")
    assert store.extremes(tagged, True) == {
        Source("gas-1", "CH4"): 1.0, Source("gas-1", "CO"): 2.0, Source("gas-1", ""): 3.0,
    }  # fmt: skip
    assert [rows(store.column(tagged, Source("gas-1", tag))) for tag in ("CH4", "CO", "")] == [
        [(0, 1.0)], [(1, 2.0)], [(2, 3.0)],
    ]  # fmt: skip
    assert len(rows(store.column(WHOLE, Source("gas-1")))) == 3
    store.write([reading(3, 4.0, tags={"gas": "CO"}, quality=Quality.BAD)], 4)
    found = store.column(tagged, Source("gas-1", "CH4"))
    assert (rows(found), (found.doubts_ms - T_MS).tolist()) == ([(0, 1.0)], [3])


def test_names_are_only_names(store: Store) -> None:
    device = "x' OR 'a'='a"
    store.write([reading(0, 1.0), reading(0, 2.0, device)], 2)
    assert rows(store.column(WHOLE, Source(device))) == [(0, 2.0)]
    assert set(store.extremes(WHOLE, True)) == {Source("gas-1"), Source(device)}


def test_how_far_it_reaches(store: Store) -> None:
    assert store.reach("gas_alarm") is None
    store.write([reading(5_000, 1.0), reading(70_000, None, "gas-2")], 2)
    assert store.reach("gas_alarm") == (T_MS + 5_000, T_MS + 70_000)


def test_pages_are_put_together(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long column comes in pieces, and whole; beyond what memory is meant to hold it is refused in one sentence."""
    store.write([reading(n, float(n)) for n in range(25)], 25)
    monkeypatch.setattr("ingest.store.influx_history._PAGE", 10)
    assert [value for _, value in rows(store.column(WHOLE, Source("gas-1")))] == [float(n) for n in range(25)]
    for module in ("sqlite_history", "influx_history", "history"):
        monkeypatch.setattr(f"ingest.store.{module}.MOST_VALUES", 19)
    with pytest.raises(StoreError, match=r"gas-1 has more than 19 values of gas_alarm\.conc_ppm in the span"):
        store.column(WHOLE, Source("gas-1"))


def test_a_field_that_is_not_there(tmp_path: Path, site: Site) -> None:
    """The names go into the statement's text."""
    store = SqliteStore(tmp_path / "readings.db", site.catalog)
    with pytest.raises(StoreError, match="has no field"):
        store.column(Sought("gas_alarm", 'x" FROM y; --', T_MS, T_MS + 1), Source("gas-1"))
    with pytest.raises(StoreError, match="has no field"):
        store.extremes(Sought("gas_alarm", "nothing", T_MS, T_MS + 1), True)
    store.close()


def test_a_server_that_is_away(influx: Influx, site: Site) -> None:
    store = InfluxStore(f"{influx.url}?org={influx.org}&bucket={influx.database}", site.catalog)
    influx.kill()
    for read in (lambda: store.column(WHOLE, Source("gas-1")), lambda: store.extremes(WHOLE, True)):
        with pytest.raises(StoreError, match="InfluxDB at"):
            read()
    store.close()
