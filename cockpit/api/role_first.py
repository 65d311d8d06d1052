"""Who may ask comes before what they ask: a wrong role is 403 whatever the body is like, and on record.

A request that fits is refused by its command, which notes it with all it says. Only one that never reaches its command,
or that learns there what it may not know, is looked at here.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from cockpit.api.parts import asking, parts_of
from cockpit.api.refusals import refusal
from cockpit.problems import Problem
from ingest.alarms.commands.carrying import Command, refuse_role

_COMMAND, _ROLES = "x-command", "x-roles"
_LONGEST_SUBJECT = 160


def takes(command: str, roles: Iterable[str]) -> dict[str, Any]:
    """Return what the documentation of a route says about who may: ``openapi_extra``."""
    return {_COMMAND: command, _ROLES: sorted(roles)}


class RoleFirst(APIRoute):
    """A route that tells nobody without its roles what is wrong with the request."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = super().get_route_handler()
        told = self.openapi_extra or {}
        if _ROLES not in told:
            return answer
        name, roles = str(told[_COMMAND]), tuple(told[_ROLES])

        async def by_role(request: Request) -> Response:
            try:
                return await answer(request)
            except (RequestValidationError, HTTPException):
                await require_role(request, name, roles)
                raise
            except Problem as error:
                if error.status in (404, 422):
                    await require_role(request, name, roles)
                raise

        return by_role


async def require_role(request: Request, name: str, roles: tuple[str, ...]) -> None:
    """Refuse whoever has none of some roles, on record.

    Raises:
        Problem: 401 or 403.
    """
    parts = parts_of(request)
    person = asking(parts, request)
    if not set(roles).isdisjoint(person.roles):
        return
    command = Command(name, None, "", roles, request.path_params.get("alarm"))
    subject = f"{request.method} {request.url.path}"[:_LONGEST_SUBJECT]
    now_ms = parts.live.now_ms()
    error = await asyncio.to_thread(refuse_role, parts.database, command, person, subject, now_ms)
    parts.live.nudge()
    raise refusal(error)
