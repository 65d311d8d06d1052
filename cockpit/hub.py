"""The live hub: one stream of messages to every open page; a slow page gets a new snapshot, never a growing queue."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import msgspec

Document = dict[str, Any]
_QUEUE = 256


class _Client:
    def __init__(self) -> None:
        self.queue: asyncio.Queue[str] = asyncio.Queue(_QUEUE)
        self.behind = False


class Hub:
    """Hands every broadcast to all clients with one sequence number."""

    def __init__(self, snapshot: Callable[[int], Iterable[Document]]) -> None:
        """Keep how a snapshot is made; it is given the sequence number it stands for."""
        self._snapshot = snapshot
        self._clients: set[_Client] = set()
        self._seq = 0
        self._made: list[str] | None = None

    def __len__(self) -> int:
        return len(self._clients)

    def broadcast(self, document: Document) -> None:
        """Send a message to everybody; a client whose queue is full is marked for a new snapshot."""
        self._seq += 1
        self._made = None
        text = _text({**document, "seq": self._seq})
        for client in self._clients:
            try:
                client.queue.put_nowait(text)
            except asyncio.QueueFull:
                client.behind = True

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
                    await send(text)
        finally:
            self._clients.discard(client)

    async def _send_snapshot(self, client: _Client, send: Callable[[str], Any]) -> None:
        # Emptied and taken without giving way in between, so that nothing falls between snapshot and stream.
        client.behind = False
        while not client.queue.empty():
            client.queue.get_nowait()
        # After a restart of the cockpit all pages come back at once; until the next message one snapshot is all theirs.
        if self._made is None:
            self._made = [_text(document) for document in self._snapshot(self._seq)]
        for text in self._made:
            await send(text)


def _text(document: Document) -> str:
    return msgspec.json.encode(document).decode()
