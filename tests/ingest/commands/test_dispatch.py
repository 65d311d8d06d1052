"""Commands over a real broker: the test is the pole that obeys, refuses, is silent, or lies."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from ingest.address import BrokerAddress
from ingest.alarms.database import AlarmDatabase
from ingest.commands.dispatch import Dispatcher
from ingest.commands.link import CommandLink
from ingest.commands.standing import Reading
from ingest.commands.steps import AGAIN_MS
from tests.ingest.commands.lighting import answer, ask, commands, order, record, states
from tests.servers.mosquitto import Mosquitto
from tests.servers.waiting import wait_until

QUICK_MS = 400


class Pole:
    """Hears commands and answers as its test likes."""

    def __init__(self, port: int, name: str = "pole-1") -> None:
        self.name = name
        self.heard: list[dict[str, Any]] = []
        self.answer: bool | None = True
        self.reason = ""
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._arrived
        self.listens = False
        self._client.on_connect = lambda *_: self._client.subscribe(f"city/v1/demo/light_pole/{name}/cmd", qos=1)
        self._client.on_subscribe = lambda *_: setattr(self, "listens", True)
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        wait_until(lambda: self.listens)

    def says(self, command: str, accepted: bool = True, reason: str = "", device: str = "") -> Any:
        body = {"v": 1, "command": command, "accepted": accepted, "reason": reason}
        topic = f"city/v1/demo/light_pole/{device or self.name}/cmd_ack"
        return self._client.publish(topic, json.dumps(body).encode(), qos=1)

    def sends(self, payload: bytes) -> None:
        self._client.publish(f"city/v1/demo/light_pole/{self.name}/cmd_ack", payload, qos=1).wait_for_publish(10)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _arrived(self, _client: Any, _user: Any, message: Any) -> None:
        found = json.loads(message.payload)
        self.heard.append(found)
        if self.answer is not None:
            self.says(found["command"], self.answer, self.reason)


class Clock:
    """The real time, which a test may put forward."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def readings() -> dict[str, Reading]:
    return {}


Begin = Callable[..., Dispatcher]


@pytest.fixture
def begin(mosquitto: Mosquitto, database: AlarmDatabase, clock: Clock, readings: dict[str, Reading]) -> Iterator[Begin]:
    """Start dispatchers, each as one of another cockpit."""
    running = []

    def started(within_ms: int = 30_000) -> Dispatcher:
        address = BrokerAddress("127.0.0.1", mosquitto.port)
        found = Dispatcher(database, address, clock, lambda name: readings.get(name, Reading()), within_ms)
        found.start()
        running.append(found)
        return found

    yield started
    for each in running:
        each.stop()
        assert not each.is_alive()


@pytest.fixture
def pole(mosquitto: Mosquitto) -> Iterator[Pole]:
    found = Pole(mosquitto.port)
    yield found
    found.stop()


def until(database: AlarmDatabase, *expected: str) -> None:
    wait_until(lambda: states(database) == list(expected), 20)


def test_from_the_order_to_the_light(
    begin: Begin, database: AlarmDatabase, pole: Pole, clock: Clock, readings: dict[str, Reading]
) -> None:
    """Sent, accepted, seen to shine; given back to its schedule."""
    dispatcher = begin()
    order(database, 40, now_ms=clock())
    dispatcher.wake()
    until(database, "acked")
    assert (pole.heard[0]["dim_pct"], pole.heard[0]["command"]) == (40, commands(database)[0]["id"])
    readings["pole-1"] = Reading(40.0, clock(), 40.0, clock())
    wait_until(lambda: commands(database)[0]["obeyed_at"], 20)
    order(database, None, now_ms=clock())
    until(database, "acked", "acked")
    assert pole.heard[1]["auto"] is True
    assert [line[1] for line in record(database)] == ["lamp_ordered", "lamp_sent", "lamp_acked"] * 2


def test_a_refusal(begin: Begin, database: AlarmDatabase, pole: Pole, clock: Clock) -> None:
    pole.answer, pole.reason = False, "maintenance switch"
    begin()
    order(database, 0, now_ms=clock())
    until(database, "refused")
    assert commands(database)[0]["answer"] == "maintenance switch"


