"""Rules over HTTP: what is in force for whom, revisions and their history, and the way of a change into force."""

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, StrictInt, field_validator

from cockpit.api.alarm_acts import carried_out
from cockpit.api.alarm_requests import Key, Reason, Sentence, text_of
from cockpit.api.parts import Document, Parts, parts_of
from cockpit.api.refusals import ACT_PROBLEMS, problems, refusal
from cockpit.api.role_first import RoleFirst, takes
from cockpit.times import parse_instant
from ingest.alarms.audit import Person
from ingest.alarms.revisions import backtesting, drafting
from ingest.alarms.revisions.revision import Change
from ingest.backtest.material import Origin
from ingest.backtest.opening import opened
from ingest.errors import Refused

router = APIRouter(prefix="/api/v1/rules", tags=["rules"], route_class=RoleFirst)
PartsNow = Annotated[Parts, Depends(parts_of)]
Tables = Annotated[list[dict[str, Any]], Field(max_length=1_000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    idempotency_key: Key


class DraftRequest(_Body):
    """What shall differ, in the words of the site file, why, and by which source, edition and grade."""

    reason: Reason
    source: Annotated[str, text_of(200, 1)]
    edition: Annotated[str, text_of(120)] = ""
    grade: Literal["A", "B", "C"] = "C"
    limits: dict[str, Any] = Field(default_factory=dict)
    limits_for: Tables = Field(default_factory=list)
    withdraw: Tables = Field(default_factory=list)

    @field_validator("limits", "limits_for", "withdraw")
    @classmethod
    def _can_be_kept(cls, change: Any) -> Any:
        """Refuse what JSON can spell and no database keeps."""
        try:
            msgspec.json.encode(change)
        except UnicodeEncodeError as error:
            raise ValueError(f"{error.object[error.start]!r} is no character, but half of one") from None
        return change


class BacktestRequest(_Body):
    """Which span (RFC 3339 with offset); without one the last 24 hours; of the recording, or of the store's history."""

    source: Origin = "journal"
    from_: str | None = Field(default=None, alias="from")
    to: str | None = None


class ApproveRequest(_Body):
    """From which instant on (RFC 3339 with offset); without one at once."""

    effective_at: str | None = None
    comment: Sentence = ""


class RollbackRequest(_Body):
    """Which older revision is published again, 0 for the site file alone."""

    to: Annotated[StrictInt, Field(ge=0)]
    reason: Reason
    effective_at: str | None = None


class DiscardRequest(_Body):
    """Why."""

    reason: Sentence = ""


@router.get("", responses=problems(404, 422, 503))
async def rules(parts: PartsNow, device: str | None = None, kind: str | None = None) -> Document:
    """Rules in force, with source, edition and grade; with ``device`` the one of each that counts for it, and why."""
    found: Document = await _read(parts.rules.in_force, parts.live.now_ms(), device, kind)
    return found


@router.get("/revisions", responses=problems(503))
async def revisions(parts: PartsNow) -> Document:
    """Drafts and versions of before, the newest first, each with who wrote and approved it and its back-test."""
    return {"items": await _read(parts.rules.revisions, parts.live.now_ms()), "next": None}


@router.get("/revisions/{number}", responses=problems(404, 503))
async def revision(parts: PartsNow, number: int) -> Document:
    """One revision, with the whole result of its newest back-test."""
    found: Document = await _read(parts.rules.revision, number, parts.live.now_ms())
    return found


@router.post("/revisions", status_code=201, responses=ACT_PROBLEMS, openapi_extra=takes("rule_draft", drafting.AUTHORS))
async def draft(parts: PartsNow, body: DraftRequest, request: Request) -> Document:
    """Keep a draft (engineer); everything wrong with it is told, a sentence each, and nothing is kept."""
    change = Change(body.limits, list(body.limits_for), list(body.withdraw))
    wish = drafting.Draft(change, body.reason, body.source, body.edition, body.grade, body.idempotency_key)

    def work(person: Person, now_ms: int) -> drafting.Revised:
        return drafting.draft(parts.database, wish, parts.site, person, now_ms)

    done = await carried_out(parts, request, work)
    return await _done(parts, done.row["number"])


@router.post(
    "/revisions/{number}/backtest",
    status_code=202,
    responses=ACT_PROBLEMS,
    openapi_extra=takes("rule_backtest", backtesting.TESTERS),
)
async def backtest(parts: PartsNow, number: int, body: BacktestRequest, request: Request) -> Document:
    """Begin a back-test of a draft on recorded data; the revision tells how far it is, and keeps its result."""
    from_ms = None if body.from_ is None else parse_instant(body.from_, "from")
    to_ms = None if body.to is None else parse_instant(body.to, "to")
    wish = backtesting.Wish(number, from_ms, to_ms, body.idempotency_key, body.source)

    def work(person: Person, now_ms: int) -> backtesting.Asked:
        with opened(body.source, parts.site, parts.places, parts.database) as found:
            return backtesting.ask(parts.database, wish, parts.site, found, person, now_ms)

    done = await carried_out(parts, request, work)
    await asyncio.to_thread(parts.backtests.start, done.id, body.source)
    return await _done(parts, number)


@router.post(
    "/revisions/{number}/approve", responses=ACT_PROBLEMS, openapi_extra=takes("rule_approve", drafting.APPROVERS)
)
async def approve(parts: PartsNow, number: int, body: ApproveRequest, request: Request) -> Document:
    """Approve another person's draft that was back-tested as it is; it takes effect at its instant."""
    wish = drafting.Approval(number, _instant(body.effective_at), body.idempotency_key, body.comment)
    await carried_out(parts, request, lambda who, now: drafting.approve(parts.database, wish, parts.site, who, now))
    return await _done(parts, number)


@router.post(
    "/revisions/{number}/discard", responses=ACT_PROBLEMS, openapi_extra=takes("rule_discard", drafting.APPROVERS)
)
async def discard(parts: PartsNow, number: int, body: DiscardRequest, request: Request) -> Document:
    """Give up a draft; it stays on record."""
    wish = drafting.Discard(number, body.reason, body.idempotency_key)
    await carried_out(parts, request, lambda who, now: drafting.discard(parts.database, wish, who, now))
    return await _done(parts, number)


@router.post(
    "/rollback", status_code=201, responses=ACT_PROBLEMS, openapi_extra=takes("rule_rollback", drafting.APPROVERS)
)
async def roll_back(parts: PartsNow, body: RollbackRequest, request: Request) -> Document:
    """Publish what an older revision said again, as a new one."""
    wish = drafting.Rollback(body.to, body.reason, _instant(body.effective_at), body.idempotency_key)
    done = await carried_out(parts, request, lambda who, now: drafting.roll_back(parts.database, wish, who, now))
    return await _done(parts, done.row["number"])


async def _read(call: Any, *arguments: Any) -> Any:
    try:
        return await asyncio.to_thread(call, *arguments)
    except Refused as error:
        raise refusal(error) from error


async def _done(parts: Parts, number: int) -> Document:
    found: Document = await _read(parts.rules.revision, number, parts.live.now_ms())
    return found


def _instant(text: str | None) -> int | None:
    return None if text is None else parse_instant(text, "effective_at")
