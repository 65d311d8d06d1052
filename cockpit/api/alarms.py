"""Alarms: what is open, what was, and the acknowledge."""

import asyncio
import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from cockpit.api.parts import Document, Parts, offset_of, page, parts_of, require_user
from cockpit.problems import Problem
from cockpit.times import rfc3339
from ingest.alarms.acknowledge import ACK_ROLES, Acknowledgement, acknowledge
from ingest.alarms.audit import Actor
from ingest.alarms.states import OPEN_STATES
from ingest.errors import Refused

router = APIRouter(prefix="/api/v1/alarms", tags=["alarms"])
PartsNow = Annotated[Parts, Depends(parts_of)]
_STATES = ("open", "all", *OPEN_STATES, "CLOSED")
_STATUS = {
    "not_found": 404,
    "role": 403,
    "level_changed": 409,
    "closed": 409,
    "level_unknown": 422,
    "not_allowed": 422,
    "key_reused": 422,
}
_KINDS = {"level_changed": "level_changed", "closed": "occurrence_closed"}


class AckRequest(BaseModel):
    """What an officer sends: the level that was on the screen, and a key that makes a repeat harmless."""

    model_config = ConfigDict(extra="forbid")

    seen_level: Annotated[StrictInt, Field(ge=0, le=99)]
    idempotency_key: Annotated[str, Field(min_length=1, max_length=128)]
    decision: str | None = None
    comment: Annotated[str, Field(max_length=2000)] = ""


@router.get("")
async def alarms(
    parts: PartsNow,
    state: str = "open",
    device: str | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
    cursor: str | None = None,
) -> Document:
    """Occurrences: ``open`` by priority and age; ``all`` or one state, see ALARMS §2."""
    if state not in _STATES:
        raise Problem(422, f"state {state!r}: expected one of {', '.join(_STATES)}.")
    offset = offset_of(cursor)
    found = await asyncio.to_thread(parts.board.listed, state, device, limit + 1, offset)
    return page(found, limit, offset)


@router.get("/{alarm}")
async def alarm(parts: PartsNow, alarm: str) -> Document:
    """One occurrence, with everything that was done about it."""
    found = await asyncio.to_thread(parts.board.one, alarm)
    if found is None:
        raise Problem(404, f"There is no alarm {alarm!r}.")
    return {**found, "history": await asyncio.to_thread(parts.board.history, alarm)}


@router.post("/{alarm}/ack")
async def ack(parts: PartsNow, alarm: str, body: AckRequest, request: Request) -> Document:
    """Acknowledge exactly this occurrence at the level that was seen (ALARMS §3)."""
    user = require_user()
    role = next((role for role in user.roles if role in ACK_ROLES), user.roles[0])
    actor = Actor(user.name, role, request.client.host if request.client else "")
    wish = Acknowledgement(alarm, body.seen_level, body.idempotency_key, body.decision, body.comment)
    try:
        done = await asyncio.to_thread(acknowledge, parts.database, wish, actor, time.time_ns() // 1_000_000)
    except Refused as error:
        raise await _problem(parts, error) from error
    parts.live.nudge()
    at = rfc3339(done.at_ms, parts.site.timezone)
    return {"result": done.result, "by": done.by, "at": at, "alarm": parts.board.document(done.row)}


async def _problem(parts: Parts, error: Refused) -> Problem:
    more: dict[str, Any] = {}
    if error.occurrence is not None:
        more["alarm"] = await asyncio.to_thread(parts.board.one, error.occurrence)
    return Problem(_STATUS[error.why], str(error), _KINDS.get(error.why, "about:blank"), **more)
