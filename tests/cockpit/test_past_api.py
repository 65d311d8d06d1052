"""The time window over HTTP: what the town said a moment ago is what it says of that moment; and bad windows."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.cockpit.acting import act, gas_over, leak
from tests.cockpit.town import Town
from tests.sites import small_site_text

PATHS = (
    "/past", "/summary", "/map/devices", "/devices", "/devices/gas-1", "/alarms", "/alarms/load", "/cases",
    "/cases/counts", "/cases/indicators", "/cases/ranking", "/kpi/period", "/passages?kind=bridge_wim",
    "/export/alarms", "/export/cases", "/export/kpi", "/kpi/gas_alarm", "/kpi/refuse_truck", "/kpi/refuse_truck/hours",
    "/kpi/cases?share=registered",
)  # fmt: skip


def moment(town: Town, device: str) -> tuple[int, Any, Any]:
    """Return an instant, and what the town says of a device and its alarms now that nothing more happens to them."""
    alarms = town.get("/api/v1/alarms", device=device, state="all")
    return time.time_ns() // 1_000_000, town.get(f"/api/v1/devices/{device}"), alarms


def test_what_was_said_is_said_of_then(town: Town) -> None:
    """Raise, acknowledge with a case, return, reset: each stage is found again from the end."""
    device = "gas-past"
    alarm = leak(town, device, 30)
    town.until(f"/api/v1/devices/{device}", lambda found: found["online"])
    said = [moment(town, device)]
    done = act(town, "officer", f"/alarms/{alarm['id']}/ack", seen_level=1, decision="case", comment="去看")
    case = done["alarm"]["case"]
    said.append(moment(town, device))
    gas_over(town, device)
    said.append(moment(town, device))
    act(town, "officer", f"/alarms/{alarm['id']}/reset", reason="看过现场")
    said.append(moment(town, device))
    assert [found["items"][0]["state"] for _, _, found in said] == ["UNACK", "ACKED", "LATCHED", "CLOSED"]
    # What was read lies before the instant; the store is written within a moment.
    for at_ms, _, alarms in said:
        assert town.get("/api/v1/alarms", device=device, state="all", at=at_ms) == alarms
        one = town.get(f"/api/v1/alarms/{alarm['id']}", at=at_ms)
        assert {key: one[key] for key in alarms["items"][0]} == alarms["items"][0]
    at_ms, before, _ = said[0]
    then = town.until(f"/api/v1/devices/{device}", lambda found: found["latest"] == before["latest"], at=at_ms)
    assert (then["online"], then["quality"], then["kind"]) == (True, "good", "gas_alarm")
    assert case not in {each["id"] for each in town.get("/api/v1/cases", state="all", at=said[0][0])["items"]}
    shown = town.get(f"/api/v1/cases/{case}", at=said[1][0])
    assert (shown["state"], shown["acts"], [each["action"] for each in shown["history"]][:1]) == (
        "REGISTERED", [], ["register"],
    )  # fmt: skip
    snapshot = town.get("/api/v1/past", at=said[1][0])
    assert snapshot["type"] == "snapshot" and snapshot["past"]["devices_with_readings"] > 0
    assert {alarm["id"]: alarm["state"] for alarm in snapshot["alarms"]}[alarm["id"]] == "ACKED"
    rows = httpx.get(f"{town.address}/api/v1/export/alarms", params={"device": device, "at": at_ms}).text
    assert len(rows.splitlines()) == 2


def test_indicators_and_report_know_nothing_of_what_came_later(town: Town) -> None:
    """Before the acknowledgement and its case: neither is in the indicators, the tables or the printed report."""
    device = "gas-2"
    alarm = leak(town, device, 30)
    before_ms = time.time_ns() // 1_000_000
    done = act(town, "officer", f"/alarms/{alarm['id']}/ack", seen_level=1, decision="case")
    case = done["alarm"]["case"]
    after_ms = time.time_ns() // 1_000_000

    def gas(**more: Any) -> dict[str, Any]:
        total: dict[str, Any] = town.get("/api/v1/kpi/gas_alarm", street="s02", **more)["total"]
        return total

    assert gas(at=after_ms) == gas()
    assert gas(at=before_ms)["alarms"] == gas()["alarms"]
    assert gas(at=before_ms)["acked"] == gas()["acked"] - 1
    cases = town.get("/api/v1/kpi/cases", share="registered", at=before_ms)["items"]
    assert case not in [each["id"] for each in cases]
    assert case in [each["id"] for each in town.get("/api/v1/kpi/cases", share="registered", at=after_ms)["items"]]
    loads = [town.get("/api/v1/alarms/load", at=at) for at in (before_ms, after_ms)]
    assert loads[1]["raise_to_ack"]["count"] == loads[0]["raise_to_ack"]["count"] + 1
    assert not town.get("/api/v1/kpi/period", at=before_ms)["running"]
    with town.client("leader") as leader:
        then, now = (leader.get("/report", params={"at": at, "lang": "en"}).text for at in (before_ms, after_ms))
        live = leader.get("/report", params={"lang": "en"}).text
        refused = leader.get("/report", params={"at": "tomorrow"}, headers={"Accept": "text/html"})
    assert f"cases?case={case}" not in then and f"cases?case={case}" in now and f"cases?case={case}" in live
    assert "As known at" in then and "As known at" not in live
    assert f"&amp;at={before_ms}" in then, "the day before and the other language keep the instant"
    assert (refused.status_code, "text/html" in refused.headers["content-type"]) == (422, True)
    assert "不是有效时刻" in refused.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("at", "sentence"),
    [("tomorrow", "no instant"), ("2100-01-01T00:00:00Z", "future"), ("1980-01-01T00:00:00", "with an offset")],
)
def test_a_window_that_is_none_is_refused_in_one_sentence(town: Town, path: str, at: str, sentence: str) -> None:
    answer = httpx.get(f"{town.address}/api/v1{path}", params={**httpx.URL(path).params, "at": at}, timeout=20)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert sentence in answer.json()["detail"]


def test_what_was_not_there_yet_is_not_found(town: Town) -> None:
    alarm = leak(town, "gas-young", 30)
    for path in (f"/alarms/{alarm['id']}", f"/alarms/{alarm['id']}/history", "/devices/gas-young", "/cases/C1"):
        answer = httpx.get(f"{town.address}/api/v1{path}", params={"at": "2026-01-01T00:00:00Z"}, timeout=20)
        assert answer.status_code == 404, path
        assert "There was no" in answer.json()["detail"]


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a town that keeps its readings for a month."""
    text = small_site_text().replace('retention = "100y"', 'retention = "30d"')
    with Town(tmp_path_factory.mktemp("forgetful"), text) as running:
        yield running


