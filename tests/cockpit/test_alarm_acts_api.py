"""Every act on an alarm over HTTP: who may, what comes of it, what is refused and how, and what stands in the audit."""

import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cockpit.acting import act, gas_over, history, lamp, leak, post, refused
from tests.cockpit.town import Town


@pytest.fixture(scope="module")
def calm(town: Town) -> dict[str, Any]:
    """Give an open, calm alarm that nobody has acknowledged."""
    return lamp(town, "acts-1")


ACTS: dict[str, dict[str, Any]] = {
    "ack": {"seen_level": 1},
    "comment": {"comment": "x"},
    "decision": {"decision": "observe"},
    "shelve": {"reason": "x"},
    "unshelve": {},
    "reset": {"reason": "x"},
    "verdict": {"reason": "x"},
}


@pytest.mark.parametrize("name", ACTS)
def test_nobody_and_viewers_act_on_nothing(town: Town, calm: dict[str, Any], name: str) -> None:
    """Nobody 401; viewer and engineer 403 and on record; and the alarm is as it was."""
    path = f"/alarms/{calm['id']}/{name}"
    assert refused(town, None, path, **ACTS[name])[0] == 401
    before = len(history(town, calm))
    for user in ("viewer", "engineer"):
        assert refused(town, user, path, **ACTS[name])[0] == 403
    command = {"decision": "decide"}.get(name, name)
    assert history(town, calm)[before:] == [
        ("viewer", "viewer", f"{command}_refused"),
        ("engineer", "engineer", f"{command}_refused"),
    ]
    assert town.get(f"/api/v1/alarms/{calm['id']}")["version"] == calm["version"]


@pytest.mark.parametrize("name", ACTS)
def test_acts_on_no_alarm(town: Town, name: str) -> None:
    assert refused(town, "officer", f"/alarms/none/{name}", **ACTS[name])[0] == 404


def test_a_list_is_acknowledged_line_by_line(town: Town) -> None:
    """A P1, one that rose meanwhile and one there is not are refused by themselves; the others are acknowledged."""
    first, second = lamp(town, "acts-2"), lamp(town, "acts-3")
    urgent = leak(town, "acts-gas-1", 60)
    lines = [(first, 1), (second, 0), (urgent, 2)]
    items = [{"id": alarm["id"], "seen_level": level} for alarm, level in lines] + [{"id": "none", "seen_level": 1}]
    with town.client("officer") as officer:
        answer = post(officer, "/alarms/ack", items=items, comment="rounds")
        too_many = post(officer, "/alarms/ack", items=[items[0]] * 51)
    assert [(line["result"], line.get("type")) for line in answer.json()["items"]] == [
        ("acked", None),
        ("refused", "level_changed"),
        ("refused", "not_allowed"),
        ("refused", "not_found"),
    ]
    assert too_many.status_code == 422
    assert [town.get(f"/api/v1/alarms/{alarm['id']}")["state"] for alarm, _ in lines] == ["ACKED", "UNACK", "UNACK"]
    assert refused(town, "viewer", "/alarms/ack", items=items[:1])[0] == 403


def test_ack_with_a_decision_opens_the_case_in_one_transaction(town: Town) -> None:
    """Acknowledged and 立案 in one act: the case stands, the alarm names it, both in the audit beside each other."""
    alarm = leak(town, "acts-gas-90", 60)
    done = act(town, "officer", f"/alarms/{alarm['id']}/ack", seen_level=2, decision="case", comment="抢修")
    name = done["alarm"]["case"]
    assert (done["alarm"]["decision"], done["alarm"]["raise_to_case_s"] >= 0) == ("case", True)
    case = town.get(f"/api/v1/cases/{name}")
    assert (case["source"], case["sub_class"], case["severe"], case["device"]) == (
        "alarm",
        "gas_leak",
        True,
        "acts-gas-90",
    )
    with town.client("leader") as leader:
        rows = leader.get("/api/v1/audit", params={"case": name, "limit": 2}).json()["items"]
    assert [(row["action"], row["occurrence"]) for row in rows] == [("ack", alarm["id"]), ("register", None)]
    assert rows[0]["seq"] == rows[1]["seq"] + 1


