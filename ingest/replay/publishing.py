"""A replay over MQTT, with the recorded spacing: for trying other systems with a real city's feed."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from devices.errors import shown
from ingest.address import BrokerAddress
from ingest.errors import ReplayError
from ingest.records import Record, of_the_city
from ingest.replay.pace import Pace
from ingest.replay.shifting import shifted
from ingest.replay.source import Source

_IN_FLIGHT = 1_000
_CONNECT_S = 10.0
_DELIVER_S = 30.0


@dataclass(slots=True)
class Sent:
    """How far a replay is: messages that the broker confirmed, and the recorded instant."""

    messages: int = 0
    at_ms: int = 0


def publish(
    source: Source,
    address: BrokerAddress,
    pace: Pace,
    now_ms: Callable[[], int],
    *,
    loop: bool,
    to_now: bool,
    told: Callable[[Sent], None],
) -> Sent:
    """Publish a recording until its end, or again and again until the pace is stopped.

    Raises:
        ReplayError: the broker does not answer, stopped confirming, or cannot be given a message.
    """
    delivery = _Delivery(address)
    try:
        replay = _Replay(source, delivery, pace, now_ms, to_now, told)
        replay.play(loop)
        return replay.sent
    finally:
        delivery.close()


class _Delivery:
    """Messages on their way; counts those the broker confirmed."""

    def __init__(self, address: BrokerAddress) -> None:
        self._address = address
        self._changed = threading.Condition()
        self._given = 0
        self.confirmed = 0
        client = self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
        client.max_inflight_messages_set(_IN_FLIGHT)
        client.max_queued_messages_set(0)
        address.prepare(client)
        up = threading.Event()
        client.on_connect = lambda *_: up.set()
        client.on_publish = lambda *_: self._confirm()
        try:
            client.connect(address.host, address.port, keepalive=30)
        except (OSError, ValueError) as error:
            raise ReplayError(f"broker {address} does not answer: {error}") from error
        client.loop_start()
        if not up.wait(_CONNECT_S) or not client.is_connected():
            self.close()
            raise ReplayError(f"broker {address} refuses the connection")

    def give(self, topic: str, payload: bytes) -> None:
        """Send a message, once there are not too many on their way."""
        try:
            self._client.publish(topic, payload, qos=1)
        except ValueError as error:
            raise ReplayError(f"broker {self._address}: nothing can be sent to {shown(topic)}: {error}") from error
        self._given += 1
        if self._given - self.confirmed >= _IN_FLIGHT:
            self.wait(_IN_FLIGHT // 2)

    def wait(self, left: int = 0) -> None:
        """Wait until no more than so many are on their way."""
        with self._changed:
            while self._given - self.confirmed > left:
                if not self._changed.wait(_DELIVER_S):
                    raise ReplayError(f"broker {self._address} stopped confirming after {self.confirmed} messages")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _confirm(self) -> None:
        with self._changed:
            self.confirmed += 1
            self._changed.notify_all()


class _Replay:
    """One replay, with its leaps and turns."""

    def __init__(
        self,
        source: Source,
        delivery: _Delivery,
        pace: Pace,
        now_ms: Callable[[], int],
        to_now: bool,
        told: Callable[[Sent], None],
    ) -> None:
        self._source = source
        self._delivery = delivery
        self._pace = pace
        self._now_ms = now_ms
        self._to_now = to_now
        self._told = told
        self._begun_s = now_ms() // 1000
        self._turn = 0
        self.sent = Sent(at_ms=source.from_ms)

    def play(self, loop: bool) -> None:
        source, begin_ms = self._source, self._source.from_ms
        while not self._pace.stopped:
            leap = self._once(begin_ms)
            self._delivery.wait()
            self._tell()
            if leap is not None:
                begin_ms = min(max(leap, source.from_ms), source.to_ms - 1)
                # What is played once more is to be news as well.
                self._turn += begin_ms <= self.sent.at_ms
                continue
            if not loop:
                break
            self._turn += 1
            begin_ms = source.from_ms

    def _once(self, begin_ms: int) -> int | None:
        """Publish from an instant to the end; return where to leap to when that is asked, else None."""
        self._pace.begin(begin_ms)
        for records in self._source.records(begin_ms):
            for record in records:
                leap = self._pace.wait(record.received_ms)
                if leap is not None or self._pace.stopped:
                    return leap
                self._publish(record)
                self._tell()
        return None

    def _publish(self, record: Record) -> None:
        _, received_ms, topic, payload = record
        self.sent.at_ms = received_ms
        if not of_the_city(topic):
            return
        if self._to_now:
            payload = shifted(topic, payload, self._now_ms() - received_ms, f"{self._begun_s}-{self._turn}")
        self._delivery.give(topic, payload)

    def _tell(self) -> None:
        self.sent.messages = self._delivery.confirmed
        self._told(self.sent)
