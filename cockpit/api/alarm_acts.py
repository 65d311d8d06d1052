"""Acting on alarms over HTTP: acknowledge, comment, decide, shelve, reset, judge. Each is one transaction."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request

from cockpit.api.alarm_requests import (
    AckListRequest,
    AckRequest,
    CommentRequest,
    DecisionRequest,
    ReasonRequest,
    ShelveRequest,
    UnshelveRequest,
    VerdictRequest,
)
from cockpit.api.parts import Document, Parts, asking, parts_of
from cockpit.api.refusals import ACT_PROBLEMS, refusal
from cockpit.api.role_first import RoleFirst, takes
from cockpit.desk import Desk
from cockpit.times import rfc3339
from ingest.alarms.audit import Person
from ingest.alarms.commands.acknowledge import (
    Acknowledgement,
    ListAcknowledgement,
    ListItem,
    Seen,
    acknowledge,
    acknowledge_list,
)
from ingest.alarms.commands.carrying import OFFICERS, Done
from ingest.alarms.commands.deciding import Deciding, decide
from ingest.alarms.commands.remark import Remark, remark
from ingest.alarms.commands.resetting import Reset, reset
from ingest.alarms.commands.shelving import Shelving, Unshelving, shelve, unshelve
from ingest.alarms.commands.verdict import Verdict, judge_false
from ingest.alarms.shifts import shift_end_ms
from ingest.errors import Refused

router = APIRouter(prefix="/api/v1/alarms", tags=["alarms"], responses=ACT_PROBLEMS, route_class=RoleFirst)
PartsNow = Annotated[Parts, Depends(parts_of)]
Reply = TypeVar("Reply")


@router.post("/ack", openapi_extra=takes("ack_list", OFFICERS))
async def ack_list(parts: PartsNow, body: AckListRequest, request: Request) -> Document:
    """Acknowledge a list, each alarm for itself: one that is refused says why and leaves the others alone."""
    seen = tuple(Seen(line.id, line.seen_level) for line in body.items)
    wish = ListAcknowledgement(seen, body.idempotency_key, body.comment)
    causes = parts.board.causes
    done = await carried_out(parts, request, lambda who, now: acknowledge_list(parts.database, wish, who, now, causes))
    return {"items": [_line(parts, item) for item in done], "next": None}


@router.post("/{alarm}/ack", openapi_extra=takes("ack", OFFICERS))
async def ack(parts: PartsNow, alarm: str, body: AckRequest, request: Request) -> Document:
    """Acknowledge exactly this occurrence at the level that was seen (ALARMS §3)."""
    wish = Acknowledgement(
        alarm, body.seen_level, body.idempotency_key, body.decision, body.comment, body.observe_s, body.case
    )
    desk = Desk(parts.cases.rules, asking(parts, request).area)
    causes = parts.board.causes
    done = await carried_out(parts, request, lambda who, now: acknowledge(parts.database, wish, who, now, desk, causes))
    return done_document(parts, done)


@router.post("/{alarm}/comment", openapi_extra=takes("comment", OFFICERS))
async def comment(parts: PartsNow, alarm: str, body: CommentRequest, request: Request) -> Document:
    """Add a comment to the history."""
    wish = Remark(alarm, body.comment, body.idempotency_key)
    return done_document(
        parts, await carried_out(parts, request, lambda who, now: remark(parts.database, wish, who, now))
    )


@router.post("/{alarm}/decision", openapi_extra=takes("decide", OFFICERS))
async def decision(parts: PartsNow, alarm: str, body: DecisionRequest, request: Request) -> Document:
    """Decide about an acknowledged alarm: case 立案, merge, false_alarm, observe (≤ 30 min), device_fault."""
    wish = Deciding(alarm, body.decision, body.idempotency_key, body.comment, body.observe_s, body.case)
    desk = Desk(parts.cases.rules, asking(parts, request).area)
    done = await carried_out(parts, request, lambda who, now: decide(parts.database, wish, who, now, desk))
    return done_document(parts, done)


@router.post("/{alarm}/shelve", openapi_extra=takes("shelve", OFFICERS))
async def shelve_alarm(parts: PartsNow, alarm: str, body: ShelveRequest, request: Request) -> Document:
    """Hide the alarm point for a while: never P1 nor gas at level 2, at most 8 hours, not beyond the shift's end."""
    wish = Shelving(alarm, body.reason, body.idempotency_key, body.duration_s)

    def work(person: Person, now_ms: int) -> Done:
        return shelve(parts.database, wish, person, now_ms, shift_end_ms(now_ms, parts.site.timezone))

    return done_document(parts, await carried_out(parts, request, work))


