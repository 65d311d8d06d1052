"""Exercises over HTTP: a leader begins and ends them, everybody sees that one runs; what came of it (docs/drills.md).

What is done within one goes to its own city, under ``/drill/city/{drill}/``.
"""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from cockpit.api.alarm_requests import text_of
from cockpit.api.bench import FaultWords
from cockpit.api.parts import Document, Parts, asking, offset_of, page, parts_of, require_user
from cockpit.api.refusals import problems
from cockpit.api.role_first import RoleFirst, require_role, takes
from cockpit.drill.desk import Drills
from cockpit.problems import Problem
from ingest.errors import Refused

LEADERS = ("leader",)


def drills_of(request: Request) -> Drills:
    """Return the exercises of the application that serves a request."""
    drills = request.app.state.drills
    assert isinstance(drills, Drills)
    return drills


router = APIRouter(prefix="/api/v1/drills", tags=["drills"], route_class=RoleFirst)
DrillsNow = Annotated[Drills, Depends(drills_of)]
PartsNow = Annotated[Parts, Depends(parts_of)]
_READS = problems(401, 403, 404, 422, 503)
_ACTS = problems(401, 403, 404, 409, 422, 503)


class DrillRequest(BaseModel):
    """Which scenario, with which faults laid over it (docs/scenarios.md), and a word about what it is for."""

    model_config = ConfigDict(extra="forbid")

    scenario: Annotated[str, text_of(64)]
    note: Annotated[str, text_of(500)] = ""
    faults: FaultWords = Field(default_factory=list)


@router.get("", responses=_READS)
async def drills(
    found: DrillsNow,
    state: Literal["running", "all"] = "all",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: str | None = None,
) -> Document:
    """Exercises, the newest first; of the one that runs how its desk stands."""
    offset = offset_of(cursor)
    items = await asyncio.to_thread(found.listed, state == "running", limit + 1, offset)
    return page(items, limit, offset)


@router.get("/scenarios", responses=_READS, openapi_extra=takes("drill_scenarios", LEADERS))
async def scenarios(found: DrillsNow, request: Request) -> Document:
    """What can be played (leader): officers shall not read before what will happen."""
    await require_role(request, "drill_scenarios", LEADERS)
    return await asyncio.to_thread(found.scenarios)


@router.post("", status_code=201, responses=_ACTS, openapi_extra=takes("drill_start", LEADERS))
async def start(parts: PartsNow, found: DrillsNow, body: DrillRequest, request: Request) -> Document:
    """Begin an exercise (leader): a city apart in which a scenario is played at the speed of life; one at a time."""
    await require_role(request, "drill_start", LEADERS)
    who = asking(parts, request).acting(LEADERS[0])
    try:
        return await asyncio.to_thread(found.start, body.scenario, body.note, who, body.faults)
    except Refused as error:
        raise Problem(409, str(error), code=error.code, values=error.values) from error


@router.get("/{drill}", responses=_READS)
async def one(found: DrillsNow, drill: str) -> Document:
    """One exercise, and the report once it has ended; it names people, so it takes a log-in."""
    if require_user().screen:
        raise Problem(403, "The report on an exercise names people; log in to read it.", code="drill_screen")
    return await asyncio.to_thread(found.one, drill)


@router.post("/{drill}/end", responses=_ACTS, openapi_extra=takes("drill_end", LEADERS))
async def end(parts: PartsNow, found: DrillsNow, drill: str, request: Request) -> Document:
    """End an exercise now (leader); its city goes, the report stays."""
    await require_role(request, "drill_end", LEADERS)
    return await asyncio.to_thread(found.end, drill, asking(parts, request).acting(LEADERS[0]))
