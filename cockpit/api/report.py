"""The printable daily report, for people: one page without scripts."""

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from cockpit.api.kpi import KpiNow, PartsNow, now
from cockpit.api.parts import Parts
from cockpit.api.window import At
from cockpit.kpi import Kpi
from cockpit.kpi_period import period_of
from cockpit.problem_words import problem_text
from cockpit.problems import Problem
from cockpit.report import Report, Reporter
from cockpit.report_page import ReportPage
from cockpit.texts import texts

router = APIRouter(tags=["kpi"])
_BUDGET_S = 10.0


@router.get("/report", response_class=HTMLResponse, include_in_schema=False)
async def report(
    request: Request,
    parts: PartsNow,
    kpi: KpiNow,
    day: Annotated[str | None, Query(description="YYYY-MM-DD; today unless told")] = None,
    lang: str | None = None,
    at: At = None,
) -> HTMLResponse:
    """The report of a day: what happened, what was open at its end, indicators, load; with ``at`` as known then."""
    root = request.scope.get("root_path", "").rstrip("/") + "/"
    page = ReportPage(parts.site, texts(lang), root)
    try:
        found = await _found(parts, kpi, day or None, parts.past.instant_of_values(at) if at else None)
    except Problem as error:
        # Whoever opened this in a browser reads a page, not a document for programs.
        if "text/html" not in request.headers.get("accept", ""):
            raise
        return HTMLResponse(page.refused(problem_text(error, texts(lang))), error.status)
    return HTMLResponse(page.html(found))


async def _found(parts: Parts, kpi: Kpi, day: str | None, at_ms: int | None) -> Report:
    now_ms, end_s = now(), time.monotonic() + _BUDGET_S
    known_ms = now_ms if at_ms is None else at_ms
    period = period_of(day, day, parts.site.timezone, known_ms)
    if period.from_ms > known_ms:
        raise Problem(422, f"day {day!r} is still to come.", code="day_to_come", values={"day": day})
    reporter = Reporter(parts.site, parts.database, parts.board, parts.cases, kpi)
    return await asyncio.to_thread(reporter.report, period, now_ms, lambda: time.monotonic() < end_s, at_ms)