@router.post("/{alarm}/unshelve", openapi_extra=takes("unshelve", OFFICERS))
async def unshelve_alarm(parts: PartsNow, alarm: str, body: UnshelveRequest, request: Request) -> Document:
    """Show the alarm point again; an alarm that is still active is announced again."""
    wish = Unshelving(alarm, body.idempotency_key, body.reason)
    return done_document(
        parts, await carried_out(parts, request, lambda who, now: unshelve(parts.database, wish, who, now))
    )


@router.post("/{alarm}/reset", openapi_extra=takes("reset", OFFICERS))
async def reset_alarm(parts: PartsNow, alarm: str, body: ReasonRequest, request: Request) -> Document:
    """Close a latched alarm that is over; ``asked`` where a second person has to agree (gas at level 2)."""
    wish = Reset(alarm, body.reason, body.idempotency_key)
    return done_document(
        parts, await carried_out(parts, request, lambda who, now: reset(parts.database, wish, who, now))
    )


@router.post("/{alarm}/verdict", openapi_extra=takes("verdict", OFFICERS))
async def verdict(parts: PartsNow, alarm: str, body: VerdictRequest, request: Request) -> Document:
    """Record that the alarm was false; ``asked`` where a second person has to agree (P1, P2)."""
    wish = Verdict(alarm, body.reason, body.idempotency_key)
    return done_document(
        parts, await carried_out(parts, request, lambda who, now: judge_false(parts.database, wish, who, now))
    )


async def carried_out(parts: Parts, request: Request, work: Callable[[Person, int], Reply]) -> Reply:
    """Let whoever is logged in do something now, and tell the pages.

    Raises:
        Problem: 401, or why it was refused.
    """
    person = asking(parts, request)
    try:
        done = await asyncio.to_thread(work, person, parts.live.now_ms())
    except Refused as error:
        more: dict[str, Any] = {}
        if error.occurrence is not None:
            more["alarm"] = await asyncio.to_thread(parts.board.one, error.occurrence)
        raise refusal(error, **more) from error
    finally:
        # Refusals are on record, too.
        parts.live.nudge()
    return done


def done_document(parts: Parts, done: Done) -> Document:
    """Return what came of a command."""
    waiting = done.pending if done.pending is not None and done.pending["outcome"] is None else None
    found: Document = {"result": done.result, "by": done.by, "at": rfc3339(done.at_ms, parts.site.timezone)}
    if done.row is not None:
        found["alarm"] = parts.board.document(done.row, waiting)
    if done.decision_taken is not None:
        found["decision_taken"] = done.decision_taken
        found["decision"] = None if done.row is None else done.row["decision"]
    if done.pending is not None:
        found["request"] = parts.board.pending_document(done.pending)
    return found


def _line(parts: Parts, item: ListItem) -> Document:
    found: Document = {"id": item.occurrence, "result": item.result}
    if item.row is None:
        return {**found, "type": item.why, "detail": item.sentence, "code": item.code, "values": item.values or {}}
    at = rfc3339(item.at_ms, parts.site.timezone)
    return {**found, "by": item.by, "at": at, "alarm": parts.board.document(item.row)}
