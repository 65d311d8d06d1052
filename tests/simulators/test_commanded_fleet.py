"""A command over a real broker: heard on the gateway's connection, answered, and shown by the next reading."""

import json
import time

import paho.mqtt.publish as publish

from simulators.feed import Feed
from simulators.fleet import Fleet
from simulators.link import Address
from simulators.moment import SimulatedClock
from tests.servers.mosquitto import Mosquitto
from tests.servers.waiting import wait_until
from tests.simulators.test_commands import lit
from tests.simulators.test_fleet import Listener

POLE = "city/v1/demo/light_pole/pole-0101"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class City:
    """Lamps at work on a broker, and what they say."""

    def __init__(self, port: int) -> None:
        self.port, self.done_ms = port, now_ms()
        timing = SimulatedClock(lit().timezone, 1.0, self.done_ms)
        self.feed = Feed(lit(), 1, timing, self.done_ms, incidents=False)
        address = Address("127.0.0.1", port)
        self.fleet = Fleet(self.feed.connections, self.feed.connection, address, lambda _sentence: None, self.hear)
        self.listener = Listener(port)

    def hear(self, topic: str, payload: bytes) -> None:
        self.feed.hear(topic, payload, now_ms())

    def command(self, name: str, dim_pct: int) -> None:
        """Publish a command that also a lamp hears that is not there yet."""
        body = {"v": 1, "command": name, "ts": now_ms(), "expires": now_ms() + 60_000, "dim_pct": dim_pct}
        publish.single(f"{POLE}/cmd", json.dumps(body), qos=1, retain=True, port=self.port)

    def until_said(self, channel: str, **wanted: object) -> None:
        """Go on until the lamp has said this."""

        def said() -> bool:
            until_ms = now_ms()
            if until_ms > self.done_ms:
                self.fleet.publish(self.feed.due(self.done_ms, until_ms))
                self.done_ms = until_ms
            self.fleet.tend(time.monotonic())
            self.fleet.serve(0.02)
            found = [json.loads(payload) for topic, payload in self.listener.heard if topic == f"{POLE}/{channel}"]
            return any(wanted.items() <= {**each, **each.get("data", {})}.items() for each in found)

        wait_until(said, 30)

    def close(self) -> None:
        self.fleet.close()
        self.listener.stop()


def test_switched_over_a_broker(mosquitto: Mosquitto) -> None:
    """Command, answer, reading; and again after the broker was away."""
    city = City(mosquitto.port)
    city.command("first", 41)
    city.until_said("cmd_ack", command="first", accepted=True)
    city.until_said("telemetry", dim_pct=41, cmd_pct=41)
    mosquitto.stop()
    city.listener.heard.clear()
    mosquitto.start()
    # Retained: whoever hears it has subscribed again, the listener as well as the lamp.
    city.until_said("cmd", command="first")
    city.command("second", 17)
    city.until_said("cmd_ack", command="second", accepted=True)
    city.until_said("telemetry", dim_pct=17, cmd_pct=17)
    city.close()
