"""The connection on which commands go out and answers come in; what it hears waits for the dispatcher."""

import logging
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from ingest.address import BrokerAddress
from ingest.commands.wire import ANSWERS, Answer, answer_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """The broker's word on a publication; ``why`` says why it turns it away."""

    number: int
    why: str = ""


class CommandLink:
    """An MQTT 5 client that is driven by paho's own thread.

    What a connection did not get through ends with it. paho would send it again by the next one, hours later perhaps,
    when the command has expired; what is sent again is for the dispatcher to decide.
    """

    def __init__(self, address: BrokerAddress, heard: SimpleQueue[Taken | Answer | None]) -> None:
        """Prepare; everything that is heard is put into the queue."""
        self._address = address
        self._heard = heard
        self._troubled = ""
        self.ready = False
        self.unreadable = 0
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self._client.reconnect_delay_set(1, 5)
        address.prepare(self._client)
        self._client.on_pre_connect = self._connecting
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_disconnect = self._disconnected
        self._client.on_publish = self._published
        self._client.on_message = self._arrived

    def start(self) -> None:
        """Connect in the background, and again for ever."""
        self._client.connect_async(self._address.host, self._address.port, keepalive=15)
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes) -> int | None:
        """Send a command; return the number under which the broker's word will come, None where nobody is there now."""
        return self._client.publish(topic, payload, qos=1).mid if self.ready else None

    def stop(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def _connecting(self, client: Client, _user: Any) -> None:
        # Inner names: paho has no others for it. A test tells whether a newer version still has them.
        with client._out_message_mutex:
            client._out_messages.clear()
            client._inflight_messages = 0

    def _connected(self, client: Client, _user: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            self._tell(f"broker {self._address} refuses the sender of commands: {reason}")
            return
        client.subscribe(ANSWERS, qos=1)

    def _subscribed(self, _client: Client, _user: Any, _mid: int, reasons: list[ReasonCode], _properties: Any) -> None:
        # A command goes out only when its answer can be heard.
        refused = next((reason for reason in reasons if reason.is_failure), None)
        if refused is not None:
            self._tell(f"broker {self._address} refuses a subscription to {ANSWERS}: {refused}")
            return
        self._troubled = ""
        self.ready = True
        self._heard.put(None)

    def _disconnected(self, _client: Client, _user: Any, _flags: Any, _reason: ReasonCode, _properties: Any) -> None:
        self.ready = False

    def _published(self, _client: Client, _user: Any, number: int, reason: ReasonCode, _properties: Any) -> None:
        self._heard.put(Taken(number, str(reason) if reason.is_failure else ""))

    def _arrived(self, _client: Client, _user: Any, message: MQTTMessage) -> None:
        answer = answer_of(message.topic, bytes(message.payload))
        if answer is not None:
            self._heard.put(answer)
            return
        self.unreadable += 1
        if self.unreadable == 1:
            log.warning("a message on %s is no answer to a command; docs/lamps.md says what one is", message.topic)

    def _tell(self, sentence: str) -> None:
        if sentence != self._troubled:
            self._troubled = sentence
            log.warning("%s", sentence)