def test_a_later_officers_decision_is_taken_or_told(town: Town) -> None:
    """Where nothing is decided it opens the case; where something is the reply says what stands."""
    alarm = leak(town, "acts-gas-late", 60)
    path = f"/alarms/{alarm['id']}/ack"
    first = act(town, "officer", path, seen_level=2)
    assert "decision_taken" not in first
    late = act(town, "officer2", path, seen_level=2, decision="case", comment="抢修")
    assert (late["result"], late["by"], late["decision_taken"], late["decision"]) == (
        "already_acked", "officer", True, "case",
    )  # fmt: skip
    assert town.get(f"/api/v1/cases/{late['alarm']['case']}")["reported_by"] == "officer2"
    other = act(town, "leader", path, seen_level=2, decision="device_fault")
    assert (other["result"], other["decision_taken"], other["decision"]) == ("already_acked", False, "case")
    assert [action for _, _, action in history(town, alarm)][-3:] == ["co_witness", "decide", "co_witness"]


def test_decisions(town: Town) -> None:
    """Only about what is acknowledged; observe for half an hour at most; a merge goes to the case that is named."""
    alarm = lamp(town, "acts-4")
    path = f"/alarms/{alarm['id']}"
    assert refused(town, "officer", f"{path}/decision", decision="device_fault") == (409, "wrong_state")
    act(town, "officer", f"{path}/ack", seen_level=1)
    assert refused(town, "officer", f"{path}/decision", decision="observe", observe_s=1801)[0] == 422
    assert refused(town, "officer", f"{path}/decision", decision="merge", case="C20200101-00001")[0] == 404
    found = act(town, "officer", f"{path}/decision", decision="observe", observe_s=600)["alarm"]
    span = datetime.fromisoformat(found["observed_until"]) - datetime.fromisoformat(found["decided_at"])
    assert span == timedelta(seconds=600)
    other = lamp(town, "acts-5")
    act(town, "officer", f"/alarms/{other['id']}/ack", seen_level=1, decision="case")
    case = town.get(f"/api/v1/alarms/{other['id']}")["case"]
    merged = act(town, "officer2", f"{path}/decision", decision="merge", case=case)["alarm"]
    assert (merged["case"], merged["decision"], merged["decided_by"]) == (case, "merge", "officer2")
    assert [each["id"] for each in town.get(f"/api/v1/cases/{case}")["alarms"]] == [alarm["id"], other["id"]]
    assert refused(town, "officer", f"{path}/decision", decision="case") == (409, "wrong_state")


def test_reset_of_gas_at_level_one(town: Town) -> None:
    """Latched until a person resets it: not while active, not unacknowledged; an officer may, with a reason."""
    alarm = leak(town, "acts-gas-4", 30)
    path = f"/alarms/{alarm['id']}"
    assert refused(town, "officer", f"{path}/reset", reason="x") == (409, "wrong_state")
    gas_over(town, "acts-gas-4")
    assert refused(town, "officer", f"{path}/reset", reason="x") == (409, "wrong_state")
    assert act(town, "officer", f"{path}/ack", seen_level=1)["alarm"]["state"] == "LATCHED"
    assert refused(town, "officer", f"{path}/reset", reason="")[0] == 422
    done = act(town, "officer", f"{path}/reset", reason="已关阀，现场复测")
    assert (done["result"], done["alarm"]["state"], done["alarm"]["reset_by"]) == ("reset", "CLOSED", "officer")
    assert refused(town, "officer", f"{path}/reset", reason="x") == (409, "occurrence_closed")


