"""What goes wrong in a round: which faults, when, and for how long, all drawn by the seed."""

import random
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ingest.errors import IngestError
from tests.chaos import oracle
from tests.chaos.gate import Mood
from tests.chaos.town import Town
from tests.servers.waiting import wait_until

Play = Callable[[Town, Callable[[], None], random.Random], None]


@dataclass(frozen=True)
class Fault:
    """One kind of fault; two that meddle with the same part take turns."""

    name: str
    part: str
    play: Play


def _kill_ingest(town: Town, pause: Callable[[], None], chance: random.Random) -> None:
    for _ in range(chance.randint(1, 3)):
        # Killed again while it starts, or when it has saved something: then it begins in the middle.
        if chance.random() < 0.6:
            _wait_for_progress(town)
        town.collector.kill()
        if chance.random() < 0.5:
            pause()
        town.collector.start()


def _stop_ingest(town: Town, pause: Callable[[], None], _chance: random.Random) -> None:
    assert town.collector.stop() == 0 or town.ended_by_full_disk(), "the collector does not stop in order"
    pause()
    town.collector.start()


def _kill_database(town: Town, pause: Callable[[], None], _chance: random.Random) -> None:
    town.influx.kill()
    pause()
    town.influx.start()


def _stop_database(town: Town, pause: Callable[[], None], _chance: random.Random) -> None:
    town.influx.stop()
    pause()
    town.influx.start()


def _restart_broker(town: Town, pause: Callable[[], None], _chance: random.Random) -> None:
    town.broker.stop()
    pause()
    town.broker.start()


def _cut(town: Town, pause: Callable[[], None], chance: random.Random) -> None:
    for _ in range(chance.randint(1, 3)):
        town.wire.cut()
        pause()
        town.wire.mend()
        pause()


def _silence(town: Town, pause: Callable[[], None], chance: random.Random) -> None:
    town.wire.silence()
    pause()
    town.wire.mend(dropping=chance.random() < 0.5)


def _cut_devices(town: Town, pause: Callable[[], None], chance: random.Random) -> None:
    for _ in range(chance.randint(2, 5)):
        town.device_wire.cut()
        town.device_wire.mend()
        pause()
    # What the broker had taken, and could not say so, comes once more.
    town.device_wire.silence()
    pause()
    town.device_wire.mend(dropping=True)


def _gate(mood: Mood) -> Play:
    def play(town: Town, pause: Callable[[], None], _chance: random.Random) -> None:
        before = town.gate.turned_away
        town.gate.become(mood)
        pause()
        # A fault that nobody met was none, but a collector that is down, or waits for its next try, meets none.
        with _whatever_comes():
            wait_until(lambda: town.gate.turned_away > before, 2)
        town.gate.become("open")

    return play


def _full_disk(town: Town, pause: Callable[[], None], chance: random.Random) -> None:
    for _ in range(chance.randint(1, 4)):
        town.disk.fill()
        pause()
        pause()
        town.disk.free()


def _kill_cockpit(town: Town, pause: Callable[[], None], chance: random.Random) -> None:
    for _ in range(chance.randint(1, 2)):
        wait_until(lambda: town.cockpit.get("/healthz"), 60)
        pause()
        town.cockpit.kill()
        town.cockpit.start()


def _wait_for_progress(town: Town) -> None:
    before = oracle.progress(town)
    with _whatever_comes():
        wait_until(lambda: oracle.progress(town) != before, 2)


@contextmanager
def _whatever_comes() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        return


FAULTS = (
    Fault("ingest killed", "ingest", _kill_ingest),
    Fault("database killed", "database", _kill_database),
    Fault("broker restarted", "broker", _restart_broker),
    Fault("wire cut", "wire", _cut),
    Fault("answers 500", "gate", _gate("500")),
    Fault("disk full", "disk", _full_disk),
    Fault("ingest killed", "ingest", _kill_ingest),
    Fault("wire silent", "wire", _silence),
    Fault("database hangs", "gate", _gate("hanging")),
    Fault("devices cut off", "device wire", _cut_devices),
    Fault("answers lost", "gate", _gate("unanswered")),
    Fault("cockpit killed", "cockpit", _kill_cockpit),
    Fault("ingest stopped", "ingest", _stop_ingest),
    Fault("answers 401", "gate", _gate("401")),
    Fault("database stopped", "database", _stop_database),
)


