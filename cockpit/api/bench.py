"""The bench over HTTP: what there is to play, runs and how they are, and drafts tried on them (docs/bench.md).

Whoever looks is an engineer or a leader, whoever does anything an engineer.
"""

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from cockpit.api.alarm_requests import text_of
from cockpit.api.parts import Document, Parts, parts_of, require_user
from cockpit.api.refusals import problems, refusal
from cockpit.api.role_first import RoleFirst, require_role, takes
from cockpit.bench.desk import Bench
from cockpit.bench.faults import LONGEST, MOST_FAULTS
from cockpit.bench.job import Act, speed_of
from cockpit.bench.proxy import LOOKERS
from cockpit.problems import Problem
from cockpit.times import parse_instant
from ingest.errors import Refused

BENCHERS = ("engineer",)


def bench_of(request: Request) -> Bench:
    """Return the bench of the application that serves a request."""
    bench = request.app.state.bench
    assert isinstance(bench, Bench)
    return bench


def looking() -> None:
    """Let in whoever may look.

    Raises:
        Problem: 401 or 403.
    """
    if set(LOOKERS).isdisjoint(require_user().roles):
        raise Problem(403, "The bench is for the roles engineer and leader.", code="bench_role")


router = APIRouter(prefix="/api/v1/bench", tags=["bench"], route_class=RoleFirst)
BenchNow = Annotated[Bench, Depends(bench_of)]
PartsNow = Annotated[Parts, Depends(parts_of)]
Looking = Depends(looking)
_READS = problems(401, 403, 404, 503)
_ACTS = problems(401, 403, 404, 409, 422, 503)


