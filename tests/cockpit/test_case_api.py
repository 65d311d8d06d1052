"""Cases over HTTP: a whole round, who may do what, lists, figures, and every refusal as a problem with its reason."""

import itertools
import threading
import time
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.cockpit.town import Town

_KEYS = itertools.count()


def post(client: httpx.Client, path: str, **body: Any) -> httpx.Response:
    """Send a request with a key of its own."""
    return client.post(f"/api/v1/cases{path}", json={"idempotency_key": f"t{next(_KEYS)}", **body})


def reported(town: Town, **more: Any) -> dict[str, Any]:
    """Report a case as the officer."""
    with town.client("officer") as officer:
        answer = post(officer, "", **{"sub_class": "other", "street": "s01", **more})
    assert answer.status_code == 201, answer.text
    case: dict[str, Any] = answer.json()
    return case


def do(town: Town, user: str, case: str, act: str, **body: Any) -> dict[str, Any]:
    """Do an act that must succeed."""
    with town.client(user) as client:
        answer = post(client, f"/{case}/{act}", **body)
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    return done


def listed(town: Town, **parameters: Any) -> list[str]:
    """Return the identifiers of a list."""
    return [case["id"] for case in town.get("/api/v1/cases", **parameters)["items"]]


def test_a_whole_round(town: Town) -> None:
    """Report, register, dispatch, accept, done, verify: by the demo's people, each step seen by everybody."""
    case = reported(town, sub_class="manhole", description="盖板缺失", pictures=["p/1.jpg"])
    name = case["id"]
    assert (case["state"], case["colour"], case["remaining_s"], case["acts"]) == (
        "REPORTED", None, None, ["register", "void", "link", "comment"],
    )  # fmt: skip
    registered = do(town, "officer", name, "register")
    assert registered["colour"] == "green"
    assert 4 * 3600 - 30 < registered["remaining_s"] <= 4 * 3600
    deadline = datetime.fromisoformat(registered["deadline_at"])
    assert (deadline - datetime.fromisoformat(registered["registered_at"])).total_seconds() == 4 * 3600
    do(town, "leader", name, "dispatch", unit="unit-gas")
    assert do(town, "officer2", name, "accept")["handler"] == "officer2"
    do(town, "officer2", name, "done", comment="已更换井盖", pictures=["p/2.jpg"])
    closed = do(town, "leader", name, "verify", passed=True)
    assert (closed["state"], closed["overdue"], closed["remaining_s"], closed["colour"]) == (
        "CLOSED",
        False,
        None,
        None,
    )
    found = town.get(f"/api/v1/cases/{name}")
    assert [(act["actor"], act["role"], act["action"]) for act in found["history"]] == [
        ("officer", "officer", "report"),
        ("officer", "officer", "register"),
        ("leader", "dispatcher", "dispatch"),
        ("officer2", "handler", "accept"),
        ("officer2", "handler", "done"),
        ("leader", "verifier", "verify"),
    ]
    assert [(each["reference"], each["act"]) for each in found["evidence"]] == [
        ("p/1.jpg", "report"),
        ("p/2.jpg", "done"),
    ]
    assert found["history"] == town.get(f"/api/v1/cases/{name}/history")["items"]
    assert found["limit"]["hours"] == 4 and found["limit"]["source"]
    assert name in listed(town, state="CLOSED") and name not in listed(town)


def test_who_may(town: Town) -> None:
    """Nobody 401, wrong roles 403 with a sentence and on record; the officer who handled cannot verify."""
    name = reported(town)["id"]
    with town.client() as nobody:
        assert post(nobody, f"/{name}/register").status_code == 401
        assert post(nobody, "", sub_class="other", street="s01").status_code == 401
        assert nobody.get("/api/v1/cases", params={"mine": True}).status_code == 401
    for user in ("viewer", "engineer"):
        with town.client(user) as client:
            answer = post(client, f"/{name}/register")
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
        assert "officer" in answer.json()["detail"]
    with town.client("viewer") as viewer:
        assert post(viewer, "", sub_class="other", street="s01").status_code == 403
    history = town.get(f"/api/v1/cases/{name}/history")["items"]
    assert [(act["actor"], act["action"]) for act in history[1:]] == [
        ("viewer", "register_refused"),
        ("engineer", "register_refused"),
    ]


