"""A server process that a test starts and ends."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.servers.ports import owns_port
from tests.servers.waiting import wait_until


class ServerProcess:
    """One program in the foreground, ready when it listens itself on all of its ports."""

    def __init__(self, command: Sequence[str], ports: Sequence[int], log: Path, env: Mapping[str, str] | None = None):
        self.command = list(command)
        self.ports = tuple(ports)
        self.log = log
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of the running process."""
        if self._process is None:
            raise RuntimeError(f"{self.command[0]} was not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the program and return when it listens.

        Raises:
            RuntimeError: it ended before that; the message has the end of its log.
            TimeoutError: it did not listen within 30 seconds.
        """
        if self.running:
            raise RuntimeError(f"{self.command[0]} is already running")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=self._env
            )
        try:
            wait_until(self._listens, timeout=30)
        except TimeoutError:
            self.kill()
            raise

    def stop(self) -> None:
        """End the process in order; after 10 seconds kill it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the process at once (SIGKILL): it saves nothing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _listens(self) -> bool:
        if not self.running:
            end = self.log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{self.command[0]} ended before it listened on {self.ports}:\n{end}")
        return all(owns_port(self.pid, port) for port in self.ports)
