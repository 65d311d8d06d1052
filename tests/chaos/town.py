"""Everything a round needs, real and started: broker, database, collector, wires between them, perhaps a cockpit."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from tests.chaos.fleet import Fleet
from tests.chaos.gate import Gate
from tests.chaos.load import CONFLICT, Load
from tests.chaos.wire import Wire
from tests.ingest.collector import ROOT, Collector
from tests.servers.influxdb import Influx
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import free_port
from tests.servers.small_disk import SmallDisk
from tests.sites import small_site_text

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# Most of the time something has arrived and is not yet durable: a kill then finds what was acknowledged too early.
SLOW_DISK = """
import time
from ingest.journal import Journal
append = Journal.append
Journal.append = lambda self, *arguments: (time.sleep(0.05), append(self, *arguments))[1]
"""


class Cockpit:
    """``citydeck serve`` on the collector's data folder; may be killed."""

    def __init__(self, town: "Town") -> None:
        self._port = free_port()
        self._command = [sys.executable, "-m", "cockpit", "--site", str(town.site_file), "--data", str(town.data)]
        self._command += ["--port", str(self._port)]
        self._log = town.folder / "cockpit.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {**os.environ, "CITYDECK_DEMO_PASSWORD": "night-shift"}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT, env=environment
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def get(self, path: str) -> bytes:
        """Return what it answers, or nothing while it does not."""
        try:
            with _opener.open(f"http://127.0.0.1:{self._port}{path}", timeout=10) as answer:
                found: bytes = answer.read()
                return found
        except (urllib.error.URLError, OSError):
            return b""


class Town:
    """The parts of one round, each with a name that faults use."""

    def __init__(self, folder: Path, influx: Influx, load: Load, per_s: float, autosave_interval_s: int = 1) -> None:
        self.folder = folder
        self.influx = influx
        broker_folder = folder / "mosquitto"
        broker_folder.mkdir()
        self.broker = Mosquitto(broker_folder, autosave_interval_s)
        self.broker_file = broker_folder / "mosquitto.db"
        self.gate = Gate(influx.url)
        self.wire = Wire(self.broker.port)
        self.device_wire = Wire(self.broker.port)
        self.fleet = Fleet(self.device_wire.port, load.lanes, per_s)
        self.data = folder / "data"
        self.disk = SmallDisk(self.data)
        self.site_file = folder / "site.toml"
        store = f"{self.gate.url}?org={influx.org}&bucket={influx.database}"
        text = small_site_text(head="simulated = true", broker=f"mqtt://127.0.0.1:{self.wire.port}", store=store)
        self.site_file.write_text(text, encoding="utf-8")
        self.collector = Collector(self.site_file, self.data)
        self.cockpit = Cockpit(self)
        self.has_cockpit = False

    def start(self) -> None:
        """Start everything but the devices; the collector has its session with the broker on return."""
        write(self.influx, CONFLICT)
        self.broker.start()
        self.collector.connected()
        if self.has_cockpit:
            self.cockpit.start()

    def ended_by_full_disk(self) -> bool:
        """Tell whether the collector's last word was that the disk takes nothing: it was stopped or started on it."""
        last = "".join(self.collector.log.splitlines()[-1:])
        return self.disk.was_full and last.startswith("citydeck ingest: ") and "cannot be" in last

    def close(self) -> None:
        """End everything that this round started."""
        with ExitStack() as stack:
            # The last one first, and every one whatever happens to the others.
            for end in (
                self.disk.unmount, self.broker.stop, self.device_wire.close, self.wire.close, self.gate.close,
                self.collector.close, self.cockpit.kill, self.fleet.stop,
            ):  # fmt: skip
                stack.callback(end)


def write(influx: Influx, lines: str) -> None:
    """Write line protocol by hand."""
    url = f"{influx.url}/api/v2/write?org={influx.org}&bucket={influx.database}&precision=ns"
    with _opener.open(urllib.request.Request(url, lines.encode(), method="POST"), timeout=10) as answer:
        assert answer.status == 204