# In so many of the other rounds the collector is killed, too: most of what can be lost is lost by that.
_KILLED_TOO = 0.7
# Only root can mount a small disk; who cannot plays this in its place, and is told.
WITHOUT_DISK = Fault("ingest killed, for want of a small disk", "ingest", _kill_ingest)


@dataclass
class Planned:
    """A fault with its moment (in messages the broker has taken), and what came of it."""

    fault: Fault
    at_message: int
    pauses_s: list[float]
    seed: str
    began_s: float = -1.0
    ended_s: float = -1.0
    failed: str = ""

    def __str__(self) -> str:
        when = f"{self.began_s:.2f}–{self.ended_s:.2f} s" if self.began_s >= 0 else "never began"
        return (
            f"{self.fault.name} at message {self.at_message} ({when}){' FAILED: ' + self.failed if self.failed else ''}"
        )


def draw(seed: int, total: int, mount: Callable[[], bool]) -> list[Planned]:
    """Draw the faults of a round: one by turn, so that every kind has its rounds, up to two more, and mostly a kill."""
    chance = random.Random(f"faults {seed}")
    chosen = [FAULTS[seed % len(FAULTS)], *chance.choices(FAULTS, k=chance.randint(0, 2))]
    if all(fault.part != "ingest" for fault in chosen) and chance.random() < _KILLED_TOO:
        chosen.append(FAULTS[0])
    # A cockpit takes long to start; it has its own turn.
    chosen = [fault for index, fault in enumerate(chosen) if index == 0 or fault.part != "cockpit"]
    if any(fault.part == "disk" for fault in chosen) and not mount():
        chosen = [WITHOUT_DISK if fault.part == "disk" else fault for fault in chosen]
    return sorted(
        (
            Planned(
                fault,
                chance.randint(total // 20, total * 8 // 10),
                [chance.choice((0.0, 0.05, 0.2, 0.5, 1.0)) for _ in range(3)],
                f"{seed} {number}",
            )
            for number, fault in enumerate(chosen)
        ),
        key=lambda planned: planned.at_message,
    )


@dataclass
class Conductor:
    """Plays the faults of a round, each in a thread of its own, when their moment has come."""

    town: Town
    plan: list[Planned]
    began: float = field(default_factory=time.monotonic)
    _giving_up: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _parts: dict[str, threading.Lock] = field(default_factory=dict)

    def start(self) -> None:
        """Begin to wait for the moments."""
        self._parts = {planned.fault.part: threading.Lock() for planned in self.plan}
        self._threads = [threading.Thread(target=self._play, args=(planned,)) for planned in self.plan]
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Return when every fault is over."""
        for thread in self._threads:
            thread.join()

    def give_up(self) -> None:
        """Begin no fault any more."""
        self._giving_up.set()
        self.finish()

    def _play(self, planned: Planned) -> None:
        while self.town.fleet.acked < planned.at_message:
            if self._giving_up.wait(0.002):
                return
        with self._parts[planned.fault.part]:
            planned.began_s = time.monotonic() - self.began
            pauses = iter(planned.pauses_s * 10)
            try:
                # Not a wait for anything: this is how long the fault lasts.
                planned.fault.play(self.town, lambda: _last(self._giving_up, next(pauses)), random.Random(planned.seed))
            except (
                AssertionError, OSError, RuntimeError, TimeoutError, subprocess.TimeoutExpired, IngestError,
                sqlite3.Error,
            ) as error:  # fmt: skip
                planned.failed = f"{type(error).__name__}: {error}"
            planned.ended_s = time.monotonic() - self.began


def _last(event: threading.Event, duration_s: float) -> None:
    event.wait(duration_s)
