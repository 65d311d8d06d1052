"""The outermost layer: who is asking, what they may ask for at all, and headers every answer carries.

Pure ASGI, so that websockets pass through it too.
"""

import asyncio
import logging
import re
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cockpit import recheck
from cockpit.accounts import tokens
from cockpit.headers import security_headers
from cockpit.origin import foreign
from cockpit.problems import problem_response
from cockpit.sessions import COOKIE, LOOK_S, SCREEN_COOKIE, Sessions, User
from ingest.errors import AlarmError

log = logging.getLogger(__name__)

current_user: ContextVar[User | None] = ContextVar("citydeck_user", default=None)
# Under this name the door of an exercise puts the user into a request's scope, where no request can put anything.
HANDED_OVER = "citydeck.handed_over"

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_SESSION = ("/api/v1/login", "/api/v1/logout", "/api/v1/session")
# What says nothing about the city, or asks for a token of its own.
_OPEN = frozenset({"/login", "/healthz", "/metrics", "/favicon.ico", "/_favicon.ico", *_SESSION})
_OPEN_FOLDERS = ("/static/", "/assets/")
_NO_PAGES = ("/api/", "/static/", "/assets/", "/_dash", "/healthz", "/metrics", "/openapi.json", "/login")
# Dash sends its callbacks, which only read, as writes.
_READ_BY_POST = re.compile(r"(/drill/city/[0-9a-f]+)?/_dash-update-component")
# The longest that a browser keeps a cookie.
_SCREEN_COOKIE_S = 400 * 86_400


@dataclass(frozen=True, slots=True)
class _Asking:
    user: User | None
    session: str | None
    screen: str | None


