"""A device side for tests: publishes with QoS 1 and knows what the broker has taken; and an independent listener."""

import threading
from collections.abc import Iterable, Sequence
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.ingest.messages import Message
from tests.servers.waiting import wait_until


class Publisher:
    """One connection that publishes; what is not yet confirmed is sent again after a reconnect."""

    def __init__(self, port: int, username: str | None = None, password: str | None = None):
        self._published = 0
        self._confirmed = 0
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self._client.max_inflight_messages_set(500)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_publish = self._on_publish
        if username is not None:
            self._client.username_pw_set(username, password)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        wait_until(self._client.is_connected)

    @property
    def confirmed(self) -> int:
        return self._confirmed

    def send(self, messages: Iterable[Message], retain: bool = False) -> None:
        """Hand messages over without waiting for the broker."""
        for topic, payload in messages:
            self._published += 1
            self._client.publish(topic, payload, qos=1, retain=retain)

    def publish(self, *messages: Message, retain: bool = False) -> None:
        """Publish and return when the broker has confirmed everything."""
        self.send(messages, retain)
        self.drained()

    def drained(self) -> None:
        wait_until(lambda: self._confirmed >= self._published, 40)

    def pace(self, messages: Sequence[Message], per_s: int, stopping: threading.Event) -> None:
        """Publish at about a rate, so that a run lasts as long as a test wants."""
        each = max(1, per_s // 100)
        for start in range(0, len(messages), each):
            if stopping.is_set():
                return
            self.send(messages[start : start + each])
            # Never far ahead of the broker, and a moment between: this is the rate, not a wait for anything.
            wait_until(lambda: self._published - self._confirmed < 2000, 40)
            stopping.wait(0.01)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_publish(self, *_: Any) -> None:
        self._confirmed += 1


class Listener:
    """An independent client that remembers every message on some topics."""

    def __init__(self, port: int, *subscriptions: str, protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5):
        self.heard: list[Message] = []
        self._subscribed = threading.Event()
        self._subscriptions = [(topic, 1) for topic in subscriptions]
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=protocol)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, *_: Any) -> None:
        client.subscribe([(topic, qos) for topic, qos in self._subscriptions])

    def _on_message(self, _client: Client, _user: Any, message: MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload)))
