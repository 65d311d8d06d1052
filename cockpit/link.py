"""The cockpit's connection to the broker: live messages in, requests for a snapshot out."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from ingest.address import BrokerAddress
from ingest.live import ASK, ROOT, unsealed

log = logging.getLogger(__name__)

Hear = Callable[[str, dict[str, Any]], None]


class LiveLink:
    """Follows the live topics in paho's own thread and hands messages to the event loop."""

    def __init__(self, address: BrokerAddress, secret: bytes) -> None:
        """Prepare a connection."""
        self._address = address
        self._secret = secret
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hear: Hear = lambda _topic, _document: None
        self._forged = 0
        self.connected = False
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self._client.reconnect_delay_set(1, 5)
        address.prepare(self._client)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._arrived

    def start(self, loop: asyncio.AbstractEventLoop, hear: Hear) -> None:
        """Connect in the background, and again for ever; ``hear`` is called in the event loop."""
        self._loop, self._hear = loop, hear
        self._client.connect_async(self._address.host, self._address.port, keepalive=15)
        self._client.loop_start()

    def ask(self) -> None:
        """Ask the collectors for a snapshot."""
        if self.connected:
            self._client.publish(ASK, b"", 0)

    def stop(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: Client, _user: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            log.warning("broker %s refuses the cockpit: %s", self._address, reason)
            return
        client.subscribe(f"{ROOT}/+/+", qos=1)
        self.connected = True
        self.ask()

    def _disconnected(self, _client: Client, _user: Any, _flags: Any, _reason: ReasonCode, _properties: Any) -> None:
        self.connected = False

    def _arrived(self, _client: Client, _user: Any, message: MQTTMessage) -> None:
        document = unsealed(bytes(message.payload), self._secret)
        if document is None:
            self._forged += 1
            if self._forged == 1:
                log.warning("a live message has another site's seal; give every part the same CITYDECK_SECRET")
            return
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._hear, message.topic.rpartition("/")[2], document)
