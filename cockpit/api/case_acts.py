"""Acting on cases over HTTP: reports, and every act of the closed loop."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from cockpit.api.case_requests import (
    ActRequest,
    DispatchRequest,
    ExtendRequest,
    FindingRequest,
    LinkRequest,
    PlaceRequest,
    ReasonRequest,
    RegisterRequest,
    ReportRequest,
    VerifyRequest,
)
from cockpit.api.parts import Document, Parts, asking, parts_of, require_user
from cockpit.api.role_first import RoleFirst, takes
from cockpit.problems import Problem
from cockpit.sessions import User
from cockpit.times import parse_instant
from ingest.cases.acting import Wish, perform
from ingest.cases.lifecycle import REPORTERS, roles_of
from ingest.cases.opening import Report, report
from ingest.cases.records import Picture, Row
from ingest.errors import Refused

router = APIRouter(prefix="/api/v1/cases", tags=["cases"], route_class=RoleFirst)
PartsNow = Annotated[Parts, Depends(parts_of)]
_STATUS = {"not_found": 404, "role": 403, "area": 403, "not_allowed": 422, "key_reused": 422}


@router.post("", status_code=201, openapi_extra=takes("report", REPORTERS - {"system"}))
async def report_case(parts: PartsNow, body: ReportRequest, request: Request) -> Document:
    """Make a case known: an officer's report or a hotline call."""
    wish = Report(
        body.source,
        body.sub_class,
        device=body.device or None,
        reference=body.reference,
        pictures=tuple(Picture(each) for each in body.pictures),
        **_where(body),
    )
    return await _report(parts, wish, body.idempotency_key, request)


@router.post("/findings", status_code=201, openapi_extra=takes("report", REPORTERS - {"system"}))
async def report_finding(parts: PartsNow, body: FindingRequest, request: Request) -> Document:
    """Make a drone's finding known."""
    kind = parts.cases.rules.limits.of_finding(body.recognised)
    picture = Picture(body.picture, body.route, body.recognised, body.confidence)
    wish = Report("drone", kind.key, reference=body.finding, pictures=(picture,), **_where(body))
    return await _report(parts, wish, body.idempotency_key, request)


@router.post("/{case}/register", openapi_extra=takes("register", roles_of("register")))
async def register(parts: PartsNow, case: str, body: RegisterRequest, request: Request) -> Document:
    """立案: accept the report; its clock starts."""
    return await _act(parts, request, case, "register", body, sub_class=body.sub_class, severe=body.severe)


@router.post("/{case}/void", openapi_extra=takes("void", roles_of("void")))
async def void(parts: PartsNow, case: str, body: ReasonRequest, request: Request) -> Document:
    """不予立案: turn the report down."""
    return await _act(parts, request, case, "void", body, reason=body.reason)


@router.post("/{case}/dispatch", openapi_extra=takes("dispatch", roles_of("dispatch")))
async def dispatch(parts: PartsNow, case: str, body: DispatchRequest, request: Request) -> Document:
    """派遣: send it to a unit."""
    return await _act(parts, request, case, "dispatch", body, unit=body.unit)


@router.post("/{case}/accept", openapi_extra=takes("accept", roles_of("accept")))
async def accept(parts: PartsNow, case: str, body: ActRequest, request: Request) -> Document:
    """接单: the unit begins."""
    return await _act(parts, request, case, "accept", body)


@router.post("/{case}/return", openapi_extra=takes("return", roles_of("return")))
async def return_(parts: PartsNow, case: str, body: ReasonRequest, request: Request) -> Document:
    """回退: back to the step before."""
    return await _act(parts, request, case, "return", body, reason=body.reason)


@router.post("/{case}/done", openapi_extra=takes("done", roles_of("done")))
async def done(parts: PartsNow, case: str, body: ActRequest, request: Request) -> Document:
    """处置完成: handling is finished, verification due."""
    return await _act(parts, request, case, "done", body)


@router.post("/{case}/verify", openapi_extra=takes("verify", roles_of("verify")))
async def verify(parts: PartsNow, case: str, body: VerifyRequest, request: Request) -> Document:
    """核查: passed closes the case, otherwise it is handled again while its clock runs on."""
    return await _act(parts, request, case, "verify" if body.passed else "rework", body, reason=body.reason)


