"""One device's connection: paho driven from outside, its last will, and what waits for the broker to come back."""

import contextlib
import socket
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from simulators.feed import Connection
from simulators.report import Message

Hear = Callable[[str, bytes], None]
_KEEPALIVE_S = 60
_IN_FLIGHT = 100
_WAITING = 500


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is, and as whom to log in."""

    host: str
    port: int
    tls: bool = False
    user: str = ""
    password: str = ""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Link:
    """QoS 1 over MQTT 3.1.1. While the broker is away the newest messages wait, as in a device with a small memory."""

    def __init__(
        self, connection: Connection, address: Address, on_refused: Callable[[str], None], hear: Hear | None = None
    ) -> None:
        """Prepare the client; nothing is sent before :meth:`connect`. ``hear`` is given the commands."""
        self.connection = connection
        self.up = False
        self.waiting: deque[Message] = deque(maxlen=_WAITING)
        self._address = address
        self._on_refused = on_refused
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"sim-{connection.owner}", protocol=mqtt.MQTTv311, clean_session=True
        )
        self._client.max_inflight_messages_set(_IN_FLIGHT)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        if hear is not None:
            self._client.on_message = lambda _client, _user, message: hear(message.topic, bytes(message.payload))
        if connection.status_topic is not None:
            self._client.will_set(connection.status_topic, b"offline", qos=1, retain=True)
        if address.user:
            self._client.username_pw_set(address.user, address.password or None)
        if address.tls:
            self._client.tls_set_context(ssl.create_default_context())

    @property
    def socket(self) -> socket.socket | None:
        """Return the socket, if there is one."""
        found = self._client.socket()
        return found if isinstance(found, socket.socket) else None

    @property
    def wants_write(self) -> bool:
        """Tell whether bytes wait for the socket."""
        return self._client.want_write()

    @property
    def unacknowledged(self) -> int:
        """Return how many messages the broker has not confirmed yet."""
        return len(self._client._out_messages)

    def connect(self) -> None:
        """Open the connection.

        Raises:
            OSError: the broker cannot be reached.
        """
        self._client.connect_async(self._address.host, self._address.port, _KEEPALIVE_S)
        self._client.reconnect()

    def publish(self, message: Message) -> bool:
        """Send a message, or keep it until the broker is back; tell whether it was sent."""
        if not self.up:
            self.waiting.append(message)
            return False
        self._client.publish(message.topic, message.payload, qos=1, retain=message.retain)
        return True

    def read(self) -> None:
        """Take in what the broker sent."""
        self._client.loop_read()

    def write(self) -> None:
        """Send on what did not fit into the socket."""
        self._client.loop_write()

    def tend(self) -> None:
        """Keep the connection alive."""
        self._client.loop_misc()

    def farewell(self) -> None:
        """Say offline; the broker would say it only for a connection that breaks."""
        if self.up and self.connection.status_topic is not None:
            self._client.publish(self.connection.status_topic, b"offline", qos=1, retain=True)

    def close(self) -> None:
        """Disconnect in order."""
        if self.socket is not None:
            with contextlib.suppress(OSError):
                self._client.disconnect()

    def _connected(self, *found: object) -> None:
        reason = found[3]
        if isinstance(reason, ReasonCode) and reason.is_failure:
            self._on_refused(str(reason))
            return
        self.up = True
        if self.connection.command_topics:
            self._client.subscribe([(topic, 1) for topic in self.connection.command_topics])
        if self.connection.status_topic is not None:
            self._client.publish(self.connection.status_topic, b"online", qos=1, retain=True)
        while self.waiting and self.up:
            self.publish(self.waiting.popleft())

    def _disconnected(self, *_: object) -> None:
        self.up = False
