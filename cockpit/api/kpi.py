"""Indicators of the city over whole days: by kind, and the cases behind the shares of the closed loop."""

import asyncio
import time
from calendar import monthrange
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request

from cockpit.api.parts import Document, Parts, parts_of
from cockpit.api.refusals import problems
from cockpit.api.window import ThenWithValues
from cockpit.guard import current_user
from cockpit.kpi import Kpi
from cockpit.kpi_parts import Wanted
from cockpit.kpi_period import Period, day_of, period_of
from cockpit.problems import Problem
from cockpit.times import rfc3339
from ingest.cases.indicators import counted, period_rows

router = APIRouter(prefix="/api/v1/kpi", tags=["kpi"])
PartsNow = Annotated[Parts, Depends(parts_of)]
First = Annotated[str | None, Query(alias="from", description="first day, YYYY-MM-DD; the last one unless told")]
Last = Annotated[str | None, Query(alias="to", description="last day, counted in; today unless told")]
District = Annotated[str | None, Query(description="only this district, by its key")]
Street = Annotated[str | None, Query(description="only this street, by its key")]
# What one answer may take; the days that are left come with the next.
_BUDGET_S = 4.0


def kpi_of(request: Request) -> Kpi:
    """Return what makes the indicators; one for the whole application, since it remembers days."""
    found = request.app.state.kpi
    assert isinstance(found, Kpi)
    return found


KpiNow = Annotated[Kpi, Depends(kpi_of)]


def wanted_of(
    parts: PartsNow,
    from_: First = None,
    to: Last = None,
    district: District = None,
    street: Street = None,
    at: ThenWithValues = None,
) -> Wanted:
    """Return what a request asks for: whole days, in the past with what was known of them at that instant.

    Raises:
        Problem: 422, no such days, district or street.
    """
    now_ms = now()
    # An empty parameter, as a form sends it, asks for nothing.
    if street and street not in parts.site.streets:
        raise Problem(
            422, f"street {street!r}: there is none of that key.", code="unknown_street", values={"street": street}
        )
    if district and district not in {each.key for each in parts.site.districts}:
        raise Problem(
            422,
            f"district {district!r}: there is none of that key.",
            code="unknown_district",
            values={"district": district},
        )
    end_s = time.monotonic() + _BUDGET_S
    return Wanted(
        period_of(from_ or None, to or None, parts.site.timezone, now_ms if at is None else at),
        now_ms,
        district or None,
        street or None,
        lambda: time.monotonic() < end_s,
        at,
    )


WantedNow = Annotated[Wanted, Depends(wanted_of)]


@router.get("/period", responses=problems(422))
async def period(
    parts: PartsNow,
    preset: Literal["today", "week", "month"] | None = None,
    from_: First = None,
    to: Last = None,
    at: ThenWithValues = None,
) -> Document:
    """The days that are meant, as days and as instants, and the month in which they end; by the site's calendar.

    With ``at`` that is the day that counts as today.
    """
    now_ms, zone = now(), parts.site.timezone
    here_ms = now_ms if at is None else at
    today = day_of(here_ms, zone)
    first = {"today": today, "week": today - timedelta(days=6), "month": today.replace(day=1)}
    chosen = Period(first[preset], today, zone) if preset else period_of(from_ or None, to or None, zone, here_ms)
    last = chosen.last
    return {
        "from": chosen.first.isoformat(),
        "to": last.isoformat(),
        "from_at": rfc3339(chosen.from_ms, zone),
        "to_at": rfc3339(chosen.to_ms, zone),
        # What was does not go on.
        "running": at is None and chosen.from_ms <= now_ms < chosen.to_ms,
        "month": f"{last:%Y-%m}",
        "month_from": last.replace(day=1).isoformat(),
        "month_to": last.replace(day=monthrange(last.year, last.month)[1]).isoformat(),
    }


@router.get("/cases", responses=problems(422, 503))
async def cases(parts: PartsNow, wanted: WantedNow, share: str, part: str = "denominator") -> Document:
    """The cases behind a share of `/cases/indicators`: those it is of (`denominator`), or that count (`numerator`)."""
    if part not in ("numerator", "denominator"):
        raise Problem(
            422,
            f"part {part!r}: expected numerator or denominator.",
            code="bad_choice",
            values={"value": part, "name": "part", "expected": "numerator, denominator"},
        )
    now_ms, period = wanted.known_ms, wanted.period
    user = current_user.get() if wanted.at_ms is None else None

    def found() -> list[Any]:
        if wanted.at_ms is None:
            rows = period_rows(parts.database, period.from_ms, period.to_ms, wanted.street)
        else:
            rows = parts.past_boards.period_rows(period.from_ms, period.to_ms, wanted.street, wanted.at_ms)
        shares = counted(rows, period.from_ms, period.to_ms, now_ms)
        if share not in shares:
            raise Problem(
                422,
                f"share {share!r}: expected one of {', '.join(shares)}.",
                code="bad_choice",
                values={"value": share, "expected": ", ".join(shares), "name": "share"},
            )
        chosen = [dict(row) for row in (shares[share].hits if part == "numerator" else shares[share].of)]
        return [parts.cases.document(row, user, now_ms) for row in chosen]

    return {"items": await asyncio.to_thread(found), "next": None, "now": rfc3339(now_ms, parts.site.timezone)}


@router.get("/refuse_truck/hours", responses=problems(422, 503))
async def hours(found: KpiNow, parts: PartsNow, wanted: WantedNow) -> Document:
    """Tonnes of each hour of the last day, beside the same day of last year, or else the same weekday of last week."""
    figures = await asyncio.to_thread(found.tonnage, wanted)
    return {**figures, "at": rfc3339(wanted.known_ms, parts.site.timezone)}


@router.get("/{kind}", responses=problems(404, 422, 503))
async def kpi(found: KpiNow, parts: PartsNow, kind: str, wanted: WantedNow) -> Document:
    """The indicators of a kind over whole days, each share with its numerator and denominator; empty: no value.

    `waiting` says how many days are not reckoned yet: ask again for them.
    """
    if kind not in found.kinds:
        raise Problem(
            404,
            f"There are no indicators of {kind!r}; there are of {', '.join(found.kinds)}.",
            code="no_indicators",
            values={"kind": kind, "known": ", ".join(found.kinds)},
        )
    figures = await asyncio.to_thread(found.figures, kind, wanted)
    return {**figures, "at": rfc3339(wanted.known_ms, parts.site.timezone)}


def now() -> int:
    """Return the present, epoch ms."""
    return time.time_ns() // 1_000_000
