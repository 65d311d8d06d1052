"""The one way into a played city: whoever brings the token of its run may look, and nobody may do anything."""

import hmac

from starlette.types import ASGIApp, Receive, Scope, Send

from cockpit.bench.job import TOKEN_HEADER
from cockpit.problems import problem_response

# How a page of Dash asks for its content, which only reads.
READ_BY_POST = "/_dash-update-component"
READ_ONLY = "This is a replay: it can be looked at, and nothing can be done in it."


def reads(method: str, path: str) -> bool:
    """Tell whether a request can only read."""
    return method in ("GET", "HEAD") or (method, path) == ("POST", READ_BY_POST)


class Door:
    """Wraps the application of a run."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(TOKEN_HEADER.lower().encode(), b"")
        known = hmac.compare_digest(given, self._token)
        if scope["type"] == "websocket":
            if known:
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 4403})
        elif not known:
            await problem_response(403, "A run is looked at through the bench.")(scope, receive, send)
        elif not reads(scope["method"], scope["path"]):
            await problem_response(405, READ_ONLY)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
