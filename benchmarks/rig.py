"""The servers of one run: a broker and a database of their own on free ports of this machine, ended with the run."""

import csv
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from benchmarks import load
from benchmarks.counters import Counters
from benchmarks.usage import cpu_s
from tests.servers.influxdb import Influx
from tests.servers.mosquitto import Mosquitto
from tests.servers.process import ServerProcess
from tests.servers.waiting import wait_until

ROOT = Path(__file__).parents[1]
ALARMING = "alarm"
_DATABASE = "bench"
_AUTOSAVE_S = 10
# Who has subscribed is told by the broker; that is when a load may begin.
_LOGGED = "".join(f"log_type {kind}\n" for kind in ("error", "warning", "notice", "information", "subscribe"))
_SITE = """\
devices_file = "devices.csv"
[site]
name = {{zh = "测量场", en = "Measuring ground"}}
simulated = true
[broker]
url = "mqtt://127.0.0.1:{port}"
subscriptions = ["city/v1/#"]
[store]
url = "{store}"
[[districts]]
key = "{district}"
name = {{zh = "测量场", en = "Measuring ground"}}
streets = [{{key = "s01", name = {{zh = "甲街道", en = "First Street"}}, grids = ["s01-01"]}}]
"""
Result = TypeVar("Result")


def alarming_device(number: int) -> str:
    """Return the id of a device that only ever raises alarms; as long as the others' ids."""
    return f"{ALARMING}{number:05d}"


def write_site(folder: Path, port: int, store_url: str, devices: int, alarming: int = 0) -> Path:
    """Write a site file with so many light poles, and further ones for alarms; return its path."""
    names = [*map(load.device_id, range(devices)), *map(alarming_device, range(alarming))]
    with (folder / "devices.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "kind", "street", "lat", "lon"))
        # A square of poles 15 m apart: a wall draws them, so they must not stand in one spot.
        for number, name in enumerate(names):
            lat, lon = 30.25 + number // 250 * 0.00014, 120.1 + number % 250 * 0.00016
            writer.writerow((name, load.KIND, "s01", f"{lat:.6f}", f"{lon:.6f}"))
    path = folder / "site.toml"
    path.write_text(_SITE.format(port=port, store=store_url, district=load.DISTRICT))
    return path


class Rig:
    """Broker, database, site file and publisher of one run; use it in a ``with``."""

    def __init__(self, devices: int, alarming: int = 0) -> None:
        """Say how many devices the site has; nothing is started yet."""
        self.devices = devices
        self._alarming = alarming
        self._stack = ExitStack()
        self._started: list[ServerProcess] = []

    def __enter__(self) -> "Rig":
        with ExitStack() as stack:
            self.folder = Path(tempfile.mkdtemp(prefix="citydeck-bench-"))
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            broker_folder, influx_folder = self.folder / "mosquitto", self.folder / "influxdb"
            for folder in (broker_folder, influx_folder):
                folder.mkdir()
            self.broker = Mosquitto(broker_folder, autosave_interval_s=_AUTOSAVE_S)
            with (broker_folder / "mosquitto.conf").open("a") as config:
                config.write(_LOGGED)
            self.broker_log = broker_folder / "mosquitto.log"
            self.influx = Influx(influx_folder)
            self.influx.database = _DATABASE
            stack.callback(self.influx.stop)
            stack.callback(self.broker.stop)
            stack.callback(self._stop_programs)
            self.influx.start()
            self.broker.start()
            self.influx.create_database(_DATABASE)
            self.site_file = write_site(self.folder, self.broker.port, self.store_url, self.devices, self._alarming)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def store_url(self) -> str:
        """The database as a site file names it."""
        return f"{self.influx.url}?org={self.influx.org}&bucket={self.influx.database}"

    def program(
        self, name: str, command: list[str], env: Mapping[str, str] | None = None, ports: tuple[int, ...] = ()
    ) -> ServerProcess:
        """Prepare a program that ends with this run; its log is a file named after it."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("CITYDECK_")}
        whole = {**inherited, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **(env or {})}
        program = ServerProcess(command, ports, self.folder / f"{name}.log", env=whole)
        self._started.append(program)
        return program

    def publisher(self, rate: float = 0.0, devices: int | None = None, connections: int = 8) -> "Publisher":
        """Start the load's publisher; it waits until it is allowed to go."""
        counters = Counters(self.folder / f"counters-{len(self._started)}")
        self._stack.callback(counters.close)
        command = [
            sys.executable, "-m", "benchmarks.publisher", "--port", str(self.broker.port), "--counters",
            str(counters.path), "--devices", str(devices or self.devices), "--rate", str(rate),
            "--connections", str(connections),
        ]  # fmt: skip
        program = self.program(f"publisher-{len(self._started)}", command)
        program.start()
        return Publisher(program, counters)

    def subscribed(self, client_id: str) -> int:
        """Return how often a client has subscribed so far."""
        return self.broker_log.read_text(errors="replace").count(f": {client_id} 1 city/")

    def connected(self, client_id: str) -> int:
        """Return how often a client has connected so far."""
        return self.broker_log.read_text(errors="replace").count(f" as {client_id} (")

    def written(self) -> int:
        """Return how many points the database has taken since it started, repeated ones each time: cheap to ask."""
        for row in self.influx.rows("SHOW STATS FOR 'httpd'"):
            return int(row["pointsWrittenOK"])
        return 0

    def kept(self) -> int:
        """Return how many different points of the load the database holds."""
        for row in self.influx.rows(f'SELECT count("dim_pct") FROM "{load.KIND}"'):
            return int(row["count"])
        return 0

    def _stop_programs(self) -> None:
        for program in reversed(self._started):
            if program.running:
                program.stop()


class Publisher:
    """The running load."""

    def __init__(self, program: ServerProcess, counters: Counters) -> None:
        self._program = program
        self._counters = counters

    @property
    def sent(self) -> int:
        """How many messages have been sent."""
        return self._counters.get("sent")

    @property
    def acked(self) -> int:
        """How many messages the broker has taken."""
        return self._counters.get("acked")

    @property
    def cpu_s(self) -> float:
        """CPU seconds used so far."""
        return cpu_s(self._program.pid)

    def allow(self, total: int) -> None:
        """Let it publish up to a total; less than before changes nothing."""
        self._counters.set("allowed", max(total, self._counters.get("allowed")))

    def publish(self, total: int, timeout_s: float = 300.0) -> None:
        """Publish up to a total, and return when the broker has taken it."""
        self.allow(total)
        self.wait(lambda: self.acked >= total, timeout_s)

    def stop(self) -> int:
        """Stop publishing and return how many messages the broker has taken."""
        self._counters.set("stop", 1)
        wait_until(lambda: not self._program.running, 60)
        self.check()
        return self.acked

    def wait(self, condition: Callable[[], Result], timeout_s: float) -> Result:
        """Wait on a condition while the publisher runs."""

        def checked() -> Result:
            self.check()
            return condition()

        return wait_until(checked, timeout_s)

    def check(self) -> None:
        """Raise when it has ended unasked.

        Raises:
            subprocess.SubprocessError: with the end of its log.
        """
        if not self._program.running and not self._counters.get("stop"):
            end = self._program.log.read_text(errors="replace")[-1000:]
            raise subprocess.SubprocessError(f"the publisher ended:\n{end}")
