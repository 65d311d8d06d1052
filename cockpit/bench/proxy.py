"""The played cities under ``/bench/city/{run}/`` and ``/drill/city/{run}/``: fetched from the run's own process.

No cookie goes there and none comes back. A run of the bench knows nobody and is only read; an exercise is told by whom
it is asked, as the session of the live city proves it. What is refused here is refused there once more.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import quote

import msgspec
import urllib3
import websockets
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from urllib3.exceptions import HTTPError
from websockets.asyncio.client import connect

from cockpit.bench.door import REPLAY, Manners
from cockpit.bench.job import OFFICER_HEADER, TOKEN_HEADER, Officer
from cockpit.bench.runs import Run, Runs
from cockpit.guard import current_user
from cockpit.problems import Problem, problem_response
from cockpit.sessions import User

log = logging.getLogger(__name__)

PREFIX = "/bench/city/"
LOOKERS = ("engineer", "leader")
_SENT = ("accept", "accept-language", "content-type", "if-none-match", "if-modified-since")
_GIVEN = (
    "content-type", "content-disposition", "content-security-policy", "cache-control", "etag", "last-modified", "allow",
)  # fmt: skip
_SOCKET = "ws/live"
_THREADS = 8
_PATIENCE_S = 30.0
_LONGEST_BODY = 1_048_576


def bench_lookers(user: User | None) -> None:
    """Let engineers and leaders look.

    Raises:
        Problem: 401 or 403.
    """
    if user is None:
        raise Problem(401, "Log in first: POST /api/v1/login with user and password.", code="log_in")
    if set(LOOKERS).isdisjoint(user.roles):
        raise Problem(403, "The bench is for the roles engineer and leader.", code="bench_role")


class CityProxy:
    """An application that shows the cities of runs."""

    def __init__(
        self,
        runs: Runs,
        prefix: str = PREFIX,
        admit: Callable[[User | None], None] = bench_lookers,
        manners: Manners = REPLAY,
    ) -> None:
        """Keep whose cities these are.

        Args:
            runs: the runs.
            prefix: the path below which each has its city.
            admit: raises a problem for whoever may not look.
            manners: what may be asked there.
        """
        self._runs = runs
        self._prefix = prefix
        self._admit = admit
        self._manners = manners
        self._threads = ThreadPoolExecutor(_THREADS, "bench-city")
        self._pool = urllib3.PoolManager(maxsize=_THREADS, retries=False, timeout=_PATIENCE_S)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        identifier, _, rest = str(scope["path"]).removeprefix(self._prefix).partition("/")
        try:
            self._admit(current_user.get())
            run = self._runs.one(identifier)
            if not run.open:
                raise Problem(503, "The city of this run is not there yet, or not any more.", code="run_city_gone")
            if scope["type"] == "websocket" and rest != _SOCKET:
                raise Problem(404, "A run tells its news at ws/live alone.", code="run_socket")
            if scope["type"] == "http":
                await (await self._fetched(run, f"/{rest}", Request(scope, receive)))(scope, receive, send)
                return
        except Problem as error:
            refusal: ASGIApp = problem_response(error.status, error.detail, code=error.code, values=error.values)
            await (_closed(send) if scope["type"] == "websocket" else refusal(scope, receive, send))
            return
        await self._followed(run, receive, send)

    async def _fetched(self, run: Run, path: str, request: Request) -> Response:
        if not self._manners.fits(request.method, path):
            return problem_response(405, self._manners.refusal, code=self._manners.code)
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > _LONGEST_BODY:
                return problem_response(413, "That is more than a question about a page can be.", code="too_large")
        headers = {name: request.headers[name] for name in _SENT if name in request.headers}
        headers[TOKEN_HEADER] = run.job.token
        user = current_user.get()
        if self._manners.hands_over and user is not None and not user.screen:
            address = request.client.host if request.client else ""
            officer = Officer(user.name, user.roles, user.areas, address)
            # A header takes bytes as they are; a name may be Chinese.
            headers[OFFICER_HEADER] = quote(msgspec.json.encode(officer))
        query = f"?{request.url.query}" if request.url.query else ""
        address = f"http://127.0.0.1:{run.progress.port}{quote(path)}{query}"

        def ask() -> urllib3.BaseHTTPResponse:
            return self._pool.request(request.method, address, body=body or None, headers=headers, redirect=False)

        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        except HTTPError as error:
            log.debug("bench run=%s: %s", run.id, error)
            return problem_response(503, "The city of this run does not answer.", code="run_silent")
        given = {name: answer.headers[name] for name in _GIVEN if name in answer.headers}
        return Response(answer.data, answer.status, given)

    async def _followed(self, run: Run, receive: Receive, send: Send) -> None:
        """Pass on what the run's websocket tells; nothing is passed the other way."""
        address = f"ws://127.0.0.1:{run.progress.port}/{_SOCKET}"
        await receive()
        await send({"type": "websocket.accept"})
        run.sockets += 1
        try:
            async with connect(
                address, additional_headers={TOKEN_HEADER: run.job.token}, max_size=None, compression=None, proxy=None
            ) as told:
                left = asyncio.ensure_future(_left(receive))
                passing = asyncio.ensure_future(_passed(told, send))
                try:
                    await asyncio.wait({left, passing}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for each in (left, passing):
                        each.cancel()
                    await asyncio.wait({left, passing})
        except (OSError, websockets.WebSocketException) as error:
            log.debug("bench run=%s: %s", run.id, error)
        finally:
            run.sockets -= 1
            # Whoever looked may have left in the same moment.
            with suppress(RuntimeError, OSError):
                await send({"type": "websocket.close", "code": 1012})


async def _passed(told: websockets.ClientConnection, send: Send) -> None:
    async for text in told:
        await send({"type": "websocket.send", "text": text if isinstance(text, str) else text.decode()})


async def _left(receive: Receive) -> None:
    message: Message = {}
    while message.get("type") != "websocket.disconnect":
        message = await receive()


async def _closed(send: Send) -> None:
    await send({"type": "websocket.close", "code": 4403})