def test_alarms_and_cases_are_told_of_a_time_whose_readings_are_gone(forgetful: Town) -> None:
    """They are retraced as of any other time; values are refused, and the whole city says that they are gone."""
    town, long_ago = forgetful, "2025-01-01T00:00:00Z"
    for path in ("/alarms", "/alarms/load", "/cases", "/cases/counts", "/summary", "/map/devices", "/export/alarms"):
        assert httpx.get(f"{town.address}/api/v1{path}", params={"at": long_ago}, timeout=20).status_code == 200, path
    told = town.get("/api/v1/past", at=long_ago)["past"]
    assert (told["values_kept"], told["days_kept"]) == (False, 30)
    for path in ("/devices", "/devices/gas-1", "/passages?kind=bridge_wim", "/kpi/period", "/kpi/gas_alarm"):
        asked = {**httpx.URL(path).params, "at": long_ago}
        answer = httpx.get(f"{town.address}/api/v1{path}", params=asked, timeout=20)
        assert (answer.status_code, answer.json()["code"]) == (422, "at_too_old"), path


def test_an_hour_without_readings_says_so(town: Town) -> None:
    found = town.get("/api/v1/past", at="2026-01-01T00:00:00Z")
    assert found["past"]["devices_with_readings"] == 0
    assert (found["alarms"], found["passages"]) == ([], [])
    assert town.get("/api/v1/alarms", at="")["counts"]["open"] >= 0
