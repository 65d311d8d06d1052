"""A run from its beginning to its end, as a process of its own: what it tells, how it is steered, what it holds."""

import http.client
import json
import sqlite3
from pathlib import Path

import pytest

from cockpit.bench.job import TOKEN_HEADER, Act, Job, Scripted, Span
from cockpit.bench.runs import FORSAKEN_S, MOST, Run, Runs
from cockpit.problems import Problem
from devices.site import Site
from ingest.places import Places
from ingest.replay.pace import Pace
from ingest.replay.sandbox import Sandbox
from ingest.replay.source import file_source
from tests.cockpit.bench.recorded import MESSAGES, SECOND, SECONDS, messages, write
from tests.ingest.messages import T_MS
from tests.servers.waiting import wait_until

PATIENCE_S = 60
pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def recording(tmp_path: Path, site: Site) -> Path:
    return write(tmp_path / "leak.cdrec", site, messages())


def begin(
    runs: Runs, site: Site, span: Span | None, *, speed: float = 0.0, paused: bool = False, **more: object
) -> Run:
    def job(identifier: str, folder: Path, token: str) -> Job:
        wanted = {"span": span, "speed": speed, "paused": paused, **more}
        return Job(site=str(site.source), folder=str(folder), prefix=f"/c/{identifier}/", token=token, **wanted)  # type: ignore[arg-type]

    return runs.start(job, "engineer", {})


def state(run: Run, *wanted: str) -> str:
    return wait_until(lambda: run.progress.state if run.progress.state in wanted else "", PATIENCE_S)


def ask(run: Run, method: str, path: str, token: str | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", run.progress.port, timeout=30)
    connection.request(method, path, headers={} if token is None else {TOKEN_HEADER: token})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def dumped(folder: Path) -> dict[str, list[str]]:
    found = {}
    for name in ("alarms.db", "readings.db"):
        database = sqlite3.connect(f"file:{folder / name}?mode=ro", uri=True)
        found[name] = [line for line in database.iterdump() if "alembic" not in line]
        database.close()
    return found


def test_a_run_holds_the_same_bytes_as_a_replay_at_the_command_line(
    runs: Runs, site: Site, recording: Path, tmp_path: Path
) -> None:
    run = begin(runs, site, Span(str(recording), True))
    assert state(run, "ended", "failed") == "ended", run.progress.sentence
    wait_until(lambda: run.progress.messages == MESSAGES, PATIENCE_S)
    source = file_source(site, recording, None, None)
    with Sandbox(site, tmp_path / "apart") as sandbox:
        sandbox.play(source, Pace(source.from_ms, 0.0), lambda _played: None)
    alone, served = dumped(tmp_path / "apart"), dumped(Path(run.job.folder) / "city")
    assert served == alone
    assert sum(run.progress.alarms.values()) > 2
    assert (run.progress.from_ms, run.progress.to_ms) == (T_MS, T_MS + (SECONDS - 1) * SECOND + 1)


def test_it_is_paused_sent_ahead_hastened_and_stopped(runs: Runs, site: Site, recording: Path) -> None:
    run = begin(runs, site, Span(str(recording), True), speed=0.1, paused=True)
    state(run, "playing")
    wait_until(lambda: run.progress.port, PATIENCE_S)
    assert run.progress.paused
    with pytest.raises(Problem, match="goes forward only"):
        run.act(Act("seek", at_ms=T_MS - 1))
    run.act(Act("seek", at_ms=T_MS + 100 * SECOND))
    wait_until(lambda: run.progress.messages == 101 + 11, PATIENCE_S)
    assert run.progress.at_ms == T_MS + 100 * SECOND
    assert run.progress.paused
    run.act(Act("speed", speed=1000.0))
    run.act(Act("go_on"))
    state(run, "ended")
    wait_until(lambda: run.progress.messages == MESSAGES, PATIENCE_S)
    with pytest.raises(Problem, match="is over"):
        run.act(Act("pause"))


def test_a_stop_leaves_a_city_to_look_at(runs: Runs, site: Site, recording: Path) -> None:
    run = begin(runs, site, Span(str(recording), True), speed=0.1)
    state(run, "playing")
    run.act(Act("stop"))
    state(run, "stopped")
    assert run.open
    assert run.progress.messages < MESSAGES


def test_its_city_is_seen_with_its_token_alone_and_only_read(runs: Runs, site: Site, recording: Path) -> None:
    run = begin(runs, site, Span(str(recording), True))
    state(run, "ended")
    assert [ask(run, "GET", path)[0] for path in ("/", "/api/v1/summary", "/static/main.mjs")] == [403] * 3
    assert ask(run, "GET", "/api/v1/alarms", "wrong")[0] == 403
    status, body = ask(run, "GET", "/api/v1/alarms?state=all", run.job.token)
    found = json.loads(body)["items"]
    assert (status, {item["device"] for item in found} >= {"gas-1", "wim-1"}) == (200, True)
    alarm = f"/api/v1/alarms/{found[0]['id']}/ack"
    for method, path in (("POST", alarm), ("POST", "/api/v1/login"), ("PUT", "/"), ("DELETE", "/"), ("PATCH", "/")):
        assert ask(run, method, path, run.job.token)[0] == 405
    # The recording's clock, not this machine's.
    assert json.loads(ask(run, "GET", "/api/v1/summary", run.job.token)[1])["at"].startswith("2026-01-01T08:04:59")


def test_what_cannot_be_played_fails_in_a_sentence(runs: Runs, site: Site, recording: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.cdrec"
    cut.write_bytes(recording.read_bytes()[:-40])
    one = begin(runs, site, Span(str(cut), True))
    other = begin(runs, site, None, scripted=Scripted("gas_leak", "2026-01-01T10:00:00"))
    state(one, "failed")
    state(other, "failed")
    assert "is cut off" in one.progress.sentence
    assert "the site has no device 'gas-0042'" in other.progress.sentence
    assert not one.open
    with pytest.raises(Problem, match=f"{MOST} runs are here"):
        begin(runs, site, Span(str(recording), True))


def test_forsaken_runs_go_and_so_does_what_a_killed_cockpit_left(
    runs: Runs, site: Site, recording: Path, tmp_path: Path
) -> None:
    run = begin(runs, site, Span(str(recording), True), speed=0.1)
    left = tmp_path / "var" / "bench" / "left"
    left.mkdir()
    state(run, "playing")
    assert runs.forsaken(run.seen_s + FORSAKEN_S - 1) == []
    assert runs.forsaken(run.seen_s + FORSAKEN_S + 1) == [run.id]
    run.sockets = 1
    assert runs.forsaken(run.seen_s + FORSAKEN_S + 1) == []
    run.sockets = 0
    other = Runs(Places(tmp_path / "var").bench)
    other.begin()
    other.close()
    assert (left.exists(), Path(run.job.folder).exists()) == (False, True)
    runs.remove(run.id)
    with pytest.raises(Problem, match="There is no run"):
        runs.one(run.id)
