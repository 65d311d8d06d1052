"""Exercises over HTTP, with the real processes: who may, what is refused, an exercise from its begin to its report."""

import itertools
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.cockpit.gas_town import gas_town
from tests.cockpit.town import Town
from tests.servers.waiting import wait_until

PATIENCE_S = 90
DRILLS = "/api/v1/drills"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with gas_town(tmp_path_factory.mktemp("drill")) as running:
        yield running


@pytest.fixture
def leader(town: Town) -> Iterator[httpx.Client]:
    with town.client("leader") as client:
        yield client
        for drill in client.get(DRILLS, params={"state": "running"}).json()["items"]:
            client.post(f"{DRILLS}/{drill['id']}/end")
    # What came of one is told before its folder is removed.
    wait_until(lambda: not list((town.folder / "var" / "drills").glob("*")), 30)


def begin(client: httpx.Client, scenario: str = "gas_leak", **body: Any) -> dict[str, Any]:
    answer = client.post(DRILLS, json={"scenario": scenario, **body})
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


def until(client: httpx.Client, drill: str, key: str) -> dict[str, Any]:
    """Wait until an exercise has something."""

    def there() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get(f"{DRILLS}/{drill}").json()
        assert key == "outcome" or found["running"], found
        return found if found[key] else None

    return wait_until(there, PATIENCE_S, 0.1)


def alarms(client: httpx.Client, city: str) -> list[dict[str, Any]]:
    # The rest of the city lives its day, too: in some hours a truck is overloaded before the gas leaks.
    found: list[dict[str, Any]] = client.get(f"{city}api/v1/alarms", params={"device": "gas-0042"}).json()["items"]
    return [item for item in found if item["priority"] in ("P1", "P2")]


def audited(town: Town, action: str) -> list[dict[str, Any]]:
    with town.client("engineer") as client:
        items = client.get("/api/v1/audit", params={"limit": 500}).json()["items"]
    return [item for item in items if item["action"] == action]


def acknowledge(client: httpx.Client, city: str, alarm: str, **more: Any) -> dict[str, Any]:
    """Acknowledge an alarm at the level it has by now; it may rise while this is on its way."""
    keys = itertools.count()

    def done() -> dict[str, Any] | None:
        level = client.get(f"{city}api/v1/alarms/{alarm}").json()["level_now"]
        body = {"seen_level": level, "idempotency_key": f"{alarm}{next(keys)}", **more}
        answer = client.post(f"{city}api/v1/alarms/{alarm}/ack", json=body)
        assert answer.status_code in (200, 409), answer.text
        return answer.json() if answer.status_code == 200 else None

    found: dict[str, Any] = wait_until(done, PATIENCE_S, 0.1)
    return found


def test_an_exercise_from_its_begin_to_its_report(town: Town, leader: httpx.Client) -> None:
    """At the hour that is now; officers act in it as who they are, screens and strangers only look."""
    drill = begin(leader, note="夜班")
    assert (drill["at_this_hour"], drill["led_by"], drill["note"]) == (True, "leader", "夜班")
    city = until(leader, drill["id"], "city")["city"]
    with town.client("officer") as officer, town.client() as stranger, town.client("viewer") as viewer:
        first = wait_until(lambda: alarms(officer, city), PATIENCE_S, 0.2)[0]
        assert (first["device"], first["rule_name"]["zh"][:4]) == ("gas-0042", "【演练】")
        assert first["rule_name"]["en"].startswith("DRILL · ")
        ack = {"seen_level": 2, "idempotency_key": "of-a-stranger"}
        path = f"{city}api/v1/alarms/{first['id']}/ack"
        assert (stranger.post(path, json=ack).status_code, viewer.post(path, json=ack).status_code) == (401, 403)
        assert viewer.get(f"{city}duty").status_code == stranger.get(f"{city}wall").status_code == 200
        # By the clock of the exercise, which is that of the wall but for what it took to prepare.
        done = acknowledge(officer, city, first["id"], decision="case")
        assert (done["result"], done["decision_taken"], done["alarm"]["raise_to_ack_s"] < 60) == ("acked", True, True)

        def standing() -> dict[str, Any] | None:
            now = leader.get(DRILLS, params={"state": "running"}).json()["items"][0]["standing"]
            return now if now and now["open"] else None

        assert wait_until(standing, PATIENCE_S)["worst"] in ("P1", "P2")
        listed = officer.get(f"{city}api/v1/export/alarms")
        assert "citydeck-drill-alarms-" in listed.headers["content-disposition"]
        assert "【演练】" in listed.text
        case = officer.get(f"{city}api/v1/cases").json()["items"][0]
        assert case["name"]["en"].startswith("DRILL · ")
        for path in ("api/v1/login", "api/v1/logout", "api/v1/handovers", "api/v1/rules/revisions", "api/v1/lamps/x"):
            assert officer.post(city + path, json={}).status_code == 405, path
        assert officer.delete(f"{city}api/v1/alarms/{first['id']}").status_code == 405
    ended = leader.post(f"{DRILLS}/{drill['id']}/end").json()
    assert (ended["outcome"], ended["ended_by"], ended["city"], ended["running"]) == ("ended", "leader", None, False)
    line = next(each for each in ended["report"]["alarms"] if each["id"] == first["id"])
    assert (line["acked_by"], line["in_time"], line["stated"], line["right"]) == ("officer", True, True, True)
    people = [(each["name"], each["acked"], each["decided"]) for each in ended["report"]["officers"]]
    assert people == [("officer", 1, 1)]
    assert [(each["opened_by"], each["state"]) for each in ended["report"]["cases"]] == [("officer", "REGISTERED")]
    # On a busy machine the next alarm of the leak is here before the end; nobody acknowledges that one.
    missed = [each["id"] for each in ended["report"]["alarms"] if each["in_time"] is False]
    assert ended["points"] == ended["report"]["score"]["points"] == round(50 / (1 + len(missed)) + 30 + 20, 1)
    assert leader.post(f"{DRILLS}/{drill['id']}/end").status_code == 409
    assert leader.get(f"{city}duty").status_code == 404
    assert [(row["actor"], row["reason"]) for row in audited(town, "drill_start")] == [("leader", "gas_leak")]
    assert [(row["actor"], row["reason"]) for row in audited(town, "drill_end")] == [("leader", "ended")]
    assert town.get("/api/v1/alarms", state="all", device="gas-0042")["items"] == []