def test_conflicts_show_the_present_case(town: Town) -> None:
    """Whoever comes too late learns what the case is now."""
    case = reported(town)
    do(town, "officer", case["id"], "register")
    with town.client("officer") as officer:
        again = post(officer, f"/{case['id']}/register")
        old = post(officer, f"/{case['id']}/comment", comment="x", seen_version=case["version"])
    assert (again.status_code, again.json()["type"]) == (409, "case_state")
    assert again.json()["case"]["state"] == "REGISTERED"
    assert (old.status_code, old.json()["type"]) == (409, "case_changed")


def test_two_dispatchers(town: Town) -> None:
    """Both press at once: one dispatches, the other is told."""
    name = reported(town)["id"]
    do(town, "officer", name, "register")
    together = threading.Barrier(2)
    codes: list[int] = []

    def press() -> None:
        with town.client("leader") as client:
            together.wait()
            codes.append(post(client, f"/{name}/dispatch", unit="unit-gas").status_code)

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200, 409]


def test_same_key_again(town: Town) -> None:
    """A browser that repeats itself reports and registers once."""
    with town.client("officer") as officer:
        body = {"sub_class": "noise", "street": "s02", "idempotency_key": "again-1"}
        first, second = (officer.post("/api/v1/cases", json=body) for _ in range(2))
        assert first.json()["id"] == second.json()["id"]
        path = f"/api/v1/cases/{first.json()['id']}/register"
        answers = [officer.post(path, json={"idempotency_key": "again-2"}) for _ in range(2)]
        assert [answer.json()["version"] for answer in answers] == [2, 2]
        other = officer.post(path, json={"idempotency_key": "again-2", "comment": "another"})
    assert (other.status_code, other.json()["status"]) == (422, 422)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "sub_class"),
        ({"sub_class": "ufo", "street": "s01"}, "ufo"),
        ({"sub_class": "other"}, "no street"),
        ({"sub_class": "other", "street": "s99"}, "s99"),
        ({"sub_class": "other", "street": "s01", "lat": 30.0}, "both lat and lon"),
        ({"sub_class": "other", "street": "s01", "lat": 91.0, "lon": 0.0}, "lat"),
        ({"sub_class": "other", "street": "s01", "description": "x" * 2001}, "description"),
        ({"sub_class": "other", "street": "s01", "description": "\x00"}, "description"),
        ({"sub_class": "other", "street": "s01", "found_at": "yesterday"}, "found_at"),
        ({"sub_class": "other", "street": "s01", "surprise": 1}, "surprise"),
        ({"sub_class": "other", "street": "s01", "source": "alarm"}, "source"),
    ],
)
def test_a_report_that_does_not_fit(town: Town, body: dict[str, Any], word: str) -> None:
    with town.client("officer") as officer:
        answer = post(officer, "", **body)
    assert answer.status_code == 422
    assert word in answer.json()["detail"]


@pytest.mark.parametrize(
    ("act", "body", "status"),
    [
        ("void", {}, 422),
        ("void", {"reason": " "}, 422),
        ("extend", {"reason": "x", "hours": 0}, 422),
        ("explode", {}, 404),
    ],
)
def test_an_act_that_does_not_fit(town: Town, act: str, body: dict[str, Any], status: int) -> None:
    name = reported(town)["id"]
    with town.client("leader") as leader:
        assert post(leader, f"/{name}/{act}", **body).status_code == status
        assert post(leader, "/C20200101-00001/void", reason="x").status_code == 404


