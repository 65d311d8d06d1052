"""Every command starts what it needs, counts right with a tiny load, and leaves nothing behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers.processes import all_processes, command_of
from tests.servers.programs import require
from tests.servers.waiting import wait_until

ROOT = Path(__file__).parents[2]
# Node-RED comes from a registry: the command may fetch it, a test may not.
LOCAL = ("--only", "citydeck", "--only", "usual", "--only", "subscriber")


@pytest.fixture(autouse=True)
def _programs() -> None:
    for program in ("mosquitto", "influxd", "nginx"):
        require(program)


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks", *words]


def environment(folder: Path, **changed: str) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder), **changed}


def measured(folder: Path, *words: str) -> dict[str, dict[str, Any]]:
    """Run a command and return its rows by name."""
    temporary = folder / "tmp"
    temporary.mkdir()
    result = folder / "result.json"
    done = subprocess.run(
        command(*words, "--quick", "--json", str(result)),
        cwd=ROOT,
        env=environment(temporary),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert not any(temporary.iterdir()), "everything made for the run is removed"
    document = json.loads(result.read_text())
    assert document["machine"]["kernel"].startswith("Linux")
    for row in document["rows"]:
        assert row["name"] in done.stdout
    return {row["name"]: row for row in document["rows"]}


@pytest.mark.long
@pytest.mark.parametrize("name", ["throughput", "backlog"])
def test_all_that_is_published_comes_out(tmp_path: Path, name: str) -> None:
    rows = measured(tmp_path, name, *LOCAL)
    assert [*rows] == ["CityDeck", "paho + Point", "mosquitto_sub"]
    if shutil.which("mosquitto_sub") is None:
        assert "not installed" in rows.pop("mosquitto_sub")["not_run"]
    for row in rows.values():
        assert row["median"]["missing"] == 0, row
        assert row["median"]["rate"] > 0


@pytest.mark.long
@pytest.mark.parametrize("name", ["kills", "outage", "drain"])
def test_citydeck_loses_nothing(tmp_path: Path, name: str) -> None:
    rows = measured(tmp_path, name, "--only", "citydeck")
    assert rows["CityDeck"]["median"]["lost"] == 0


def test_writes_of_every_size_keep_all(tmp_path: Path) -> None:
    rows = measured(tmp_path, "writes")
    assert [*rows] == ["200 at once", "1,000 at once"]
    for row in rows.values():
        assert row["median"]["missing"] == 0
        assert row["median"]["rate"] > 0


@pytest.mark.long
def test_every_alarm_is_seen_in_the_database_and_on_every_wall(tmp_path: Path) -> None:
    rows = measured(tmp_path, "alarm")
    assert len(rows) == 2
    for row in rows.values():
        assert row["median"]["alarms"] > 5
        assert row["median"]["missing"] == 0
        assert 0 < row["median"]["p50_ms"] <= row["median"]["p99_ms"] <= row["median"]["worst_ms"]


@pytest.mark.long
def test_every_alarm_comes_to_every_open_page(tmp_path: Path) -> None:
    rows = measured(tmp_path, "sockets")
    assert [*rows] == ["no socket", "2 sockets", "4 sockets"]
    assert "p50_ms" not in rows.pop("no socket")["median"]
    for row in rows.values():
        assert row["median"]["alarms"] > 3
        assert row["median"]["missing"] == 0
        assert 0 < row["median"]["p50_ms"] <= row["median"]["p99_ms"] <= row["median"]["worst_ms"]


def test_memory_is_told(tmp_path: Path) -> None:
    (row,) = measured(tmp_path, "memory").values()
    assert 10 < row["median"]["started_mb"] <= row["median"]["peak_mb"]


def test_a_recording_is_replayed_whole(tmp_path: Path) -> None:
    rows = measured(tmp_path, "replay")
    assert [*rows] == ["judged only", "in a sandbox", "into InfluxDB", "in a sandbox, all a lamp says"]
    assert all(row["median"]["speed"] > 0 for row in rows.values())


def test_a_thousand_rules_are_a_thousand(tmp_path: Path) -> None:
    rows = measured(tmp_path, "rules")
    assert [row["median"]["rules"] for row in rows.values()][1:] == [0, 1000, 1000]
    assert [row["median"]["apply"] for row in rows.values()][1:] == [0, 20, 1000]


def test_a_draft_is_tested_on_both_stores(tmp_path: Path) -> None:
    rows = measured(tmp_path, "backtest")
    assert [*rows] == ["embedded store", "InfluxDB", "recording, both engines"]
    for row in rows.values():
        assert row["median"]["judge_us"] > 0


def test_without_node_the_table_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        command("throughput", "--quick", "--only", "node-red", "--markdown"),
        cwd=ROOT, env=environment(tmp_path, PATH=""), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "| Node-RED | not run: node is not installed |" in done.stdout


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_whoever_is_interrupted_ends_all_it_started(tmp_path: Path, name: signal.Signals) -> None:
    process = subprocess.Popen(
        command("throughput", "--only", "citydeck", "--seconds", "60"),
        cwd=ROOT,
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: "benchmarks.publisher" in " ".join(started(tmp_path)), 60)
        assert len(started(tmp_path)) >= 5, "broker, database, proxy, collector, publisher"
        process.send_signal(name)
        assert process.wait(150) != 0
    finally:
        process.kill()
        process.wait()
    assert started(tmp_path) == []
    assert [*tmp_path.iterdir()] == []


def started(folder: Path) -> list[str]:
    """Return the command lines of processes that work below a folder."""
    lines = [" ".join(command_of(pid)) for pid in all_processes()]
    return [line for line in lines if str(folder) in line]
