"""A replay over MQTT says what the broker has, wherever it ends; what is played once more is news."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from devices.recording import Message, Writer
from ingest.address import BrokerAddress
from ingest.errors import ReplayError
from ingest.recording.scope import WHOLE
from ingest.replay.pace import Pace
from ingest.replay.publishing import Sent, publish
from ingest.replay.source import Source
from tests.ingest.messages import T_MS, native
from tests.ingest.publisher import Listener
from tests.ingest.recording.test_recording import HEADER
from tests.servers.mosquitto import Mosquitto
from tests.servers.waiting import wait_until

SECOND = 1_000
SECONDS = 120
NOW_MS = 1_800_000_000_000


@pytest.fixture
def heard(mosquitto: Mosquitto) -> Iterator[Listener]:
    listener = Listener(mosquitto.port, "#")
    yield listener
    listener.close()


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """Return two minutes in which a passage comes each second."""
    path = tmp_path / "r.cdrec"
    messages = []
    for second in range(SECONDS):
        at_ms = T_MS + second * SECOND
        told = native("bridge_wim", "wim-1", {"gvw_kg": 9_000}, "event", id=f"p{second}", ts=at_ms)
        messages.append(Message(at_ms, *told))
    writer = Writer(path, HEADER)
    writer.write(messages)
    writer.close()
    return Source(path, T_MS, T_MS + SECONDS * SECOND, True, WHOLE)


class Replay:
    """A replay by a thread of its own."""

    def __init__(self, source: Source, mosquitto: Mosquitto, pace: Pace, now_ms: int = NOW_MS) -> None:
        self.pace = pace
        self.told: list[int] = []
        self.sent: Sent | None = None
        work = partial(
            publish, source, BrokerAddress("127.0.0.1", mosquitto.port), pace, lambda: now_ms, loop=False, to_now=True,
            told=lambda sent: self.told.append(sent.messages),
        )  # fmt: skip
        self._thread = threading.Thread(target=self._run, args=(work,))
        self._thread.start()

    def _run(self, work: "partial[Sent]") -> None:
        self.sent = work()

    def end(self) -> Sent:
        self.pace.stop()
        self._thread.join(60)
        assert self.sent is not None
        return self.sent


def has(heard: Listener, count: int) -> bool:
    return len(heard.heard) == count


def test_what_was_confirmed_is_told_while_it_goes_and_when_it_is_stopped(
    source: Source, mosquitto: Mosquitto, heard: Listener
) -> None:
    pace = Pace(source.from_ms, 1.0)
    pace.pause(True)
    replay = Replay(source, mosquitto, pace)
    wait_until(lambda: len(heard.heard) == 1)
    pace.leap_to(T_MS + 40 * SECOND)
    wait_until(lambda: len(heard.heard) == 2)
    wait_until(lambda: replay.told[-1:] == [2] or 1 in replay.told)
    assert replay.end().messages == len(heard.heard) == 2


def test_what_is_played_once_more_is_news(source: Source, mosquitto: Mosquitto, heard: Listener) -> None:
    """After a leap back, and after another start."""
    for start in range(2):
        pace = Pace(source.from_ms, 1.0)
        pace.pause(True)
        replay = Replay(source, mosquitto, pace, NOW_MS + start * SECOND)
        wait_until(partial(has, heard, 3 * start + 1))
        for count, second in ((2, 60), (3, 0)):
            pace.leap_to(T_MS + second * SECOND)
            wait_until(partial(has, heard, 3 * start + count))
        replay.end()
    assert [json.loads(payload)["id"] for _, payload in heard.heard] == [
        f"{name}~{1_800_000_000 + start}-{turn}"
        for start in range(2)
        for name, turn in (("p0", 0), ("p60", 0), ("p0", 1))
    ]


def test_a_signal_leaves_nothing_untold(tmp_path: Path, source: Source, mosquitto: Mosquitto, heard: Listener) -> None:
    command = [
        sys.executable,
        "-m",
        "ingest.replay",
        str(source.path),
        "--broker",
        f"mqtt://127.0.0.1:{mosquitto.port}",
    ]
    with subprocess.Popen([*command, "--speed", "10"], stdout=subprocess.PIPE, text=True, cwd=tmp_path) as replay:
        wait_until(lambda: len(heard.heard) >= 5)
        replay.send_signal(signal.SIGINT)
        said, _ = replay.communicate(timeout=60)
    wait_until(lambda: said.startswith(f"{len(heard.heard)} messages to"))
    assert replay.returncode == 0


def test_a_topic_nobody_can_send_to_is_told(tmp_path: Path, mosquitto: Mosquitto) -> None:
    writer = Writer(tmp_path / "r.cdrec", HEADER)
    writer.write([Message(T_MS, "city/+/x", b"1")])
    writer.close()
    source = Source(tmp_path / "r.cdrec", T_MS, T_MS + 1, True, WHOLE)
    address = BrokerAddress("127.0.0.1", mosquitto.port)
    with pytest.raises(ReplayError, match=r"nothing can be sent to 'city/\+/x'"):
        publish(source, address, Pace(T_MS, 0.0), lambda: NOW_MS, loop=False, to_now=False, told=lambda _: None)


def test_a_broker_that_comes_back_gets_the_rest(source: Source, mosquitto: Mosquitto) -> None:
    pace = Pace(source.from_ms, 1.0)
    pace.pause(True)
    replay = Replay(source, mosquitto, pace)
    wait_until(lambda: replay.told)
    mosquitto.stop()
    pace.set_speed(0.0)
    pace.pause(False)
    wait_until(lambda: pace.now_ms() == source.to_ms - SECOND)
    mosquitto.start()
    wait_until(lambda: replay.sent is not None)
    assert replay.end().messages == SECONDS
