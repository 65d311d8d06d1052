"""The devices' side: MQTT connections that know what the broker has taken, and send the rest again after a break.

Its own few lines of MQTT 3.1.1, so that a message counts as published only when its PUBACK was read here, and so that
what was not acknowledged is sent again in order with the DUP flag, as device libraries do.
"""

import select
import socket
import struct
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from tests.ingest.messages import Message

_WINDOW = 500
_CHUNK = 50


class Uplink(threading.Thread):
    """One connection that publishes its messages in order at about a rate, over any number of breaks."""

    def __init__(self, port: int, name: str, messages: Sequence[Message], per_s: float) -> None:
        super().__init__(name=name, daemon=True)
        self.messages = messages
        self.sent_at: list[float] = []
        self.acked_at: list[float] = []
        self.acked_on: list[int] = []
        self.connections = 0
        self.resent = 0
        self._port = port
        self._per_s = per_s
        self._sent = 0
        self._stopping = threading.Event()
        self._received = b""

    @property
    def acked(self) -> int:
        """Return how many messages the broker has taken; the broker takes them in order."""
        return len(self.acked_at)

    def stop(self) -> None:
        """Publish no more, whatever is left."""
        self._stopping.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        """Publish everything, reconnecting for as long as it takes."""
        began = time.monotonic()
        while self.acked < len(self.messages) and not self._stopping.is_set():
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=5) as connection:
                self._session(connection, began)
            self._stopping.wait(0.05)

    def _session(self, connection: socket.socket, began: float) -> None:
        identifier = self.name.encode()
        body = b"\0\4MQTT\4\2\0\x3c" + struct.pack(">H", len(identifier)) + identifier
        connection.sendall(b"\x10" + _length(len(body)) + body)
        self._received = b""
        while len(self._received) < 4:
            self._received += _some(connection)
        if self._received[:1] != b"\x20" or self._received[3]:
            raise ConnectionError("the broker refuses")
        self._received = self._received[4:]
        self.connections += 1
        again = range(self.acked, self._sent)
        self.resent += len(again)
        connection.sendall(b"".join(self._packet(index, dup=True) for index in again))
        while self.acked < len(self.messages) and not self._stopping.is_set():
            due = min(len(self.messages), int((time.monotonic() - began) * self._per_s) + 1, self.acked + _WINDOW)
            upto = min(due, self._sent + _CHUNK)
            if upto > self._sent:
                # First counted, then sent: a break in between must not make it new again.
                packets = b"".join(self._packet(index) for index in range(self._sent, upto))
                self.sent_at += [time.time()] * (upto - self._sent)
                self._sent = upto
                connection.sendall(packets)
            if select.select([connection], [], [], 0.0 if upto < due else 0.005)[0]:
                self._received += _some(connection)
                self._take_acks()
        with suppress(OSError):
            connection.sendall(b"\xe0\0")

    def _take_acks(self) -> None:
        now = time.time()
        while len(self._received) >= 4:
            kind, size, mid = struct.unpack(">BBH", self._received[:4])
            if (kind, size) != (0x40, 2):
                raise ConnectionError(f"expected a PUBACK, found {self._received[:4]!r}")
            self._received = self._received[4:]
            # A message sent twice is acknowledged twice.
            if mid == _mid(self.acked):
                self.acked_on.append(self.connections)
                self.acked_at.append(now)

    def _packet(self, index: int, dup: bool = False) -> bytes:
        topic, payload = self.messages[index]
        name = topic.encode()
        body = struct.pack(">H", len(name)) + name + struct.pack(">H", _mid(index)) + payload
        return (b"\x3a" if dup else b"\x32") + _length(len(body)) + body


def _mid(index: int) -> int:
    return index % 65_535 + 1


def _some(connection: socket.socket) -> bytes:
    found = connection.recv(65_536)
    if not found:
        raise ConnectionError("the broker is gone")
    return found


def _length(size: int) -> bytes:
    found = bytearray()
    while True:
        size, digit = divmod(size, 128)
        found.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(found)


class Fleet:
    """Several uplinks side by side."""

    def __init__(self, port: int, parts: Sequence[Sequence[Message]], per_s: float) -> None:
        total = sum(len(part) for part in parts)
        self.uplinks = [
            Uplink(port, f"uplink-{number}", part, per_s * len(part) / total)
            for number, part in enumerate(parts)
            if part
        ]

    @property
    def acked(self) -> int:
        """Return how many messages the broker has taken."""
        return sum(uplink.acked for uplink in self.uplinks)

    @property
    def resent(self) -> int:
        """Return how many messages were sent again after a break."""
        return sum(uplink.resent for uplink in self.uplinks)

    @property
    def done(self) -> bool:
        """Tell whether the broker has taken everything."""
        return not any(uplink.is_alive() for uplink in self.uplinks)

    def start(self) -> None:
        """Begin to publish."""
        for uplink in self.uplinks:
            uplink.start()

    def stop(self) -> None:
        """End, whatever is left."""
        for uplink in self.uplinks:
            uplink.stop()