@pytest.mark.parametrize(
    "parameters", [{"state": "LOST"}, {"colour": "pink"}, {"cursor": "x"}, {"limit": 0}, {"overdue": "perhaps"}]
)
def test_lists_refuse_nonsense(town: Town, parameters: dict[str, Any]) -> None:
    assert httpx.get(f"{town.address}/api/v1/cases", params=parameters).status_code == 422


def test_lists(town: Town) -> None:
    """Filters by state, street, sub-class, colour and overdue; pages by cursor; what waits for me."""
    report, running = reported(town, sub_class="rubble", street="s02"), reported(town, sub_class="rubble", street="s02")
    do(town, "officer", running["id"], "register")
    both = {"sub_class": "rubble", "street": "s02"}
    assert listed(town, **both, state="REPORTED") == [report["id"]]
    assert listed(town, **both, colour="green") == [running["id"]]
    assert listed(town, **both, colour="red") == listed(town, **both, overdue=True) == []
    assert sorted(listed(town, **both, overdue=False)) == [report["id"], running["id"]]
    assert listed(town, sub_class="rubble", street="s01") == []
    first = town.get("/api/v1/cases", **both, limit=1)
    second = town.get("/api/v1/cases", **both, limit=1, cursor=first["next"])
    assert [first["items"][0]["id"], second["items"][0]["id"], second["next"]] == [report["id"], running["id"], None]
    assert first["now"].endswith("+08:00")
    for user, expected in (
        ("officer", [report["id"]]),
        ("leader", [report["id"], running["id"]]),
        ("officer2", [report["id"]]),
    ):
        with town.client(user) as client:
            found = client.get("/api/v1/cases", params={**both, "mine": True}).json()["items"]
        assert [case["id"] for case in found] == expected


def test_suspend_extend_and_force(town: Town) -> None:
    """The leader's acts over HTTP; a forced closing needs another person than the one who asked."""
    name = reported(town)["id"]
    before = do(town, "officer", name, "register")
    assert do(town, "leader", name, "suspend", reason="台风")["suspended"] is True
    assert do(town, "leader", name, "resume")["suspended"] is False
    longer = do(town, "leader", name, "extend", reason="等待配件", hours=24)
    assert longer["limit_s"] == before["limit_s"] + 24 * 3600
    asked = do(town, "leader", name, "force-close", reason="已拆除")
    assert (asked["force"]["by"], asked["force"]["reason"]) == ("leader", "已拆除")
    with town.client("leader") as leader:
        own = post(leader, f"/{name}/force-close/approve")
    assert (own.status_code, own.json()["type"]) == (409, "case_same_person")
    second = reported(town)["id"]
    do(town, "officer", second, "register")
    do(town, "officer", second, "force-close", reason="重复")
    closed = do(town, "leader", second, "force-close/approve")
    assert (closed["state"], closed["forced"], closed["closed_by"]) == ("CLOSED", True, "leader")


def test_a_hotline_call(town: Town) -> None:
    """The call's own number is one case, however often it is passed on; it is reported, not registered."""
    body = {"source": "hotline", "reference": "12345-0042", "description": "油烟", "grid": "s01-01"}
    first, second = (reported(town, **body) for _ in range(2))
    assert (first["id"], first["source"], first["state"]) == (second["id"], "hotline", "REPORTED")
    assert first["grid_officer"]["phone"] == "0571-5550-0201"


def test_a_finding(town: Town) -> None:
    """A drone's picture with class and confidence becomes a report; the same finding again is the same case."""
    body = {"finding": "drone-1/77", "class": "pothole", "picture": "p/77.jpg", "route": "R-1", "confidence": 0.91}
    body |= {"lat": 30.3, "lon": 120.1, "street": "s01"}
    with town.client("engineer") as engineer:
        first, second = (post(engineer, "/findings", **body) for _ in range(2))
        wrong = post(engineer, "/findings", **{**body, "confidence": 91})
    assert (first.status_code, second.json()["id"]) == (201, first.json()["id"])
    assert (first.json()["source"], first.json()["sub_class"]) == ("drone", "road_damage")
    assert town.get(f"/api/v1/cases/{first.json()['id']}")["evidence"][0]["confidence"] == 0.91
    assert wrong.status_code == 422


