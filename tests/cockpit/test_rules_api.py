"""Rules over HTTP in a running town: from a draft to an alarm by it and back, and every refusal as a problem."""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.cockpit.town import Town

FOR_GAS_1 = {"device": "gas-1", "kind": "gas_alarm", "field": "conc_pct_lel"}
WORDS = {"reason": "夜间误报", "source": "GB/T 50493", "edition": "2019", "grade": "B"}
RULE = "gas_alarm.conc_pct_lel.high"
_KEYS = itertools.count()


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a town of its own: what is changed here must not change the alarms of other tests."""
    with Town(tmp_path_factory.mktemp("ruled")) as town:
        yield town


def post(town: Town, user: str | None, path: str, **body: Any) -> httpx.Response:
    """Send a request as somebody, with a key of its own."""
    with town.client(user) as client:
        return client.post(f"/api/v1/rules{path}", json={"idempotency_key": f"r{next(_KEYS)}", **body})


def drafted(town: Town, **change: Any) -> int:
    answer = post(town, "engineer", "/revisions", **WORDS, **change)
    assert answer.status_code == 201, answer.text
    number: int = answer.json()["number"]
    return number


def after_test(town: Town, number: int) -> dict[str, Any]:
    """Back-test a draft and return the revision with its result."""
    answer = post(town, "engineer", f"/revisions/{number}/backtest")
    assert answer.status_code == 202, answer.text
    path = f"/api/v1/rules/revisions/{number}"
    found: dict[str, Any] = town.until(path, lambda each: each["backtest"]["state"] not in ("waiting", "running"))
    assert found["backtest"]["state"] == "done", found["backtest"]
    return found


def published(town: Town, **change: Any) -> int:
    number = drafted(town, **change)
    after_test(town, number)
    answer = post(town, "leader", f"/revisions/{number}/approve")
    assert answer.status_code == 200, answer.text
    town.until("/api/v1/rules", lambda page: page["revision"] == number and page["adopted"])
    return number


def numbers(town: Town) -> list[int]:
    return [each["number"] for each in town.get("/api/v1/rules/revisions")["items"]]


def of_device(town: Town, device: str, rule: str = RULE) -> dict[str, Any]:
    found = town.get("/api/v1/rules", device=device)
    (item,) = (item for item in found["items"] if item["rule"] == rule)
    values: dict[str, Any] = item
    return values


def test_from_a_draft_to_an_alarm_and_back(ruled: Town) -> None:
    """12 %LEL is nothing, then an alarm by the rule that was approved; it survives the rollback of that rule."""
    ruled.say("gas_alarm", "gas-1", {"conc_pct_lel": 12, "state": 0}, id="before")
    # A back-test ends with what is recorded by now.
    ruled.until("/api/v1/devices/gas-1", lambda d: d["latest"].get("conc_pct_lel", {}).get("value") == 12)
    assert of_device(ruled, "gas-1")["scope"] == "kind"
    number = drafted(ruled, limits_for=[{**FOR_GAS_1, "levels": [10, 40]}])
    found = after_test(ruled, number)
    assert (found["state"], found["author"], found["backtest"]["exact"]) == ("tested", "engineer", True)
    assert [(each["device"], each["value"]) for each in found["backtest"]["result"]["appear"]["items"]] == [
        ("gas-1", 12)
    ]
    answer = post(ruled, "leader", f"/revisions/{number}/approve", comment="同意")
    assert (answer.status_code, answer.json()["state"]) == (200, "in_force")
    page = ruled.until("/api/v1/rules", lambda page: page["adopted"])
    assert (page["revision"], page["adopted"][0]["shard"]) == (number, "main")
    mine, other = of_device(ruled, "gas-1"), of_device(ruled, "gas-2")
    assert (mine["scope"], mine["of"], [level["value"] for level in mine["levels"]]) == ("device", "gas-1", [10, 40])
    assert (mine["source"]["zh"], mine["grade"], mine["revised"]) == ("GB/T 50493 2019", "B", True)
    assert mine["instead_of"] == other["version"] != mine["version"]
    ruled.say("gas_alarm", "gas-1", {"conc_pct_lel": 12, "state": 0}, id="after")
    alarm = ruled.alarm("gas-1")
    assert (alarm["rule"], alarm["rule_version"], alarm["value"]) == (RULE, mine["version"], 12)
    answer = post(ruled, "leader", "/rollback", to=0, reason="演练")
    assert (answer.status_code, answer.json()["restores"]) == (201, 0)
    ruled.until("/api/v1/rules", lambda page: page["revision"] == number + 1 and page["adopted"])
    ruled.say("gas_alarm", "gas-1", {"conc_pct_lel": 12, "state": 0}, id="later")
    ruled.say("gas_alarm", "gas-2", {"conc_pct_lel": 60, "state": 0}, id="other")
    ruled.alarm("gas-2")
    after = ruled.alarm("gas-1")
    assert (after["active"], after["rule_version"]) == (True, mine["version"])
    assert of_device(ruled, "gas-1")["scope"] == "kind"
    states = [each["state"] for each in ruled.get("/api/v1/rules/revisions")["items"]]
    assert states[:2] == ["in_force", "superseded"]
    with ruled.client("engineer") as engineer:
        acts = engineer.get("/api/v1/audit", params={"point": f"rules/{number}"}).json()["items"]
        assert engineer.get("/api/v1/audit/verify").json()["whole"]
    assert [act["action"] for act in reversed(acts)] == ["rule_draft", "rule_backtest", "rule_approve", "rule_in_force"]


def test_a_draft_is_tested_on_history(ruled: Town) -> None:
    """The store's readings say the same; what they cannot say is refused in one sentence."""
    ruled.say("light_pole", "pole-1", {"leak_ma": 22}, id="kept")
    ruled.until("/api/v1/devices/pole-1/series", lambda page: page["points"], field="leak_ma")
    own = {"device": "pole-1", "kind": "light_pole", "field": "leak_ma", "levels": [20]}
    number = drafted(ruled, limits_for=[own])
    answer = post(ruled, "engineer", f"/revisions/{number}/backtest", source="history")
    assert answer.status_code == 202, answer.text
    path = f"/api/v1/rules/revisions/{number}"
    found = ruled.until(path, lambda each: each["backtest"]["state"] not in ("waiting", "running"))
    assert found["state"] == "tested", found["backtest"]["sentence"]
    result = found["backtest"]["result"]
    assert (result["source"], result["records"] > 0) == ("history", True)
    assert {(each["device"], each["value"]) for each in result["appear"]["items"]} == {("pole-1", 22)}
    assert result["not_judged"] == []
    unsure = {"drone": {"pdop": {"poor": {"levels": [2.2]}}}}
    mixed = drafted(ruled, limits_for=[{**own, "levels": [21]}], limits=unsure)
    assert post(ruled, "engineer", f"/revisions/{mixed}/backtest", source="history").status_code == 202
    path = f"/api/v1/rules/revisions/{mixed}"
    found = ruled.until(path, lambda each: each["backtest"]["state"] not in ("waiting", "running"))
    assert found["state"] == "tested", found["backtest"]["sentence"]
    (left,) = found["backtest"]["result"]["not_judged"]
    assert (left["rule"], left["name"]["en"]) == ("drone.pdop.poor", "position uncertain")
    other = drafted(ruled, limits=unsure)
    answer = post(ruled, "engineer", f"/revisions/{other}/backtest", source="history")
    assert (answer.status_code, "drone.pdop.poor" in answer.json()["detail"]) == (422, True)
    assert post(ruled, "engineer", f"/revisions/{other}/backtest", source="memory").status_code == 422


