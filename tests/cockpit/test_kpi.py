"""Indicators from a real store and a real alarm database: each figure by hand, empty ones without a value."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cockpit.kpi import Kpi
from cockpit.kpi_days import Days
from cockpit.kpi_parts import Wanted
from cockpit.kpi_period import Day, Period, period_of
from cockpit.kpi_refuse import listed
from cockpit.problems import Problem
from devices.readings import Quality, Reading
from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.offences import offence
from ingest.alarms.tables import occurrence
from ingest.store import SqliteStore
from tests.sites import small_site

ZONE = ZoneInfo("Asia/Shanghai")
DAY = Period(date(2026, 9, 3), date(2026, 9, 3), ZONE)
AT, MINUTE, HOUR = DAY.from_ms, 60_000, 3_600_000
WEEK = Period(date(2026, 8, 28), date(2026, 9, 3), ZONE)
NOW = DAY.to_ms + HOUR
# Two poles of one street, a main road and a branch road; and a route of two kilometres to the east.
TAIL = """
[[devices]]
id = "pole-2"
kind = "light_pole"
street = "s01"
road = "main"
[[devices]]
id = "pole-3"
kind = "light_pole"
street = "s02"
road = "branch"
[[devices]]
id = "truck-2"
kind = "refuse_truck"
street = "s01"
"""
EAST_M = 111_320.0 * 0.8631


class City:
    """A site with its store and alarm database."""

    def __init__(self, folder: Path) -> None:
        route = [[120.14, 30.32], [120.14 + 2000 / EAST_M, 30.32]]
        facts = {"class": "drone_route", "id": "r1", "dock": "dock-1", "name_zh": "一号", "name_en": "One"}
        line = {"type": "Feature", "properties": facts, "geometry": {"type": "LineString", "coordinates": route}}
        (folder / "routes.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [line]}))
        self.site: Site = small_site(folder, head='routes = "routes.geojson"', tail=TAIL)
        self.store = SqliteStore(folder / "readings.db", self.site.catalog, self.site.store)
        self.database = AlarmDatabase(f"sqlite:///{folder / 'alarms.db'}")
        self.database.migrate()
        self.kpi = Kpi(self.site, self.store, self.database)
        self._ids = iter(range(1_000_000))

    def figures(self, kind: str, period: Period = DAY, **more: Any) -> dict[str, Any]:
        """Return the indicators of a kind."""
        return self.kpi.figures(kind, Wanted(period, NOW, **more))

    def write(self, measurement: str, device: str, at_ms: int, **values: float | str) -> None:
        """Store one reading."""
        kind = self.site.devices[device].kind
        told = {"tags": {}, "quality": Quality.GOOD, "flags": {}, "received_ms": at_ms, "position": 1}
        self.store.write([Reading(kind, measurement, device, "demo", at_ms * 1_000_000, dict(values), **told)], 1)

    def alarm(self, device: str, rule: str, at_ms: int, acked_s: float | None = None, priority: str = "P3") -> None:
        """Keep one alarm, noticed as it was raised."""
        acked_at = None if acked_s is None else at_ms + round(acked_s * 1000)
        row = {
            "id": f"a{next(self._ids)}", "point": f"{device}/{rule}/{at_ms}/{next(self._ids)}", "device": device,
            "kind": self.site.devices[device].kind, "rule": rule, "rule_version": "1", "field": "", "unit": "1",
            "level_now": 1, "level_peak": 1, "level_acked": 0, "priority": priority, "active": False,
            "acked": acked_at is not None, "latched": False, "suppression": "none", "quality": "good", "activations": 1,
            "raised_at": at_ms, "noticed_at": at_ms, "acked_at": acked_at, "version": 1,
        }  # fmt: skip
        with self.database.write() as connection:
            connection.execute(occurrence.insert(), row)

    def overload(self, vehicle: str, at_ms: int, number: int) -> None:
        """Keep an overload as alarm and as offence."""
        self.alarm("wim-1", "bridge_wim.over_pct.overload", at_ms)
        row = {"shard": "main", "position": number, "ordinal": 0, "vehicle": vehicle, "device": "wim-1", "at": at_ms}
        with self.database.write() as connection:
            connection.execute(offence.insert(), {**row, "counted": True, "told": False})


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    made = City(tmp_path)
    yield made
    made.store.close()
    made.database.close()


@pytest.mark.parametrize(
    ("kind", "share"), [("bridge_wim", "overload"), ("light_pole", "lit"), ("drone", "flown"), ("gas_alarm", None)]
)
def test_nothing_is_no_full_score(city: City, kind: str, share: str | None) -> None:
    """Of nothing there is no share and no median, in all as well as by street."""
    found = city.figures(kind)
    for row in (found["total"], *found["streets"]):
        if share == "flown":
            assert row["coverage"]["value"] in (None, 0.0)
        elif share:
            assert row[share] == {"numerator": 0, "denominator": 0, "value": None}
        else:
            assert (row["alarms"], row["median_s"], row["p95_s"]) == (0, None, None)


def test_overloads_are_alarms_out_of_passages(city: City) -> None:
    """Three of ten vehicles; one plate twice. What passed or was raised at the edge of the next day is not counted."""
    for n in range(10):
        city.write("wim_pass", "wim-1", AT + n * HOUR, gvw_kg=20_000.0, pass_id=f"p{n}")
    city.write("wim_pass", "wim-1", DAY.to_ms, gvw_kg=20_000.0, pass_id="next")
    for n, vehicle in enumerate(["again", "once", "again"]):
        city.overload(vehicle, AT + n * HOUR, n)
    city.overload("again", DAY.to_ms, 9)
    found = city.figures("bridge_wim")
    share = {"numerator": 3, "denominator": 10, "value": 0.3}
    assert found["total"]["overload"] == share
    assert found["days"] == [{"day": "2026-09-03", "overload": share}]
    assert [(row["street"], row["overload"]["denominator"]) for row in found["streets"]] == [("s01", 0), ("s02", 10)]
    assert [(row["plate"], row["times"], row["devices"]) for row in found["plates"]] == [("again", 2, ["wim-1"])]
    assert found["plates"][0]["last_at"] == "2026-09-03T02:00:00.000+08:00"
    assert city.figures("bridge_wim", street="s01")["plates"] == []


def test_tonnes_by_day_street_and_truck(city: City) -> None:
    for hour, kilograms in ((1, 1500.0), (2, 500.5)):
        city.write("bin_lift", "truck-1", AT + hour * HOUR, net_kg=kilograms, lift_id=str(hour))
    city.write("bin_lift", "truck-2", AT - HOUR, net_kg=1000.0, lift_id="x")
    city.alarm("truck-1", "refuse_truck.load_kg.tipping", AT + HOUR)
    city.alarm("truck-1", "refuse_truck.no_data", AT + HOUR)
    found = city.figures("refuse_truck")
    assert found["total"] == {"tonnes": 2.0005, "lifts": 2, "alarms": 1, "per_100_t": pytest.approx(100 / 2.0005)}
    week = city.figures("refuse_truck", WEEK)
    assert [(row["day"], row["tonnes"]) for row in week["days"]][-2:] == [("2026-09-02", 1.0), ("2026-09-03", 2.0005)]
    assert [(row["street"], row["listed"]) for row in week["streets"]] == [("s01", "red"), ("s02", "black")]
    assert [row["device"] for row in week["trucks"]] == ["truck-1", "truck-2"]


def test_the_list_of_streets() -> None:
    """Without alarms the one that collected more stands first, three are red; who collected nothing is on no list."""
    rows = [{"street": f"s{n}", "tonnes": float(n), "lifts": n, "alarms": 0} for n in range(6)]
    found = listed(rows, 0.0)
    assert [(row["street"], row["rank"], row["listed"]) for row in found] == [
        ("s5", 1, "red"), ("s4", 1, "red"), ("s3", 1, "red"), ("s2", 1, None), ("s1", 1, None), ("s0", None, None),
    ]  # fmt: skip


def test_the_lit_rate_counts_as_the_rule_does(city: City) -> None:
    """Lit is commanded, at least one per cent bright and without a fault, through the minute."""
    nights: list[tuple[str, dict[str, float]]] = [
        ("pole-2", {"cmd_pct": 80.0, "dim_pct": 80.0, "lamp_fail": 0.0}),
        ("pole-2", {"cmd_pct": 80.0, "dim_pct": 0.0, "lamp_fail": 0.0}),
        ("pole-2", {"cmd_pct": 80.0, "dim_pct": 80.0, "lamp_fail": 1.0}),
        ("pole-2", {"cmd_pct": 0.0, "dim_pct": 0.0}),
        ("pole-3", {"cmd_pct": 80.0, "dim_pct": 80.0}),
    ]
    for minute, (device, values) in enumerate(nights):
        city.write("light_pole", device, AT + minute * MINUTE, **values)
    while city.store.summarise(AT + HOUR) is not None:
        pass
    found = city.figures("light_pole")
    total = found["total"]
    assert total["lit"] == {"numerator": 2, "denominator": 4, "value": 0.5}
    assert (total["main"]["value"], total["branch"]["value"], total["lamps"]) == (pytest.approx(1 / 3), 1.0, 3)
    assert [row["device"] for row in found["lamps"]] == ["pole-2"]
    assert found["targets"] == {"main": 0.98, "branch": 0.96}


def test_how_soon_gas_was_acknowledged(city: City) -> None:
    """Faults of a detector are no gas; what nobody acknowledged counts as alarm and in no median."""
    for seconds in (10.0, 20.0, 90.0, None):
        city.alarm("gas-1", "gas_alarm.conc_pct_lel.high", AT + HOUR, seconds, "P1")
    city.alarm("gas-1", "gas_alarm.state.fault", AT + HOUR, 5.0, "health")
    city.alarm("gas-2", "gas_alarm.conc_pct_lel.high", AT + HOUR, 30.0, "P2")
    found = city.figures("gas_alarm")
    assert found["total"] == {"alarms": 5, "acked": 4, "median_s": 25.0, "p95_s": 90.0}
    assert [(row["street"], row["alarms"], row["median_s"]) for row in found["streets"]] == [
        ("s01", 4, 20.0), ("s02", 1, 30.0),
    ]  # fmt: skip
    assert [row["alarms"] for row in found["priorities"]] == [4, 1, 0, 0]


def test_route_coverage(city: City) -> None:
    """Half of the route is flown, at thirty metres to its side; the way back over the same half adds nothing."""
    for second in range(0, 200, 4):
        east_m = 1000 * (second / 100 if second < 100 else 2 - second / 100)
        north = 30.32 + 30 / 111_320
        city.write("drone", "drone-1", AT + second * 1000, lat=north, lon=120.14 + east_m / EAST_M, mode=5.0)
    found = city.figures("drone")
    assert found["total"]["coverage"]["denominator"] == pytest.approx(2.0, abs=0.01)
    assert found["total"]["coverage"]["value"] == pytest.approx(0.5, abs=0.06)
    assert found["total"]["flown"] == {"numerator": 0, "denominator": 1, "value": 0.0}
    assert [(row["route"], row["dock"], row["name"]["en"]) for row in found["routes"]] == [("r1", "dock-1", "One")]
    assert [row["coverage"]["denominator"] for row in found["streets"]] == [pytest.approx(2.0, abs=0.05), 0]


def test_days_whose_tracks_are_gone_are_told(city: City) -> None:
    keeping = replace(city.site, store=replace(city.site.store, raw_days=3))
    found = Kpi(keeping, city.store, city.database).figures("drone", Wanted(WEEK, NOW))
    assert (len(found["days"]), found["forgotten"]) == (2, 5)


def test_a_past_instant_knows_nothing_of_what_came_later(city: City) -> None:
    """Tonnes and vehicles up to the instant; the whole day again when it is asked for afterwards."""
    for hour in (1, 5, 9):
        city.write("bin_lift", "truck-1", AT + hour * HOUR, net_kg=1000.0, lift_id=f"l{hour}")
        city.overload("again", AT + hour * HOUR, hour)
    six = AT + 6 * HOUR
    for at_ms, tonnes, times in ((six, 2.0, 2), (None, 3.0, 3), (six, 2.0, 2), (AT + 2 * HOUR, 1.0, 0)):
        found = city.figures("refuse_truck", at_ms=at_ms)
        assert [row["tonnes"] for row in found["days"]] == [found["total"]["tonnes"]] == [tonnes]
        assert [row["times"] for row in city.figures("bridge_wim", at_ms=at_ms)["plates"]] == ([times] if times else [])
    hours = city.kpi.tonnage(Wanted(DAY, NOW, at_ms=six))["hours"]
    assert (len(hours), sum(hours)) == (6, 2.0)
    assert city.figures("refuse_truck", WEEK, at_ms=AT - 1)["total"]["tonnes"] == 0


def test_a_day_that_is_over_is_reckoned_once() -> None:
    asked: list[Day] = []

    def reckon(day: Day) -> int:
        asked.append(day)
        return day.date.day

    days, later = Days(), NOW + 30 * 86_400_000
    found, waiting = days.of("x", WEEK, later, reckon, lambda: False)
    assert (list(found.values()), waiting) == ([3], 6)
    assert [day.date.day for day in asked] == [3]
    for left in (5, 4, 3, 2, 1, 0):
        found, waiting = days.of("x", WEEK, later, reckon, lambda: False)
        assert waiting == left
    assert list(found.values()) == [28, 29, 30, 31, 1, 2, 3]
    assert len(asked) == 7
    days.of("y", WEEK, later, reckon, lambda: True)
    assert len(asked) == 14


def test_a_day_that_goes_on_is_asked_again() -> None:
    values = iter(range(10))
    days, noon = Days(), AT + 12 * HOUR

    def known(now_ms: int) -> list[int]:
        return list(days.of("x", WEEK, now_ms, lambda _: next(values), lambda: True)[0].values())

    assert known(noon)[-1] == 0
    assert known(noon + MINUTE - 1)[-1] == 0
    assert known(noon + MINUTE)[-1] == 7
    assert len(known(AT - 1)) == 6, "a day that has not begun is left out"


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2026-13-01", None, "from '2026-13-01': expected a day such as 2026-09-30."),
        ("20260903", None, "from '20260903'"),
        (None, "gestern", "to 'gestern'"),
        ("2026-09-04", "2026-09-03", "to 2026-09-03 lies before from 2026-09-04."),
        ("2026-01-01", "2026-09-03", "expected 92 days at most."),
    ],
)
def test_what_is_no_period_is_told(first: str | None, last: str | None, words: str) -> None:
    with pytest.raises(Problem, match=words.replace("(", r"\(")) as told:
        period_of(first, last, ZONE, NOW)
    assert told.value.status == 422


def test_a_day_is_as_long_as_its_clock_says() -> None:
    berlin = Period(date(2026, 10, 25), date(2026, 10, 25), ZoneInfo("Europe/Berlin"))
    assert (berlin.to_ms - berlin.from_ms) // HOUR == 25
    assert period_of(None, None, ZONE, AT) == DAY
    assert period_of(None, None, ZONE, AT - 1).last == date(2026, 9, 2)
