"""Open websockets are asked again and again whether who opened them may still be here."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.types import ASGIApp, Receive, Scope, Send

LOG_IN_AGAIN = 4401


async def serve_while(
    allowed: Callable[[], bool], app: ASGIApp, scope: Scope, receive: Receive, send: Send, every_s: float
) -> None:
    """Serve a websocket; close it with 4401 as soon as ``allowed`` says no."""
    serving = asyncio.ensure_future(_run(app(scope, receive, send)))
    try:
        while not serving.done():
            await asyncio.wait({serving}, timeout=every_s)
            if not serving.done() and not allowed():
                await _ended(serving)
                # The peer may have left in the same moment.
                with suppress(RuntimeError, OSError):
                    await send({"type": "websocket.close", "code": LOG_IN_AGAIN, "reason": "log in again"})
                return
        serving.result()
    finally:
        await _ended(serving)


async def refuse(receive: Receive, send: Send) -> None:
    """Accept a websocket and close it with 4401: a refused handshake would not tell a browser why."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": LOG_IN_AGAIN, "reason": "log in first"})


async def _run(work: Awaitable[None]) -> None:
    await work


async def _ended(serving: "asyncio.Future[None]") -> None:
    serving.cancel()
    await asyncio.wait({serving})