def test_a_restart_keeps_the_rules(ruled: Town) -> None:
    """Collector and cockpit begin again with what was in force."""
    number = published(ruled, limits_for=[{**FOR_GAS_1, "levels": [7, 30]}])
    version = of_device(ruled, "gas-1")["version"]
    assert ruled.stop() == 0
    ruled.start()
    assert (ruled.get("/api/v1/rules")["revision"], of_device(ruled, "gas-1")["version"]) == (number, version)
    ruled.say("gas_alarm", "gas-1", {"conc_pct_lel": 31, "state": 0}, id="restarted")
    shown = ruled.until("/api/v1/alarms", lambda page: page["items"][0]["level_now"] == 2, device="gas-1")["items"][0]
    assert shown["rule_version"] == version


def test_who_may(ruled: Town) -> None:
    """Nobody 401, wrong roles 403, whoever wrote it 403 with its own type."""
    assert post(ruled, None, "/revisions", **WORDS, limits={}).status_code == 401
    for user in ("viewer", "officer", "leader"):
        answer = post(ruled, user, "/revisions", **WORDS, limits={"gas_alarm": {"conc_pct_lel": {"deadband": 4}}})
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
        assert "engineer" in answer.json()["detail"]
    number = drafted(ruled, limits={"gas_alarm": {"conc_pct_lel": {"deadband": 4}}})
    assert post(ruled, "leader", f"/revisions/{number}/approve").json()["type"] == "wrong_state"
    after_test(ruled, number)
    answer = post(ruled, "engineer", f"/revisions/{number}/approve")
    assert (answer.status_code, answer.json()["type"]) == (403, "same_person")
    assert post(ruled, "officer", f"/revisions/{number}/backtest").status_code == 403
    assert post(ruled, "officer", "/rollback", to=0, reason="x").status_code == 403
    assert post(ruled, "engineer", f"/revisions/{number}/discard", reason="x").json()["state"] == "discarded"


