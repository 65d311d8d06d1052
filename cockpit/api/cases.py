"""Cases over HTTP: lists, one case with its history, indicators and the ranking of streets."""

import asyncio
import re
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from cockpit.api.parts import Document, Parts, offset_of, page, parts_of, require_user
from cockpit.api.window import Then
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
        raise Problem(
            422,
            f"state {state!r}: expected one of {', '.join(_STATES)}.",
            code="bad_choice",
            values={"value": state, "expected": ", ".join(_STATES), "name": "state"},
        )
    if colour and colour not in _COLOURS:
        raise Problem(
            422,
            f"colour {colour!r}: expected one of {', '.join(_COLOURS)}.",
            code="bad_choice",
            values={"value": colour, "expected": ", ".join(_COLOURS), "name": "colour"},
        )
    return Sieve(state, street or None, colour or None, sub_class or None, overdue, require_user() if mine else None)


@router.get("")
async def cases(
    parts: PartsNow,
    sieve: Annotated[Sieve, Depends(sieve_of)],
    limit: Annotated[int, Query(ge=1, le=5_000)] = 500,
    cursor: str | None = None,
    at: Then = None,
) -> Document:
    """Cases: open ones by deadline; ``mine`` are those whose next step is one of the reader's roles'."""
    offset, now_ms = offset_of(cursor), _now_ms(parts, at)
    if at is None:
        found = await asyncio.to_thread(parts.cases.listed, sieve, current_user.get(), limit + 1, offset, now_ms)
    else:
        found = await asyncio.to_thread(parts.past_boards.cases, sieve, limit + 1, offset, at)
    return {**page(found, limit, offset), "now": rfc3339(now_ms, parts.site.timezone)}


@router.get("/counts")
async def counts(parts: PartsNow, at: Then = None) -> Document:
    """Open cases by state and colour, and by colour in each street."""
    now_ms = _now_ms(parts, at)
    found = await asyncio.to_thread(parts.cases.counts if at is None else parts.past_boards.case_counts, now_ms)
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
    at: Then = None,
) -> Document:
    """Every share with its numerator and denominator; this month unless told. No denominator: no value."""
    now_ms = _now_ms(parts, at)
    _known_street(parts, street)
    from_ms = parse_instant(start, "from") if start else round(_month(parts, None, now_ms).timestamp() * 1000)
    to_ms = parse_instant(stop, "to") if stop else now_ms
    if from_ms > to_ms:
        raise Problem(422, "from lies after to.", code="bad_order")
    reckon = parts.cases.indicators if at is None else parts.past_boards.indicators
    found = await asyncio.to_thread(reckon, from_ms, to_ms, street or None, now_ms)
    zone = parts.site.timezone
    span = {"from": rfc3339(from_ms, zone), "to": rfc3339(to_ms, zone)}
    return {"at": rfc3339(now_ms, zone), **span, "street": street or None, "indicators": found}


@router.get("/ranking")
async def ranking(parts: PartsNow, month: str | None = None, at: Then = None) -> Document:
    """The red and black list of streets in a month (``YYYY-MM``, this one unless told)."""
    begins = _month(parts, month, _now_ms(parts, at))
    ends = begins.replace(year=begins.year + begins.month // 12, month=begins.month % 12 + 1)
    rank = parts.cases.ranking if at is None else parts.past_boards.ranking
    found = await asyncio.to_thread(rank, begins, ends, _now_ms(parts, at))
    return {"month": f"{begins:%Y-%m}", "items": found, "next": None}


@router.get("/{case}")
async def case(parts: PartsNow, case: str, at: Then = None) -> Document:
    """One case with its history, evidence, alarms and repeats."""
    if at is not None:
        return await _past(parts, case, at)
    found = await asyncio.to_thread(parts.cases.one, case, current_user.get(), parts.live.now_ms())
    if found is None:
        raise Problem(404, f"There is no case {case!r}.", code="unknown_case", values={"case": case})
    return found


@router.get("/{case}/history")
async def history(parts: PartsNow, case: str, at: Then = None) -> Document:
    """Everything that was done about a case, from the audit."""
    if at is not None:
        return {"items": (await _past(parts, case, at))["history"], "next": None}
    found = await asyncio.to_thread(parts.cases.history, case)
    if not found:
        raise Problem(404, f"There is no case {case!r}.", code="unknown_case", values={"case": case})
    return {"items": found, "next": None}


async def _past(parts: Parts, case: str, at_ms: int) -> Document:
    found = await asyncio.to_thread(parts.past_boards.case, case, at_ms)
    if found is None:
        raise Problem(404, f"There was no case {case!r}.", code="case_not_yet", values={"case": case})
    return found


def _now_ms(parts: Parts, at: int | None) -> int:
    return parts.live.now_ms() if at is None else at


def _known_street(parts: Parts, street: str | None) -> None:
    if street and street not in parts.site.streets:
        raise Problem(
            422, f"street {street!r}: there is none of that key.", code="unknown_street", values={"street": street}
        )


def _month(parts: Parts, month: str | None, now_ms: int) -> datetime:
    zone = parts.site.timezone
    if month is None:
        return datetime.fromtimestamp(now_ms / 1000, zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if not re.fullmatch(r"(19[7-9]\d|2[01]\d\d)-(0[1-9]|1[0-2])", month, re.ASCII):
        raise Problem(422, f"month {month!r}: expected one such as 2026-09.", code="bad_month", values={"month": month})
    return datetime(int(month[:4]), int(month[5:]), 1, tzinfo=zone)
