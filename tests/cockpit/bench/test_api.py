"""The bench over HTTP: who may, what there is to play, what is refused and leaves nothing, a run and a trial."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from devices.site import Site
from devices.site_file import load_site
from tests.cockpit.bench.recorded import CALM_CONC, MESSAGES, messages, write
from tests.cockpit.town import Town
from tests.servers.waiting import wait_until

PATIENCE_S = 90
BENCH = "/api/v1/bench"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def site(town: Town) -> Site:
    return load_site(town.site)


@pytest.fixture(scope="module")
def folder(town: Town, site: Site) -> Path:
    """Fill the folder of recordings: one that is whole, and some that are not."""
    found = town.folder / "var" / "recordings"
    whole = write(found / "leak.cdrec", site, messages())
    (found / "cut.cdrec").write_bytes(whole.read_bytes()[:-40])
    (found / "foreign.cdrec").write_bytes(gzip.compress(b'{"a": 1}\n'))
    (found / "text.cdrec").write_text("no recording")
    write(found / "newer.cdrec", site, messages(), version=2)
    write(found / "unknown.cdrec", site, messages(), kinds={"submarine": "1"})
    (found / "old.CSV").write_text("received_at,topic,payload\n")
    return found


@pytest.fixture
def engineer(town: Town, folder: Path) -> Iterator[httpx.Client]:
    with town.client("engineer") as client:
        yield client
        for run in client.get(f"{BENCH}/runs").json()["items"]:
            assert client.delete(f"{BENCH}/runs/{run['id']}").status_code == 204
    assert list((town.folder / "var" / "bench").glob("*")) == []


def begin(client: httpx.Client, **body: Any) -> str:
    answer = client.post(f"{BENCH}/runs", json={"recording": "leak.cdrec", "speed": "max", **body})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def until(client: httpx.Client, run: str, *states: str) -> dict[str, Any]:
    def there() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get(f"{BENCH}/runs/{run}").json()
        return found if found["state"] in states and (found["messages"] or found["state"] == "failed") else None

    found = wait_until(there, PATIENCE_S, 0.1)
    assert found is not None
    return found


def test_who_may(town: Town, engineer: httpx.Client) -> None:
    """Engineers do, leaders look, others are told so; a stranger is asked to log in."""
    run = begin(engineer, speed=0.1)
    until(engineer, run, "playing")
    paths = (f"{BENCH}/sources", f"{BENCH}/runs", f"{BENCH}/runs/{run}", f"/bench/city/{run}/api/v1/summary")
    answers: dict[str, list[int]] = {}
    for name in ("engineer", "leader", "officer", "viewer", None):
        with town.client(name) as client:
            answers[str(name)] = [client.get(path).status_code for path in paths]
            if name not in ("engineer", None):
                refused = client.post(f"{BENCH}/runs", json={"recording": "leak.cdrec"})
                assert (refused.status_code, "role" in refused.json()["detail"]) == (403, True)
                assert client.post(f"{BENCH}/runs/{run}/control", json={"act": "stop"}).status_code == 403
                assert client.delete(f"{BENCH}/runs/{run}").status_code == 403
    assert answers == {
        "engineer": [200] * 4, "leader": [200] * 4, "officer": [403] * 4, "viewer": [403] * 4, "None": [401] * 4,
    }  # fmt: skip


def test_what_there_is_to_play(engineer: httpx.Client) -> None:
    found = engineer.get(f"{BENCH}/sources").json()
    recordings = {each["name"]: each for each in found["recordings"]}
    assert recordings["leak.cdrec"]["messages"] == MESSAGES
    assert recordings["leak.cdrec"]["from"] == "2026-01-01T08:00:00.000+08:00"
    faults = {name: each["fault"] for name, each in recordings.items() if each["fault"]}
    assert {name: fault.startswith((name, "the recording")) for name, fault in faults.items()} == {
        "cut.cdrec": True, "foreign.cdrec": True, "text.cdrec": True, "newer.cdrec": True, "unknown.cdrec": True,
    }  # fmt: skip
    problems = {name: each["problem"] for name, each in recordings.items() if each["problem"]}
    assert {name: (problem["code"], problem["values"]) for name, problem in problems.items()} == {
        "cut.cdrec": ("recording_damaged", {"file": "cut.cdrec"}),
        "foreign.cdrec": ("no_recording", {"file": "foreign.cdrec"}),
        "text.cdrec": ("no_recording", {"file": "text.cdrec"}),
        "newer.cdrec": ("recording_newer", {"file": "newer.cdrec", "found": "2", "known": "1"}),
        "unknown.cdrec": ("foreign_kind", {"found": "submarine"}),
    }
    assert found["tables"] == ["old.CSV"]
    assert [each["shard"] for each in found["journals"]] == ["main"]
    leak = next(each for each in found["scenarios"] if each["key"] == "gas_leak")
    assert (leak["name"]["zh"], len(leak["expects"]) > 1) == ("燃气泄漏", True)


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("speed 0", {"recording": "leak.cdrec", "speed": 0}, 422, "from 0.1 to 1000, or max"),
    ("too fast", {"recording": "leak.cdrec", "speed": 1001}, 422, "from 0.1 to 1000, or max"),
    ("no speed", {"recording": "leak.cdrec", "speed": True}, 422, "from 0.1 to 1000, or max"),
    ("not there", {"recording": "gone.cdrec"}, 404, "There is no recording"),
    ("elsewhere", {"recording": "../secret"}, 404, "There is no recording"),
    ("cut off", {"recording": "cut.cdrec"}, 422, "cut.cdrec is cut off"),
    ("foreign", {"recording": "foreign.cdrec"}, 422, "foreign.cdrec is no CityDeck recording"),
    ("text", {"recording": "text.cdrec"}, 422, "text.cdrec is no CityDeck recording, or cut off"),
    ("newer", {"recording": "newer.cdrec"}, 422, "is of version 2; this CityDeck reads up to 1"),
    ("unknown kind", {"recording": "unknown.cdrec"}, 422, "has the kind submarine"),
    ("nothing then", {"recording": "leak.cdrec", "from": "2030-01-01T00:00:00Z"}, 422, "nothing was recorded"),
    ("turned round", {"journal": {}, "from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, 422, "before to"),
    ("no instant", {"journal": {}, "from": "soon"}, 422, "is no instant"),
    ("before all", {"journal": {}, "to": "2020-01-01T00:00:00Z"}, 422, "nothing was recorded"),
    ("no shard", {"journal": {"shard": "north"}}, 404, "There is no shard"),
    ("no scenario", {"scenario": "meteor"}, 404, "There is no scenario"),
    ("part of one", {"scenario": "gas_leak", "to": "2026-01-01T00:00:00Z"}, 422, "is played as a whole"),
    ("nothing", {}, 422, "expected one of"),
    ("two", {"recording": "leak.cdrec", "scenario": "gas_leak"}, 422, "expected one of"),
    ("another word", {"recording": "leak.cdrec", "loop": True}, 422, "Extra inputs"),
]


@pytest.mark.parametrize(("body", "status", "said"), [pytest.param(*case[1:], id=case[0]) for case in REFUSED])
def test_what_cannot_be_started_is_told_and_leaves_nothing(
    town: Town, engineer: httpx.Client, body: dict[str, Any], status: int, said: str
) -> None:
    answer = engineer.post(f"{BENCH}/runs", json=body)
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    assert str(town.folder) not in answer.text
    assert engineer.get(f"{BENCH}/runs").json()["items"] == []


def test_what_cannot_be_played_has_a_code(engineer: httpx.Client) -> None:
    """Of a recording at once; of a scenario the run tells it, which the simulators refuse to write."""
    codes = {"cut.cdrec": "recording_damaged", "newer.cdrec": "recording_newer", "unknown.cdrec": "foreign_kind"}
    for name, code in codes.items():
        assert engineer.post(f"{BENCH}/runs", json={"recording": name}).json()["code"] == code
    failed = until(engineer, begin(engineer, recording=None, scenario="lost_drone"), "failed")
    assert failed["problem"] == {
        "code": "scenario_device",
        "values": {"scenario": "lost_drone", "found": "drone-09"},
        "detail": failed["sentence"],
    }


def test_a_trial_that_cannot_be_done_has_a_code(engineer: httpx.Client, folder: Path, site: Site) -> None:
    """The recording went while it was played."""
    file = write(folder / "gone.cdrec", site, messages())
    run = begin(engineer, recording=file.name, speed=0.1)
    assert until(engineer, run, "playing")["problem"] is None
    file.unlink()
    path = f"{BENCH}/runs/{run}"
    rules = "[limits.gas_alarm.conc_pct_lel.high]\nlevels = [10, 40]"
    assert engineer.post(f"{path}/trial", json={"rules": rules}).status_code == 202

    def failed() -> dict[str, Any] | None:
        trial: dict[str, Any] = engineer.get(path).json()["trial"]
        return trial if trial["state"] == "failed" else None

    trial = wait_until(failed, PATIENCE_S, 0.1)
    assert trial is not None and trial["problem"]["detail"] == trial["sentence"]
    assert (trial["problem"]["code"], trial["problem"]["values"]) == (
        "file_unreadable",
        {"file": "gone.cdrec", "why": "no_such_file"},
    )


def test_a_run_is_played_steered_and_removed(town: Town, engineer: httpx.Client) -> None:
    run = begin(engineer)
    found = until(engineer, run, "ended")
    assert (found["messages"], found["by"], found["recording"]) == (MESSAGES, "engineer", "leak.cdrec")
    assert (found["at"], sum(found["alarms"].values()) > 2) == ("2026-01-01T08:04:59.000+08:00", True)
    control = f"{BENCH}/runs/{run}/control"
    for body, status, said in (
        ({"act": "pause"}, 409, "is over"),
        ({"act": "speed", "speed": 0}, 422, "from 0.1 to 1000"),
        ({"act": "seek"}, 422, "at: expected"),
        ({"act": "rewind"}, 422, "act"),
    ):
        answer = engineer.post(control, json=body)
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    assert engineer.delete(f"{BENCH}/runs/{run}").status_code == 204
    assert engineer.get(f"{BENCH}/runs/{run}").status_code == 404
    assert engineer.get(f"/bench/city/{run}/wall").status_code == 404


def test_a_draft_is_tried_on_what_a_run_plays(engineer: httpx.Client) -> None:
    """A stricter limit lets an alarm appear; rules that contradict themselves are refused, and so is no draft."""
    run = begin(engineer, speed=0.1)
    until(engineer, run, "playing")
    path = f"{BENCH}/runs/{run}/trial"
    bad = [
        ({"rules": "[limits.gas_alarm.conc_pct_lel.high]\nlevels = [40, 10]"}, 422, "level"),
        ({"rules": "[limits.gas_alarm.conc_pct_lel.high]\nlevels = [90, 95]"}, 422, "looser than the cap"),
        ({"rules": "levels ="}, 422, "is not TOML"),
        ({"rules": "what = 1"}, 422, "is not a word of a draft"),
        ({"rules": "reason = 'none'"}, 422, "changes nothing"),
        ({"revision": 77}, 404, "There is no revision 77"),
        ({}, 422, "expected either"),
    ]
    for body, status, said in bad:
        answer = engineer.post(path, json=body)
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    torn = engineer.post(path, json={"rules": "levels = 1\nlimits = 2026-99-99"}).json()
    assert (torn["code"], torn["values"]) == ("not_toml", {"name": "the file", "line": 2, "column": 14})
    assert engineer.get(f"{BENCH}/runs/{run}").json()["trial"] is None

    rules = "[limits.gas_alarm.conc_pct_lel.high]\nlevels = [10, 40]"
    rules += "\n[limits.bridge_wim.over_pct]\nlevels = [70, 80, 90, 100]"
    answer = engineer.post(path, json={"rules": rules})
    assert answer.status_code == 202, answer.text

    def judged() -> dict[str, Any] | None:
        trial = engineer.get(f"{BENCH}/runs/{run}").json()["trial"]
        return trial if trial["state"] != "running" else None

    trial = wait_until(judged, PATIENCE_S, 0.1)
    assert trial is not None
    assert (trial["state"], trial["sentence"]) == ("done", "")
    result = trial["result"]
    assert [item["device"] for item in result["vanish"]["items"]] == ["wim-1", "wim-1"]
    assert [(item["device"], item["value"]) for item in result["appear"]["items"]] == [("gas-2", CALM_CONC)]
    assert result["before"]["priorities"]["P1"] >= 1
    assert (result["before"]["per_hour"] is not None, [day["day"] for day in result["by_day"]]) == (
        True,
        ["2026-01-01"],
    )
    # Nothing was changed by it.
    assert engineer.get("/api/v1/rules/revisions").json()["items"] == []


def test_the_newest_minutes_are_recorded_and_played(town: Town, engineer: httpx.Client) -> None:
    town.say("gas_alarm", "gas-2", {"conc_pct_lel": 1.5})
    town.until("/api/v1/devices/gas-2", lambda device: device["latest"].get("conc_pct_lel", {}).get("value") == 1.5)
    answer = engineer.post(f"{BENCH}/recordings", json={"minutes": 5})
    assert answer.status_code == 201, answer.text
    (name,) = answer.json()["names"]
    assert name in {each["name"] for each in engineer.get(f"{BENCH}/sources").json()["recordings"]}
    run = begin(engineer, recording=name)
    until(engineer, run, "ended")
    assert engineer.get(f"/bench/city/{run}/api/v1/devices/gas-2").json()["latest"]["conc_pct_lel"]["value"] == 1.5
    assert engineer.post(f"{BENCH}/recordings", json={"minutes": 0}).status_code == 422


def test_a_page_of_the_city_says_that_it_is_a_replay(engineer: httpx.Client) -> None:
    run = begin(engineer)
    until(engineer, run, "ended")
    city = f"/bench/city/{run}"
    frame = engineer.get("/bench").headers["content-security-policy"]
    others = {path: engineer.get(path).headers["content-security-policy"] for path in ("/wall", f"{city}/wall")}
    assert "frame-src 'self'" in frame
    assert all("frame-src" not in found for found in others.values())
    page = engineer.get(f"{city}/wall")
    assert (page.status_code, f'{city}/static/main.mjs"' in page.text) == (200, True)
    for path in ("wall", "duty", "overview", "device/gas-1", "kpi"):
        body = {
            "output": "shell.children",
            "outputs": {"id": "shell", "property": "children"},
            "inputs": [
                {"id": "url", "property": "pathname", "value": f"{city}/{path}".replace("overview", "")},
                {"id": "language", "property": "data", "value": "en"},
            ],
            "changedPropIds": ["url.pathname"],
        }
        drawn = engineer.post(f"{city}/_dash-update-component", json=body)
        assert drawn.status_code == 200, drawn.text
        assert ("replay-mark" in drawn.text, "REPLAY" in drawn.text, '"data-replay":"true"' in drawn.text) == (
            True,
        ) * 3
