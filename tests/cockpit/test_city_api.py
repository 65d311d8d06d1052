"""Kinds, devices, history and ledger over HTTP, from messages that went through broker, journal and store."""

import time
from typing import Any

import httpx
import pytest

from tests.cockpit.town import Town


def test_kinds_tell_their_tables(town: Town) -> None:
    """A page can draw a kind from its table alone: labels in both languages, unit, limits with source."""
    kinds = {kind["key"]: kind for kind in town.get("/api/v1/kinds")["items"]}
    assert {"drone", "drone_dock", "refuse_truck", "bridge_wim", "light_pole", "gas_alarm", "gateway"} <= set(kinds)
    fields = {f["key"]: f for f in kinds["gas_alarm"]["measurements"][0]["fields"]}
    assert fields["conc_pct_lel"]["unit_label"] == {"zh": "%LEL", "en": "%LEL"}
    high, rate = fields["conc_pct_lel"]["limits"]
    assert [level["value"] for level in high["levels"]] == [25, 50]
    assert high["source"] and high["grade"] == "B"
    # Only the levels of the first are values of the field, to be drawn across its curve.
    assert (high["of_values"], rate["of_values"]) == (True, False)


def test_latest_values(town: Town) -> None:
    """What a device says is shown with unit, quality and its own time; fragments merge per field."""
    town.say("light_pole", "pole-1", {"dim_pct": 80, "supply_v": 231})
    town.say("light_pole", "pole-1", {"supply_v": 232.5, "temp_c": 7})
    found = town.until("/api/v1/devices/pole-1", lambda d: d["latest"].get("supply_v", {}).get("value") == 232.5)
    assert found["online"] and found["registered"] and found["quality"] == "good"
    assert found["latest"]["dim_pct"]["value"] == 80.0
    assert found["latest"]["dim_pct"]["unit"] == "%"
    assert found["latest"]["temp_c"]["at"].endswith("+08:00")


def test_unregistered_device_is_shown(town: Town) -> None:
    """A device of a known kind that the site does not list is stored, shown and marked."""
    town.say("gas_alarm", "gas-new", {"conc_pct_lel": 1, "state": 0})
    found = town.until(
        "/api/v1/devices", lambda page: any(d["id"] == "gas-new" for d in page["items"]), kind="gas_alarm"
    )
    (device,) = [d for d in found["items"] if d["id"] == "gas-new"]
    assert (device["registered"], device["district"], device["street"]) == (False, "demo", None)


def test_series(town: Town) -> None:
    """History comes back raw as it was sent, or as minimum and maximum a step, with the limits to draw."""
    start = time.time_ns() // 60_000_000_000 * 60_000 - 600_000
    for n in range(60):
        town.say("gas_alarm", "gas-2", {"conc_pct_lel": n % 10, "state": 0}, ts=start + n * 1000, hist=True)

    def whole(found: Any) -> bool:
        return len(found["points"]) >= 60

    window = {"field": "conc_pct_lel", "start": start, "stop": start + 60_000}
    raw = town.until("/api/v1/devices/gas-2/series", whole, **window)
    assert raw["points"] == [[start + n * 1000, float(n % 10), 0] for n in range(60)]
    assert (raw["unit"], raw["step_s"]) == ("%LEL", 0)
    assert [(limit["level"], limit["value"], limit["priority"]) for limit in raw["limits"]] == [
        (1, 25, "P2"),
        (2, 50, "P1"),
    ]
    stepped = town.get("/api/v1/devices/gas-2/series", **window, step="30")
    assert stepped["step_s"] == 30
    assert {value for _, value, _ in stepped["points"]} == {0.0, 9.0}


def test_ledger_adds_up(town: Town) -> None:
    """Good, repeated and broken messages each end in exactly one place."""
    before = _sent(_quiet(town))
    for n in range(20):
        town.say("refuse_truck", "truck-1", {"load_kg": n}, id=f"unique-{n}")
    town.say("refuse_truck", "truck-1", {"load_kg": 3}, id="unique-3")
    for payload in (b"{", b'{"ts":1,"data":{}}', b"\xff\xfe", b'{"data":{"load_kg":NaN}}'):
        town.send("city/v1/demo/refuse_truck/truck-1/telemetry", payload)
    town.until("/api/v1/ledger", lambda page: _sent(page)["received"] >= before["received"] + 25)
    after = _quiet(town)
    grown = {key: count - before[key] for key, count in _sent(after).items()}
    assert grown == {"received": 25, "journaled": 25, "decoded": 20, "quarantined": 4, "duplicate": 1}
    readings = after["readings"]
    assert readings["produced"] == readings["stored"] + readings["refused"] + readings["waiting"]


