"""A small town run by `citydeck up`: real broker, collector and cockpit as processes; tests are its devices."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from cockpit.accounts import screens, users
from cockpit.accounts.command_line import now_ms, terminal
from cockpit.accounts.demo import DEMO_ROLES
from tests.servers.ports import free_port
from tests.servers.processes import children_of
from tests.servers.waiting import wait_until
from tests.sites import small_site_text

PASSWORD = "night-shift"
# A town is asked on loopback without TLS: to read the machine's certificates for each request takes longer than its
# answer, and as long as a town takes to begin, every 20 ms, it would take a whole processor from it.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Town:
    """One running town below a folder."""

    def __init__(self, folder: Path, site: str | None = None, *, simulated: bool = True) -> None:
        """Write the site; one that is not simulated has the demo's users added to it, and `get` asks as a screen."""
        self.folder = folder
        self.site = folder / "site.toml"
        text = small_site_text() if site is None else site
        if simulated and "simulated" not in text:
            text = text.replace("[site]\n", "[site]\nsimulated = true\n")
        self.site.write_text(text, encoding="utf-8")
        self.simulated = simulated
        self.bearer: dict[str, str] = {}
        self.port, self.mqtt_port = free_port(), free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = folder / "up.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._seq = int(time.time())
        self.device: Client | None = None

    def __enter__(self) -> Self:
        """Start everything; it ends with the block."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End everything, and see that it ends well."""
        code = self.stop()
        assert kind is not None or code == 0, self.log.read_text()

    def start(self) -> None:
        """Start everything and wait until it is well."""
        if not self.simulated and not self.bearer:
            self._let_in()
        command = [
            sys.executable,
            "-m",
            "cockpit.cli",
            "up",
            "--site",
            str(self.site),
            "--data",
            str(self.folder / "var"),
        ]
        command += ["--port", str(self.port), "--mqtt-port", str(self.mqtt_port)]
        environment = {**os.environ, "CITYDECK_DEMO_PASSWORD": PASSWORD}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        # Ten seconds of work, and on a busy machine that may take its time.
        wait_until(lambda: self.health() == "ok", 180)
        self.device = Client(CallbackAPIVersion.VERSION2)
        self.device.connect("127.0.0.1", self.mqtt_port)
        self.device.loop_start()

    def _let_in(self) -> None:
        # What `citydeck user add` and `citydeck screen add` do, without six programs to start.
        with terminal(self.site, self.folder / "var") as here:
            for name, roles in DEMO_ROLES.items():
                users.add(here.database, name, roles, PASSWORD, here.actor, now_ms())
            self.bearer = {"Authorization": f"Bearer {screens.add(here.database, 'tests', here.actor, now_ms())}"}

    def stop(self) -> int:
        """Press Ctrl-C and return the exit code."""
        if self.device is not None:
            self.device.disconnect()
            self.device.loop_stop()
            self.device = None
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGINT)
        code = self._process.wait(40)
        self._process = None
        return code

    def parts(self) -> list[int]:
        """Return the ids of the processes that `citydeck up` runs (Linux)."""
        assert self._process is not None
        return sorted(children_of(self._process.pid))

    def kill(self) -> None:
        """Kill `citydeck up` alone, without a word to its parts."""
        assert self._process is not None
        if self.device is not None:
            self.device.disconnect()
            self.device.loop_stop()
            self.device = None
        self._process.kill()
        self._process.wait()
        self._process = None

    def citydeck(self, command: str, verb: str, *arguments: str, password: str = PASSWORD) -> str:
        """Run a command about this town that must succeed, and return what it prints."""
        line = [sys.executable, "-m", "cockpit.cli", command, verb, *arguments]
        line += ["--site", str(self.site), "--data", str(self.folder / "var")]
        environment = {**os.environ, "CITYDECK_USER_PASSWORD": password}
        done = subprocess.run(line, capture_output=True, text=True, env=environment, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def health(self) -> str:
        """Return the status of /healthz, or an empty text while nothing answers."""
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        try:
            return str(httpx.get(f"{self.address}/healthz", verify=NO_TLS).json()["status"])
        except httpx.TransportError:
            return ""

    @contextmanager
    def client(self, user: str | None = None) -> Iterator[httpx.Client]:
        """Give an HTTP client, logged in when a user is named."""
        with httpx.Client(base_url=self.address, verify=NO_TLS, timeout=20) as client:
            if user is not None:
                answer = client.post("/api/v1/login", json={"user": user, "password": PASSWORD})
                assert answer.status_code == 204, answer.text
            yield client

    def get(self, path: str, **parameters: Any) -> Any:
        """Return what the API answers to a reader who is not logged in; of a site that is not open, to a screen."""
        answer = self.ask(path, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, path: str, **parameters: Any) -> httpx.Response:
        """Ask the API as one who is not logged in; of a site that is not open, as a screen."""
        address = f"{self.address}{path}"
        return httpx.get(address, params=parameters, headers=self.bearer, verify=NO_TLS, timeout=20)

    def say(self, kind: str, device: str, data: dict[str, Any], channel: str = "telemetry", **envelope: Any) -> None:
        """Publish a native message now and wait for the broker to have it."""
        self._seq += 1
        body = {"v": 1, "ts": time.time_ns() // 1_000_000, "seq": self._seq, "data": data, **envelope}
        self.send(f"city/v1/demo/{kind}/{device}/{channel}", json.dumps(body).encode())

    def send(self, topic: str, payload: bytes) -> None:
        """Publish bytes."""
        assert self.device is not None
        self.device.publish(topic, payload, qos=1).wait_for_publish(10)

    def until(self, path: str, condition: Callable[[Any], Any], *, patience_s: float = 30, **parameters: Any) -> Any:
        """Ask until there is an answer that fulfils a condition, and return it; not there yet (404) is no answer."""

        def fulfilled() -> Any:
            answer = self.ask(path, **parameters)
            if answer.status_code == 404:
                return None
            assert answer.status_code == 200, answer.text
            found = answer.json()
            return found if condition(found) else None

        return wait_until(fulfilled, patience_s, 0.1)

    def eventually(self, condition: Callable[[], Any]) -> Any:
        """Wait for a condition and return what it found."""
        return wait_until(condition, 30, 0.1)

    def alarm(self, device: str, state: str = "open") -> dict[str, Any]:
        """Wait for an alarm of a device and return it."""
        found = self.until("/api/v1/alarms", lambda page: page["items"], device=device, state=state)
        alarm: dict[str, Any] = found["items"][0]
        return alarm