def test_the_same_key_again(ruled: Town) -> None:
    """A browser that repeats itself drafts and tests once."""
    with ruled.client("engineer") as engineer:
        body = {"idempotency_key": "again", **WORDS, "limits": {"gas_alarm": {"conc_pct_lel": {"off_s": 130}}}}
        first, second = (engineer.post("/api/v1/rules/revisions", json=body) for _ in range(2))
        assert first.json()["number"] == second.json()["number"]
        path = f"/api/v1/rules/revisions/{first.json()['number']}/backtest"
        for _ in range(2):
            assert engineer.post(path, json={"idempotency_key": "test-again"}).status_code == 202
        other = engineer.post("/api/v1/rules/revisions", json={**body, "reason": "another"})
    assert (other.status_code, "another request" in other.json()["detail"]) == (422, True)


def _ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        (
            "/revisions",
            {**WORDS, "limits": {"gas_alarn": {}}, "limits_for": [FOR_GAS_1]},
            422,
            "did you mean 'gas_alarm'?",
        ),
        ("/revisions", {**WORDS, "limits": {"gas_alarm": {"conc": {"levels": [1, 2]}}}}, 422, "'conc' has no limits"),
        (
            "/revisions",
            {**WORDS, "limits": {"gas_alarm": {"conc_pct_lel": {"levels": [30, 20]}}}},
            422,
            "must be worse",
        ),
        ("/revisions", {**WORDS}, 422, "changes nothing"),
        ("/revisions", {**WORDS, "grade": "D", "limits": {}}, 422, "grade"),
        ("/revisions", {**WORDS, "limit": {}}, 422, "limit"),
        ("/revisions", {"reason": "x", "limits": {}}, 422, "source"),
        ("/revisions/999/backtest", {}, 404, "There is no revision 999"),
        ("/revisions/999/approve", {}, 404, "There is no revision 999"),
        ("/revisions/999/discard", {}, 404, "There is no revision 999"),
        ("/rollback", {"to": 999, "reason": "x"}, 404, "There is no revision 999"),
        ("/rollback", {"to": -1, "reason": "x"}, 422, "to"),
        ("/revisions/{}/backtest", {"from": "yesterday"}, 422, "'yesterday' is no instant"),
        ("/revisions/{}/backtest", {"from": "{hour}", "to": "{day}"}, 422, "The span is empty"),
        ("/revisions/{}/backtest", {"from": "{year}", "to": "{day}"}, 422, "The span holds no records"),
        ("/revisions/{}/approve", {"effective_at": "{hour}"}, 409, "takes a back-test"),
        ("/revisions/{}/approve", {"effective_at": "soon"}, 422, "'soon' is no instant"),
    ],
)
def test_refusals_are_sentences(ruled: Town, path: str, body: dict[str, Any], status: int, word: str) -> None:
    """Each a problem document with one clear sentence; nothing is kept."""
    if "{}" in path:
        path = path.format(drafted(ruled, limits={"gas_alarm": {"conc_pct_lel": {"off_s": 120}}}))
    times = {"{hour}": _ago(hours=1), "{day}": _ago(days=1), "{year}": _ago(days=365)}
    body = {key: times.get(value, value) if isinstance(value, str) else value for key, value in body.items()}
    before = numbers(ruled)
    answer = post(ruled, "leader" if path.endswith("approve") else "engineer", path, **body)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status), problem
    assert word in problem["detail"], problem
    assert numbers(ruled) == before


