"""Nothing that is done in an exercise changes the live city, its record or its notices, or is heard on its broker."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.cockpit.conftest import CONTACTS
from tests.cockpit.town import Town
from tests.servers.waiting import wait_until
from tests.simulators.test_recorder import HOUSES
from tests.sites import small_site_text

DRILLS = "/api/v1/drills"
PATIENCE_S = 90
pytestmark = pytest.mark.timeout(300)
# What is about alarms and people; a collector's own watchdog and the log-ins of this test go on meanwhile.
TABLES = {
    "occurrence": "WHERE rule NOT LIKE 'collector.%'",
    "audit": "WHERE rule NOT LIKE 'collector.%' AND action NOT LIKE 'log_in%' AND action <> 'write_refused'",
    "delivery": "",
    "announcement": "WHERE occurrence NOT IN (SELECT id FROM occurrence WHERE rule LIKE 'collector.%')",
    "escalation": "",
    "cases": "",
    "case_evidence": "",
    "suppression": "",
    "joint_act": "",
    "offence": "",
    "reply": "",
}


def kept(town: Town) -> dict[str, list[str]]:
    """Return what stands in the live alarm database; devices that are silent here are no part of it."""
    database = sqlite3.connect(f"file:{town.folder / 'var' / 'alarms.db'}?mode=ro", uri=True)
    found = {name: sorted(map(repr, database.execute(f"SELECT * FROM {name} {only}"))) for name, only in TABLES.items()}
    database.close()
    return {name: [row for row in rows if "no_data" not in row] for name, rows in found.items()}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a real town, in which nothing else happens, and whose alarms would be told to somebody."""
    with Town(tmp_path_factory.mktemp("apart"), small_site_text(tail=HOUSES + CONTACTS), simulated=False) as running:
        yield running


def acts(officer: httpx.Client, leader: httpx.Client, city: str, alarm: str) -> None:
    """Do everything that an officer and a leader can do in an exercise; what is refused is so for its own reason."""

    def post(client: httpx.Client, path: str, **body: Any) -> int:
        answer = client.post(f"{city}api/v1/{path}", json={"idempotency_key": path, **body})
        assert answer.status_code in (200, 201, 403, 409, 422), (path, answer.text)
        return answer.status_code

    def acknowledged() -> bool:
        level = officer.get(f"{city}api/v1/alarms/{alarm}").json()["level_now"]
        body = {"seen_level": level, "idempotency_key": f"ack{level}", "decision": "case"}
        return officer.post(f"{city}api/v1/alarms/{alarm}/ack", json=body).status_code == 200

    wait_until(acknowledged, PATIENCE_S, 0.1)
    assert post(officer, f"alarms/{alarm}/comment", comment="seen") == 200
    case = officer.get(f"{city}api/v1/alarms/{alarm}").json()["case"]
    assert post(leader, f"cases/{case}/dispatch", unit="unit-gas", seen_version=1) in (200, 422)
    for path in (f"alarms/{alarm}/reset", f"alarms/{alarm}/verdict", f"alarms/{alarm}/shelve"):
        post(officer, path, reason="practice", duration_s=600)
    post(officer, "alarms/ack", items=[{"id": alarm, "seen_level": 2}])


def test_what_is_done_in_an_exercise_stays_there(town: Town, heard: list[tuple[str, bytes]]) -> None:
    with town.client("leader") as leader, town.client("officer") as officer:
        before, notices = kept(town), town.get("/api/v1/summary")["notices"]
        heard.clear()
        answer = leader.post(DRILLS, json={"scenario": "gas_leak"})
        assert answer.status_code == 201, answer.text
        drill = answer.json()["id"]
        path = f"{DRILLS}/{drill}"
        city = wait_until(lambda: leader.get(path).json()["city"], PATIENCE_S, 0.2)

        def raised() -> list[dict[str, Any]]:
            items: list[dict[str, Any]] = officer.get(f"{city}api/v1/alarms").json()["items"]
            return [item for item in items if item["device"] == "gas-0042"]

        alarm = wait_until(raised, PATIENCE_S, 0.2)[0]["id"]
        acts(officer, leader, city, alarm)
        page = {
            "output": "shell.children",
            "outputs": {"id": "shell", "property": "children"},
            "inputs": [
                {"id": "url", "property": "pathname", "value": f"{city}wall"},
                {"id": "language", "property": "data", "value": "en"},
            ],
            "changedPropIds": ["url.pathname"],
        }
        # A screen looks, and does nothing; a stranger does not even look.
        for headers, status in ((town.bearer, 200), ({}, 401)):
            drawn = httpx.post(f"{town.address}{city}_dash-update-component", json=page, headers=headers)
            assert (drawn.status_code, "replay-mark" in drawn.text) == (status, status == 200)
            assert httpx.get(f"{town.address}{city}api/v1/alarms", headers=headers).status_code == status
        ack = httpx.post(f"{town.address}{city}api/v1/alarms/{alarm}/ack", json={}, headers=town.bearer)
        assert ack.status_code == 403
        assert httpx.get(f"{town.address}{path}", headers=town.bearer).status_code == 403
        # It is nobody's alarm in the live city.
        body = {"seen_level": 2, "idempotency_key": "through"}
        assert officer.get(f"/api/v1/alarms/{alarm}").status_code == 404
        assert officer.post(f"/api/v1/alarms/{alarm}/ack", json=body).status_code == 404
        for detour in ("%2e%2e/%2e%2e/%2e%2e/api/v1/handovers", "/api/v1/login", "api/v1/alarms/x/ack/../../../login"):
            raw = httpx.URL(town.address).copy_with(raw_path=f"{city}{detour}".encode())
            assert officer.send(officer.build_request("POST", raw, json={})).status_code in (404, 405, 422), detour
        socket = f"{town.address.replace('http', 'ws')}{city}ws/live"
        cookie = "; ".join(f"{key}={value}" for key, value in officer.cookies.items())
        with connect(socket, additional_headers={"Cookie": cookie}, max_size=None) as told:
            first = json.loads(told.recv(timeout=PATIENCE_S))
        assert alarm in {each["id"] for each in first["alarms"]}
        # Another site's page may nothing.
        foreign = officer.post(
            f"{city}api/v1/alarms/{alarm}/comment", json=body, headers={"Origin": "http://evil.test"}
        )
        assert foreign.status_code == 403
        assert leader.post(f"{path}/end").status_code == 200

        wait_until(lambda: sum(topic.endswith("/ledger") for topic, _ in heard) > 2, PATIENCE_S)
        own = ("citydeck/v1/live/main/", "citydeck/v1/watchdog/")
        assert {topic for topic, _ in heard if not topic.startswith(own)} <= {"citydeck/v1/live/ask"}
        assert alarm.encode() not in b"".join(payload for _, payload in heard)
        after = kept(town)
        added = [row for row in after.pop("audit") if row not in before["audit"]]
        assert ["drill_start" in row or "drill_end" in row for row in added] == [True, True], added
        assert after == {name: rows for name, rows in before.items() if name != "audit"}
        assert town.get("/api/v1/summary")["notices"] == notices
    assert "whole" in town.citydeck("audit", "verify")
