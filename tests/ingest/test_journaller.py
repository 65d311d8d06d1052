"""Nothing is acknowledged before it is durable."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import JournalError
from ingest.inbox import Arrived, Inbox
from ingest.journal import Journal
from ingest.journaller import Journaller
from ingest.records import AWAY, TICK
from tests.ingest.messages import T_MS
from tests.servers.waiting import wait_until


@dataclass
class Broker:
    """A subscriber that remembers what was acknowledged, and how much the journal held then."""

    journal: Any
    inbox: Inbox = field(default_factory=Inbox)
    connected: bool = True
    acknowledged: list[int] = field(default_factory=list)
    too_early: list[int] = field(default_factory=list)

    def send(self, count: int) -> None:
        start = self.inbox.received
        for n in range(start, start + count):
            self.inbox.put([(f"city/{n}", b"x", n, 1)])

    def acknowledge(self, messages: Iterable[Arrived]) -> None:
        for message in messages:
            self.acknowledged.append(message[2])
            if self.journal.messages <= message[2]:
                self.too_early.append(message[2])


class FullDisk(Journal):
    """A journal that cannot write for as long as it is told so."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.full = threading.Event()
        self.tried = 0

    def append(self, messages: Sequence[tuple[str, bytes]], now_ms: int) -> range:
        self.tried += 1
        if self.full.is_set():
            raise JournalError("journal: cannot write (disk full)")
        return super().append(messages, now_ms)


@dataclass
class Parts:
    journal: FullDisk
    broker: Broker
    journaller: Journaller
    now_ms: int = T_MS


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    journal = FullDisk(tmp_path)
    broker = Broker(journal)
    subscriber: Any = broker
    made = Parts(journal, broker, Journaller(subscriber, journal, lambda: made.now_ms))
    made.journaller.start()
    yield made
    made.journaller.stop()
    journal.close()


def test_acknowledged_is_what_the_journal_has_in_order(parts: Parts) -> None:
    for _ in range(20):
        parts.broker.send(37)
    wait_until(lambda: len(parts.broker.acknowledged) == 740)
    assert parts.broker.acknowledged == list(range(740))
    assert parts.broker.too_early == []
    kept = [record.topic for record in parts.journal.read(0, 10_000) if record.topic != TICK]
    assert kept == [f"city/{n}" for n in range(740)]


def test_while_the_disk_is_full_nothing_is_acknowledged_and_nothing_lost(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    parts.broker.send(5)
    wait_until(lambda: len(parts.broker.acknowledged) == 5)
    parts.journal.full.set()
    tried = parts.journal.tried
    parts.broker.send(5)
    wait_until(lambda: parts.journal.tried >= tried + 2)
    assert len(parts.broker.acknowledged) == 5
    assert "disk full" in caplog.text
    parts.journal.full.clear()
    wait_until(lambda: len(parts.broker.acknowledged) == 10)
    assert (parts.broker.acknowledged, parts.broker.too_early) == (list(range(10)), [])
    assert parts.journal.messages == 10


def test_a_trouble_is_told_once_and_that_it_is_over(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    parts.journal.full.set()
    parts.broker.send(5)
    tried = parts.journal.tried
    wait_until(lambda: parts.journal.tried >= tried + 3)
    parts.journal.full.clear()
    wait_until(lambda: len(parts.broker.acknowledged) == 5)
    assert [record.getMessage() for record in caplog.records] == [
        "journal: cannot write (disk full)",
        "over, going on: journal: cannot write (disk full)",
    ]


def test_while_the_subscriber_leaves_it_rests(tmp_path: Path) -> None:
    """The inbox lets nobody wait then, and what is on its way to the broker needs the processor."""
    journal, looked = FullDisk(tmp_path), [0]
    subscriber: Any = Broker(journal)

    def clock_ms() -> int:
        looked[0] += 1
        return T_MS

    journaller = Journaller(subscriber, journal, clock_ms)
    journaller.start()
    try:
        wait_until(lambda: journal.last == 1)
        before = looked[0]
        subscriber.inbox.close()
        journaller.join(0.3)
        assert looked[0] - before < 10
    finally:
        journaller.stop()
        journal.close()


def test_it_stops_while_the_disk_is_full_without_acknowledging(parts: Parts) -> None:
    parts.journal.full.set()
    parts.broker.send(5)
    wait_until(lambda: parts.journal.tried)
    parts.journaller.stop()
    assert parts.broker.acknowledged == []


def test_a_tick_each_second_tells_whether_the_broker_is_there(parts: Parts) -> None:
    wait_until(lambda: parts.journal.last == 1)
    for second, connected in ((1, False), (2, True), (5, True)):
        parts.broker.connected = connected
        parts.now_ms = T_MS + second * 1000
        wait_until(lambda: parts.journal.received_ms == parts.now_ms)
    ticks = [(record.received_ms - T_MS, record.payload) for record in parts.journal.read(0, 100)]
    assert ticks == [(0, b""), (1000, AWAY), (2000, b""), (5000, b"")]
    assert parts.journal.messages == 0


def test_a_clock_set_back_stops_no_ticks_and_is_told(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    """They say how full the disk is and whether the broker is there, whatever the clock says."""
    wait_until(lambda: parts.journal.last == 1)
    parts.now_ms = T_MS - 3_600_000
    wait_until(lambda: parts.journal.last == 2)
    assert "the clock of this machine is 3600 s behind the journal" in caplog.text
    parts.now_ms += 1_000
    wait_until(lambda: parts.journal.last == 3)
    assert {record.received_ms for record in parts.journal.read(0, 10)} == {T_MS}
    assert caplog.text.count("behind the journal") == 1


def test_a_disk_that_is_gone_is_waited_for(tmp_path: Path) -> None:
    """Not even how full it is can be told; that must not end the journaller."""
    journal = FullDisk(tmp_path)
    journal.full.set()
    subscriber: Any = Broker(journal)

    def gone() -> dict[str, float]:
        raise FileNotFoundError

    journaller = Journaller(subscriber, journal, lambda: T_MS, own=gone)
    journaller.start()
    try:
        wait_until(lambda: journal.tried)
        journal.full.clear()
        wait_until(lambda: journal.last == 1)
    finally:
        journaller.stop()
        journal.close()


def test_what_it_cannot_wait_out_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The collector ends then, instead of living on deaf."""
    journal = FullDisk(tmp_path)
    subscriber: Any = Broker(journal)

    def broken() -> dict[str, float]:
        raise ZeroDivisionError

    journaller = Journaller(subscriber, journal, lambda: T_MS, own=broken)
    journaller.start()
    journaller.join(5)
    assert isinstance(journaller.failed, ZeroDivisionError)
    assert "the journaller stopped" in caplog.text
    journal.close()
