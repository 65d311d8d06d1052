"""Who may ask comes before what they ask: every writing route, with bodies that fit nothing."""

import re
from typing import Any

import pytest

from tests.cockpit.town import Town

BODIES: dict[str, dict[str, Any]] = {
    "nothing": {"json": {}},
    "no object": {"json": [1]},
    "no JSON": {"content": b"{", "headers": {"Content-Type": "application/json"}},
    "no body": {},
    "another type": {"content": b"a=b", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
}
SESSION = {"/api/v1/login", "/api/v1/logout"}


def writing_routes(town: Town) -> list[tuple[str, str, str]]:
    """Return (path as documented, method, path with a name for each parameter) of what writes, but the session's."""
    paths = town.get("/openapi.json")["paths"]
    found = [(path, method) for path, routes in paths.items() for method in routes if path not in SESSION]
    return [
        (path, method.upper(), re.sub(r"{number}", "7", re.sub(r"{(?!number)\w+}", "none", path)))
        for path, method in found
        if method not in ("get", "head")
    ]


@pytest.mark.parametrize("body", BODIES)
def test_nobody_gets_401_whatever_the_body(town: Town, body: str) -> None:
    routes = writing_routes(town)
    assert len(routes) > 30
    with town.client() as nobody:
        answers = {path: nobody.request(method, real, **BODIES[body]) for path, method, real in routes}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(answers, 401)


@pytest.mark.parametrize("body", BODIES)
def test_a_viewer_gets_403_whatever_the_body(town: Town, body: str) -> None:
    """In a sentence about the role, and each is on record."""
    routes = writing_routes(town)
    with town.client("viewer") as viewer:
        answers = {path: viewer.request(method, real, **BODIES[body]) for path, method, real in routes}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(answers, 403)
    assert all("role" in answer.json()["detail"] for answer in answers.values())
    with town.client("leader") as leader:
        rows = leader.get("/api/v1/audit", params={"actor": "viewer", "limit": len(routes)}).json()["items"]
    refused = [row for row in rows if row["action"].endswith("_refused")]
    assert {(row["actor"], row["reason"]) for row in refused} == {("viewer", "role viewer")}
    assert sorted(row["point"] for row in refused) == sorted(f"{method} {real}" for _, method, real in routes)


def test_whoever_may_is_told_what_is_wrong(town: Town) -> None:
    with town.client("officer") as officer:
        answer = officer.post("/api/v1/alarms/none/ack", json={})
    assert answer.status_code == 422
    assert "seen_level" in answer.json()["detail"]


def test_a_bad_body_about_an_alarm_stands_in_its_history(town: Town) -> None:
    town.say("light_pole", "role-1", {"lamp_fail": True})
    alarm = town.alarm("role-1")
    with town.client("viewer") as viewer:
        assert viewer.post(f"/api/v1/alarms/{alarm['id']}/ack", json={}).status_code == 403
    last = town.get(f"/api/v1/alarms/{alarm['id']}/history")["items"][-1]
    assert (last["actor"], last["role"], last["action"]) == ("viewer", "viewer", "ack_refused")
