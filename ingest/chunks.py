"""Reading in chunks: PUBLISH packets walked in one loop, their PUBACKs sent in one write.

paho takes every packet apart with several reads and objects of its own, which costs more than all the rest of the way.
Here one ``recv`` brings up to 256 KiB; its PUBLISH packets become messages in one loop, and every other packet is fed
to paho byte by byte as before, so that session, keep-alive and reconnect stay paho's.

This reaches into inner names of paho-mqtt: ``FITS`` says whether the installed version is the one it was written for.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import paho.mqtt
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode

from ingest.inbox import Arrived

FITS = paho.mqtt.__version__ == "2.2.0"

_CHUNK = 256 * 1024
# A broker sends message by message: a short pause before reading lets a few come together (a read each costs more).
# While many come, so do further pauses, until one brings nothing: the broker waits for our acknowledgements.
_LINGER_S = 0.003
_BUSY = 24
_PAUSES = 3
_PUBLISH, _PUBACK = 0x30, 0x40
_QOS_1, _QOS_2 = 0x02, 0x04
_TOPICS_KEPT = 100_000
# Longer ones than any contract has are somebody's mischief, and not worth remembering: they may have 64 KiB each.
_TOPIC_BYTES = 512


class MalformedPacket(Exception):
    """The broker sent bytes that are no MQTT; the connection is of no more use."""


class ChunkedClient(Client):
    """A paho client that hands over many messages at a time (``on_chunk``) and acknowledges many at a time."""

    def __init__(self, *args: Any, on_chunk: Callable[[list[Arrived]], None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._on_chunk = on_chunk
        self._connection = 0
        self._unread = b""
        self._came = 0
        self._fed = b""
        self._topics: dict[bytes, str] = {}
        self._acks: deque[tuple[int, Sequence[int]]] = deque()
        self._queueing = False
        self.on_socket_open = self._opened

    def acknowledge(self, connection: int, mids: Sequence[int]) -> None:
        """Send PUBACKs in order by the connection their messages came by; drop them if it is gone."""
        self._acks.append((connection, mids))
        wake = self._sockpairW
        if wake is not None:
            with suppress(OSError):
                wake.send(b"0")

    def settle(self, timeout_s: float) -> None:
        """Wait until what was acknowledged is on its way; before a disconnect, which would overtake it."""
        until_s = time.monotonic() + timeout_s
        while (self._acks or self._queueing) and self.is_connected() and time.monotonic() < until_s:
            time.sleep(0.01)

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Read what is there; called by paho's loop when the socket is readable."""
        if self._sock is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        chunks = [self._unread]
        ended = False
        for _ in range(_PAUSES if self._came >= _BUSY else 1):
            time.sleep(_LINGER_S)
            try:
                chunk = super()._sock_recv(_CHUNK)
            except BlockingIOError:
                break
            except OSError:
                chunk = b""
            if not chunk:
                ended = True
                break
            chunks.append(chunk)
        self._came = 0
        if len(chunks) > 1:
            with self._msgtime_mutex:
                self._last_bytes_received = time.monotonic()
            self._unread = b"".join(chunks)
            code = self._walk()
            if code > 0 or self._sock is None:
                return code
        return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST) if ended else MQTTErrorCode.MQTT_ERR_SUCCESS

    def loop_write(self) -> MQTTErrorCode:
        """Send what waits, the acknowledgements of this connection first."""
        # Here, in the thread that also makes connections, the number of the connection cannot change meanwhile.
        while self._acks:
            # Before: whoever waits in settle() must see either of the two, or would disconnect before it is on its way.
            self._queueing = True
            connection, mids = self._acks.popleft()
            if connection == self._connection and mids:
                self._packet_queue(_PUBACK, pubacks(mids), 0, 1)
        self._queueing = False
        return super().loop_write()

    def _opened(self, _client: Client, _user: Any, _socket: Any) -> None:
        self._connection += 1
        self._unread = self._fed = b""
        self._came = 0

    def _walk(self) -> MQTTErrorCode:
        while True:
            messages: list[Arrived] = []
            try:
                used, other = publishes(self._unread, self._connection, self._topics, messages)
            except (MalformedPacket, IndexError):
                return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_PROTOCOL)
            if messages:
                self._came += len(messages)
                self._on_chunk(messages)
            if not other:
                self._unread = self._unread[used:]
                return MQTTErrorCode.MQTT_ERR_SUCCESS
            self._fed, self._unread = self._unread[used : used + other], self._unread[used + other :]
            code = self._packet_read()
            if code > 0:
                return self._loop_rc_handle(code)
            if self._sock is None:
                return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _sock_recv(self, bufsize: int) -> bytes:
        # Only asked by paho for one whole packet that stands in ``_fed``.
        found, self._fed = self._fed[:bufsize], self._fed[bufsize:]
        if not found:
            raise BlockingIOError
        return found