def test_clock_ahead_and_two_megabytes_are_told(town: Town) -> None:
    """A clock a year ahead and a huge payload each get a sentence in the log, and the device goes on speaking."""
    year_ms = 365 * 86_400_000
    town.say("light_pole", "pole-ahead", {"dim_pct": 50}, ts=time.time_ns() // 1_000_000 + year_ms)
    town.send("city/v1/demo/light_pole/pole-ahead/telemetry", b" " * 2_000_000)

    def goes_on(page: Any) -> bool:
        # What is said once may be older than the moment the first message, whose own time is no use, was received.
        town.say("light_pole", "pole-ahead", {"dim_pct": 60})
        poles = {device["id"]: device["latest"] for device in page["items"]}
        return bool(poles.get("pole-ahead", {}).get("dim_pct", {}).get("value") == 60)

    town.until("/api/v1/devices", goes_on, kind="light_pole")
    log = town.log.read_text()
    assert "the clock of pole-ahead is more than five minutes ahead" in log
    assert "payload of 2000000 bytes, expected at most 1048576" in log


def _sent(page: Any) -> dict[str, int]:
    """Return the counts of messages without those of the watchdog, which come when it is their minute."""
    own = page["kinds"].get("collector", {"messages": {}})["messages"]
    return {key: count - own.get(key, 0) for key, count in page["messages"].items()}


def _quiet(town: Town) -> Any:
    """Return the ledger once it is settled and stands still from one second to a later one."""
    before = town.until("/api/v1/ledger", _settled)
    while True:
        seen = before["at"]
        after = town.until("/api/v1/ledger", lambda page, seen=seen: _settled(page) and page["at"] != seen)
        if after["messages"] == before["messages"]:
            return after
        before = after


def _settled(page: Any) -> bool:
    messages, readings = page["messages"], page["readings"]
    ended = messages["decoded"] + messages["quarantined"] + messages["duplicate"]
    return bool(page["at"] and messages["received"] == messages["journaled"] == ended and readings["waiting"] == 0)


def test_passages(town: Town) -> None:
    """A weighed vehicle is listed with what was derived from its axles."""
    town.say("bridge_wim", "wim-1", {"pass_id": "p1", "axle_count": 2, "gvw_kg": 17_000}, channel="event", id="p1")
    found = town.until("/api/v1/passages", lambda page: page["items"], kind="bridge_wim")
    values = found["items"][0]["values"]
    assert (values["limit_kg"], values["over_pct"]) == (18_000, 0)


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/api/v1/nothing", 404, "/docs"),
        ("/api/", 404, "/docs"),
        ("/api", 404, "/docs"),
        ("/api/v1/devices/nobody", 404, "nobody"),
        ("/api/v1/devices?kind=gas_alram", 404, "gas_alarm"),
        ("/api/v1/devices?limit=0", 422, "limit"),
        ("/api/v1/devices?cursor=abc", 422, "cursor"),
        ("/api/v1/devices/gas-1/series?field=nothing", 404, "nothing"),
        ("/api/v1/devices/gas-1/series", 422, "field"),
        ("/api/v1/devices/gas-1/series?field=state&start=yesterday", 422, "yesterday"),
        ("/api/v1/devices/gas-1/series?field=state&start=2026-01-02T00:00:00", 422, "offset"),
        ("/api/v1/devices/gas-1/series?field=state&start=2000000000000&stop=1900000000000", 422, "later"),
        ("/api/v1/devices/gas-1/series?field=state&step=soon", 422, "soon"),
        ("/api/v1/devices?cursor=²", 422, "cursor"),
        ("/api/v1/devices?cursor=99999999999999999999", 422, "cursor"),
        ("/api/v1/devices/gas-1/series?field=state&start=0001-01-01T00:00:00Z", 422, "1970"),
        ("/api/v1/devices/gas-1/series?field=state&stop=9999-12-31T23:59:59Z", 422, "2200"),
        ("/api/v1/alarms?state=LOUD", 422, "UNACK"),
        ("/api/v1/alarms/none", 404, "none"),
    ],
)
def test_problems(town: Town, path: str, status: int, word: str) -> None:
    """What cannot be answered is a problem document with a sentence that helps."""
    answer = httpx.get(f"{town.address}{path}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status and problem["title"] and problem["type"]
    assert word in problem["detail"]


def test_documentation_is_served_from_here(town: Town) -> None:
    """OpenAPI stands at /docs and names nothing outside this machine."""
    page = httpx.get(f"{town.address}/docs").text
    assert "http://" not in page and "https://" not in page
    paths = town.get("/openapi.json")["paths"]
    assert "/api/v1/alarms/{alarm}/ack" in paths and "/healthz" in paths


def test_a_map_that_a_browser_has_is_not_sent_again(town: Town) -> None:
    """A map comes as its file stands, and only once; a site without one says so."""
    with town.client() as client:
        first = client.get("/api/v1/map/routes")
        assert (first.status_code, first.json()) == (200, {"type": "FeatureCollection", "features": []})
        assert first.headers["cache-control"] == "no-cache"
        again = client.get("/api/v1/map/routes", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        other = client.get("/api/v1/map/routes", headers={"If-None-Match": 'W/"another"'})
        assert other.status_code == 200
        assert client.get("/api/v1/map/basemap").status_code == 404


def test_only_the_desk_loads_the_grid(town: Town) -> None:
    """What one page needs is not loaded by the others."""
    with town.client() as client:
        assert "/dash_ag_grid/" in client.get("/duty").text
        for path in ("/", "/wall", "/cases", "/kpi", "/device/gas-1"):
            page = client.get(path).text
            assert "/dash_ag_grid/" not in page
            assert "dash_renderer" in page
