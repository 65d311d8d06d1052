"""Refuse by the hour beside last year's day, or what is nearest to it; and the passages that were over a limit."""

import time
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from cockpit.times import rfc3339
from tests.cockpit.town import Town

ZONE = ZoneInfo("Asia/Shanghai")
HOURS = "/api/v1/kpi/refuse_truck/hours"


def lift(town: Town, key: str, net_kg: float, at: datetime) -> None:
    """Lift a bin at an instant, and wait until the store has it: days long over are reckoned once."""
    at_ms = round(at.timestamp() * 1000)
    values = {"lift_id": key, "gross_kg": net_kg + 50, "tare_kg": 50}
    town.say("refuse_truck", "truck-1", values, channel="event", id=key, ts=at_ms)
    span: dict[str, Any] = {"field": "net_kg", "start": rfc3339(at_ms - 1, ZONE), "stop": rfc3339(at_ms + 1, ZONE)}
    town.until("/api/v1/devices/truck-1/series", lambda found: found["points"], step="0", **span)


def test_a_day_stands_beside_one_it_may_be_compared_with(town: Town) -> None:
    """Nothing to compare with at first; then last week's day, told as such; then last year's, which comes first."""
    day = "2026-03-01"
    found = town.get(HOURS, to=day)
    assert (found["day"], found["hours"], found["last_year"]) == (day, [], "2025-03-01")
    assert found["against"] == {"basis": None, "day": None, "hours": []}
    assert found["kept_days"] > 0
    noon = datetime(2026, 5, 20, 12, 30, tzinfo=ZONE)
    lift(town, "t1", 400, noon)
    lift(town, "t2", 100, noon + timedelta(hours=1))
    lift(town, "t3", 300, noon - timedelta(days=7))
    week = town.until(HOURS, lambda each: each["against"]["basis"], to="2026-05-20")
    assert (week["against"]["basis"], week["against"]["day"]) == ("week", "2026-05-13")
    assert [(hour, tonnes) for hour, tonnes in enumerate(week["hours"]) if tonnes] == [(12, 0.4), (13, 0.1)]
    assert [(hour, tonnes) for hour, tonnes in enumerate(week["against"]["hours"]) if tonnes] == [(12, 0.3)]
    assert len(week["hours"]) == len(week["against"]["hours"]) == 24
    lift(town, "t4", 200, datetime(2025, 4, 8, 6, 0, tzinfo=ZONE))
    lift(town, "t5", 200, datetime(2026, 4, 1, 6, 0, tzinfo=ZONE))
    year = town.until(HOURS, lambda each: each["against"]["basis"], to="2026-04-08")
    assert (year["against"]["basis"], year["against"]["day"], year["against"]["hours"][6]) == (
        "year",
        "2025-04-08",
        0.2,
    )
    assert town.get(HOURS, **{"from": "2028-02-29", "to": "2028-02-29"})["last_year"] == "2027-02-28"


def test_a_street_counts_its_own_trucks(town: Town) -> None:
    """What is narrowed to a street has the tonnes of that street alone."""
    lift(town, "t6", 250, datetime(2026, 6, 3, 9, 0, tzinfo=ZONE))
    street = next(each["street"] for each in town.get("/api/v1/devices", kind="refuse_truck")["items"])
    town.until(HOURS, lambda each: sum(each["hours"]) == 0.25, to="2026-06-03", street=street)
    others = [each["key"] for each in town.get("/api/v1/site")["districts"][0]["streets"] if each["key"] != street]
    for other in others:
        assert sum(town.get(HOURS, to="2026-06-03", street=other)["hours"]) == 0


def test_the_last_overloaded_vehicle_is_found_behind_many(town: Town) -> None:
    """However many passed since; both or none of field and least."""
    now_ms = time.time_ns() // 1_000_000
    vehicle = {"axle_count": 2, "gvw_kg": 21_600, "lane": "1"}
    town.say(
        "bridge_wim", "wim-crowd", {"pass_id": "heavy", **vehicle}, channel="event", id="heavy", ts=now_ms - 3_600_000
    )
    for number in range(210):
        light = {"pass_id": f"light-{number}", **vehicle, "gvw_kg": 9_000}
        town.say("bridge_wim", "wim-crowd", light, channel="event", id=f"light-{number}")
    path = "/api/v1/passages"

    def all_light(page: dict[str, Any]) -> bool:
        return [each["values"]["gvw_kg"] for each in page["items"]] == [9_000] * 200

    town.until(path, all_light, kind="bridge_wim", limit=200)
    over = town.until(path, lambda page: page["items"], kind="bridge_wim", field="over_pct", least=10, limit=1)
    (found,) = over["items"]
    assert (found["values"]["pass_id"], found["at"]) == ("heavy", rfc3339(now_ms - 3_600_000, ZONE))
    assert town.get(path, kind="bridge_wim", field="over_pct", least=10, device="wim-nowhere")["items"] == []
    answer = httpx.get(f"{town.address}{path}", params={"kind": "bridge_wim", "field": "over_pct"}, timeout=20)
    assert answer.status_code == 422
    assert answer.json()["detail"] == "field and least: expected both or none."
