"""What of a request reaches the process of an exercise: no cookie, no token, and the person whom the session proves."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from cockpit.bench.door import REPLAY, Door, Manners
from cockpit.bench.job import OFFICER_HEADER, TOKEN_HEADER, Officer
from cockpit.bench.proxy import CityProxy
from cockpit.drill.manners import DRILL, PREFIX, anybody, fits
from cockpit.guard import HANDED_OVER, current_user
from cockpit.sessions import User

TOKEN = "token-of-the-run"
ACK = "/api/v1/alarms/a1/ack"


@pytest.fixture
def child() -> Iterator[tuple[int, list[dict[str, str]]]]:
    """Give a server in the place of an exercise's process that notes the headers it is sent."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            seen.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("Set-Cookie", "citydeck_session=from-the-run")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield server.server_port, seen
    server.shutdown()
    serving.join()
    server.server_close()


async def send(port: int, user: User | None, method: str = "POST", path: str = ACK) -> httpx.Response:
    run = SimpleNamespace(id="ab12", open=True, progress=SimpleNamespace(port=port), job=SimpleNamespace(token=TOKEN))
    proxy = CityProxy(SimpleNamespace(one=lambda _name: run), PREFIX, anybody, DRILL)  # type: ignore[arg-type]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        current_user.set(user)
        await proxy(scope, receive, send)

    forged = {OFFICER_HEADER: '{"name":"boss","roles":["leader"]}', TOKEN_HEADER: "guess", "Authorization": "Bearer x"}
    headers = {"Cookie": "citydeck_session=secret; citydeck_screen=also", **forged}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://live") as client:
        return await client.request(method, f"{PREFIX}ab12{path}", headers=headers, json={})


@pytest.mark.anyio
async def test_the_person_is_handed_over_and_nothing_else(child: tuple[int, list[dict[str, str]]]) -> None:
    port, seen = child
    answer = await send(port, User("王 officer", ("officer",), areas=("s01",)))
    (headers,) = seen
    assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
    assert "cookie" not in headers
    assert "authorization" not in headers
    assert "secret" not in str(headers)
    assert (headers[TOKEN_HEADER.lower()], "boss" in str(headers)) == (TOKEN, False)
    assert "%E7%8E%8B" in headers[OFFICER_HEADER.lower()]


@pytest.mark.anyio
@pytest.mark.parametrize("user", [None, User("screen:wall", ("viewer",), screen=True)])
async def test_strangers_and_screens_are_nobody_there(
    child: tuple[int, list[dict[str, str]]], user: User | None
) -> None:
    port, seen = child
    assert (await send(port, user, "GET", "/wall")).status_code == 200
    assert OFFICER_HEADER.lower() not in seen[0]


@pytest.mark.parametrize(
    ("method", "path", "passes"),
    [
        ("GET", "/duty", True),
        ("POST", "/_dash-update-component", True),
        ("POST", ACK, True),
        ("POST", "/api/v1/cases/C1/force-close/approve", True),
        ("POST", "/api/v1/requests/r1/agree", True),
        ("PUT", ACK, False),
        ("DELETE", "/api/v1/alarms/a1", False),
        ("POST", "/api/v1/alarms/a1/ack/../../../login", False),
        ("POST", "/api/v1/login", False),
        ("GET", "/login", False),
        ("POST", "/api/v1/lamps/circuits/F-1", False),
        ("POST", "/api/v1/notices/revive", False),
        ("POST", "/api/v1/rules/revisions", False),
        ("POST", "/api/v1/handovers", False),
        ("POST", "/api/v1/bench/runs", False),
        ("POST", "/api/v1/ledger/retry", False),
        ("POST", "/api/v1/drills", False),
    ],
)
def test_what_may_be_asked_there(method: str, path: str, passes: bool) -> None:
    assert fits(method, path) is passes


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("manners", "token", "status", "name"),
    [(DRILL, TOKEN, 200, "officer"), (DRILL, "guess", 403, None), (REPLAY, TOKEN, 200, None)],
)
async def test_a_name_counts_with_the_token_alone(manners: Manners, token: str, status: int, name: str | None) -> None:
    async def who(request: Request) -> JSONResponse:
        user = request.scope.get(HANDED_OVER)
        return JSONResponse({"name": user and user.name, "from": request.client and request.client.host})

    door = Door(Starlette(routes=[Route("/who", who)]), TOKEN, manners)
    officer = msgspec.json.encode(Officer("officer", ("officer",), address="10.0.0.7")).decode()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=door), base_url="http://run") as client:
        answer = await client.get("/who", headers={TOKEN_HEADER: token, OFFICER_HEADER: officer})
    assert answer.status_code == status
    if status == 200:
        assert (answer.json()["name"], answer.json()["from"] == "10.0.0.7") == (name, name is not None)
