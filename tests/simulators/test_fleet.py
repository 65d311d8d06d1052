import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from simulators.feed import Connection
from simulators.fleet import Fleet
from simulators.link import Address
from simulators.report import Message
from tests.servers.ports import free_port
from tests.servers.waiting import wait_until

NAMES = ("truck-001", "truck-002", "gw-s01-g1")
STATUS = "city/v1/demo/any/{}/status"


def connection(owner: str) -> Connection:
    return Connection(owner, STATUS.format(owner))


class Listener:
    """Everything the broker says, in order."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda _client, _userdata, m: self.heard.append((m.topic, m.payload))
        self._client.on_connect = lambda *_: self._client.subscribe("#", qos=1)
        hears = threading.Event()
        self._client.on_subscribe = lambda *_: hears.set()
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert hears.wait(30)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def listener(mosquitto) -> Iterator[Listener]:
    found = Listener(mosquitto.port)
    yield found
    found.stop()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def fleet(mosquitto, said) -> Iterator[Fleet]:
    found = Fleet(map(connection, NAMES), connection, Address("127.0.0.1", mosquitto.port), said.append)
    yield found
    found.close()


def work_until(fleet: Fleet, condition) -> None:
    def worked():
        fleet.tend(time.monotonic())
        fleet.serve(0.02)
        return condition()

    wait_until(worked, timeout=60)


def test_every_device_signs_on_publishes_and_signs_off(fleet, listener):
    work_until(fleet, lambda: fleet.up == len(NAMES))
    fleet.publish([Message(0, name, f"city/{name}", b"x") for name in NAMES])
    work_until(fleet, lambda: all((f"city/{name}", b"x") in listener.heard for name in NAMES))
    fleet.farewell()
    work_until(fleet, lambda: all((STATUS.format(name), b"offline") in listener.heard for name in NAMES))


def test_a_device_past_its_gateway_gets_a_line_of_its_own(fleet, listener):
    work_until(fleet, lambda: fleet.up == len(NAMES))
    fleet.publish([Message(0, "gas-0350", "city/gas-0350", b"leak")])
    work_until(fleet, lambda: ("city/gas-0350", b"leak") in listener.heard)
    assert (STATUS.format("gas-0350"), b"online") in listener.heard


def test_the_fleet_outlives_its_broker_and_says_so_once(fleet, listener, said, mosquitto):
    work_until(fleet, lambda: fleet.up == len(NAMES))
    mosquitto.stop()
    work_until(fleet, lambda: said)
    # Retained, for the listener may come back after it.
    fleet.publish([Message(0, "truck-001", "city/late", b"kept", retain=True)])
    mosquitto.start()
    work_until(fleet, lambda: fleet.up == len(NAMES))
    work_until(fleet, lambda: len(said) == 2)
    assert "cannot be reached" in said[0]
    assert "is there" in said[1]
    work_until(fleet, lambda: ("city/late", b"kept") in listener.heard)


def test_a_wrong_password_is_told(guarded_mosquitto, said):
    wrong = Address("127.0.0.1", guarded_mosquitto.port, user="citydeck", password="wrong")
    fleet = Fleet(map(connection, NAMES), connection, wrong, said.append)
    work_until(fleet, lambda: said)
    fleet.close()
    assert "CITYDECK_MQTT_USER" in said[0]


def test_the_program_says_what_is_wrong_and_stops_when_told():
    command = [sys.executable, "-m", "simulators", "--mqtt-port", str(free_port())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ})
    assert process.stdout is not None
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    assert "cannot be reached" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    rest = process.stdout.read()
    assert process.wait() == 0
    watchdog.cancel()
    process.stdout.close()
    assert "stopped after 0 messages" in rest


def test_a_dead_process_is_announced_by_its_last_wills(mosquitto, listener):
    command = [sys.executable, "-m", "simulators", "--mqtt-port", str(mosquitto.port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    topic = "city/v1/demo/refuse_truck/truck-001/status"
    try:
        wait_until(lambda: (topic, b"online") in listener.heard, timeout=30)
    finally:
        process.kill()
        process.wait()
    wait_until(lambda: (topic, b"offline") in listener.heard, timeout=20)
