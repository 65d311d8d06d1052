"""The ledger per device and over time, and quarantine: what could not be read, and trying it again."""

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from cockpit.api.parts import Document, Parts, offset_of, page, parts_of, require_user
from cockpit.api.raw import RAW_ROLES
from cockpit.api.refusals import problems, refusal
from cockpit.api.role_first import RoleFirst, takes
from cockpit.guard import current_user
from cockpit.ledger import LedgerBoard, Only
from cockpit.problems import Problem
from cockpit.times import parse_instant
from ingest.alarms.audit import Actor
from ingest.errors import Refused
from ingest.retry import RETRY_ROLES, ask, shards_of

router = APIRouter(prefix="/api/v1", tags=["health"], route_class=RoleFirst)
_HOUR_MS = 3_600_000


def _board(request: Request) -> LedgerBoard:
    parts = parts_of(request)
    return LedgerBoard(parts.database, parts.site)


Board = Annotated[LedgerBoard, Depends(_board)]
PartsNow = Annotated[Parts, Depends(parts_of)]
Limit = Annotated[int, Query(ge=1, le=10_000)]
Kind = Annotated[str | None, Query(description="only this kind of device, by its key; `GET /api/v1/kinds` lists them")]
Device = Annotated[str | None, Query(description="only the device with this id")]
Shard = Annotated[str | None, Query(description="only what this collector counted; `main` where there is but one")]
Wanted = Annotated[
    Only | None,
    Query(description="`differing`: readings do not add up; `quarantined`: some messages are in quarantine"),
]


def ledger_filter(kind: str | None, device: str | None, shard: str | None) -> dict[str, str]:
    """Return the columns that are asked for; an empty parameter, as a form sends it, asks for nothing."""
    return {key: value for key, value in (("kind", kind), ("device", device), ("shard", shard)) if value}


class RetryRequest(BaseModel):
    """Which group to try again, of one device or of all, and a key that makes a repeat harmless."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=32)]
    device: Annotated[str | None, Field(max_length=64)] = None
    idempotency_key: Annotated[str, Field(min_length=1, max_length=128)]


@router.get("/ledger/devices", responses=problems(422, 503))
async def ledger_devices(
    board: Board,
    kind: Kind = None,
    device: Device = None,
    shard: Shard = None,
    only: Wanted = None,
    limit: Limit = 1_000,
    cursor: str | None = None,
) -> Document:
    """The equations of each device, a minute old at most: messages decoded, quarantined, repeated; readings stored.

    What waits for the store differs for a moment. Names that no site lists share the device ``…`` past 10,000.
    """
    offset = offset_of(cursor)
    return page(
        await asyncio.to_thread(board.devices, ledger_filter(kind, device, shard), only, limit + 1, offset),
        limit,
        offset,
    )


@router.get("/ledger/history", responses=problems(422, 503))
async def ledger_history(
    board: Board,
    from_: Annotated[
        str | None, Query(alias="from", description="first instant; an hour before `to` unless told")
    ] = None,
    to: Annotated[str | None, Query(description="end of the span; now unless told")] = None,
    shard: Shard = None,
    limit: Limit = 1_440,
    cursor: str | None = None,
) -> Document:
    """The ledger of each collector at each minute of [from, to), the last hour unless told; kept 30 days."""
    stop_ms = parse_instant(to, "to") if to else time.time_ns() // 1_000_000 + 1
    start_ms = parse_instant(from_, "from") if from_ else stop_ms - _HOUR_MS
    offset = offset_of(cursor)
    return page(
        await asyncio.to_thread(board.history, start_ms, stop_ms, limit + 1, offset, shard or None), limit, offset
    )


@router.get("/quarantine", responses=problems(503))
async def quarantine(board: Board) -> Document:
    """What could not be read, by reason and device; the sentence quotes messages, so only some roles see it."""
    user = current_user.get()
    whole = user is not None and bool(RAW_ROLES & set(user.roles))
    return {"items": await asyncio.to_thread(board.groups, whole), "next": None}


@router.get("/quarantine/retries", responses=problems(401, 403, 422, 503))
async def retries(board: Board, limit: Limit = 100, cursor: str | None = None) -> Document:
    """Who asked for what to be tried again, and what came of it, the newest first."""
    _require_raw()
    offset = offset_of(cursor)
    return page(await asyncio.to_thread(board.retries, limit + 1, offset), limit, offset)


@router.post(
    "/quarantine/retry",
    status_code=202,
    responses=problems(401, 403, 404, 422, 503),
    openapi_extra=takes("retry", RETRY_ROLES),
)
async def retry(parts: PartsNow, board: Board, body: RetryRequest, request: Request) -> Document:
    """Try a group again (engineer), once site file or kind are mended and the collector is restarted."""
    user = require_user()
    role = next((role for role in user.roles if role in RETRY_ROLES), user.roles[0])
    actor = Actor(user.name, role, request.client.host if request.client else "")
    now_ms = time.time_ns() // 1_000_000

    def asked() -> list[Document]:
        shards = shards_of(parts.database, body.reason, body.device)
        found = ask(parts.database, shards, body.reason, body.device, actor, body.idempotency_key, now_ms)
        return [board.retry(row) for row in found]

    try:
        items = await asyncio.to_thread(asked)
    except Refused as error:
        raise refusal(error) from error
    if not items:
        whose = f"{body.reason!r} {body.device!r}" if body.device is not None else repr(body.reason)
        raise Problem(404, f"Quarantine has no group {whose}.", code="unknown_group", values={"group": whose})
    return {"items": items}


@router.get("/quarantine/{reason}/{device:path}", responses=problems(401, 403, 404, 503))
async def samples(board: Board, reason: str, device: str) -> Document:
    """A few messages of a group, with the beginning of their bytes as they came, escaped (engineer, auditor)."""
    _require_raw()
    found = await asyncio.to_thread(board.samples, reason, device)
    if not found and not await asyncio.to_thread(board.has_group, reason, device):
        raise Problem(
            404,
            f"Quarantine has no group {reason!r} {device!r}.",
            code="unknown_group_of",
            values={"group": reason, "device": device},
        )
    return {"items": found, "next": None}


def _require_raw() -> None:
    # Raw messages hold plates and household ids.
    if not RAW_ROLES & set(require_user().roles):
        raise Problem(403, "Reading raw messages takes the role engineer or auditor.", code="raw_role")
