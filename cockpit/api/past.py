"""The whole city at an instant, for pages whose window stands in the past."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from cockpit.api.parts import Document, Parts, parts_of
from cockpit.api.refusals import problems

router = APIRouter(prefix="/api/v1", tags=["city"])


@router.get("/past", responses=problems(422, 503))
async def past(
    parts: Annotated[Parts, Depends(parts_of)],
    at: Annotated[str, Query(description="the instant: RFC 3339 with offset, or epoch ms")],
) -> Document:
    """The city as it was, in the shape of the first message of `/ws/live`; `passages` are the newest up to then.

    Values, alarms and who was online are those of the instant. `past.devices_with_readings` tells an hour without
    readings from a calm one; without `past.values_kept` readings so old are kept no more, and only alarms are told.
    """
    at_ms = parts.past.instant(at)
    return await asyncio.to_thread(parts.past.snapshot, at_ms)