class Guard:
    """Wraps the whole application.

    Args:
        app: what answers.
        sessions: who is in.
        content_policy: for the pages.
        open_reading: whether anybody may read; elsewhere that takes a log-in or the token of a screen.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions, content_policy: str, *, open_reading: bool) -> None:
        self._app = app
        self._sessions = sessions
        self._policy = content_policy
        self._open = open_reading

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        handed = scope.get(HANDED_OVER)
        asking = await self._who(headers) if handed is None else _Asking(handed, None, None)
        current_user.set(asking.user)
        if scope["type"] == "websocket":
            await self._socket(asking, headers, scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in security_headers(self._policy, scope["path"], tls=_tls(scope)).items():
                    answer.setdefault(name, value)
            await send(message)

        try:
            refusal = await self._refusal(asking.user, headers, scope)
        except AlarmError as error:
            refusal = problem_response(503, f"Try again in a moment: {error}.", code="away")
        await (refusal or self._app)(scope, receive, with_headers)

    async def _who(self, headers: Mapping[str, str]) -> _Asking:
        session, screen = _cookie(headers, COOKIE), _screen_token(headers)
        now_ms = time.time_ns() // 1_000_000
        user = self._sessions.user_of(session, now_ms) or self._sessions.screen_of(screen, now_ms)
        if user is None and any(self._sessions.unheard_of(token, now_ms) for token in (session, screen)):
            try:
                await asyncio.to_thread(self._sessions.look, now_ms)
            except AlarmError as error:
                log.debug("%s", error)
            user = self._sessions.user_of(session, now_ms) or self._sessions.screen_of(screen, now_ms)
        return _Asking(user, session, screen)

    async def _socket(
        self, asking: _Asking, headers: Mapping[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        if foreign(headers):
            await send({"type": "websocket.close", "code": 4403})
        elif asking.user is None and not self._open:
            await recheck.refuse(receive, send)
        else:
            # On an open site a visitor may stay; whoever came as somebody has to be that still.
            await recheck.serve_while(lambda: self._still(asking), self._app, scope, receive, send, LOOK_S)

    def _still(self, asking: _Asking) -> bool:
        if asking.user is None:
            return True
        now_ms = time.time_ns() // 1_000_000
        if asking.user.screen:
            return self._sessions.screen_of(asking.screen, now_ms) == asking.user
        # A duty desk that is watched through a quiet night is in use; its session must not end for want of clicks.
        return self._sessions.user_of(asking.session, now_ms) == asking.user

    async def _refusal(self, user: User | None, headers: Mapping[str, str], scope: Scope) -> ASGIApp | None:
        """Return what is answered instead of the application, or None when the request may go on."""
        path, method = scope["path"], scope["method"]
        if "\x00" in path or b"%00" in scope["query_string"]:
            # No name has one, and PostgreSQL takes none: it would look as if the database were away.
            return problem_response(400, "The address holds a NUL, which is part of no name.", code="address_nul")
        if method in _SAFE:
            given = dict(parse_qsl(scope["query_string"].decode("latin-1"), True)).get("token")
            if given is not None and _is_page(path):
                return await self._screen_comes_in(given, scope)
            return None if user is not None or self._open or _is_open(path) else _log_in_first(headers, scope)
        if foreign(headers):
            return problem_response(403, "This request comes from another site.", code="foreign_site")
        if path in _SESSION or (_READ_BY_POST.fullmatch(path) and (user is not None or self._open)):
            return None
        if user is None:
            return problem_response(401, "Log in first: POST /api/v1/login with user and password.", code="log_in")
        if user.screen:
            return await self._screen_writes(user, scope)
        return None

    async def _screen_comes_in(self, token: str, scope: Scope) -> Response:
        """Put a screen's token from the address into a cookie, and the page without it into the address."""
        now_ms = time.time_ns() // 1_000_000
        if self._sessions.screen_of(token, now_ms) is None and self._sessions.unheard_of(token, now_ms):
            await asyncio.to_thread(self._sessions.look, now_ms)
        rest = [pair for pair in parse_qsl(scope["query_string"].decode("latin-1"), True) if pair[0] != "token"]
        target = quote(scope["path"]) + (f"?{urlencode(rest)}" if rest else "")
        if self._sessions.screen_of(token, now_ms) is None:
            answer = RedirectResponse(f"/login?why=screen&next={quote(target, safe='')}", 303)
            answer.delete_cookie(SCREEN_COOKIE)
        else:
            answer = RedirectResponse(target, 303)
            # Lax: the address may be opened from a link, and the token reads only.
            answer.set_cookie(
                SCREEN_COOKIE, token, max_age=_SCREEN_COOKIE_S, httponly=True, samesite="lax", secure=_tls(scope)
            )
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers["Cache-Control"] = "no-store"
        return answer

    async def _screen_writes(self, user: User, scope: Scope) -> Response:
        what = f"{scope['method']} {scope['path']}"
        address = scope["client"][0] if scope.get("client") else ""
        now_ms = time.time_ns() // 1_000_000
        await asyncio.to_thread(self._sessions.note_refused_write, user, address, what, now_ms)
        return problem_response(403, "A screen may only read; log in to write.", code="screen_reads")


def _log_in_first(headers: Mapping[str, str], scope: Scope) -> Response:
    if _is_page(scope["path"]) and "text/html" in headers.get("accept", ""):
        query = scope["query_string"].decode("latin-1")
        target = quote(scope["path"]) + (f"?{query}" if query else "")
        return RedirectResponse(f"/login?next={quote(target, safe='')}", 303)
    return problem_response(401, "Reading takes a log-in here, or the token of a screen.", code="log_in_to_read")


def _is_open(path: str) -> bool:
    return path in _OPEN or path.startswith(_OPEN_FOLDERS)


def _is_page(path: str) -> bool:
    return not path.startswith(_NO_PAGES)


def _tls(scope: Scope) -> bool:
    return bool(scope.get("scheme") in ("https", "wss"))


def _cookie(headers: Mapping[str, str], name: str) -> str | None:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return morsel.value if morsel is not None else None


def _screen_token(headers: Mapping[str, str]) -> str | None:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    given = given.strip()
    return given if scheme.lower() == "bearer" and given.startswith(tokens.SCREEN) else _cookie(headers, SCREEN_COOKIE)
