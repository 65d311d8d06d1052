"""Notices: what was sent to people by which channel, what waits, what was given up; and trying that again."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from cockpit.api.alarm_acts import carried_out
from cockpit.api.alarm_requests import Key, text_of
from cockpit.api.parts import Document, Parts, offset_of, page, parts_of, require_user
from cockpit.api.refusals import ACT_PROBLEMS, problems
from cockpit.api.role_first import RoleFirst, takes
from cockpit.problems import Problem
from cockpit.times import rfc3339
from devices.kind import PRIORITIES
from ingest.notices import deliveries
from ingest.notices.reviving import MOST, ROLES, Revival, revive

router = APIRouter(prefix="/api/v1/notices", tags=["notices"], route_class=RoleFirst)
PartsNow = Annotated[Parts, Depends(parts_of)]
State = Literal["waiting", "dead", "sent", "all"]
_TIMES = ("made_at", "due_at", "sent_at", "dead_at")
# Whom an alarm was told to, with a device's place in the text: for those who work here, not for every wall.
_READERS = frozenset({"officer", "leader", "director", "maintenance", "engineer", "auditor"})


class ReviveRequest(BaseModel):
    """Which messages are tried again."""

    model_config = ConfigDict(extra="forbid")

    keys: Annotated[list[Annotated[str, text_of(160, 1)]], Field(min_length=1, max_length=MOST)]
    idempotency_key: Key


@router.get("", responses=problems(401, 403, 422, 503))
async def notices(
    parts: PartsNow,
    state: State = "all",
    channel: str | None = None,
    priority: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: str | None = None,
) -> Document:
    """Messages to people, the newest first; ``priority`` may name several. ``channels`` count what waits or is dead."""
    if not _READERS & set(require_user().roles):
        raise Problem(
            403,
            f"Reading notices takes one of the roles {', '.join(sorted(_READERS))}.",
            code="role_missing",
            values={"roles": sorted(_READERS)},
        )
    chosen = [each for each in (priority or "").split(",") if each]
    for each in chosen:
        if each not in PRIORITIES:
            raise Problem(
                422,
                f"priority {each!r}: expected some of {', '.join(PRIORITIES)}.",
                code="bad_choice",
                values={"value": each, "expected": ", ".join(PRIORITIES), "name": "priority"},
            )
    offset = offset_of(cursor)

    def read() -> tuple[list[dict[str, Any]], dict[str, dict[str, int]]]:
        with parts.database.read() as connection:
            found = deliveries.listed(connection, state, limit + 1, offset, channel or None, chosen)
            return found, deliveries.counts(connection)

    rows, counts = await asyncio.to_thread(read)
    channels = {each.name: {"kind": each.kind, "waiting": 0, "dead": 0} for each in parts.site.channels}
    for name, numbers in counts.items():
        channels.setdefault(name, {"kind": None}).update(numbers)
    return {**page([_document(parts, row) for row in rows], limit, offset), "channels": channels}


@router.post("/revive", responses=ACT_PROBLEMS, openapi_extra=takes("revive_notices", ROLES))
async def revive_notices(parts: PartsNow, body: ReviveRequest, request: Request) -> Document:
    """Try messages again that were given up; their day begins anew."""
    wish = Revival(tuple(sorted(set(body.keys))), body.idempotency_key)
    done = await carried_out(parts, request, lambda who, now: revive(parts.database, wish, who, now))
    return {"keys": list(done.keys), "by": done.by, "at": rfc3339(done.at_ms, parts.site.timezone)}


def _document(parts: Parts, row: dict[str, Any]) -> Document:
    times = {key: rfc3339(row[key], parts.site.timezone) for key in _TIMES}
    state = "sent" if row["sent_at"] is not None else "dead" if row["dead_at"] is not None else "waiting"
    occurrence = str(row["announcement"]).split("-")[0]
    return {**row, **times, "state": state, "alarm": occurrence}