def test_silence_then_a_late_answer(begin: Begin, database: AlarmDatabase, pole: Pole, clock: Clock) -> None:
    """Nobody answers: it times out; what comes later is kept as late."""
    pole.answer = None
    begin(QUICK_MS)
    order(database, 0, now_ms=clock())
    until(database, "timed_out")
    wait_until(lambda: pole.heard)
    pole.says(pole.heard[0]["command"])
    wait_until(lambda: commands(database)[0]["accepted"], 20)
    assert states(database) == ["timed_out"]
    assert record(database)[-1] == ("pole-1", "lamp_answered_late", "pole-1")


def test_lies(begin: Begin, database: AlarmDatabase, pole: Pole, clock: Clock) -> None:
    """Answers in another lamp's name, to no command at all, or that are none, change nothing and stop nothing."""
    pole.answer = None
    dispatcher = begin()
    order(database, 0, now_ms=clock())
    until(database, "sent")
    wait_until(lambda: pole.heard)
    before = record(database)
    pole.says(pole.heard[0]["command"], device="pole-2")
    pole.says("0" * 32)
    pole.sends(b"\xff not an answer")
    wait_until(lambda: dispatcher.untrusted == 2, 20)
    assert (states(database), record(database)) == (["sent"], before)
    pole.says(pole.heard[0]["command"])
    until(database, "acked")


def test_the_broker_is_away(
    begin: Begin, database: AlarmDatabase, pole: Pole, clock: Clock, mosquitto: Mosquitto
) -> None:
    """What is ordered meanwhile is sent when it is back; what has expired by then is not."""
    dispatcher = begin()
    mosquitto.stop()
    pole.listens = False
    wait_until(lambda: not dispatcher._link.ready, 20)
    order(database, 0, now_ms=clock() - 119_000)
    until(database, "expired")
    order(database, 30, now_ms=clock())
    mosquitto.start()
    until(database, "expired", "acked")
    assert [each["dim_pct"] for each in pole.heard] == [30]


def test_what_a_connection_did_not_get_through_ends_with_it(
    begin: Begin,
    database: AlarmDatabase,
    pole: Pole,
    clock: Clock,
    mosquitto: Mosquitto,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The broker has gone, and nobody has noticed: what is sent then and expires is not heard when it is back."""
    noticed, disconnected = threading.Event(), CommandLink._disconnected

    def late(self: CommandLink, *found: Any) -> None:
        noticed.wait(120)
        disconnected(self, *found)

    monkeypatch.setattr(CommandLink, "_disconnected", late)
    dispatcher = begin()
    wait_until(lambda: dispatcher._link.ready, 20)
    mosquitto.stop()
    pole.listens = False
    order(database, 0, now_ms=clock())
    until(database, "sending")
    clock.ahead_ms = 130_000
    until(database, "timed_out")
    mosquitto.start()
    wait_until(lambda: pole.listens, 20)
    noticed.set()
    order(database, 30, now_ms=clock())
    until(database, "timed_out", "acked")
    assert [each["dim_pct"] for each in pole.heard] == [30]


def test_several_cockpits_send_once(begin: Begin, database: AlarmDatabase, mosquitto: Mosquitto, clock: Clock) -> None:
    """Three at work: each lamp hears its command one time, and the record has each step once."""
    poles = [Pole(mosquitto.port, f"pole-{n}") for n in (1, 2, 3)]
    for _ in range(3):
        begin()
    now_ms = clock()
    answer(database, ask(database, 70, now_ms=now_ms), now_ms=now_ms)
    until(database, "acked", "acked", "acked")
    assert [len(pole.heard) for pole in poles] == [1, 1, 1]
    assert len([line for line in record(database) if line[1] in ("lamp_sent", "lamp_acked")]) == 6
    for pole in poles:
        pole.stop()


def test_the_sender_dies(begin: Begin, database: AlarmDatabase, pole: Pole, clock: Clock) -> None:
    """The answer came while nobody was there: the next cockpit sends the same command again and hears it."""
    pole.answer = None
    first = begin()
    order(database, 0, now_ms=clock())
    until(database, "sent")
    wait_until(lambda: pole.heard)
    first.stop()
    pole.answer = True
    pole.says(pole.heard[0]["command"]).wait_for_publish(10)
    begin()
    assert states(database) == ["sent"]
    clock.ahead_ms += AGAIN_MS
    until(database, "acked")
    assert pole.heard[0] == pole.heard[1]
