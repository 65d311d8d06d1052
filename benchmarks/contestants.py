"""Who is measured: CityDeck, what a city would pick instead, and a C subscriber that only shows what the broker can."""

import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Final

from benchmarks.load import DISTRICT, PAYLOAD_BYTES
from benchmarks.peers import usual_collector
from benchmarks.peers.node_red_install import MODULES, SOURCES, install
from benchmarks.rig import Rig
from benchmarks.settings import Settings
from benchmarks.usage import cpu_s
from tests.servers.ports import free_port
from tests.servers.process import ServerProcess
from tests.servers.programs import require
from tests.servers.waiting import wait_until

READY_S: Final = 60.0


class Contestant(ABC):
    """A collector as a process, on a rig of its own; may be stopped or killed and started again."""

    name = ""
    client_id = ""

    def __init__(self, rig: Rig, settings: Settings) -> None:
        self.rig = rig
        self._program = self._prepared(rig, settings)

    @classmethod
    def missing(cls, settings: Settings) -> str:
        """Return why it cannot run here, or an empty text."""
        return ""

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._program.pid

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._program.running

    @property
    def cpu_s(self) -> float:
        """CPU seconds its process has used."""
        return cpu_s(self._program.pid)

    @property
    def log(self) -> str:
        """What it has said."""
        return self._program.log.read_text(errors="replace")

    def ended(self) -> str:
        """Return the last line it said when it ended by itself, or an empty text while it runs."""
        if self.running:
            return ""
        said = [line for line in self.log.splitlines() if line.strip()]
        return said[-1].strip()[:300] if said else "it said nothing"

    def start(self) -> None:
        """Start it, and return at once."""
        self._program.start()

    def ready(self) -> None:
        """Start it, and return when the broker sends it what is published from now on.

        Raises:
            RuntimeError: it ended before; the message has the end of its log.
        """
        before = self.rig.subscribed(self.client_id)
        self.start()

        def subscribed() -> bool:
            if not self.running:
                raise RuntimeError(f"{self.name} ended before it subscribed:\n{self.log[-2000:]}")
            return self.rig.subscribed(self.client_id) > before

        wait_until(subscribed, READY_S)

    def stop(self) -> None:
        """End it in order; its session stays with the broker."""
        self._program.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._program.kill()

    def arrived(self) -> int:
        """Return how many messages have come out behind it so far; cheap, for following a run."""
        return self.rig.written()

    def kept(self) -> int:
        """Return how many different messages have come out behind it: the count that results are made of."""
        return self.rig.kept()

    @abstractmethod
    def _prepared(self, rig: Rig, settings: Settings) -> ServerProcess:
        """Return its process, ready to be started."""


class CityDeck(Contestant):
    """The collector of this project, everything on: journal, decoding, alarms, live topics, store."""

    name = "CityDeck"
    client_id = f"citydeck-{DISTRICT}-main"

    def _prepared(self, rig: Rig, settings: Settings) -> ServerProcess:
        command = [sys.executable, "-m", "ingest", "--site", str(rig.site_file), "--data", str(rig.folder / "var")]
        return rig.program("citydeck", command)


class NodeRed(Contestant):
    """mqtt in → json → function → join of 1,000 or 1 s → influxdb batch."""

    name = "Node-RED"
    client_id = "bench-node-red"

    @classmethod
    def missing(cls, settings: Settings) -> str:
        """Install it into the cache folder, unless it is there; return why that cannot be."""
        return install(settings.cache, settings.say)

    def _prepared(self, rig: Rig, settings: Settings) -> ServerProcess:
        folder = rig.folder / "node-red"
        shutil.copytree(SOURCES, folder)
        modules = (settings.cache / MODULES).resolve()
        (folder / "node_modules").symlink_to(modules)
        command = [
            require("node"), str(modules / "node-red" / "red.js"),
            "--userDir", str(folder), "--settings", str(folder / "settings.js"),
        ]  # fmt: skip
        return rig.program("node-red", command, {**_addresses(rig), "BENCH_UI_PORT": str(free_port())})


class UsualCollector(Contestant):
    """paho + Point + the write API's batching: benchmarks/peers/usual_collector.py."""

    name = "paho + Point"
    client_id = usual_collector.CLIENT_ID

    def _prepared(self, rig: Rig, settings: Settings) -> ServerProcess:
        return rig.program("usual", [sys.executable, "-m", "benchmarks.peers.usual_collector"], _addresses(rig))


class Subscriber(Contestant):
    """``mosquitto_sub``: takes messages and stores nothing, so it shows how much the broker alone can deliver."""

    name = "mosquitto_sub"
    client_id = "bench-subscriber"

    @classmethod
    def missing(cls, settings: Settings) -> str:
        """Return why it cannot run here, or an empty text."""
        return "" if shutil.which("mosquitto_sub") else "mosquitto_sub is not installed (mosquitto-clients)"

    def _prepared(self, rig: Rig, settings: Settings) -> ServerProcess:
        # Every payload is equally long, so its length as text is too, and a file's size counts the messages.
        command = [
            "mosquitto_sub", "-p", str(rig.broker.port), "-i", self.client_id, "-c", "-q", "1", "-t", "city/v1/#",
            "-V", "5", "-x", "3600", "-D", "CONNECT", "receive-maximum", "65535", "-F", "%l",
        ]  # fmt: skip
        return rig.program("subscriber", command)

    def arrived(self) -> int:
        """Return how many messages it has written down; it does so one by one."""
        return self._program.log.stat().st_size // len(f"{PAYLOAD_BYTES}\n")

    def kept(self) -> int:
        """Return the same: what it has seen is all it keeps."""
        return self.arrived()


CONTESTANTS: Mapping[str, type[Contestant]] = {
    "citydeck": CityDeck,
    "node-red": NodeRed,
    "usual": UsualCollector,
    "subscriber": Subscriber,
}


def chosen(settings: Settings, *without: str) -> tuple[dict[str, type[Contestant]], dict[str, str]]:
    """Return who takes part and can, and by name why the others cannot."""
    able: dict[str, type[Contestant]] = {}
    unable: dict[str, str] = {}
    for key, found in CONTESTANTS.items():
        if key in without or not settings.wants(key):
            continue
        reason = found.missing(settings)
        if reason:
            unable[found.name] = reason
        else:
            able[key] = found
    return able, unable


def followed(condition: Callable[[], bool], contestant: Contestant, timeout_s: float) -> bool:
    """Wait on a condition, for as long as a contestant runs; return whether it came true."""
    try:
        return wait_until(lambda: condition() or not contestant.running, timeout_s, 0.05) and condition()
    except TimeoutError:
        return False


def _addresses(rig: Rig) -> dict[str, str]:
    return {
        "BENCH_MQTT_PORT": str(rig.broker.port),
        "BENCH_INFLUX_URL": rig.influx.url,
        "BENCH_DATABASE": rig.influx.database,
    }
