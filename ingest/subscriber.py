"""The subscriber: one persistent MQTT 5 session whose messages are acknowledged by hand, after the journal has them.

paho owns the session (connect, TLS, keep-alive, reconnect). Messages wait in an inbox for the journal's writer; a
PUBACK goes out on the connection its message came by, or not at all: then the broker delivers it again.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest import chunks
from ingest.address import BrokerAddress
from ingest.inbox import Arrived, Inbox

log = logging.getLogger(__name__)

RECEIVE_MAXIMUM = 65_535
# What a broker must not even send: the inbox counts bytes only when a packet is whole. Brokers that CityDeck's own
# settings are for take no payload above 8 MiB, and whatever they take gets a sentence in quarantine.
MAXIMUM_PACKET_BYTES = 9 * 1_048_576
SESSION_EXPIRY_S = 7 * 86_400
_NOT_LET_IN = (0x86, 0x87)
_BRIEF_S, _BRIEF_TIMES = 5.0, 3


class Subscriber:
    """The collector's connection to the broker."""

    def __init__(
        self,
        address: BrokerAddress,
        client_id: str,
        subscriptions: Sequence[str],
        ask_topic: str,
        on_ask: Callable[[], None],
        had_session: bool = False,
    ) -> None:
        """Prepare a session; ``on_ask`` is called when a cockpit asks for a snapshot.

        ``had_session`` tells whether the broker should have one of an earlier run.
        """
        self._address = address
        self._subscriptions = subscriptions
        self._ask_topic = ask_topic
        self._on_ask = on_ask
        self._connection = 0
        self._reported = ""
        self._refused = False
        self._had_session = had_session
        self._session = ""
        self.inbox = Inbox()
        self.connected = False
        self._most_qos = 1
        self._client_id = client_id
        self._since_s = 0.0
        self._brief = 0
        self._client = chunks.client_class()(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5, manual_ack=True, on_chunk=self._arrived
        )
        self._client.max_inflight_messages_set(1000)
        self._client.reconnect_delay_set(1, 10)
        address.prepare(self._client)
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_connect_fail = self._failed
        self._client.on_disconnect = self._disconnected

    def start(self) -> None:
        """Connect in the background, and again for ever when the broker is not there or goes away."""
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        properties.MaximumPacketSize = MAXIMUM_PACKET_BYTES
        self._client.connect_async(
            self._address.host, self._address.port, keepalive=30, clean_start=False, properties=properties
        )
        if not chunks.FITS:
            log.info("paho-mqtt is not the version that chunked reading was written for; reading message by message")
        self._client.loop_start()

    @property
    def connections(self) -> int:
        """Return how many connections there have been."""
        return self._connection

    def acknowledge(self, messages: Iterable[Arrived]) -> None:
        """Send the PUBACKs of messages, in order of receipt; those of an earlier connection are dropped."""
        for connection, group in groupby(messages, itemgetter(3)):
            mids = [message[2] for message in group if message[2]]
            if mids:
                self._client.acknowledge(connection, mids)

    def publish(self, topic: str, payload: bytes, qos: int) -> None:
        """Publish a live message; it is dropped while it cannot be sent, for live messages are only hints."""
        if self.connected and not self.inbox.held:
            self._client.publish(topic, payload, min(qos, self._most_qos))

    def stop(self) -> None:
        """Leave; the session stays with the broker."""
        self.inbox.close()
        self._client.settle(1.0)
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(
        self, client: Client, _user: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._refused = True
            hint = "; check CITYDECK_MQTT_USER and CITYDECK_MQTT_PASSWORD" if reason.value in _NOT_LET_IN else ""
            self._report(f"broker {self._address} refuses the connection: {reason}{hint}")
            return
        self._connection += 1
        self._reported = ""
        self._since_s = time.monotonic()
        # A broker that takes less ends the connection over what is published with more.
        self._most_qos = getattr(properties, "MaximumQoS", 1)
        # Retained status messages are news only to a new session.
        wanted = [(topic, SubscribeOptions(qos=1, retainHandling=1)) for topic in self._subscriptions]
        client.subscribe([*wanted, (self._ask_topic, SubscribeOptions(qos=0))])
        # Whoever hears from this collector can rely on being heard: nothing is published before it has subscribed.
        self.connected = True
        self._session = "resumed" if flags.session_present else "new"
        if self._had_session and not flags.session_present:
            log.warning("broker %s has forgotten the session of this collector: what was sent while it was away is "
                        "lost", self._address)  # fmt: skip
        self._had_session = True

    def _subscribed(
        self, _client: Client, _user: Any, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        # Only now does the broker keep messages for a new session.
        log.info("broker connected address=%s session=%s", self._address, self._session)
        for topic, reason in zip((*self._subscriptions, self._ask_topic), reasons, strict=False):
            if reason.is_failure:
                log.error("broker %s refuses the subscription to %s: %s; nothing of it is collected",
                          self._address, topic, reason)  # fmt: skip
            elif reason.value == 0 and topic != self._ask_topic:
                log.error("broker %s grants the subscription to %s with QoS 0, not 1: what is on its way when the "
                          "collector or the connection ends is lost", self._address, topic)  # fmt: skip

    def _failed(self, _client: Client, _user: Any) -> None:
        self._report(f"broker {self._address} does not answer; trying again for ever")

    def _disconnected(
        self, _client: Client, _user: Any, _flags: Any, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self.connected = False
        refused, self._refused = self._refused, False
        if reason.is_failure and not refused:
            self._report(f"broker {self._address} is gone ({reason}); trying again for ever")
            self._tell_brief()

    def _tell_brief(self) -> None:
        """Tell of connections that end as soon as they stand: two clients of one name take them from each other."""
        brief = time.monotonic() - self._since_s < _BRIEF_S
        self._brief = self._brief + 1 if brief else 0
        if self._brief == _BRIEF_TIMES:
            log.error("broker %s ended %d connections within seconds: does another client have the name %s? Of two "
                      "collectors of one site each gets a part of the messages", self._address, self._brief,
                      self._client_id)  # fmt: skip

    def _report(self, sentence: str) -> None:
        # Every attempt fails with the same words for as long as it lasts: once is enough.
        if sentence != self._reported:
            self._reported = sentence
            log.warning("%s", sentence)

    def _arrived(self, messages: list[Arrived]) -> None:
        asked = [message for message in messages if message[0] == self._ask_topic]
        if asked:
            self._on_ask()
            # A site's own patterns may cover it with QoS 1: what is never journaled must not fill the broker's window.
            self.acknowledge(asked)
            messages = [message for message in messages if message[0] != self._ask_topic]
        self.inbox.put(messages)
