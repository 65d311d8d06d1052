"""What is hidden and why, taking out of service, and acts that wait for a second person."""

import asyncio
from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request

from cockpit.api.alarm_acts import carried_out, done_document
from cockpit.api.alarm_requests import AgreeRequest, OutOfServiceRequest, UnshelveRequest
from cockpit.api.parts import Document, Parts, offset_of, page, parts_of, require_user
from cockpit.api.refusals import ACT_PROBLEMS, problems
from cockpit.api.role_first import RoleFirst, takes
from cockpit.problems import Problem
from cockpit.times import parse_instant, rfc3339
from ingest.alarms.commands.agreeing import Agreement, answer
from ingest.alarms.commands.carrying import OFFICERS
from ingest.alarms.commands.service import ASKERS, ENDERS, Ending, OutOfService, ask, end_early
from ingest.alarms.tables import joint_act, occurrence, suppression

router = APIRouter(prefix="/api/v1", tags=["alarms"], route_class=RoleFirst)
PartsNow = Annotated[Parts, Depends(parts_of)]
Limit = Annotated[int, Query(ge=1, le=10_000)]


@router.get("/suppressions", responses=problems(422, 503))
async def suppressions(
    parts: PartsNow,
    kind: Literal["shelved", "out_of_service"] | None = None,
    state: Literal["standing", "all"] = "standing",
    limit: Limit = 1_000,
    cursor: str | None = None,
) -> Document:
    """Shelves and what is out of service, those that end first on top; ``all`` with the ended ones, newest first."""
    query = sa.select(suppression)
    if kind is not None:
        query = query.where(suppression.c.kind == kind)
    if state == "standing":
        query = query.where(suppression.c.ended_at.is_(None)).order_by(suppression.c.until, suppression.c.id)
    else:
        query = query.order_by(suppression.c.since.desc(), suppression.c.id)
    return await _listed(parts, query, limit, cursor, ("since", "until", "ended_at"))


@router.post("/out-of-service", responses=ACT_PROBLEMS, openapi_extra=takes("out_of_service", ASKERS))
async def out_of_service(parts: PartsNow, body: OutOfServiceRequest, request: Request) -> Document:
    """Ask to take a device or one alarm point out of service (maintenance); a leader has to agree."""
    require_user()
    if (body.device is None) == (body.point is None):
        raise Problem(422, "Name either a device or an alarm point.", code="device_or_point")
    scope: Literal["device", "point"] = "device" if body.device is not None else "point"
    subject = body.device if body.device is not None else str(body.point)
    known = parts.site.devices.keys() | parts.live.city.devices.keys()
    if subject.partition("/")[0] not in known:
        raise Problem(
            404,
            f"There is no device {subject.partition('/')[0]!r}.",
            code="unknown_device",
            values={"device": subject.partition("/")[0]},
        )
    if scope == "point":
        await asyncio.to_thread(_require_point, parts, subject)
    until = parse_instant(body.until, "until")
    wish = OutOfService(scope, subject, body.permit, body.reason, until, body.idempotency_key)
    done = await carried_out(parts, request, lambda who, now: ask(parts.database, wish, who, now))
    return done_document(parts, done)


@router.post("/suppressions/{identifier}/end", responses=ACT_PROBLEMS, openapi_extra=takes("end_suppression", ENDERS))
async def end_suppression(parts: PartsNow, identifier: str, body: UnshelveRequest, request: Request) -> Document:
    """End a shelf or an out-of-service before its time."""
    wish = Ending(identifier, body.idempotency_key, body.reason)
    done = await carried_out(parts, request, lambda who, now: end_early(parts.database, wish, who, now))
    return done_document(parts, done)


@router.get("/requests", responses=problems(422, 503))
async def requests(
    parts: PartsNow,
    state: Literal["pending", "all"] = "pending",
    limit: Limit = 1_000,
    cursor: str | None = None,
) -> Document:
    """Acts that wait for a second person; ``all`` with the settled ones, newest first."""
    query = sa.select(joint_act).order_by(joint_act.c.asked_at.desc(), joint_act.c.id)
    if state == "pending":
        now_ms = parts.live.now_ms()
        query = query.where(joint_act.c.outcome.is_(None), joint_act.c.expires_at > now_ms)
    return await _listed(parts, query, limit, cursor, ("asked_at", "expires_at", "settled_at"), ("body",))


@router.post("/requests/{identifier}/agree", responses=ACT_PROBLEMS, openapi_extra=takes("agree", OFFICERS))
async def agree(parts: PartsNow, identifier: str, body: AgreeRequest, request: Request) -> Document:
    """Agree, as a second person, to what another one asked for within the last ten minutes; it is done at once."""
    wish = Agreement(identifier, True, body.idempotency_key, body.comment)
    done = await carried_out(parts, request, lambda who, now: answer(parts.database, wish, who, now))
    return done_document(parts, done)


@router.post("/requests/{identifier}/decline", responses=ACT_PROBLEMS, openapi_extra=takes("agree", OFFICERS))
async def decline(parts: PartsNow, identifier: str, body: AgreeRequest, request: Request) -> Document:
    """Decline what somebody asked for."""
    wish = Agreement(identifier, False, body.idempotency_key, body.comment)
    done = await carried_out(parts, request, lambda who, now: answer(parts.database, wish, who, now))
    return done_document(parts, done)


def _require_point(parts: Parts, point: str) -> None:
    """Refuse an alarm point that cannot come about: what would be hidden is nothing, and whoever asked believes it is.

    Raises:
        Problem: 404, with the points of the device that there are.
    """
    device, _, name = point.partition("/")
    registered, now = parts.site.devices.get(device), parts.live.city.devices.get(device)
    kind = registered.kind if registered is not None else now.kind if now is not None else ""
    there = parts.rules.point_names(kind, parts.live.now_ms())
    if name in there:
        return
    with parts.database.read() as connection:
        stands = sa.select(occurrence.c.id).where(occurrence.c.point == point, occurrence.c.closed_at.is_(None))
        if connection.execute(stands).first() is not None:
            return
    named = f"it has {', '.join(sorted(there))}" if there else "it has none"
    raise Problem(
        404,
        f"The device {device!r} has no alarm point {name!r}; {named}.",
        code="unknown_point",
        values={"device": device, "point": name},
    )


async def _listed(
    parts: Parts,
    query: sa.Select[tuple[object, ...]],
    limit: int,
    cursor: str | None,
    times: tuple[str, ...],
    left_out: tuple[str, ...] = (),
) -> Document:
    offset = offset_of(cursor)

    def read() -> list[Document]:
        with parts.database.read() as connection:
            rows = connection.execute(query.limit(limit + 1).offset(offset)).mappings().all()
        return [
            {
                key: rfc3339(value, parts.site.timezone) if key in times else value
                for key, value in row.items()
                if key not in left_out
            }
            for row in rows
        ]

    return page(await asyncio.to_thread(read), limit, offset)
