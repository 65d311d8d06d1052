"""Every act on an alarm over HTTP: who may, what comes of it, what is refused and how, and what stands in the audit."""

import itertools
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.cockpit.town import Town

_KEYS = itertools.count()


def post(client: httpx.Client, path: str, **body: Any) -> httpx.Response:
    """Send a request with a key of its own."""
    return client.post(f"/api/v1{path}", json={"idempotency_key": f"acts{next(_KEYS)}", **body})


def act(town: Town, user: str, path: str, **body: Any) -> dict[str, Any]:
    """Do an act that must succeed."""
    with town.client(user) as client:
        answer = post(client, path, **body)
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    return done


def refused(town: Town, user: str | None, path: str, **body: Any) -> tuple[int, str]:
    """Do an act that must be refused; return the status and the type of the problem."""
    with town.client(user) as client:
        answer = post(client, path, **body)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert answer.json()["detail"]
    return answer.status_code, answer.json()["type"]


def lamp(town: Town, device: str, failed: bool = True) -> dict[str, Any]:
    """Raise (or end) the failure of a lamp, a calm alarm that is not latched, and return it."""
    town.say("light_pole", device, {"lamp_fail": failed})
    return town.alarm(device)


def leak(town: Town, device: str, percent: float) -> dict[str, Any]:
    """Raise gas at 30 % (level 1, P2) or 60 % (level 2, P1), latched, and return the alarm."""
    level = 2 if percent >= 50 else 1
    town.say("gas_alarm", device, {"conc_pct_lel": percent})
    found = town.until(
        "/api/v1/alarms", lambda page: page["items"] and page["items"][0]["level_peak"] == level, device=device
    )
    alarm: dict[str, Any] = found["items"][0]
    return alarm


def gas_over(town: Town, device: str) -> None:
    """Let the gas be gone for longer than the off-delay, by the device's own clock."""
    now_ms = time.time_ns() // 1_000_000
    for second in (0, 30, 61):
        town.say("gas_alarm", device, {"conc_pct_lel": 0.5}, ts=now_ms + second * 1000)
    town.until("/api/v1/alarms", lambda page: not page["items"][0]["active"], device=device)