class PlainClient(Client):
    """The same for any version of paho: message by message, each acknowledged by a packet of its own."""

    def __init__(self, *args: Any, on_chunk: Callable[[list[Arrived]], None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._on_chunk = on_chunk
        self._connection = 0
        self.on_message = self._arrived
        self.on_socket_open = self._opened

    def acknowledge(self, connection: int, mids: Sequence[int]) -> None:
        """See :meth:`ChunkedClient.acknowledge`."""
        for mid in mids:
            if connection == self._connection:
                self.ack(mid, 1)

    def settle(self, timeout_s: float) -> None:
        """Do nothing: acknowledgements are queued as they are made."""

    def _opened(self, _client: Client, _user: Any, _socket: Any) -> None:
        self._connection += 1

    def _arrived(self, _client: Client, _user: Any, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = repr(message._topic)
        self._on_chunk([(topic, bytes(message.payload), message.mid if message.qos else 0, self._connection)])


def client_class() -> type[ChunkedClient] | type[PlainClient]:
    """Return the quicker client where the installed paho is the one it knows."""
    return ChunkedClient if FITS else PlainClient


def pubacks(mids: Sequence[int]) -> bytes:
    """Return the PUBACK packets of packet identifiers, one behind the other."""
    return b"".join([b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids])


def publishes(buffer: bytes, connection: int, topics: dict[bytes, str], found: list[Arrived]) -> tuple[int, int]:
    """Append the messages at the head of a buffer to ``found`` until it ends or another kind of packet comes.

    Args:
        buffer: whole or cut packets of MQTT 5.
        connection: where they came from.
        topics: texts of the topics met so far; filled here.
        found: filled here.

    Returns:
        How many bytes were used, and how long the other packet behind them is (0: none, or cut).

    Raises:
        MalformedPacket: not MQTT.
    """
    at, end = 0, len(buffer)
    add = found.append
    while end - at >= 2:
        head = buffer[at]
        length = buffer[at + 1]
        body = at + 2
        if length & 0x80:
            length &= 0x7F
            shift = 7
            while True:
                if body >= end:
                    return at, 0
                byte = buffer[body]
                body += 1
                length |= (byte & 0x7F) << shift
                if byte < 0x80:
                    break
                shift += 7
                if shift > 21:
                    raise MalformedPacket
        stop = body + length
        if stop > end:
            return at, 0
        if head & 0xF0 != _PUBLISH or head & _QOS_2:
            return at, stop - at
        start = body + 2
        after = start + (buffer[body] << 8 | buffer[body + 1])
        raw = buffer[start:after]
        mid = 0
        if head & _QOS_1:
            mid = buffer[after] << 8 | buffer[after + 1]
            after += 2
        properties = buffer[after]
        after += 1
        if properties:
            if properties & 0x80:
                properties &= 0x7F
                shift = 7
                while True:
                    byte = buffer[after]
                    after += 1
                    properties |= (byte & 0x7F) << shift
                    if byte < 0x80:
                        break
                    shift += 7
            after += properties
        if after > stop:
            raise MalformedPacket
        topic = topics.get(raw)
        if topic is None:
            topic = _text(raw, topics)
        add((topic, buffer[after:stop], mid, connection))
        at = stop
    return at, 0


def _text(raw: bytes, topics: dict[bytes, str]) -> str:
    try:
        topic = raw.decode()
    except UnicodeDecodeError:
        topic = repr(raw)
    if len(raw) <= _TOPIC_BYTES:
        if len(topics) >= _TOPICS_KEPT:
            topics.clear()
        topics[raw] = topic
    return topic
