"""Cases over HTTP: lists, one case with its history, indicators and the ranking of streets."""

import asyncio
import re
import time
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from cockpit.api.parts import Document, Parts, offset_of, page, parts_of, require_user
from cockpit.case_board import Sieve
from cockpit.guard import current_user
from cockpit.problems import Problem
from cockpit.times import parse_instant, rfc3339
from ingest.cases.lifecycle import STATES

router = APIRouter(prefix="/api/v1/cases", tags=["cases"])
PartsNow = Annotated[Parts, Depends(parts_of)]
_STATES = ("open", "all", *STATES)
_COLOURS = ("green", "amber", "red")


def sieve_of(
    state: str = "open",
    street: str | None = None,
    colour: str | None = None,
    sub_class: str | None = None,
    overdue: bool | None = None,
    mine: bool = False,
) -> Sieve:
    """Return what a request narrows a list of cases to.

    Raises:
        Problem: 422, a value that there is not; 401, nobody is logged in whose cases could be meant.
    """
    if state not in _STATES:
        raise Problem(422, f"state {state!r}: expected one of {', '.join(_STATES)}.")
    if colour and colour not in _COLOURS:
        raise Problem(422, f"colour {colour!r}: expected one of {', '.join(_COLOURS)}.")
    return Sieve(state, street or None, colour or None, sub_class or None, overdue, require_user() if mine else None)


@router.get("")
async def cases(
    parts: PartsNow,
    sieve: Annotated[Sieve, Depends(sieve_of)],
    limit: Annotated[int, Query(ge=1, le=5_000)] = 500,
    cursor: str | None = None,
) -> Document:
    """Cases: open ones by deadline; ``mine`` are those whose next step is one of the reader's roles'."""
    offset, now_ms = offset_of(cursor), _now_ms()
    found = await asyncio.to_thread(parts.cases.listed, sieve, current_user.get(), limit + 1, offset, now_ms)
    return {**page(found, limit, offset), "now": rfc3339(now_ms, parts.site.timezone)}


@router.get("/counts")
async def counts(parts: PartsNow) -> Document:
    """Open cases by state and colour, and by colour in each street."""
    now_ms = _now_ms()
    found = await asyncio.to_thread(parts.cases.counts, now_ms)
    return {**found, "now": rfc3339(now_ms, parts.site.timezone)}


@router.get("/classes")
def classes(parts: PartsNow) -> Document:
    """The table of sub-classes with their limits and sources."""
    return {"items": parts.cases.classes(), "next": None}


@router.get("/indicators")
async def indicators(
    parts: PartsNow,
    start: Annotated[str | None, Query(alias="from")] = None,
    stop: Annotated[str | None, Query(alias="to")] = None,
    street: str | None = None,
) -> Document:
    """Every share with its numerator and denominator; this month unless told. No denominator: no value."""
    now_ms = _now_ms()
    _known_street(parts, street)
    from_ms = parse_instant(start, "from") if start else round(_month(parts, None).timestamp() * 1000)
    to_ms = parse_instant(stop, "to") if stop else now_ms
    if from_ms > to_ms:
        raise Problem(422, "from lies after to.")
    found = await asyncio.to_thread(parts.cases.indicators, from_ms, to_ms, street or None, now_ms)
    zone = parts.site.timezone
    return {"from": rfc3339(from_ms, zone), "to": rfc3339(to_ms, zone), "street": street or None, "indicators": found}


@router.get("/ranking")
async def ranking(parts: PartsNow, month: str | None = None) -> Document:
    """The red and black list of streets in a month (``YYYY-MM``, this one unless told)."""
    begins = _month(parts, month)
    ends = begins.replace(year=begins.year + begins.month // 12, month=begins.month % 12 + 1)
    found = await asyncio.to_thread(parts.cases.ranking, begins, ends, _now_ms())
    return {"month": f"{begins:%Y-%m}", "items": found, "next": None}


@router.get("/{case}")
async def case(parts: PartsNow, case: str) -> Document:
    """One case with its history, evidence, alarms and repeats."""
    found = await asyncio.to_thread(parts.cases.one, case, current_user.get(), _now_ms())
    if found is None:
        raise Problem(404, f"There is no case {case!r}.")
    return found


@router.get("/{case}/history")
async def history(parts: PartsNow, case: str) -> Document:
    """Everything that was done about a case, from the audit."""
    found = await asyncio.to_thread(parts.cases.history, case)
    if not found:
        raise Problem(404, f"There is no case {case!r}.")
    return {"items": found, "next": None}


def _known_street(parts: Parts, street: str | None) -> None:
    if street and street not in parts.site.streets:
        raise Problem(422, f"street {street!r}: there is none of that key.")


def _month(parts: Parts, month: str | None) -> datetime:
    zone = parts.site.timezone
    if month is None:
        return datetime.now(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if not re.fullmatch(r"(19[7-9]\d|2[01]\d\d)-(0[1-9]|1[0-2])", month, re.ASCII):
        raise Problem(422, f"month {month!r}: expected one such as 2026-09.")
    return datetime(int(month[:4]), int(month[5:]), 1, tzinfo=zone)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
