"""Sources whose messages come badly, as the API tells them."""

import time

from tests.cockpit.town import Town

GAS = {"conc_pct_lel": 1.0, "state": 0}


def test_skipped_numbers_and_a_fast_clock_are_told(town: Town) -> None:
    """A device that skips numbers and one whose clock is ahead stand in the list with their figures."""
    for seq in (100, 101, 131):
        town.say("light_pole", "pole-1", {"dim_pct": 50.0}, seq=seq)
    ahead_ms = time.time_ns() // 1_000_000 + 20 * 60_000
    town.say("refuse_truck", "truck-1", {"load_kg": 500.0}, ts=ahead_ms)

    def both(page: dict) -> bool:  # type: ignore[type-arg]
        return {"pole-1", "truck-1"} <= {item["device"] for item in page["items"]}

    found = {item["device"]: item for item in town.until("/api/v1/sources", both)["items"]}
    assert found["pole-1"]["gaps"] == 29
    assert found["pole-1"]["kind"] == "light_pole"
    assert 15 * 60 < found["truck-1"]["ahead_s"] <= 20 * 60
    assert found["truck-1"]["last_at"] is not None


def test_the_list_comes_in_pages(town: Town) -> None:
    """The worst first, and a cursor while there is more."""
    page = town.until("/api/v1/sources", lambda found: found["total"] >= 2, limit=1)
    assert len(page["items"]) == 1 and page["next"] == "1"
    rest = town.get("/api/v1/sources", cursor=page["next"])
    assert page["items"][0]["gaps"] >= rest["items"][0]["gaps"]


def test_the_story_of_one_device(town: Town) -> None:
    """Its last will, its return and the numbers it skipped, the newest first; of a stranger nothing."""
    town.say("gateway", "gw-1", {"uptime_s": 1})
    town.send("city/v1/demo/gateway/gw-1/status", b"offline")
    path = "/api/v1/devices/gw-1/health"
    # What it is now is told by the live view, what it was by the store.
    gone = town.until(path, lambda found: found["items"] and found["online"] is False)
    assert [(item["what"], item["value"], item["why"]) for item in gone["items"]] == [("online", 0, "last_will")]
    town.say("gateway", "gw-1", {"uptime_s": 2})
    back = town.until(path, lambda found: found["online"] and len(found["items"]) == 2)
    assert (back["items"][0]["what"], back["items"][0]["value"], back["items"][0]["cause"]) == ("online", 1, None)
    first = town.get(path, limit=1)
    assert (first["items"], first["next"]) == (back["items"][:1], "1")
    assert town.get(path, limit=1, cursor="1")["items"] == back["items"][1:]
    assert town.get(path, start="2020-01-01T00:00:00+00:00", stop="2020-01-02T00:00:00+00:00")["items"] == []
    with town.client() as nobody:
        stranger = nobody.get("/api/v1/devices/nobody/health")
        assert (stranger.status_code, stranger.json()["detail"]) == (404, "There is no device 'nobody'.")
        empty = nobody.get(path, params={"start": "2026-01-02T00:00:00Z", "stop": "2026-01-01T00:00:00Z"})
        assert (empty.status_code, empty.json()["detail"]) == (422, "stop must be later than start.")