def history(town: Town, alarm: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return (actor, role, action) of everything that was done."""
    found = town.get(f"/api/v1/alarms/{alarm['id']}/history")["items"]
    return [(row["actor"], row["role"], row["action"]) for row in found]


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


def test_shelving(town: Town) -> None:
    """A calm alarm is shelved by an officer and counted as hidden; P1 never, P2 by a leader; a worse level lifts it."""
    alarm = lamp(town, "acts-6")
    path = f"/alarms/{alarm['id']}"
    shelved = act(town, "officer", f"{path}/shelve", reason="等待配件", duration_s=120)["alarm"]
    assert (shelved["suppression"], shelved["state"]) == ("shelved", "UNACK")
    assert (shelved["suppressed"]["by"], shelved["suppressed"]["reason"]) == ("officer", "等待配件")
    page = town.get("/api/v1/alarms", device="acts-6")
    assert page["counts"] == {"shown": 0, "shelved": 1, "by_design": 0, "out_of_service": 0, "open": 1}
    assert [row["subject"] for row in town.get("/api/v1/suppressions", kind="shelved")["items"]] == [alarm["point"]]
    assert act(town, "officer2", f"{path}/unshelve")["alarm"]["suppression"] == "none"
    assert refused(town, "officer", f"{path}/unshelve") == (409, "wrong_state")
    assert refused(town, "officer", f"{path}/shelve", reason="x", duration_s=8 * 3600 + 1)[0] == 422
    assert refused(town, "officer", f"{path}/shelve", reason="")[0] == 422
    urgent, high = leak(town, "acts-gas-2", 60), leak(town, "acts-gas-3", 30)
    assert refused(town, "leader", f"/alarms/{urgent['id']}/shelve", reason="x")[0] == 422
    assert refused(town, "officer", f"/alarms/{high['id']}/shelve", reason="x")[0] == 403
    assert act(town, "leader", f"/alarms/{high['id']}/shelve", reason="检修")["result"] == "shelved"
    worse = leak(town, "acts-gas-3", 60)
    assert (worse["suppression"], worse["acked"]) == ("none", False)
    ended = town.get("/api/v1/suppressions", state="all", limit=1)["items"][0]
    assert (ended["subject"], ended["ended_by"]) == (high["point"], "system")


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


def test_out_of_service(town: Town) -> None:
    """Maintenance asks with a permit and an end, a leader agrees; ending it early shows the alarm again."""
    alarm = lamp(town, "acts-8")
    # It is registered nowhere: the cockpit hears of it with the next second of live values.
    town.until("/api/v1/devices", lambda page: "acts-8" in [each["id"] for each in page["items"]], kind="light_pole")
    until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    wish = {"device": "acts-8", "permit": "WO-17", "reason": "更换灯具", "until": until}
    for user, status in ((None, 401), ("viewer", 403), ("officer", 403)):
        assert refused(town, user, "/out-of-service", **wish)[0] == status
    assert refused(town, "engineer", "/out-of-service", **{**wish, "permit": ""})[0] == 422
    assert refused(town, "engineer", "/out-of-service", **{**wish, "until": "2020-01-01T00:00:00Z"})[0] == 422
    assert refused(town, "engineer", "/out-of-service", **{**wish, "device": "nothing"})[0] == 404
    assert refused(town, "engineer", "/out-of-service", **{**wish, "point": alarm["point"]})[0] == 422
    request = act(town, "engineer", "/out-of-service", **wish)["request"]["id"]
    assert town.get(f"/api/v1/alarms/{alarm['id']}")["suppression"] == "none"
    assert refused(town, "officer", f"/requests/{request}/agree")[0] == 403
    act(town, "leader", f"/requests/{request}/agree")
    hidden = town.get(f"/api/v1/alarms/{alarm['id']}")
    assert (hidden["suppression"], hidden["state"]) == ("out_of_service", "UNACK")
    (standing,) = [row for row in town.get("/api/v1/suppressions")["items"] if row["subject"] == "acts-8"]
    assert (standing["by"], standing["approved_by"], standing["permit"]) == ("engineer", "leader", "WO-17")
    assert refused(town, "viewer", f"/suppressions/{standing['id']}/end")[0] == 403
    act(town, "engineer", f"/suppressions/{standing['id']}/end", reason="完工")
    assert town.get(f"/api/v1/alarms/{alarm['id']}")["suppression"] == "none"
    assert refused(town, "engineer", f"/suppressions/{standing['id']}/end") == (409, "wrong_state")


def test_an_alarm_point_out_of_service(town: Town) -> None:
    """One that stands for the device is taken; one that cannot come about is refused with those there are."""
    until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    wish = {"permit": "WO-18", "reason": "更换灯具", "until": until}
    for point in ("gas-1/nonsense", "gas-1", "gas-1/", "gas-1/lamp_fail.failed", "wim-1/over_pct.overload"):
        with town.client("engineer") as engineer:
            answer = post(engineer, "/out-of-service", point=point, **wish)
        assert answer.status_code == 404, point
        assert "has no alarm point" in answer.json()["detail"]
    assert "conc_pct_lel.high" in post_detail(town, point="gas-1/nonsense", **wish)
    for point in ("gas-1/no_data", "gas-1/conc_pct_lel.high", "gas-1/clock", "gas-1/expires"):
        done = act(town, "engineer", "/out-of-service", point=point, **wish)
        act(town, "leader", f"/requests/{done['request']['id']}/decline")


def post_detail(town: Town, **body: Any) -> str:
    """Return the sentence of a refused wish to take out of service."""
    with town.client("engineer") as engineer:
        return str(post(engineer, "/out-of-service", **body).json()["detail"])


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


def test_occurrences_are_filtered_and_paged(town: Town) -> None:
    """Every filter narrows, a page follows a page without repeating, nonsense is 422."""
    for number in range(3):
        lamp(town, f"acts-page-{number}")
    mine = {"kind": "light_pole", "state": "UNACK", "limit": 2}
    seen: list[str] = []
    cursor: str | None = None
    while True:
        found = town.get("/api/v1/alarms", **mine, **({"cursor": cursor} if cursor else {}))
        seen += [alarm["id"] for alarm in found["items"]]
        cursor = found["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) >= 3
    assert {alarm["device"] for alarm in town.get("/api/v1/alarms", device="acts-page-1")["items"]} == {"acts-page-1"}
    assert all(alarm["priority"] == "P1" for alarm in town.get("/api/v1/alarms", priority="P1")["items"])
    assert {a["street"] for a in town.get("/api/v1/alarms", street="s01", state="all")["items"]} <= {"s01"}
    assert town.get("/api/v1/alarms", **{"from": "2030-01-01T00:00:00Z", "state": "all"})["items"] == []
    for wrong in (
        {"state": "LOST"},
        {"priority": "P9"},
        {"cursor": "x"},
        {"suppression": "x"},
        {"from": "x"},
        {"limit": 0},
    ):
        assert httpx.get(f"{town.address}/api/v1/alarms", params=wrong).status_code == 422


def test_operator_load(town: Town) -> None:
    """The figures come with their targets; a window without anything says null, never 0 or 100 %."""
    found = town.get("/api/v1/alarms/load")
    assert found["activations"] > 0 and found["raise_to_ack"]["count"] > 0
    assert found["targets"]["per_10_min"] == {"target": 1, "red": 2}
    empty = town.get("/api/v1/alarms/load", **{"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"})
    assert (empty["activations"], empty["priorities"], empty["busiest_share"], empty["nuisance_rate"]) == (
        0,
        None,
        None,
        None,
    )
    assert empty["raise_to_ack"] == {"count": 0, "median_s": None, "p95_s": None}
    for wrong in ({"from": "x"}, {"from": "2021-01-01T00:00:00Z", "to": "2020-01-01T00:00:00Z"}):
        assert httpx.get(f"{town.address}/api/v1/alarms/load", params=wrong).status_code == 422


def test_the_audit_is_read_and_verified_by_who_may(town: Town, calm: dict[str, Any]) -> None:
    for user, status in ((None, 401), ("viewer", 403), ("officer", 403), ("engineer", 200), ("leader", 200)):
        with town.client(user) as client:
            assert client.get("/api/v1/audit").status_code == status
            assert client.get("/api/v1/audit/verify").status_code == status
    with town.client("leader") as leader:
        whole = leader.get("/api/v1/audit/verify").json()
        rows = leader.get("/api/v1/audit", params={"occurrence": calm["id"], "limit": 2}).json()
        older = leader.get("/api/v1/audit", params={"occurrence": calm["id"], "cursor": rows["next"]}).json()
        refusals = leader.get("/api/v1/audit", params={"actor": "viewer"}).json()["items"]
        wrong = leader.get("/api/v1/audit", params={"cursor": "x"})
    assert whole["whole"] and whole["rows"] > 0 and len(whole["hash"]) == 64
    assert whole["alarms"] > 0 and (whole["altered"], whole["sentences"]) == (0, [])
    numbers = [row["seq"] for row in (*rows["items"], *older["items"])]
    assert numbers == sorted(numbers, reverse=True) and len(rows["items"]) == 2
    assert {row["actor"] for row in refusals} == {"viewer"}
    assert all(row["action"].endswith("_refused") or row["action"] in ("log_in", "log_out") for row in refusals)
    assert wrong.status_code == 422


def test_an_alarm_that_was_changed_by_hand_is_named(town: Town, calm: dict[str, Any]) -> None:
    """The chain of hashes is whole; the alarm is not what it says, and stands with a sentence."""
    changed = "UPDATE occurrence SET activations = activations + ? WHERE id = ?"
    with closing(sqlite3.connect(town.folder / "var" / "alarms.db", timeout=30)) as database:
        try:
            with database:
                database.execute(changed, (7, calm["id"]))
            with town.client("leader") as leader:
                found = leader.get("/api/v1/audit/verify").json()
        finally:
            with database:
                database.execute(changed, (-7, calm["id"]))
    assert (found["whole"], found["broken"], found["altered"]) == (False, None, 1)
    (sentence,) = found["sentences"]
    assert sentence.startswith(f"occurrence {calm['id']} of ") and "activations is 8, the record says 1" in sentence