def test_reset_of_gas_at_level_two_takes_a_leader_and_another_person(town: Town) -> None:
    alarm = leak(town, "acts-gas-5", 60)
    path = f"/alarms/{alarm['id']}"
    gas_over(town, "acts-gas-5")
    act(town, "officer", f"{path}/ack", seen_level=2)
    asked = act(town, "officer", f"{path}/reset", reason="已关阀")
    assert (asked["result"], asked["alarm"]["state"]) == ("asked", "LATCHED")
    request = asked["request"]["id"]
    assert town.get(f"/api/v1/alarms/{alarm['id']}")["pending"]["id"] == request
    assert request in [row["id"] for row in town.get("/api/v1/requests")["items"]]
    assert refused(town, "officer", f"{path}/reset", reason="x") == (409, "second_person_pending")
    assert refused(town, "officer", f"/requests/{request}/agree")[1] == "same_person"
    assert refused(town, "officer2", f"/requests/{request}/agree")[0] == 403
    assert refused(town, "viewer", f"/requests/{request}/agree")[0] == 403
    assert refused(town, None, f"/requests/{request}/agree")[0] == 401
    done = act(town, "leader", f"/requests/{request}/agree")
    assert (done["result"], done["alarm"]["state"], done["alarm"]["reset_by"]) == ("agreed", "CLOSED", "leader")
    assert refused(town, "leader", f"/requests/{request}/agree") == (409, "wrong_state")


def test_a_verdict_on_what_is_urgent_takes_two(town: Town) -> None:
    """A calm alarm is judged false by one; a P1 waits for another; declining leaves it as it is."""
    calm, urgent = lamp(town, "acts-7"), leak(town, "acts-gas-6", 60)
    judged = act(town, "officer", f"/alarms/{calm['id']}/verdict", reason="接线错误")["alarm"]
    assert (judged["verdict"], judged["verdict_by"], judged["state"]) == ("false_alarm", "officer", "UNACK")
    assert refused(town, "officer", f"/alarms/{calm['id']}/verdict", reason="x") == (409, "wrong_state")
    path = f"/alarms/{urgent['id']}/verdict"
    first = act(town, "officer", path, reason="标定")
    assert first["result"] == "asked"
    assert (
        act(town, "officer2", f"/requests/{first['request']['id']}/decline", comment="现场有气味")["result"]
        == "declined"
    )
    assert town.get(f"/api/v1/alarms/{urgent['id']}")["verdict"] is None
    second = act(town, "officer2", path, reason="标定")
    agreed = act(town, "officer", f"/requests/{second['request']['id']}/agree")
    assert (agreed["alarm"]["verdict"], agreed["alarm"]["state"]) == ("false_alarm", "UNACK")
    found = [(actor, action) for actor, _, action in history(town, urgent)][1:]
    assert found == [
        ("officer", "verdict_asked"), ("officer2", "verdict_declined"), ("officer2", "verdict_asked"),
        ("officer", "verdict"),
    ]  # fmt: skip


def test_comments_are_added_and_the_same_key_adds_once(town: Town, calm: dict[str, Any]) -> None:
    with town.client("officer") as officer:
        body = {"comment": "已派人查看", "idempotency_key": "same-comment"}
        answers = [officer.post(f"/api/v1/alarms/{calm['id']}/comment", json=body) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert [row for row in history(town, calm) if row[2] == "comment"] == [("officer", "officer", "comment")]
    assert refused(town, "officer", f"/alarms/{calm['id']}/comment", comment=" ")[0] == 422


def test_a_stale_press_never_acknowledges_the_newer_one(town: Town) -> None:
    """The old one is closed and another is open: 409 with the newer one, which is left alone."""
    old = lamp(town, "acts-9")
    act(town, "officer", f"/alarms/{old['id']}/ack", seen_level=1)
    now_ms = time.time_ns() // 1_000_000
    for second, failed in ((1, False), (62, False), (63, True)):
        town.say("light_pole", "acts-9", {"lamp_fail": failed}, ts=now_ms + second * 1000)

    def another(page: Any) -> bool:
        return [each["id"] for each in page["items"]] not in ([], [old["id"]])

    found = town.until("/api/v1/alarms", another, device="acts-9")
    newer = found["items"][0]
    with town.client("officer") as officer:
        answer = post(officer, f"/alarms/{old['id']}/ack", seen_level=1)
    assert (answer.status_code, answer.json()["type"]) == (409, "occurrence_closed")
    assert (answer.json()["alarm"]["id"], answer.json()["alarm"]["state"]) == (newer["id"], "UNACK")
