"""``citydeck up``: broker if the site embeds one, collector, cockpit and simulators, each a process of its own."""

import logging
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import click

from cockpit.broker import embedded_broker
from cockpit.ports import free_port, require_free
from devices.site import Site
from ingest.errors import IngestError
from ingest.places import Places, take

log = logging.getLogger("up")

_READY_S = 60.0
# What a command ends with when it is asked for something there is not: starting it again would not help.
_MISUNDERSTOOD = 2
_RESTART_S = (1.0, 2.0, 5.0, 10.0)
_STOP_S = 15.0


@dataclass
class Part:
    """One process; a part that ends unasked is started again, slower each time it happens soon."""

    name: str
    command: list[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    failures: int = 0
    again_s: float = field(default=0.0)

    def start(self) -> None:
        """Start the process."""
        self.started_s = time.monotonic()
        # Whoever kills this process closes the pipe, and the part ends by it.
        command = [sys.executable, "-m", "cockpit.part", *self.command]
        self.process = subprocess.Popen(command, env=self.environment, stdin=subprocess.PIPE)

    def look(self, now_s: float) -> None:
        """Start it again if it ended and its pause is over."""
        if self.process is None:
            if now_s >= self.again_s:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        if code == _MISUNDERSTOOD:
            raise click.ClickException(f"the {self.name} cannot be started like this; the reason stands above")
        self.failures = 0 if now_s - self.started_s > 60 else self.failures + 1
        pause_s = _RESTART_S[min(self.failures, len(_RESTART_S) - 1)]
        log.warning("%s ended with %s; starting it again in %g s", self.name, code, pause_s)
        self.process, self.again_s = None, now_s + pause_s

    def stop(self) -> None:
        """Ask the process to end."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait(self, until_s: float) -> None:
        """Wait for its end; kill it when it takes too long."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, until_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("%s does not stop; killed", self.name)
            self.process.kill()
            self.process.wait()


def up(
    site: Site,
    site_file: Path | None,
    data: Path,
    host: str,
    port: int,
    mqtt_port: int,
    scenarios: Sequence[str] = (),
    faults: Sequence[str] = (),
) -> None:
    """Run everything until Ctrl-C or SIGTERM.

    Raises:
        click.ClickException: a port or the data folder is taken; nothing was started.
    """
    require_free(host, port, "cockpit", "--port")
    if site.broker.embedded and port == mqtt_port:
        raise click.ClickException(f"--port and --mqtt-port are both {port}; each needs one of its own")
    try:
        take(Places(data)).close()
    except IngestError as error:
        raise click.ClickException(str(error)) from error
    password = os.environ.get("CITYDECK_DEMO_PASSWORD") or secrets.token_urlsafe(9)
    environment = {**os.environ, "CITYDECK_DEMO_PASSWORD": password, "PYTHONUNBUFFERED": "1"}
    common = ["--data", str(data), *(["--site", str(site_file)] if site_file else [])]
    own: list[str] = []
    with ExitStack() as stack:
        if site.broker.embedded:
            require_free("127.0.0.1", mqtt_port, "broker", "--mqtt-port")
            own_port = free_port()
            broker = embedded_broker(data, mqtt_port, own_port)
            broker.start()
            stack.callback(broker.stop)
            own = ["--mqtt-port", str(own_port)]
        parts = [
            *_collectors(site, [*common, *own], environment),
            Part("cockpit", ["cockpit", *common, *own, "--host", host, "--port", str(port)], environment),
        ]
        if site.simulation.run or scenarios or faults:
            wanted = site.simulation
            where = ["--mqtt-port", str(mqtt_port)] if site.broker.embedded else []
            chosen = ["--speed", f"{wanted.speed:g}", "--seed", str(wanted.seed)]
            named = ["--site", str(site_file)] if site_file else []
            played = [part for scenario in scenarios for part in ("--scenario", scenario)]
            played += [part for fault in faults for part in ("--fault", fault)]
            parts.append(Part("simulators", ["simulators", *named, *where, *chosen, *played], environment))
        _run(parts, _greeting(site, host, port, mqtt_port, password), f"http://{_reachable(host)}:{port}")


def _collectors(site: Site, options: list[str], environment: dict[str, str]) -> list[Part]:
    if not site.shards:
        return [Part("ingest", ["ingest", *options], environment)]
    return [Part(f"ingest {name}", ["ingest", "--shard", name, *options], environment) for name in site.shards]


def _run(parts: list[Part], greeting: str, address: str) -> None:
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    click.echo("starting …")
    for part in parts:
        part.start()
    deadline_s = time.monotonic() + _READY_S
    greeted = False
    try:
        while not stopping.wait(0.3):
            now_s = time.monotonic()
            for part in parts:
                part.look(now_s)
            if not greeted and _answers(address):
                click.echo(greeting)
                greeted = True
            elif not greeted and now_s > deadline_s:
                log.warning("the cockpit does not answer yet; its messages above say why")
                deadline_s = now_s + _READY_S
    finally:
        click.echo("stopping …")
        # Sources first, so that the collector can write all that they sent.
        until_s = time.monotonic() + _STOP_S
        for part in reversed(parts):
            part.stop()
            part.wait(until_s)
        click.echo("stopped.")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _who_may(site: Site, password: str) -> str:
    if site.simulated:
        return f"log in as officer (or viewer, officer2, leader, engineer) with password {password}"
    return "users are those of `citydeck user list`, walls those of `citydeck screen list`; nobody else may read"


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::") else host


def _greeting(site: Site, host: str, port: int, mqtt_port: int, password: str) -> str:
    address = f"http://{_reachable(host)}:{port}"
    broker = (
        f"embedded, devices on 127.0.0.1:{mqtt_port} (MQTT 3.1.1); in memory, for demo and small sites"
        if site.broker.embedded
        else site.broker.url
    )
    store = "embedded SQLite" if site.store.embedded else site.store.url
    return (
        f"\n  {site.label.zh} · {site.label.en}\n"
        f"  overview  {address}/\n  wall      {address}/wall\n  duty desk {address}/duty\n  API       {address}/docs\n"
        f"  broker    {broker}\n  store     {store}\n"
        f"  {_who_may(site, password)}\n"
        "  Ctrl-C stops everything.\n"
    )