FaultWords = Annotated[list[Annotated[str, text_of(LONGEST, 1)]], Field(max_length=MOST_FAULTS)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RecordRequest(_Body):
    """How many of the newest minutes of the journal."""

    minutes: Annotated[int, Field(ge=1, le=1_440)] = 60


class JournalSpan(_Body):
    """Of which collector; a site that is not divided has the one called main."""

    shard: str | None = None


class RunRequest(_Body):
    """One of a recording (its name), the site's own journal, a scenario; from and to where only a part is meant.

    ``faults`` are laid over a scenario, each as ``NAME:WHERE[:key=value]…`` (docs/scenarios.md).
    """

    recording: str | None = None
    journal: JournalSpan | None = None
    scenario: str | None = None
    faults: FaultWords = Field(default_factory=list)
    from_: Annotated[str | None, Field(alias="from")] = None
    to: str | None = None
    speed: Any = 1
    paused: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> "RunRequest":
        if sum(each is not None for each in (self.recording, self.journal, self.scenario)) != 1:
            raise ValueError("expected one of recording, journal and scenario")
        if self.faults and self.scenario is None:
            raise ValueError("faults are laid over a scenario; what was recorded is played as it was heard")
        return self


class ControlRequest(_Body):
    """``speed`` takes a factor or ``max``, ``seek`` the instant to go on at."""

    act: Literal["pause", "go_on", "speed", "seek", "stop"]
    speed: Any = None
    at: str | None = None


class TrialRequest(_Body):
    """A draft by its number, or the text of a file of rules (TOML)."""

    revision: int | None = None
    rules: Annotated[str | None, Field(max_length=1_000_000)] = None

    @model_validator(mode="after")
    def _one_draft(self) -> "TrialRequest":
        if (self.revision is None) == (self.rules is None):
            raise ValueError("expected either revision or rules")
        return self


@router.get("/sources", responses=_READS, dependencies=[Looking])
async def sources(bench: BenchNow) -> Document:
    """Recordings, the reach of the journal, scenarios with the alarms they state, and faults to lay over them.

    `fault` says what is unusable; `tables` (CSV) are no recordings before they were imported.
    """
    found: Document = await asyncio.to_thread(bench.sources.all)
    faults, tables = await asyncio.to_thread(bench.faults.kinds), await asyncio.to_thread(bench.tables)
    return {**found, "faults": faults, "tables": tables}


@router.post("/recordings", status_code=201, responses=_ACTS, openapi_extra=takes("bench_record", BENCHERS))
async def record(parts: PartsNow, bench: BenchNow, body: RecordRequest, request: Request) -> Document:
    """Take the newest minutes of the journal out into a recording (engineer)."""
    await require_role(request, "bench_record", BENCHERS)
    return {"names": await asyncio.to_thread(bench.sources.record, body.minutes, parts.live.now_ms())}


@router.get("/runs", responses=_READS, dependencies=[Looking])
async def runs(bench: BenchNow) -> Document:
    """All runs, the oldest first."""
    return {"items": [bench.document(run) for run in bench.runs.looked_at()], "next": None}


@router.post("/runs", status_code=201, responses=_ACTS, openapi_extra=takes("bench_start", BENCHERS))
async def start(parts: PartsNow, bench: BenchNow, body: RunRequest, request: Request) -> Document:
    """Begin a run (engineer): a city apart, in which a recording or a scenario is played by the rules in force."""
    await require_role(request, "bench_start", BENCHERS)
    speed = _speed(body.speed)
    from_ms = parse_instant(body.from_, "from") if body.from_ else None
    to_ms = parse_instant(body.to, "to") if body.to else None
    if from_ms is not None and to_ms is not None and from_ms >= to_ms:
        raise Problem(422, "from must lie before to.", code="bad_order")
    by, now_ms, found = require_user().name, parts.live.now_ms(), bench.sources

    def begun() -> Document:
        if body.scenario is not None:
            if from_ms is not None or to_ms is not None:
                raise Problem(
                    422,
                    "from and to belong to recordings and the journal; a scenario is played as a whole.",
                    code="scenario_whole",
                )
            faults = bench.faults.checked(body.faults)
            scripted = msgspec.structs.replace(found.scenario(body.scenario, now_ms), faults=faults)
            about = {"scenario": body.scenario, "faults": list(faults)}
            return bench.start(scripted, about, speed, body.paused, by, now_ms)
        if body.recording is not None:
            span = found.recording(body.recording, from_ms, to_ms)
            about = {"recording": body.recording}
        else:
            shard = body.journal.shard if body.journal else None
            span = found.journal(shard, from_ms, to_ms)
            about = {"journal": shard or "main"}
        return bench.start(span, about, speed, body.paused, by, now_ms)

    return await asyncio.to_thread(begun)


@router.get("/runs/{run}", responses=_READS, dependencies=[Looking])
async def one(bench: BenchNow, run: str) -> Document:
    """How a run is, how far, and what came of the draft that was tried on it."""
    return bench.document(bench.runs.one(run))


@router.post("/runs/{run}/control", responses=_ACTS, openapi_extra=takes("bench_control", BENCHERS))
async def control(bench: BenchNow, run: str, body: ControlRequest, request: Request) -> Document:
    """Pause, go on, change the speed, go forward, or stop (engineer); there is no way back in time."""
    await require_role(request, "bench_control", BENCHERS)
    found = bench.runs.one(run)
    speed = _speed(body.speed) if body.act == "speed" else 1.0
    if body.act == "seek" and not body.at:
        raise Problem(422, "at: expected the instant to go on at.", code="seek_missing")
    at_ms = parse_instant(body.at or "", "at") if body.act == "seek" else 0
    await asyncio.to_thread(found.act, Act(body.act, speed, at_ms))
    return bench.document(found)


@router.post("/runs/{run}/trial", status_code=202, responses=_ACTS, openapi_extra=takes("bench_trial", BENCHERS))
async def trial(bench: BenchNow, run: str, body: TrialRequest, request: Request) -> Document:
    """Judge what a run plays by the rules in force and by a draft (engineer); the run tells what differs."""
    await require_role(request, "bench_trial", BENCHERS)
    try:
        return await asyncio.to_thread(bench.try_draft, bench.runs.one(run), body.revision, body.rules)
    except Refused as error:
        raise refusal(error) from error


@router.delete("/runs/{run}", status_code=204, responses=_ACTS, openapi_extra=takes("bench_remove", BENCHERS))
async def remove(bench: BenchNow, run: str, request: Request) -> Response:
    """End a run and remove its city with all it holds (engineer)."""
    await require_role(request, "bench_remove", BENCHERS)
    await asyncio.to_thread(bench.runs.remove, run)
    return Response(status_code=204)


def _speed(given: object) -> float:
    try:
        return speed_of(given)
    except ValueError as error:
        raise Problem(422, str(error), code="bad_speed") from error
