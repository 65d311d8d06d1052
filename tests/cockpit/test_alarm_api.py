"""Alarms over HTTP and the websocket: raised by a message, acknowledged by a person, seen by everybody."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.cockpit.town import PASSWORD, Town


@contextmanager
def wall(town: Town) -> Iterator[ClientConnection]:
    """Open the live websocket."""
    with connect(f"{town.address.replace('http', 'ws')}/ws/live", max_size=None) as socket:
        yield socket


def received(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next message of a type."""
    while True:
        message: dict[str, Any] = json.loads(socket.recv(timeout=20))
        if message["type"] == kind:
            return message


def press(
    client: httpx.Client, alarm: dict[str, Any], key: str, level: int | None = None, **more: Any
) -> httpx.Response:
    """Acknowledge an alarm at the level it shows."""
    body = {"seen_level": alarm["level_now"] if level is None else level, "idempotency_key": key, **more}
    return client.post(f"/api/v1/alarms/{alarm['id']}/ack", json=body)


def alarm_of(socket: Any, device: str) -> Any:
    """Return the next alarm of a device; those of other tests in the same town may come between."""
    while True:
        found = received(socket, "alarm")["alarm"]
        if found["device"] == device:
            return found


def test_alarms_alone(town: Town) -> None:
    """Who asks for the alarms alone is told those that are open, each change and the beat, and nothing of devices."""
    with connect(f"{town.address.replace('http', 'ws')}/ws/live?only=alarms", max_size=None) as socket:
        first = json.loads(socket.recv(timeout=20))
        assert (first["type"], "devices" in first, "summary" in first) == ("snapshot", False, False)
        assert isinstance(first["alarms"], list)
        town.say("light_pole", "pole-alone", {"lamp_fail": True})
        kinds: list[str] = []
        last = first["seq"]
        while kinds.count("beat") < 2 or "alarm" not in kinds:
            message = json.loads(socket.recv(timeout=20))
            kinds.append(message["type"])
            # Without a gap, or a page would come back anew.
            assert message["seq"] == (last if message["type"] == "snapshot_end" else last + 1)
            last = message["seq"]
        assert set(kinds) == {"snapshot_end", "alarm", "beat"}


def test_leak_from_detector_to_closing(town: Town) -> None:
    """A leak is on the wall at once, names who is responsible, and is acknowledged everywhere."""
    with wall(town) as socket:
        received(socket, "snapshot_end")
        town.say("gas_alarm", "gas-1", {"conc_pct_lel": 60, "state": 0}, channel="event", id="leak-1")
        shown = alarm_of(socket, "gas-1")
        assert (shown["device"], shown["priority"], shown["state"], shown["level_now"]) == ("gas-1", "P1", "UNACK", 2)
        assert shown["responsible"]["phone"] == "0571-5550-0101"
        assert (shown["unit"], shown["value"], shown["latched"]) == ("%LEL", 60, True)
        with town.client("officer") as officer:
            answer = press(officer, shown, "key-1", comment="已通知燃气公司")
            assert answer.status_code == 200
            assert (answer.json()["result"], answer.json()["by"]) == ("acked", "officer")
            assert press(officer, shown, "key-1", comment="已通知燃气公司").json() == answer.json()
            assert press(officer, shown, "key-1").status_code == 422
        assert alarm_of(socket, "gas-1")["state"] == "ACKED"
        with town.client("officer2") as second:
            assert press(second, shown, "key-2").json()["result"] == "already_acked"
    detail = town.get(f"/api/v1/alarms/{shown['id']}")
    assert [(act["actor"], act["action"]) for act in detail["history"]] == [
        ("system", "raise"),
        ("officer", "ack"),
        ("officer2", "co_witness"),
    ]
    assert detail["history"][1]["comment"] == "已通知燃气公司"
    assert town.get("/api/v1/alarms", state="ACKED", device="gas-1")["items"][0]["id"] == shown["id"]


@pytest.fixture(scope="module")
def alarm(town: Town) -> dict[str, Any]:
    """Give an open alarm of level 1."""
    town.say("light_pole", "pole-9", {"lamp_fail": True})
    return town.alarm("pole-9")