def test_an_alarm_keeps_its_case_open(town: Town) -> None:
    """A linked alarm that is still active forbids the closing, by name."""
    town.say("gas_alarm", "gas-9", {"conc_pct_lel": 60, "state": 0}, channel="event", id="case-leak")
    alarm = town.alarm("gas-9")
    name = reported(town, sub_class="gas_leak")["id"]
    do(town, "officer", name, "register")
    do(town, "officer", name, "link", alarm=alarm["id"])
    assert town.get(f"/api/v1/alarms/{alarm['id']}")["case"] == name
    do(town, "leader", name, "dispatch", unit="unit-gas")
    do(town, "officer2", name, "accept")
    do(town, "officer2", name, "done")
    with town.client("leader") as leader:
        answer = post(leader, f"/{name}/verify", passed=True)
    assert (answer.status_code, answer.json()["type"]) == (409, "case_alarm_active")
    assert alarm["id"] in answer.json()["detail"]
    again = do(town, "leader", name, "verify", passed=False, reason="仍有气味")
    assert (again["state"], again["reworks"]) == ("HANDLING", 1)
    assert [linked["id"] for linked in town.get(f"/api/v1/cases/{name}")["alarms"]] == [alarm["id"]]


def test_counts(town: Town) -> None:
    """The heat map adds up to the list."""
    found = town.get("/api/v1/cases/counts")
    items = town.get("/api/v1/cases", limit=5000)["items"]
    assert sum(found["states"].values()) == sum(found["colours"].values()) == len(items)
    assert sum(found["streets"]["s01"].values()) == sum(case["street"] == "s01" for case in items)


def test_indicators(town: Town) -> None:
    """Shares come with what they are shares of; a period without work has no value."""
    found = town.get("/api/v1/cases/indicators")["indicators"]
    assert set(found) == {
        "registered", "handled", "handled_in_time", "closed", "closed_in_time", "reworked", "recurred", "intelligent",
    }  # fmt: skip
    assert found["registered"]["denominator"] >= found["registered"]["numerator"] > 0
    empty = town.get("/api/v1/cases/indicators", **{"from": "2020-01-01T00:00:00Z", "to": "2020-02-01T00:00:00Z"})
    assert empty["indicators"]["closed_in_time"] == {"numerator": 0, "denominator": 0, "value": None}
    for wrong in ({"from": "x"}, {"street": "s99"}, {"from": "2021-01-01T00:00:00Z", "to": "2020-01-01T00:00:00Z"}):
        assert httpx.get(f"{town.address}/api/v1/cases/indicators", params=wrong).status_code == 422


def test_ranking(town: Town) -> None:
    """Every street stands in it; without anything due it has neither score nor rank."""
    found = town.get("/api/v1/cases/ranking", month="2020-12")
    assert found["month"] == "2020-12"
    assert [(each["street"], each["score"], each["rank"], each["listed"]) for each in found["items"]] == [
        ("s01", None, None, None),
        ("s02", None, None, None),
    ]
    assert town.get("/api/v1/cases/ranking")["month"] == time.strftime("%Y-%m", time.gmtime(time.time() + 8 * 3600))
    for month in ("2020-13", "2020", "x"):
        assert httpx.get(f"{town.address}/api/v1/cases/ranking", params={"month": month}).status_code == 422


def test_unknown_case(town: Town) -> None:
    for path in ("C1", "C1/history"):
        answer = httpx.get(f"{town.address}/api/v1/cases/{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_classes(town: Town) -> None:
    """The table of limits is open to everybody, with its sources."""
    found = {row["key"]: row for row in town.get("/api/v1/cases/classes")["items"]}
    assert (found["road_damage"]["hours"], found["road_damage"]["severe_hours"]) == (48, 24)
    assert found["exposed_refuse"]["code"] == "E-01-02"
    assert all(row["source"] and row["grade"] for row in found.values())
