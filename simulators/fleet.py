"""All connections of the city in one thread: a selector tells whose socket has something to say."""

import selectors
import socket
from collections.abc import Callable, Iterable

from simulators.feed import Connection
from simulators.link import Address, Hear, Link
from simulators.report import Message

_OPENED_AT_ONCE = 12
_BACK_OFF_S = (0.5, 1.0, 2.0, 5.0)
_TEND_S = 5.0


class Fleet:
    """Connects for ever. Every method that depends on time is told the time (monotonic seconds)."""

    def __init__(
        self,
        connections: Iterable[Connection],
        describe: Callable[[str], Connection],
        address: Address,
        say: Callable[[str], None],
        hear: Hear | None = None,
    ) -> None:
        """Prepare the links.

        Args:
            connections: to be opened from the beginning.
            describe: makes connections that were not foreseen.
            address: of the broker.
            say: prints one line for people.
            hear: is given the commands to devices.
        """
        self._address, self._describe, self._say, self._hear = address, describe, say, hear
        self._links = {connection.owner: self._link(connection) for connection in connections}
        self._selector = selectors.DefaultSelector()
        self._watched: dict[str, tuple[socket.socket, int]] = {}
        self._failures = 0
        self._complained = ""
        self._retry_at_s = 0.0
        self._tended_at_s = 0.0
        self.sent = 0

    @property
    def up(self) -> int:
        """Return how many connections stand."""
        return sum(1 for link in self._links.values() if link.up)

    @property
    def unacknowledged(self) -> int:
        """Return how many messages the broker has not confirmed yet."""
        return sum(link.unacknowledged for link in self._links.values() if link.up)

    def __len__(self) -> int:
        return len(self._links)

    def publish(self, messages: Iterable[Message]) -> None:
        """Send messages, each on its connection."""
        for message in messages:
            link = self._links.get(message.via)
            if link is None:
                # A device that speaks past its dead gateway dials in by itself.
                link = self._links[message.via] = self._link(self._describe(message.via))
            self.sent += link.publish(message)

    def tend(self, now_s: float) -> None:
        """Open missing connections, keep the others alive; a few times a second is enough."""
        self._watch()
        self._open_missing(now_s)
        self._watch()
        if now_s - self._tended_at_s >= _TEND_S:
            self._tended_at_s = now_s
            for link in self._links.values():
                if link.socket is not None:
                    link.tend()

    def serve(self, timeout_s: float) -> None:
        """Read and write where the broker is ready, waiting for it so long at most."""
        for key, events in self._selector.select(timeout_s):
            link: Link = key.data
            if events & selectors.EVENT_READ:
                link.read()
            if events & selectors.EVENT_WRITE and link.socket is not None:
                link.write()

    def rest(self) -> None:
        """Leave the broker to others without a word; tending opens the connections again."""
        for link in self._links.values():
            link.close()
            link.waiting.clear()
        self._watch()

    def farewell(self) -> None:
        """Let every device say that it is offline."""
        for link in self._links.values():
            link.farewell()

    def close(self) -> None:
        """Disconnect in order."""
        for link in self._links.values():
            link.close()
        self._selector.close()

    def _link(self, connection: Connection) -> Link:
        return Link(connection, self._address, self._refused, self._hear)

    def _open_missing(self, now_s: float) -> None:
        if now_s < self._retry_at_s:
            return
        missing = [link for link in self._links.values() if link.socket is None][:_OPENED_AT_ONCE]
        for link in missing:
            try:
                link.connect()
            except OSError as error:
                self._retry_at_s = now_s + _BACK_OFF_S[min(self._failures, len(_BACK_OFF_S) - 1)]
                self._failures += 1
                self._complain(f"the broker at {self._address} cannot be reached ({error.strerror or error})")
                return
        if missing:
            # A broker that accepts and drops at once must not be stormed.
            self._retry_at_s = now_s + 0.05
        if self._complained and self.up:
            self._say(f"the broker at {self._address} is there")
            self._complained, self._failures = "", 0

    def _refused(self, reason: str) -> None:
        self._retry_at_s += _BACK_OFF_S[-1]
        self._complain(f"the broker at {self._address} refuses the log-in ({reason}); CITYDECK_MQTT_USER, _PASSWORD?")

    def _complain(self, sentence: str) -> None:
        if sentence != self._complained:
            self._complained = sentence
            self._say(f"{sentence}; trying again")

    def _watch(self) -> None:
        """Bring the selector up to date with the sockets there are now."""
        for owner, link in self._links.items():
            found = link.socket
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if found is not None and link.wants_write else 0)
            known = self._watched.get(owner)
            if known is not None and (known[0] is not found or known[0].fileno() < 0):
                self._forget(owner)
                known = None
            if found is None:
                continue
            if known is None:
                self._selector.register(found, wanted, link)
                self._watched[owner] = found, wanted
            elif known[1] != wanted:
                self._selector.modify(found, wanted, link)
                self._watched[owner] = found, wanted

    def _forget(self, owner: str) -> None:
        stale, _ = self._watched.pop(owner)
        for key in [key for key in self._selector.get_map().values() if key.fileobj is stale]:
            self._selector.unregister(key.fileobj)
