"""`citydeck` on the command line: clear errors before anything starts, and a clean end."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.places import Places, take
from tests.cockpit.town import Town
from tests.servers.ports import free_port
from tests.servers.processes import has_ended
from tests.servers.waiting import wait_until
from tests.sites import small_site_text


def citydeck(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "cockpit.cli", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("command", [(), ("up",), ("ingest",), ("serve",), ("simulate",), ("check",), ("quarantine",)])
def test_help(command: tuple[str, ...]) -> None:
    """Every command explains itself."""
    done = citydeck(*command, "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout
    assert "--help" in done.stdout


def test_check_of_the_demo_city() -> None:
    """Without a file the demo city is checked and counted."""
    done = citydeck("check")
    assert done.returncode == 0, done.stderr
    by_kind = {kind: int(count) for count, kind in re.findall(r"(\d+)  (\w+)", done.stdout)}
    assert (by_kind["drone"], by_kind["refuse_truck"], by_kind["bridge_wim"]) == (20, 127, 12)
    assert (by_kind["light_pole"], by_kind["gas_alarm"]) == (2000, 3000)


def test_check_tells_all_faults_at_once(tmp_path: Path) -> None:
    """A file with five mistakes gets five lines, each with its path."""
    site = tmp_path / "site.toml"
    text = small_site_text(
        broker="http://nonsense", store="influx", tail="[limits.gas_alarm.conc_pct_lel]\nlevels = [30, 60]"
    )
    text = text.replace('kind = "gateway"', 'kind = "gatway"').replace('parent = "dock-1"', 'parent = "dock-9"')
    site.write_text(text, encoding="utf-8")
    done = citydeck("check", "--site", str(site))
    assert done.returncode == 1
    for path in ("broker.url", "store.url", "limits.gas_alarm.conc_pct_lel", "devices[0].kind", "devices[5].parent"):
        assert path in done.stderr
    assert "did you mean 'gateway'?" in done.stderr


@pytest.mark.parametrize(
    ("option", "what"), [("--port", "cockpit"), ("--mqtt-port", "broker")], ids=["cockpit port", "broker port"]
)
def test_taken_port(tmp_path: Path, option: str, what: str) -> None:
    """A taken port is named, with the option that helps, and nothing is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = "--mqtt-port" if option == "--port" else "--port"
        done = citydeck("up", "--data", str(tmp_path), option, str(port), other, str(free_port()))
    assert done.returncode == 1
    assert str(port) in done.stderr and what in done.stderr and option in done.stderr
    assert "Traceback" not in done.stderr


def test_taken_data_folder(tmp_path: Path) -> None:
    """A second city on the same folder is refused before anything starts."""
    with take(Places(tmp_path)):
        ports = ["--port", str(free_port()), "--mqtt-port", str(free_port())]
        done = citydeck("up", "--data", str(tmp_path), *ports)
    assert done.returncode == 1
    assert "another collector" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("part", ["ingest", "serve"])
def test_embedded_broker_needs_up(tmp_path: Path, part: str) -> None:
    """A part alone on an embedded site says what to do instead of guessing an address."""
    done = citydeck(part, "--data", str(tmp_path))
    assert done.returncode != 0
    assert "citydeck up" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_killed_up_takes_its_parts_along(tmp_path: Path) -> None:
    """SIGKILL asks nobody: collector and cockpit end by themselves, in order, and the next start is as any other."""
    town = Town(tmp_path)
    town.start()
    try:
        parts = town.parts()
        assert len(parts) == 3, "broker, collector and cockpit"
    finally:
        town.kill()
    wait_until(lambda: all(has_ended(pid) for pid in parts), 40)
    assert town.log.read_text().count("this part ends, too") == 2
    assert "Traceback" not in town.log.read_text()
    take(Places(tmp_path / "var")).close()
    town.start()
    assert town.stop() == 0


def test_state_survives_a_restart(tmp_path: Path) -> None:
    """Ctrl-C ends every part; after a new start alarms, values and history are there, and nothing else was raised."""
    town = Town(tmp_path)
    town.start()
    town.say("gas_alarm", "gas-1", {"conc_pct_lel": 60, "state": 2}, channel="event", id="one")
    alarms = town.until("/api/v1/alarms", lambda page: len(page["items"]) == 2)["items"]
    town.until("/api/v1/ledger", lambda page: page["readings"]["stored"] > 0 and page["readings"]["waiting"] == 0)
    assert town.stop() == 0
    assert "Traceback" not in town.log.read_text()
    assert "\nstopped.\n" in town.log.read_text()
    town.start()
    town.until("/api/v1/devices/gas-1", lambda device: device["latest"].get("conc_pct_lel", {}).get("value") == 60)
    again = town.get("/api/v1/alarms")["items"]
    assert [(a["id"], a["raised_at"]) for a in again] == [(a["id"], a["raised_at"]) for a in alarms]
    assert len(town.get("/api/v1/devices/gas-1/series", field="conc_pct_lel")["points"]) == 1
    assert town.stop() == 0


def test_a_part_that_is_asked_for_something_there_is_not_ends_all(tmp_path: Path) -> None:
    """Starting it again and again would help nobody."""
    options = ["--data", str(tmp_path / "var"), "--port", str(free_port()), "--mqtt-port", str(free_port())]
    done = subprocess.run(
        [sys.executable, "-m", "cockpit.cli", "up", *options, "--scenario", "gas_leek"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert "did you mean 'gas_leak'?" in done.stdout + done.stderr
    assert "the simulators cannot be started like this" in done.stderr
