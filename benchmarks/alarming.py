"""Alarms published one after another, and the cockpit and sockets that hear of them."""

import random
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from benchmarks import load
from benchmarks.rig import Rig, alarming_device
from benchmarks.spread import percentile
from benchmarks.usage import cpu_s
from benchmarks.walls import READY
from tests.servers.ports import free_port
from tests.servers.waiting import wait_until

TAIL_S: Final = 3.0
_LOOK_S = 0.0005
_LEAK_MA = "60"
_SEED = 20_260_101
_OPENING_S = 180.0


def publish_alarms(
    rig: Rig, length_s: float, per_s: float, look: Callable[[], None] = lambda: None, first: int = 0
) -> dict[str, int]:
    """Publish alarms at uneven moments, looking meanwhile; return when each one was sent, in monotonic ns.

    A leaking light pole: its limit has no delay, so what is measured is the way, not the rule. ``first`` is the number
    of the first device that leaks; each leaks once.
    """
    chance = random.Random(_SEED)
    published: dict[str, int] = {}
    with socket.create_connection(("127.0.0.1", rig.broker.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(load.connect_packet("bench-alarming"))
        connection.recv(4, socket.MSG_WAITALL)
        now_s = time.perf_counter()
        end_s, next_s = now_s + length_s, now_s
        while now_s < end_s + TAIL_S:
            if next_s <= now_s < end_s:
                device = alarming_device(first + len(published))
                body = load.payload(time.time_ns() // 1_000_000, 0, leak_ma=_LEAK_MA)
                packet = load.publish_packet(load.topic(device), body, len(published) % 65_535 + 1)
                published[device] = time.monotonic_ns()
                connection.sendall(packet)
                next_s = now_s + chance.uniform(0.5, 1.5) / per_s
            look()
            time.sleep(_LOOK_S)
            now_s = time.perf_counter()
    return published


def waits(published: Mapping[str, int], seen: Sequence[tuple[str, int]]) -> dict[str, float]:
    """Return how long alarms took to whoever has seen them; nothing when nobody saw any."""
    found_ms = [(at_ns - published[device]) / 1e6 for device, at_ns in seen if device in published]
    if not found_ms:
        return {}
    return {
        "p50_ms": percentile(found_ms, 0.5),
        "p99_ms": percentile(found_ms, 0.99),
        "worst_ms": max(found_ms),
        "seen": len(found_ms),
    }


class Cockpit:
    """The cockpit of a rig."""

    def __init__(self, rig: Rig) -> None:
        """Start it and return when it listens."""
        self._rig = rig
        self._opened = 0
        self.port = free_port()
        data = str(rig.folder / "var")
        command = [sys.executable, "-m", "cockpit", "--site", str(rig.site_file), "--data", data]
        self._program = rig.program(
            "cockpit", [*command, "--port", str(self.port)], {"CITYDECK_DEMO_PASSWORD": "bench"}, (self.port,)
        )
        self._program.start()

    @property
    def cpu_s(self) -> float:
        """CPU seconds its process has used."""
        return cpu_s(self._program.pid)

    def walls(self, count: int) -> "Walls":
        """Open so many sockets, in one process of their own, and return when all have their snapshot."""
        self._opened += 1
        return Walls(self._rig, f"walls-{self._opened}", self.port, count)


class NotOpenError(Exception):
    """A machine is too slow for so many sockets."""


class Walls:
    """Open sockets."""

    def __init__(self, rig: Rig, name: str, port: int, count: int) -> None:
        url = f"ws://127.0.0.1:{port}/ws/live"
        command = [sys.executable, "-m", "benchmarks.walls", "--url", url, "--count", str(count)]
        self._program = rig.program(name, command)
        self._program.start()
        try:
            wait_until(lambda: READY in self._said() or not self._program.running, _OPENING_S)
        except TimeoutError as error:
            raise NotOpenError(f"not every socket had its snapshot within {_OPENING_S:g} s") from error
        if not self._program.running:
            raise RuntimeError(f"the sockets ended:\n{self._said()[-2000:]}")

    def close(self) -> list[tuple[str, int]]:
        """Close them and return which alarm came when, one entry an alarm and socket."""
        self._program.stop()
        words = [line.split() for line in self._said().splitlines() if line.startswith("alarm")]
        return [(device, int(at_ns)) for device, at_ns in words]

    def _said(self) -> str:
        return self._program.log.read_text()
