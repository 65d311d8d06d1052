"""The one way into a played city: whoever brings the token of its run may look, and in an exercise act as who they are.

What may be asked there is looked at twice by the same words: in the cockpit, and here once more.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from cockpit.bench.job import OFFICER_HEADER, TOKEN_HEADER, Officer
from cockpit.guard import HANDED_OVER
from cockpit.problems import problem_response
from cockpit.sessions import User

# How a page of Dash asks for its content, which only reads.
READ_BY_POST = "/_dash-update-component"
READ_ONLY = "This is a replay: it can be looked at, and nothing can be done in it."


def reads(method: str, path: str) -> bool:
    """Tell whether a request can only read."""
    return method in ("GET", "HEAD") or (method, path) == ("POST", READ_BY_POST)


@dataclass(frozen=True, slots=True)
class Manners:
    """What may be asked of a played city, by method and path; what is said to all else; whether people act there."""

    fits: Callable[[str, str], bool]
    refusal: str
    code: str
    hands_over: bool


REPLAY = Manners(reads, READ_ONLY, "replay_read_only", hands_over=False)


class Door:
    """Wraps the application of a run."""

    def __init__(self, app: ASGIApp, token: str, manners: Manners = REPLAY) -> None:
        self._app = app
        self._token = token.encode()
        self._manners = manners

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(TOKEN_HEADER.lower().encode(), b"")
        known = hmac.compare_digest(given, self._token)
        if scope["type"] == "websocket":
            if known:
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 4403})
        elif not known:
            await problem_response(403, "A run is looked at through the bench.", code="run_by_bench")(
                scope, receive, send
            )
        elif not self._manners.fits(scope["method"], scope["path"]):
            await problem_response(405, self._manners.refusal, code=self._manners.code)(scope, receive, send)
        else:
            officer = headers.get(OFFICER_HEADER.lower().encode()) if self._manners.hands_over else None
            await self._app(scope if officer is None else _as(officer, scope), receive, send)


def _as(given: bytes, scope: Scope) -> Scope:
    """Return a request as that of somebody whom the cockpit has proved."""
    officer = msgspec.json.decode(unquote_to_bytes(given), type=Officer)
    user = User(officer.name, officer.roles, areas=officer.areas)
    return {**scope, HANDED_OVER: user, "client": (officer.address, 0)}
