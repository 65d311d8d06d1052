"""The evidence of an alarm as a file to take away; raw messages are in it."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from cockpit.api.parts import Parts, parts_of, require_user
from cockpit.api.raw import RAW_ROLES
from cockpit.api.refusals import problems, refusal
from cockpit.evidence import make_pack, pack_name
from cockpit.problems import Problem
from ingest.errors import InstantError, Refused
from ingest.evidence.span import duration

router = APIRouter(prefix="/api/v1/alarms", tags=["alarms"])
# Each holds its pack in memory; the second waits for the first.
_one_at_a_time = asyncio.Semaphore(1)
Around = Annotated[str, Query(description="a duration such as 90s, 30m or 2h, 24h at most")]


@router.get(
    "/{alarm}/evidence",
    response_class=Response,
    responses={**problems(401, 403, 404, 422, 503), 200: {"content": {"application/zip": {}}}},
)
async def evidence(
    parts: Annotated[Parts, Depends(parts_of)], alarm: str, before: Around = "30m", after: Around = "30m"
) -> Response:
    """Everything about an alarm in one zip that shows when it was altered (engineer, auditor).

    Readings, raw messages, rules, acts, case, notices, a page to read in Chinese and English, and the proof.
    """
    if not RAW_ROLES & set(require_user().roles):
        raise Problem(
            403, "An evidence pack holds raw messages; it takes the role engineer or auditor.", code="raw_role"
        )
    try:
        around_ms = duration(before, "before"), duration(after, "after")
    except InstantError as error:
        raise Problem(422, f"{error}.", code="bad_instant_text", values={"detail": error}) from error
    now_ms = parts.live.now_ms()
    try:
        async with _one_at_a_time:
            pack = await asyncio.to_thread(
                make_pack, parts.site, parts.places, parts.database, alarm, around_ms, now_ms
            )
    except Refused as error:
        raise refusal(error) from error
    headers = {
        "Content-Disposition": f'attachment; filename="{pack_name(alarm)}"',
        "Cache-Control": "no-store",
    }
    return Response(pack, media_type="application/zip", headers=headers)
