"""A replay over MQTT, with the recorded spacing: for trying other systems with a real city's feed."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from ingest.address import BrokerAddress
from ingest.errors import ReplayError
from ingest.records import of_the_city
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
    turn: int = 0


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
        ReplayError: the broker does not answer, or stopped confirming.
    """
    sent = Sent(at_ms=source.from_ms)
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
    client.max_inflight_messages_set(_IN_FLIGHT)
    client.max_queued_messages_set(0)
    address.prepare(client)
    up = threading.Event()
    client.on_connect = lambda *_: up.set()
    try:
        client.connect(address.host, address.port, keepalive=30)
    except OSError as error:
        raise ReplayError(f"broker {address} does not answer: {error}") from error
    client.loop_start()
    try:
        if not up.wait(_CONNECT_S) or not client.is_connected():
            raise ReplayError(f"broker {address} refuses the connection")
        begin_ms = source.from_ms
        while not pace.stopped:
            leap = _once(source, client, address, pace, now_ms, begin_ms, to_now, sent, told)
            if leap is not None:
                begin_ms = min(max(leap, source.from_ms), source.to_ms - 1)
                continue
            if not loop:
                break
            sent.turn += 1
            begin_ms = source.from_ms
        return sent
    finally:
        client.disconnect()
        client.loop_stop()


def _once(
    source: Source,
    client: Client,
    address: BrokerAddress,
    pace: Pace,
    now_ms: Callable[[], int],
    begin_ms: int,
    to_now: bool,
    sent: Sent,
    told: Callable[[Sent], None],
) -> int | None:
    """Publish from an instant to the end; return where to leap to when that is asked, else None."""
    pace.begin(begin_ms)
    waiting: list[MQTTMessageInfo] = []
    for batch in source.messages(begin_ms):
        for received_ms, topic, payload in batch:
            leap = pace.wait(received_ms)
            if leap is not None or pace.stopped:
                return leap
            sent.at_ms = received_ms
            if not of_the_city(topic):
                continue
            if to_now:
                payload = shifted(topic, payload, now_ms() - received_ms, sent.turn)
            waiting.append(client.publish(topic, payload, qos=1))
            if len(waiting) >= _IN_FLIGHT:
                _confirm(waiting, address, sent)
            told(sent)
    _confirm(waiting, address, sent)
    told(sent)
    return None


def _confirm(waiting: list[MQTTMessageInfo], address: BrokerAddress, sent: Sent) -> None:
    for each in waiting:
        each.wait_for_publish(_DELIVER_S)
        if not each.is_published():
            raise ReplayError(f"broker {address} stopped confirming after {sent.messages} messages")
        sent.messages += 1
    waiting.clear()
