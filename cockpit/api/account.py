"""Log-in, log-out and who is there."""

import asyncio
import time
from typing import Annotated
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from cockpit.accounts.passwords import LONGEST
from cockpit.accounts.throttle import Throttle
from cockpit.api.alarm_requests import text_of
from cockpit.api.parts import Document, Parts, parts_of
from cockpit.api.refusals import problems
from cockpit.guard import current_user
from cockpit.pages.login import login_page
from cockpit.problems import Problem
from cockpit.sessions import COOKIE, SESSION_S

router = APIRouter(prefix="/api/v1", tags=["session"])
pages = APIRouter(include_in_schema=False)
PartsNow = Annotated[Parts, Depends(parts_of)]


class LoginRequest(BaseModel):
    """User and password."""

    model_config = ConfigDict(extra="forbid")

    user: Annotated[str, text_of(64)]
    password: Annotated[str, Field(max_length=LONGEST)]


class Entrance:
    """Lets few in at a time, so that guesses sent all at once are counted like guesses sent one by one."""

    def __init__(self) -> None:
        self.throttle = Throttle()
        self.turn = asyncio.Semaphore(2)


def entrance_of(request: Request) -> Entrance:
    """Return the one entrance of the application that serves a request."""
    state = request.app.state
    if not hasattr(state, "entrance"):
        state.entrance = Entrance()
    assert isinstance(state.entrance, Entrance)
    return state.entrance


@router.post("/login", status_code=204, responses=problems(401, 403, 422, 429, 503))
async def login(
    parts: PartsNow, body: LoginRequest, request: Request, entrance: Annotated[Entrance, Depends(entrance_of)]
) -> Response:
    """Begin a session: 204 with a cookie, or 401; 429 after five wrong passwords of one user from one address."""
    address = _address(request)
    async with entrance.turn:
        now_ms = time.time_ns() // 1_000_000
        if entrance.throttle.refuses(body.user, address, now_ms / 1_000):
            raise Problem(429, "Too many failed log-ins; wait a minute.", code="too_many_logins")
        token = await asyncio.to_thread(parts.sessions.log_in, body.user, body.password, address, now_ms)
        if token is None:
            entrance.throttle.failed(body.user, address, now_ms / 1_000)
            raise Problem(401, "User or password is wrong.", code="wrong_password")
        entrance.throttle.came_in(body.user, address, now_ms / 1_000)
    await _end(parts, request)
    answer = Response(status_code=204)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, token, max_age=SESSION_S, httponly=True, samesite="strict", secure=secure)
    return answer


@router.post("/logout", status_code=204, responses=problems(403, 503))
async def logout(parts: PartsNow, request: Request) -> Response:
    """End the session at once, on the server too."""
    await _end(parts, request)
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/session")
async def session(parts: PartsNow) -> Document:
    """Who is logged in, and whether reading is open to everybody; a screen is nobody who could act."""
    user = current_user.get()
    found: Document = {"user": None, "open": parts.site.simulated}
    if user is None:
        return found
    if user.screen:
        return {**found, "screen": user.name.partition(":")[2]}
    return {**found, "user": user.name, "name": user.name, "roles": list(user.roles), "areas": list(user.areas)}


@pages.get("/login", response_class=HTMLResponse)
async def page(
    parts: PartsNow, request: Request, lang: str | None = None, why: str = "", next: str = "/"
) -> HTMLResponse:
    """Serve the page to log in."""
    asked = parse_qs(next.partition("?")[2]).get("lang", [None])[0]
    language = lang or asked or request.cookies.get("citydeck_lang")
    other = {"lang": "zh" if language == "en" else "en", "why": why, "next": next}
    return HTMLResponse(login_page(parts.site, language, why, urlencode(other)))


async def _end(parts: Parts, request: Request) -> None:
    token = request.cookies.get(COOKIE)
    now_ms = time.time_ns() // 1_000_000
    user = parts.sessions.user_of(token, now_ms)
    if token is not None and user is not None:
        await asyncio.to_thread(parts.sessions.log_out, token, user, _address(request), now_ms)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