def test_who_may_and_what_cannot_be_begun(town: Town, leader: httpx.Client) -> None:
    for name, status in (("officer", 403), ("viewer", 403), ("engineer", 403), (None, 401)):
        with town.client(name) as client:
            assert client.post(DRILLS, json={"scenario": "gas_leak"}).status_code == status
            assert client.get(f"{DRILLS}/scenarios").status_code == status
            assert client.post(f"{DRILLS}/none/end").status_code == status
            assert client.get(DRILLS).status_code == 200
            assert client.get(f"{DRILLS}/none").status_code == (404 if name else 401)
    refused = audited(town, "drill_start_refused")
    assert {row["actor"] for row in refused} >= {"officer", "viewer", "engineer"}
    cases = [
        ({"scenario": "meteor"}, 404, "There is no scenario 'meteor'"),
        ({}, 422, "scenario"),
        ({"scenario": "gas_leak", "speed": 10}, 422, "Extra inputs"),
        ({"scenario": "gas_leak", "note": "x" * 501}, 422, "note"),
    ]
    for body, status, said in cases:
        answer = leader.post(DRILLS, json=body)
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    assert leader.get(DRILLS, params={"state": "running"}).json()["items"] == []
    found = {each["key"]: each for each in leader.get(f"{DRILLS}/scenarios").json()["items"]}
    assert (found["gas_leak"]["alarms"], "expects" in found["gas_leak"]) == (3, False)


def test_one_at_a_time_and_what_cannot_be_recorded_says_why(town: Town, leader: httpx.Client) -> None:
    """The small town has no drone 9: the exercise fails in a sentence, and the next one may begin."""
    drill = begin(leader, "lost_drone")
    second = leader.post(DRILLS, json={"scenario": "gas_leak"})
    assert (second.status_code, second.json()["code"]) == (409, "drill_running")
    failed = until(leader, drill["id"], "outcome")
    assert (failed["outcome"], "drone-09" in failed["sentence"], failed["report"]) == ("failed", True, None)
    assert (failed["problem"]["code"], failed["problem"]["values"]["found"]) == ("scenario_device", "drone-09")
    assert leader.get(DRILLS).json()["items"][0]["id"] == drill["id"]


def test_a_cockpit_that_stops_cuts_it_off_and_still_reports(town: Town, leader: httpx.Client) -> None:
    drill = begin(leader)
    until(leader, drill["id"], "city")
    assert town.stop() == 0
    town.start()
    with town.client("leader") as again:
        found = again.get(f"{DRILLS}/{drill['id']}").json()
        assert (found["outcome"], found["running"], found["report"]["alarms"] is not None) == ("cut_off", False, True)
        assert again.post(f"{DRILLS}/{drill['id']}/end").status_code == 409


def test_faults_lie_over_the_scenario_and_are_told_at_its_end(town: Town, leader: httpx.Client) -> None:
    """A detector that is not heard raises nothing; officers cannot read before that it will not be."""
    refused = leader.post(DRILLS, json={"scenario": "gas_leak", "faults": ["silent:gas-9999"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "fault_nowhere_meant")
    assert leader.get(DRILLS, params={"state": "running"}).json()["items"] == []
    assert {each["key"] for each in leader.get(f"{DRILLS}/scenarios").json()["faults"]} >= {"silent", "garbled"}
    drill = begin(leader, faults=["silent:gas-0042"])["id"]
    until(leader, drill, "city")
    assert leader.get(f"{DRILLS}/{drill}").json()["faults"] == []
    ended = leader.post(f"{DRILLS}/{drill}/end").json()
    assert ended["faults"] == ["silent:gas-0042"]
    assert leader.get(f"{DRILLS}/{drill}").json()["faults"] == ["silent:gas-0042"]
