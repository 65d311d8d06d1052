"""The connection on which commands go out and answers come in; what it hears waits for the dispatcher."""

import logging
import threading
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from ingest.address import BrokerAddress
from ingest.commands.wire import ANSWERS, Answer, answer_of

log = logging.getLogger(__name__)

_AGAIN_S = 1


@dataclass(frozen=True, slots=True)
class Taken:
    """The broker's word on a publication; ``why`` says why it turns it away."""

    number: int
    why: str = ""


class CommandLink:
    """An MQTT 5 client that is driven by paho's own thread.

    A client lasts as long as its connection, for paho sends again what a connection before did not get through: after
    hours, too, when the command has expired. What is sent again is for the dispatcher to decide.
    """

    def __init__(self, address: BrokerAddress, heard: SimpleQueue[Taken | Answer | None]) -> None:
        """Prepare; everything that is heard is put into the queue."""
        self._address = address
        self._heard = heard
        self._troubled = ""
        self.ready = False
        self.unreadable = 0
        self._stopped = threading.Event()
        self._turn = threading.Lock()
        self._client = self._made()

    def _made(self) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        client.reconnect_delay_set(_AGAIN_S, 5)
        self._address.prepare(client)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_message = self._arrived
        return client

    def start(self) -> None:
        """Connect in the background, and again for ever."""
        self._client.connect_async(self._address.host, self._address.port, keepalive=15)
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes) -> int | None:
        """Send a command; return the number under which the broker's word will come, None where nobody is there now."""
        with self._turn:
            return self._client.publish(topic, payload, qos=1).mid if self.ready else None

    def stop(self) -> None:
        """Leave the broker."""
        self._stopped.set()
        with self._turn:
            client = self._client
        client.disconnect()
        client.loop_stop()

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

    def _disconnected(self, client: Client, _user: Any, _flags: Any, _reason: ReasonCode, _properties: Any) -> None:
        self.ready = False
        # Its thread, which this is, ends without connecting again.
        client.loop_stop()
        if self._stopped.wait(_AGAIN_S):
            return
        with self._turn:
            if not self._stopped.is_set():
                self._client = self._made()
                self.start()

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
