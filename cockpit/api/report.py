"""The printable daily report, for people: one page without scripts."""

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from cockpit.api.kpi import KpiNow, PartsNow, now
from cockpit.kpi_period import period_of
from cockpit.problems import Problem
from cockpit.report import Reporter
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
) -> HTMLResponse:
    """The report of a day: what happened, what was open at its end, indicators, load."""
    now_ms, end_s = now(), time.monotonic() + _BUDGET_S
    period = period_of(day or None, day or None, parts.site.timezone, now_ms)
    if period.from_ms > now_ms:
        raise Problem(422, f"day {day!r} is still to come.")
    reporter = Reporter(parts.site, parts.database, parts.board, parts.cases, kpi)
    found = await asyncio.to_thread(reporter.report, period, now_ms, lambda: time.monotonic() < end_s)
    root = request.scope.get("root_path", "").rstrip("/") + "/"
    return HTMLResponse(ReportPage(parts.site, texts(lang), root).html(found))
