"""Several simulations of one site at one broker: the newest talks, the others wait and come back."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from simulators.link import Address
from simulators.turn import ROOT, Turn
from tests.cockpit.town import Town
from tests.ingest.publisher import Listener
from tests.servers.mosquitto import Mosquitto
from tests.servers.waiting import wait_until


@pytest.fixture(params=["mosquitto", "embedded"])
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """Give the port of a broker, of each sort that a simulation meets."""
    if request.param == "mosquitto":
        yield request.getfixturevalue("mosquitto").port
        return
    with Town(tmp_path) as town:
        yield town.mqtt_port


@pytest.fixture
def turns(port: int) -> Iterator[Callable[[], Turn]]:
    """Give what begins another simulation's turn at a broker of each sort."""
    with turns_at(port) as begin:
        yield begin


@contextmanager
def turns_at(port: int) -> Iterator[Callable[[], Turn]]:
    """Give what begins another simulation's turn, and returns when the broker has told that it did."""
    begun: list[Turn] = []
    listener = Listener(port, f"{ROOT}/#", protocol=MQTTProtocolVersion.MQTTv311)

    def begin() -> Turn:
        known = len(listener.heard)
        begun.append(Turn("demo", Address("127.0.0.1", port)))
        begun[-1].start()
        wait_until(lambda: len(listener.heard) > known, 30)
        return begun[-1]

    try:
        yield begin
    finally:
        for each in begun:
            each.stop()
        listener.close()


def settled(*turns: Turn, mine: Turn) -> bool:
    """Tell whether one has the turn and no other."""
    now_s = time.monotonic()
    return [turn for turn in turns if turn.look(now_s)] == [mine]


def test_the_newest_has_the_turn_and_gives_it_back(turns: Callable[[], Turn]) -> None:
    first, second = turns(), turns()
    wait_until(lambda: settled(first, second, mine=second), 30)
    third = turns()
    wait_until(lambda: settled(first, second, third, mine=third), 30)
    third.stop()
    # Which of the two that wait takes it, chance decides (both, for the moment until they have heard of each other).
    wait_until(lambda: settled(first, second, mine=first) or settled(first, second, mine=second), 30)
    # The other has heard of it, and takes nothing however long.
    wait_until(lambda: first._free_at_s is None and second._free_at_s is None, 30)
    later_s = time.monotonic() + 3_600
    wait_until(lambda: sum(turn.look(later_s) for turn in (first, second)) == 1, 30)


def test_what_was_on_its_way_takes_no_given_turn_back(
    turns: Callable[[], Turn], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who ends right after it began hears its own name when it has given the turn away already."""
    first, second = turns(), turns()
    wait_until(lambda: settled(first, second, mine=second), 30)
    hear = Turn._heard

    def late(self: Turn, *found: Any) -> None:
        if self not in (first, second):
            wait_until(lambda: not self.mine, 30)
        hear(self, *found)

    monkeypatch.setattr(Turn, "_heard", late)
    third = turns()
    third.stop()
    assert not third.mine
    wait_until(lambda: settled(first, second, mine=first) or settled(first, second, mine=second), 30)


@pytest.mark.parametrize("kept", [False, True])
def test_a_broker_that_ended_with_who_talked(tmp_path: Path, kept: bool) -> None:
    """Whether it has forgotten whose turn it was, or kept the name of who is gone; the embedded one can do neither."""
    mosquitto = Mosquitto(tmp_path, autosave_interval_s=0)
    mosquitto.start()
    try:
        with turns_at(mosquitto.port) as turns:
            first, second = turns(), turns()
            wait_until(lambda: settled(first, second, mine=second), 30)
            mosquitto.stop() if kept else mosquitto.kill()
            second.stop()
            mosquitto.start()
            wait_until(lambda: settled(first, mine=first), 60)
    finally:
        mosquitto.stop()


def test_who_talks_answers_who_comes_back(port: int, turns: Callable[[], Turn]) -> None:
    """A simulation that waits and loses its connection takes nothing from one that talks."""
    first, second = turns(), turns()
    wait_until(lambda: settled(first, second, mine=second), 30)
    listener = Listener(port, f"{ROOT}/#", protocol=MQTTProtocolVersion.MQTTv311)
    try:
        lost = first._client.socket()
        assert lost is not None
        lost.shutdown(socket.SHUT_RDWR)
        question = (f"{ROOT}/demo/whose", b"")
        answer = (f"{ROOT}/demo", second._name)
        wait_until(
            lambda: question in listener.heard and answer in listener.heard[listener.heard.index(question) :], 30
        )
    finally:
        listener.close()
    wait_until(lambda: first._free_at_s is None, 30)
    later_s = time.monotonic() + 3_600
    assert [turn.look(later_s) for turn in (first, second)] == [False, True]


class Simulation:
    """`citydeck simulate` as a process, and what it says."""

    def __init__(self, port: int, *options: str) -> None:
        command = [sys.executable, "-m", "simulators", "--mqtt-port", str(port), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said: list[str] = []
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            self.said.extend(iter(lines.readline, ""))

    def says(self, words: str, times: int = 1) -> None:
        """Wait until it has said something so many times."""
        wait_until(lambda: sum(words in line for line in self.said) >= times, 60)

    def end(self) -> None:
        """End it, and its pipe."""
        self.process.terminate()
        self.process.wait(30)
        self._listener.join()


def test_a_scenario_beside_a_city_that_runs_already(mosquitto: Mosquitto) -> None:
    """It is laid over the city while it lasts: nothing goes silent, and a crash of it gives the city back, too."""
    city = Simulation(mosquitto.port)
    listener = Listener(mosquitto.port, "city/v1/demo/+/+/telemetry")
    signs = Listener(mosquitto.port, "city/v1/demo/+/+/status")
    try:
        city.says("the city is talking")
        leak = Simulation(mosquitto.port, "--scenario", "gas_leak")
        city.says("this one waits until it ends")
        leak.says("the city is talking")
        heard = len(listener.heard)
        wait_until(lambda: len(listener.heard) > heard + 200, 60)
        leak.process.kill()
        leak.end()
        city.says("the city is talking", times=2)
        heard = len(listener.heard)
        wait_until(lambda: len(listener.heard) > heard + 200, 60)
        leak = Simulation(mosquitto.port, "--scenario", "gas_leak")
        leak.says("the city is talking")
        leak.end()
        city.says("the city is talking", times=3)
        wait_until(lambda: set(dict(signs.heard).values()) == {b"online"}, 60)
        heard = len(listener.heard)
        wait_until(lambda: len(listener.heard) > heard + 200, 60)
        assert set(dict(signs.heard).values()) == {b"online"}
    finally:
        signs.close()
        city.end()
        listener.close()
    assert sum("waits" in line for line in city.said) == 2
