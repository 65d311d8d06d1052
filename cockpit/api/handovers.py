"""The change of shifts: what is open now, the notes of the last shifts, writing one and taking one over."""

import asyncio
import time
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict

from cockpit.api.alarm_acts import carried_out
from cockpit.api.alarm_requests import Key, Reason, Sentence
from cockpit.api.parts import Document, Parts, offset_of, page, parts_of
from cockpit.api.refusals import ACT_PROBLEMS, problems
from cockpit.api.role_first import RoleFirst, takes
from cockpit.times import rfc3339
from ingest.alarms.commands.carrying import OFFICERS, Done
from ingest.alarms.shifts import shift_end_ms, shift_start_ms
from ingest.handover.commands import HandingOver, TakingOver, hand_over, take_over
from ingest.handover.records import Facts, Row, facts, facts_of, newest

router = APIRouter(prefix="/api/v1/handovers", tags=["alarms"], route_class=RoleFirst)
PartsNow = Annotated[Parts, Depends(parts_of)]


class HandoverRequest(BaseModel):
    """What the next shift has to know, in words."""

    model_config = ConfigDict(extra="forbid")

    note: Reason
    idempotency_key: Key


class TakeOverRequest(BaseModel):
    """Read and taken over, perhaps with a word about it."""

    model_config = ConfigDict(extra="forbid")

    comment: Sentence = ""
    idempotency_key: Key


@router.get("", responses=problems(422, 503))
async def handovers(
    parts: PartsNow, limit: Annotated[int, Query(ge=1, le=1_000)] = 10, cursor: str | None = None
) -> Document:
    """The notes of the last shifts, the newest first; ``shift`` is the running one with what is open at this moment."""
    now_ms, offset = time.time_ns() // 1_000_000, offset_of(cursor)
    zone = parts.site.timezone
    start_ms = shift_start_ms(now_ms, zone)

    def read() -> tuple[list[Row], Facts]:
        with parts.database.read() as connection:
            return newest(connection, limit + 1, offset), facts(connection, start_ms, now_ms)

    rows, now = await asyncio.to_thread(read)
    shift = {"from": rfc3339(start_ms, zone), "to": rfc3339(shift_end_ms(now_ms, zone), zone), **_figures(parts, now)}
    return {**page([_document(parts, row) for row in rows], limit, offset), "shift": shift}


@router.post("", responses=ACT_PROBLEMS, openapi_extra=takes("hand_over", OFFICERS))
async def write(parts: PartsNow, body: HandoverRequest, request: Request) -> Document:
    """Write the note of this shift; what is open at this moment is kept with it."""
    wish = HandingOver(body.note, body.idempotency_key)
    zone = parts.site.timezone
    return _told(
        parts, await carried_out(parts, request, lambda who, now: hand_over(parts.database, wish, who, now, zone))
    )


@router.post("/{identifier}/accept", responses=ACT_PROBLEMS, openapi_extra=takes("take_over", OFFICERS))
async def accept(parts: PartsNow, identifier: str, body: TakeOverRequest, request: Request) -> Document:
    """Take a note over, as another person than its writer."""
    wish = TakingOver(identifier, body.idempotency_key, body.comment)
    return _told(parts, await carried_out(parts, request, lambda who, now: take_over(parts.database, wish, who, now)))


def _told(parts: Parts, done: Done) -> Document:
    assert done.pending is not None
    return {"result": done.result, "handover": _document(parts, done.pending)}


def _document(parts: Parts, row: Row) -> Document:
    zone = parts.site.timezone
    return {
        **{key: row[key] for key in ("id", "note", "written_by", "accepted_by")},
        **{key: rfc3339(row[key], zone) for key in ("shift_from", "shift_to", "written_at", "accepted_at")},
        "facts": _figures(parts, facts_of(row)),
    }


def _figures(parts: Parts, found: Facts) -> Document:
    figures = asdict(found)
    return {"at": rfc3339(figures.pop("at_ms"), parts.site.timezone), **figures}
