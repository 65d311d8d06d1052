"""Who waits for the store, and for how long: whoever catches up, while the store works, and nobody else."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from devices.readings import Quality, Reading
from ingest import handed, storing
from ingest.store.base import WriteResult
from ingest.store.sqlite import SqliteStore
from ingest.store.usual import UsualReadings
from tests.ingest.messages import T_MS, gas
from tests.ingest.store_flow import Flow
from tests.servers.waiting import wait_until

COUNT = 4_000
FAR = storing._FAR_BEHIND


class Slow(SqliteStore):
    """Takes its time for every write, and stands while it may not go."""

    def __init__(self, path: Path, flow: Flow) -> None:
        super().__init__(path, flow.site.catalog)
        self.goes = threading.Event()

    def write(self, readings: Sequence[Reading], position: int, usual: Sequence[UsualReadings] = ()) -> WriteResult:
        time.sleep(0.01)
        self.goes.wait()
        return super().write(readings, position, usual)


@pytest.fixture
def slow(tmp_path: Path, flow: Flow) -> Iterator[Slow]:
    store = Slow(tmp_path / "slow.db", flow)
    yield store
    store.goes.set()
    for writer in flow.writers:
        writer.stop(20)
    store.close()


@pytest.fixture(autouse=True)
def small(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few batches be too much, and a wait be as long as it takes; fill the journal."""
    for name, value in (("_LIMIT", 1_000), ("_ENOUGH", 200), ("_MOVES_S", 60.0)):
        monkeypatch.setattr(handed, name, value)
    for name, value in (("_BATCH", 100), ("_ROOM_S", 60.0), ("_WAITED_MOST_S", 600.0)):
        monkeypatch.setattr(storing, name, value)
    for start in range(0, COUNT, 100):
        flow.receive([gas("gas-1", 1, ts=T_MS + n, seq=n) for n in range(start, start + 100)], T_MS + start)


def test_whoever_catches_up_waits_for_a_store_that_works(
    flow: Flow, slow: Slow, caplog: pytest.LogCaptureFixture
) -> None:
    """Else what it hands over is dropped, and decoded a second time."""
    caplog.set_level("INFO")
    slow.goes.set()
    writer = flow.writer(slow)
    writer.start()
    while flow.hand(writer, 100):
        writer.await_room(FAR)
    wait_until(lambda: writer.stored.position == COUNT)
    assert "reading the journal again" not in caplog.text


def test_where_alarms_are_in_time_they_wait_for_nothing(
    flow: Flow, slow: Slow, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    writer = flow.writer(slow)
    writer.start()
    while flow.hand(writer, 100):
        writer.await_room(FAR - 1)
    assert writer.stored.position == 0
    slow.goes.set()
    wait_until(lambda: writer.stored.position == COUNT)
    assert "reading the journal again" in caplog.text


def test_nobody_waits_for_a_store_that_stands(flow: Flow, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handed, "_MOVES_S", 0.5)
    monkeypatch.setattr(storing, "_ROOM_S", 0.2)
    writer = flow.writer(slow)
    writer.start()
    while flow.hand(writer, 100):
        writer.await_room(FAR)
    assert (flow.handed_to, writer.stored.position) == (COUNT, 0)
    slow.goes.set()
    wait_until(lambda: writer.stored.position == COUNT)


def test_they_wait_for_one_that_is_too_slow_only_so_long(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would hold them up for as long as more comes in than it takes; caught up, they may wait again."""
    clock_s = [0.0]

    def wait(_: handed.Waiting, timeout_s: float) -> None:
        clock_s[0] += timeout_s

    monkeypatch.setattr(handed.Waiting, "await_room", wait)
    writer = flow.writer()
    monkeypatch.setattr(storing, "time", SimpleNamespace(monotonic=lambda: clock_s[0]))
    for _ in range(30):
        writer.await_room(FAR)
    assert clock_s == [600.0]
    writer.await_room(FAR - 1)
    writer.await_room(FAR)
    assert clock_s == [660.0]


def test_a_store_with_more_in_hand_may_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three times as many take three times as long: it does not stand."""
    clock_s = [100.0]
    monkeypatch.setattr(handed, "time", SimpleNamespace(monotonic=lambda: clock_s[0]))
    for name, value in (("_ENOUGH", 3), ("_IN_HAND", 2), ("_MOVES_S", 2.0)):
        monkeypatch.setattr(handed, name, value)
    reading = Reading("gas_alarm", "gas_alarm", "gas-1", "demo", T_MS * 10**6, {}, {}, Quality.GOOD, {}, T_MS, 1)
    waiting = handed.Waiting()
    waiting.hand(handed.Handed(0, 6, T_MS, [reading] * 6))
    waiting.take(6)
    waiting.hand(handed.Handed(6, 12, T_MS, [reading] * 6))
    waits: list[bool] = []

    def asked(_condition: threading.Condition, room: Callable[[], bool], _timeout_s: float) -> bool:
        waits.append(not room())
        return True

    monkeypatch.setattr(threading.Condition, "wait_for", asked)
    for after_s in (1.0, 5.9, 6.1):
        clock_s[0] = 100.0 + after_s
        waiting.await_room(1.0)
    assert waits == [True, True, False]
