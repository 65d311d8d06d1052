"""A real mosquitto, with the configuration that users get with deploy/."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.servers.ports import free_port
from tests.servers.process import ServerProcess
from tests.servers.programs import require

CONFIG_FILE = Path(__file__).parents[2] / "deploy" / "mosquitto.conf"


class Mosquitto:
    """A broker on 127.0.0.1 that keeps its port and its stored sessions over a restart."""

    def __init__(
        self,
        folder: Path,
        autosave_interval_s: int = 1,
        passwords: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
    ):
        """Write the configuration.

        Args:
            folder: where configuration, log and database go.
            autosave_interval_s: how much a `kill` can lose; 0 saves only when it is stopped.
            passwords: user names with their passwords; without them everybody is let in.
            settings: further ones, in place of those that users get.
        """
        self.port = free_port()
        own = {
            "listener": f"{self.port} 127.0.0.1",
            "persistence_location": f"{folder}/",
            "autosave_interval": str(autosave_interval_s),
            "allow_anonymous": "true" if passwords is None else "false",
            "password_file": "" if passwords is None else str(_password_file(folder, passwords)),
            # Started by root, mosquitto would become a user who cannot write in the test's folder.
            "user": "root" if folder.owner() == "root" else "",
            **(settings or {}),
        }
        config = folder / "mosquitto.conf"
        config.write_text(_with_own(CONFIG_FILE.read_text(), own))
        self._database = folder / "mosquitto.db"
        self._process = ServerProcess([require("mosquitto"), "-c", str(config)], [self.port], folder / "mosquitto.log")

    @property
    def pid(self) -> int:
        """The id of the running broker's process."""
        return self._process.pid

    def start(self) -> None:
        """Start the broker and return when it listens."""
        self._process.start()

    def stop(self) -> None:
        """End the broker in order: it saves what it holds."""
        self._process.stop()

    def kill(self) -> None:
        """End the broker as a crash would: it loses what came since the last save."""
        self._process.kill()

    def forget(self) -> None:
        """Lose all it saved; while it is stopped."""
        self._database.unlink()

    def restart(self) -> None:
        """Stop and start it on the same port, with what it saved."""
        self.stop()
        self.start()


def _with_own(deployed: str, own: Mapping[str, str]) -> str:
    """Replace settings of the file that users get; an empty one is left out."""
    kept = [line for line in deployed.splitlines() if line.split(" ")[0] not in own]
    return "\n".join([*kept, *(f"{name} {value}" for name, value in own.items() if value), ""])


def _password_file(folder: Path, passwords: Mapping[str, str]) -> Path:
    file = folder / "passwords"
    file.touch(mode=0o600)
    for user, password in passwords.items():
        subprocess.run([require("mosquitto_passwd"), "-b", str(file), user, password], check=True, capture_output=True)
    return file


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running broker that lets everybody in."""
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    broker = Mosquitto(folder)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def guarded_mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running broker that lets in only user `citydeck` with password `right`."""
    folder = tmp_path / "guarded_mosquitto"
    folder.mkdir()
    broker = Mosquitto(folder, passwords={"citydeck": "right"})
    broker.start()
    yield broker
    broker.stop()