def test_who_may_acknowledge(town: Town, alarm: dict[str, Any]) -> None:
    """Nobody 401, a viewer and an engineer 403 (on record), each with a sentence."""
    with town.client() as nobody:
        assert press(nobody, alarm, "a").status_code == 401
    for user in ("viewer", "engineer"):
        with town.client(user) as client:
            answer = press(client, alarm, f"b-{user}")
            assert answer.status_code == 403
            assert "officer" in answer.json()["detail"]
    refused = [act for act in town.get(f"/api/v1/alarms/{alarm['id']}")["history"] if act["action"] == "ack_refused"]
    assert [act["actor"] for act in refused] == ["viewer", "engineer"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"seen_level": 0, "idempotency_key": "c"}, 409),
        ({"seen_level": 5, "idempotency_key": "d"}, 422),
        ({"seen_level": "1", "idempotency_key": "e"}, 422),
        ({"idempotency_key": "f"}, 422),
        ({"seen_level": 1}, 422),
        ({"seen_level": 1, "idempotency_key": ""}, 422),
        ({"seen_level": 1, "idempotency_key": "g", "decision": "shrug"}, 422),
        ({"seen_level": 1, "idempotency_key": "h", "extra": 1}, 422),
    ],
)
def test_wrong_presses(town: Town, alarm: dict[str, Any], body: dict[str, Any], status: int) -> None:
    """A press that cannot be meant changes nothing and says why."""
    with town.client("officer") as officer:
        answer = officer.post(f"/api/v1/alarms/{alarm['id']}/ack", json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert town.get(f"/api/v1/alarms/{alarm['id']}")["state"] == "UNACK"


def test_level_changed_carries_the_current_record(town: Town) -> None:
    """A 409 brings the alarm as it is now, so that the desk can show it."""
    town.say("gas_alarm", "gas-7", {"conc_pct_lel": 30})
    seen = town.alarm("gas-7")
    town.say("gas_alarm", "gas-7", {"conc_pct_lel": 70})
    town.until("/api/v1/alarms", lambda page: page["items"][0]["level_now"] == 2, device="gas-7")
    with town.client("officer") as officer:
        answer = press(officer, seen, "level")
    assert answer.status_code == 409
    assert answer.json()["type"] == "level_changed"
    assert answer.json()["alarm"]["level_now"] == 2


def test_another_site_cannot_write(town: Town, alarm: dict[str, Any]) -> None:
    """A write or a websocket that a foreign page makes is refused, cookie or not."""
    with town.client("officer") as officer:
        body = {"seen_level": 1, "idempotency_key": "x"}
        headers = {"Origin": "http://evil.example"}
        answer = officer.post(f"/api/v1/alarms/{alarm['id']}/ack", json=body, headers=headers)
    assert answer.status_code == 403
    with pytest.raises(Exception, match="403"):
        connect(f"{town.address.replace('http', 'ws')}/ws/live", additional_headers=headers).close()


def test_log_in(town: Town) -> None:
    """A session begins with the right password, is the server's, and ends at once."""
    with town.client() as client:
        wrong = client.post("/api/v1/login", json={"user": "officer", "password": "guess"})
        assert (wrong.status_code, client.get("/api/v1/session").json()["user"]) == (401, None)
        right = client.post("/api/v1/login", json={"user": "officer", "password": PASSWORD})
        assert right.status_code == 204
        cookie = right.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie
        assert client.get("/api/v1/session").json()["roles"] == ["officer"]
        stolen = dict(client.cookies)
        client.post("/api/v1/logout")
        assert httpx.get(f"{town.address}/api/v1/session", cookies=stolen).json()["user"] is None


def test_guessing_is_slowed(town: Town) -> None:
    """Five wrong passwords for a user, known or not, and the sixth try is not even looked at."""
    codes = []
    for _ in range(6):
        answer = httpx.post(f"{town.address}/api/v1/login", json={"user": "mayor", "password": "guess"})
        codes.append(answer.status_code)
    assert codes == [401] * 5 + [429]


def test_stream(town: Town) -> None:
    """A snapshot first, then sequence numbers without gaps: values once a second, beats, passages."""
    with wall(town) as socket:
        first = json.loads(socket.recv(timeout=20))
        assert first["type"] == "snapshot" and first["boot"] and "gas-1" in first["online"]
        while json.loads(socket.recv(timeout=20))["type"] != "snapshot_end":
            pass
        town.say("gas_alarm", "gas-2", {"conc_pct_lel": 3.5})
        town.say("bridge_wim", "wim-1", {"pass_id": "p9", "axle_count": 2, "gvw_kg": 9000}, channel="event", id="p9")
        wanted, numbers = {"tick", "passage", "beat", "summary"}, [first["seq"]]
        while wanted:
            message = json.loads(socket.recv(timeout=20))
            numbers.append(message["seq"])
            wanted.discard(message["type"])
            if message["type"] == "tick" and "gas-2" in message["devices"]:
                assert message["devices"]["gas-2"]["conc_pct_lel"]["value"] == 3.5
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
