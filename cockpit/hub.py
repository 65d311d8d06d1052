"""The live hub: one stream of messages to every open page; a slow page gets a new snapshot, never a growing queue.

What is short goes to all pages at once, what is long to one after another. Each page counts what it was sent, so that
an alarm may overtake a tick that others have not been sent yet.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import msgspec

Document = dict[str, Any]
_QUEUE = 256


class _Client:
    """A page: what waits for it, how many messages it was sent, and which round its snapshot stands behind."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[str] = asyncio.Queue(_QUEUE)
        self.behind = False
        self.sent = 0
        self.round = 0

    def put(self, text: str) -> None:
        try:
            self.queue.put_nowait(text)
        except asyncio.QueueFull:
            self.behind = True


class Hub:
    """Hands messages to all clients, each with a sequence number of its own connection."""

    def __init__(self, snapshot: Callable[[], Iterable[Document]]) -> None:
        """Keep how a snapshot is made."""
        self._snapshot = snapshot
        self._clients: set[_Client] = set()
        self._round = 0
        self._made: list[str] | None = None

    def __len__(self) -> int:
        return len(self._clients)

    def broadcast(self, document: Document) -> None:
        """Send a short message to everybody; a client whose queue is full is marked for a new snapshot."""
        self._made = None
        text = _text(document)
        for client in self._clients:
            client.put(text)

    async def spread(self, document: Document) -> None:
        """Send a long message to one client after another; what is short overtakes it.

        To pack a tick of thousands of devices for one page takes as long as all else that an alarm waits for.
        """
        self._made = None
        self._round += 1
        number, text = self._round, _text(document)
        for client in tuple(self._clients):
            # Who has a newer snapshot would be set back by it.
            if client in self._clients and client.round < number:
                client.put(text)
                await asyncio.sleep(0)

    def renew(self) -> None:
        """Let everybody begin anew with a snapshot: what they have lacks something that no message tells."""
        self._made = None
        for client in self._clients:
            client.behind = True
            # Whoever waits for a message wakes up by one; where the queue is full nobody waits.
            with suppress(asyncio.QueueFull):
                client.queue.put_nowait("")

    async def serve(self, send: Callable[[str], Any]) -> None:
        """Serve one client until its connection ends (``send`` raises)."""
        client = _Client()
        self._clients.add(client)
        try:
            await self._send_snapshot(client, send)
            while True:
                text = await client.queue.get()
                if client.behind:
                    await self._send_snapshot(client, send)
                else:
                    client.sent += 1
                    await send(_numbered(text, client.sent))
        finally:
            self._clients.discard(client)

    async def _send_snapshot(self, client: _Client, send: Callable[[str], Any]) -> None:
        # Emptied and taken without giving way in between, so that nothing falls between snapshot and stream.
        client.behind = False
        client.round = self._round
        while not client.queue.empty():
            client.queue.get_nowait()
        # After a restart of the cockpit all pages come back at once; until the next message one snapshot is all theirs.
        if self._made is None:
            self._made = [_text(document) for document in self._snapshot()]
        for text in self._made:
            await send(_numbered(text, client.sent))
            await asyncio.sleep(0)


def _text(document: Document) -> str:
    return msgspec.json.encode(document).decode()


def _numbered(text: str, number: int) -> str:
    return f'{text[:-1]},"seq":{number}}}'
