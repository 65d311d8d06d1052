"""The outermost layer: who is asking, where a write may come from, and headers every answer carries.

Pure ASGI, so that websockets pass through it too.
"""

import time
from collections.abc import Mapping
from contextvars import ContextVar
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cockpit.problems import problem_response
from cockpit.sessions import COOKIE, Sessions, User

current_user: ContextVar[User | None] = ContextVar("citydeck_user", default=None)

_MONTH = "max-age=2592000"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        current_user.set(self._sessions.user_of(session_token(headers), time.time()))
        if not _same_origin(headers) and (scope["type"] == "websocket" or scope["method"] not in _SAFE):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 4403})
            else:
                await problem_response(403, "This request comes from another site.")(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    answer.setdefault(name, value)
                # Without a word on it a browser keeps old modules beside new ones after an upgrade.
                answer.setdefault("Cache-Control", _MONTH if "/vendor/" in scope["path"] else "no-cache")
            await send(message)

        await self._app(scope, receive, with_headers)


def session_token(headers: Mapping[str, str]) -> str | None:
    """Return the session cookie of a request, if any."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel is not None else None


def _same_origin(headers: Mapping[str, str]) -> bool:
    # Programs send no Origin; a browser always does on a write or a websocket.
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")