@router.post("/{case}/suspend", openapi_extra=takes("suspend", roles_of("suspend")))
async def suspend(parts: PartsNow, case: str, body: ReasonRequest, request: Request) -> Document:
    """挂起: the clock stands still."""
    return await _act(parts, request, case, "suspend", body, reason=body.reason)


@router.post("/{case}/resume", openapi_extra=takes("resume", roles_of("resume")))
async def resume(parts: PartsNow, case: str, body: ActRequest, request: Request) -> Document:
    """恢复: the clock runs on, everything later by the time suspended."""
    return await _act(parts, request, case, "resume", body)


@router.post("/{case}/extend", openapi_extra=takes("extend", roles_of("extend")))
async def extend(parts: PartsNow, case: str, body: ExtendRequest, request: Request) -> Document:
    """延期: a longer limit."""
    return await _act(parts, request, case, "extend", body, reason=body.reason, hours=body.hours)


@router.post("/{case}/force-close", openapi_extra=takes("force_request", roles_of("force_request")))
async def force_close(parts: PartsNow, case: str, body: ReasonRequest, request: Request) -> Document:
    """申请强制结案: ask for it; a director approves within ten minutes."""
    return await _act(parts, request, case, "force_request", body, reason=body.reason)


@router.post("/{case}/force-close/approve", openapi_extra=takes("force_close", roles_of("force_close")))
async def approve_force_close(parts: PartsNow, case: str, body: ActRequest, request: Request) -> Document:
    """强制结案: approve what another person asked for."""
    return await _act(parts, request, case, "force_close", body)


@router.post("/{case}/link", openapi_extra=takes("link", roles_of("link")))
async def link(parts: PartsNow, case: str, body: LinkRequest, request: Request) -> Document:
    """并案: link a further alarm."""
    return await _act(parts, request, case, "link", body, occurrence=body.alarm)


@router.post("/{case}/comment", openapi_extra=takes("comment", roles_of("comment")))
async def comment(parts: PartsNow, case: str, body: ActRequest, request: Request) -> Document:
    """批注: a word or pictures, in any state."""
    return await _act(parts, request, case, "comment", body)


async def _report(parts: Parts, wish: Report, key: str, request: Request) -> Document:
    user = require_user()
    now_ms = parts.live.now_ms()
    try:
        row = await asyncio.to_thread(
            report, parts.database, parts.cases.rules, wish, asking(parts, request), key, now_ms
        )
    except Refused as error:
        raise await _problem(parts, error, user) from error
    return parts.cases.document(row, user, now_ms)


async def _act(parts: Parts, request: Request, case: str, act: str, body: ActRequest, **more: Any) -> Document:
    user = require_user()
    wish = Wish(
        case,
        act,
        body.idempotency_key,
        seen_version=body.seen_version,
        comment=body.comment,
        pictures=tuple(body.pictures),
        **more,
    )
    now_ms = parts.live.now_ms()
    try:
        row: Row = await asyncio.to_thread(
            perform, parts.database, parts.cases.rules, wish, asking(parts, request), now_ms
        )
    except Refused as error:
        raise await _problem(parts, error, user) from error
    return parts.cases.document(row, user, now_ms)


async def _problem(parts: Parts, error: Refused, user: User) -> Problem:
    more: dict[str, Any] = {}
    if error.case is not None:
        more["case"] = await asyncio.to_thread(parts.cases.one, error.case, user, parts.live.now_ms())
    status = _STATUS.get(error.why, 409)
    kind = f"case_{error.why}" if status == 409 else "wrong_area" if error.why == "area" else "about:blank"
    return Problem(status, str(error), kind, code=error.code, values=error.values, **more)


def _where(body: PlaceRequest) -> dict[str, Any]:
    if (body.lat is None) != (body.lon is None):
        raise Problem(422, "A position needs both lat and lon.", code="position_half")
    return {
        "description": body.description,
        "street": body.street,
        "grid": body.grid,
        "place": body.place,
        "lat": body.lat,
        "lon": body.lon,
        "severe": body.severe,
        "found_at_ms": parse_instant(body.found_at, "found_at") if body.found_at else None,
    }
