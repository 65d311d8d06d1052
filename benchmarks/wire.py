"""What really goes over the wire: a relay between a browser and the cockpit that counts bytes, as they are packed."""

import asyncio
import threading
from contextlib import suppress
from types import TracebackType

_CHUNK = 64 * 1024
_OPENING_S = 10.0


class Wire:
    """A loopback port that leads to another one; use it in a ``with``.

    Headers, bodies, workers' scripts and websockets all pass here, so nothing that a page loads is missed.
    """

    def __init__(self, port: int) -> None:
        """Say where it leads; nothing is opened yet."""
        self._target = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._pipes: set[asyncio.Task[None]] = set()
        self.port = 0
        self.received = 0
        """Bytes that came from the cockpit so far."""

    def __enter__(self) -> "Wire":
        self._thread.start()
        opening = asyncio.start_server(self._join, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(opening, self._loop).result(_OPENING_S)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_OPENING_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = asyncio.current_task()
        assert mine is not None
        self._pipes.add(mine)
        try:
            their_reader, their_writer = await asyncio.open_connection("127.0.0.1", self._target)
            with suppress(OSError, asyncio.CancelledError):
                await asyncio.gather(self._ask(reader, their_writer), self._answer(their_reader, writer))
            their_writer.close()
        except OSError:
            # The cockpit is not there: the browser is told by the end of its connection.
            pass
        finally:
            self._pipes.discard(mine)
            writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(_CHUNK):
            self.received += len(chunk)
            writer.write(chunk)
            await writer.drain()
        writer.close()

    async def _close(self) -> None:
        self._server.close()
        pipes = [*self._pipes]
        for pipe in pipes:
            pipe.cancel()
        await asyncio.gather(*pipes, return_exceptions=True)
