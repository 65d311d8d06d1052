"""Notices over HTTP: what waits and what nobody took, tried again by who may; a drone's finding that is a case."""

import itertools
import time
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from ingest.alarms.database import AlarmDatabase
from ingest.notices.tables import delivery
from tests.cockpit.town import Town

_KEYS = itertools.count()
CHANNEL = "desk-mail"


@pytest.fixture(scope="module")
def letters(town: Town) -> list[str]:
    """Give the keys of two messages to people, made by alarms; their channel has no address, so they wait."""
    for device in ("notice-1", "notice-2"):
        town.say("gas_alarm", device, {"conc_pct_lel": 60.0})
        town.alarm(device)
    with town.client("officer") as officer:

        def waiting() -> list[str] | None:
            page = officer.get("/api/v1/notices", params={"state": "waiting", "channel": CHANNEL}).json()
            texts = {item["key"]: item["title"] for item in page["items"]}
            found = [key for key, title in texts.items() if "notice-" in title]
            return found if len(found) == 2 else None

        found: list[str] = town.eventually(waiting)
    return found


def dead(town: Town, keys: list[str]) -> None:
    """Let a day pass for messages, as the steward would find them."""
    database = AlarmDatabase(f"sqlite:///{town.folder / 'var' / 'alarms.db'}")
    with database.write() as connection:
        given_up = {"dead_at": time.time_ns() // 1_000_000, "trouble": "nobody took it"}
        connection.execute(sa.update(delivery).where(delivery.c.key.in_(keys)).values(**given_up))
    database.close()


def test_who_reads_and_who_revives(town: Town) -> None:
    for user, status in ((None, 401), ("viewer", 403), ("officer", 200), ("engineer", 200)):
        with town.client(user) as client:
            assert client.get("/api/v1/notices").status_code == status
    for user, status in ((None, 401), ("viewer", 403), ("officer", 404)):
        with town.client(user) as client:
            answer = client.post("/api/v1/notices/revive", json={"keys": ["x"], "idempotency_key": f"who {user}"})
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_what_waits_is_listed_with_what_it_says(town: Town, letters: list[str]) -> None:
    with town.client("officer") as officer:
        page = officer.get("/api/v1/notices", params={"state": "waiting", "priority": "P1,P2", "limit": 1}).json()
        more = officer.get("/api/v1/notices", params={"state": "waiting", "limit": 1, "cursor": page["next"]}).json()
        wrong = [
            officer.get("/api/v1/notices", params=each)
            for each in ({"state": "x"}, {"priority": "P9"}, {"cursor": "x"})
        ]
        calm = officer.get("/api/v1/notices", params={"priority": "P4"}).json()["items"]
    (item,) = page["items"]
    assert (item["state"], item["channel"], item["attempts"], item["sent_at"]) == ("waiting", CHANNEL, 0, None)
    assert "责任单位" in item["body"] or "未登记" in item["body"]
    assert more["items"][0]["key"] != item["key"]
    assert page["channels"][CHANNEL]["kind"] == "mail" and page["channels"][CHANNEL]["waiting"] >= 2
    assert [answer.status_code for answer in wrong] == [422, 422, 422]
    assert calm == []


def test_dead_letters_are_counted_shown_and_revived_once(town: Town, letters: list[str]) -> None:
    dead(town, letters)
    town.until("/api/v1/summary", lambda found: found["notices"]["dead"] == 2)
    health = town.get("/healthz")
    assert health["status"] == "degraded" and "desk-mail 2" in health["parts"]["notices"]
    body: dict[str, Any] = {"keys": [*letters, "none"], "idempotency_key": f"revive{next(_KEYS)}"}
    with town.client("leader") as leader:
        listed = leader.get("/api/v1/notices", params={"state": "dead"}).json()["items"]
        answers = [leader.post("/api/v1/notices/revive", json=body) for _ in range(2)]
        rows = leader.get("/api/v1/audit", params={"action": "notice_revived"}).json()["items"]
    assert {item["key"] for item in listed} == set(letters)
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["keys"] == sorted(letters)
    assert sorted(row["point"] for row in rows) == sorted(letters)
    town.until("/healthz", lambda found: found["parts"]["notices"] == "ok")
    assert town.get("/api/v1/summary")["watchdog"] is None


def test_a_drones_finding_over_mqtt_is_a_case_with_its_picture(town: Town) -> None:
    """The same message twice is one case; one whose spot is nonsense is a case where the drone is."""
    found = {
        "finding_id": "drone-1-77", "finding_class": "pothole", "confidence_pct": 91.5, "picture": "p/77.jpg",
        "route_id": "R-12", "spot_lat": 30.3181, "spot_lon": 120.1402,
    }  # fmt: skip
    town.say("drone", "drone-1", {"mode": 0, "lat": 30.32, "lon": 120.14})
    town.say("drone", "drone-1", {**found, "spot_lat": "north", "finding_id": "odd"}, channel="event", id="odd")
    for _ in range(2):
        town.say("drone", "drone-1", found, channel="event", id="drone-1-77")

    def mine(page: Any) -> list[str]:
        return [case["id"] for case in page["items"] if case["reference"] == "drone-1/drone-1-77"]

    page = town.until("/api/v1/cases", mine, state="REPORTED")
    (name,) = mine(page)
    case = town.get(f"/api/v1/cases/{name}")
    assert (case["source"], case["sub_class"], case["street"]) == ("drone", "road_damage", "s01")
    assert (case["lat"], case["lon"], case["reported_by"]) == (30.3181, 120.1402, "drone-1")
    (picture,) = case["evidence"]
    told = {key: picture[key] for key in ("reference", "route", "finding", "confidence")}
    assert told == {"reference": "p/77.jpg", "route": "R-12", "finding": "pothole", "confidence": 0.915}
    assert (case["camera"]["id"], case["camera"]["distance_m"] > 0) == ("cam-1", True)
    (odd,) = [each for each in town.get("/api/v1/cases", state="all")["items"] if "odd" in each["reference"]]
    assert (odd["lat"], odd["lon"], odd["street"]) == (30.32, 120.14, "s01")
    assert httpx.get(f"{town.address}/api/v1/cases/{name}").status_code == 200
