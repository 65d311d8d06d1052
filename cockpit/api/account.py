"""Log-in, log-out and who is there."""

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict

from cockpit.api.parts import Document, Parts, parts_of
from cockpit.guard import current_user
from cockpit.problems import Problem
from cockpit.sessions import COOKIE, SESSION_S

router = APIRouter(prefix="/api/v1", tags=["session"])
PartsNow = Annotated[Parts, Depends(parts_of)]


class LoginRequest(BaseModel):
    """User and password."""

    model_config = ConfigDict(extra="forbid")

    user: str
    password: str


@router.post("/login", status_code=204)
async def login(parts: PartsNow, body: LoginRequest, request: Request) -> Response:
    """Begin a session: 204 with a cookie, or 401."""
    now_s = time.time()
    key = f"{request.client.host if request.client else ''} {body.user}"
    if parts.sessions.too_many(key, now_s):
        raise Problem(429, "Too many failed log-ins for this user; wait a minute.")
    token = await asyncio.to_thread(parts.sessions.log_in, body.user, body.password, key, now_s)
    if token is None:
        raise Problem(401, "User or password is wrong.")
    answer = Response(status_code=204)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, token, max_age=SESSION_S, httponly=True, samesite="strict", secure=secure)
    return answer


@router.post("/logout", status_code=204)
async def logout(parts: PartsNow, request: Request) -> Response:
    """End the session at once, on the server too."""
    parts.sessions.log_out(request.cookies.get(COOKIE))
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/session")
async def session() -> Document:
    """Who is logged in."""
    user = current_user.get()
    return {"user": None} if user is None else {"user": user.name, "name": user.name, "roles": list(user.roles)}