def test_an_instant_in_the_past(ruled: Town) -> None:
    """What is tested cannot take effect yesterday."""
    number = drafted(ruled, limits={"gas_alarm": {"conc_pct_lel": {"off_s": 145}}})
    after_test(ruled, number)
    answer = post(ruled, "leader", f"/revisions/{number}/approve", effective_at=_ago(minutes=1))
    assert (answer.status_code, "lies in the past" in answer.json()["detail"]) == (422, True)
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert post(ruled, "leader", f"/revisions/{number}/approve", effective_at=later).json()["state"] == "approved"


def test_reading(ruled: Town) -> None:
    """Every limit in force says where it comes from; an unknown device is told."""
    found = ruled.get("/api/v1/rules", kind="gas_alarm")["items"]
    assert {item["kind"] for item in found} == {"gas_alarm"}
    assert all(item["source"] and item["grade"] in "ABC" and item["levels"] for item in found)
    assert {"gas_alarm.no_data", RULE} <= {item["rule"] for item in found}
    with ruled.client() as client:
        answer = client.get("/api/v1/rules", params={"device": "gas-99"})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
        assert client.get("/api/v1/rules/revisions/999").status_code == 404


def test_the_command_line(ruled: Town) -> None:
    """The same at a terminal: a draft from a file, its test, its own approval refused, the list."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cockpit.cli", "rules", *arguments]
        command += ["--site", str(ruled.site), "--data", str(ruled.folder / "var")]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    file = ruled.folder / "draft.toml"
    file.write_text(
        'reason = "night"\nsource = "contract"\n[limits.refuse_truck.speed_kmh]\nlevels = [1]\n', encoding="utf-8"
    )
    wrong = run("draft", str(file))
    assert (wrong.returncode, "'speed_kmh' has no limits" in wrong.stderr) == (1, True)
    file.write_text(
        'reason = "night"\nsource = "contract"\n[limits.gas_alarm.conc_pct_lel]\nlevels = [9, 35]\n', encoding="utf-8"
    )
    kept = run("draft", str(file))
    assert kept.returncode == 0, kept.stderr
    number = kept.stdout.split()[3].strip(";")
    report = run("backtest", number)
    assert (report.returncode, "nuisance alarms" in report.stdout) == (0, True), report.stderr
    assert "rules" in json.loads(run("backtest", number, "--json").stdout)
    own = run("approve", number)
    assert (own.returncode, "whoever wrote the draft cannot approve it" in own.stderr) == (1, True)
    empty = run("backtest", number, "--from", "2001-01-01", "--to", "2001-01-02")
    assert (empty.returncode, "holds no records" in empty.stderr) == (1, True)
    assert f"{number}  tested" in run("list").stdout
    assert run("rollback", "0", "--reason", "x", "--at", "x").returncode == 2
