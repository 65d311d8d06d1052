"""The inbox: messages between the network and the journal. When too many wait, the socket is no longer read."""

import threading
import time
from collections.abc import Sequence
from typing import TypeAlias

# topic, payload, MQTT packet identifier (0: nothing to acknowledge), number of the connection it came by
Arrived: TypeAlias = tuple[str, bytes, int, int]

_LIMIT = 20_000
_LIMIT_BYTES = 256 * 1024 * 1024


class Inbox:
    """A queue of messages that holds its filler back when the journal is behind."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._messages: list[Arrived] = []
        self._bytes = 0
        self._since_s = 0.0
        self.taken_since_s = 0.0
        """When the oldest message of the last ``take`` came, by the monotonic clock."""
        self.received = 0
        self.closed = False
        self.held = False
        """Whether the network waits for room; then nothing is sent either."""

    def put(self, messages: Sequence[Arrived]) -> None:
        """Add messages; block while the journal is behind, so that the broker keeps the rest."""
        with self._changed:
            if len(self._messages) >= _LIMIT or self._bytes >= _LIMIT_BYTES:
                self.held = True
                self._changed.wait_for(
                    lambda: self.closed or (len(self._messages) < _LIMIT and self._bytes < _LIMIT_BYTES)
                )
                self.held = False
            if not self._messages:
                self._since_s = time.monotonic()
            self._messages.extend(messages)
            self._bytes += sum([len(message[0]) + len(message[1]) for message in messages])
            self.received += len(messages)
            self._changed.notify_all()

    def take(self, timeout_s: float) -> list[Arrived]:
        """Return all that has arrived; wait for the first message.

        ``taken_since_s`` is then when the first of them came, on the monotonic clock.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._messages or self.closed, timeout_s)
            self.taken_since_s = self._since_s
            taken, self._messages, self._bytes = self._messages, [], 0
            self._changed.notify_all()
            return taken

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._messages)
