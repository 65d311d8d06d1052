"""Tables to take away, as CSV or as a workbook: alarms, cases, ledger and indicators, filtered as their lists."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from cockpit import alarm_list, case_board
from cockpit.api import alarms as alarm_routes
from cockpit.api import cases as case_routes
from cockpit.api.kpi import KpiNow, PartsNow, WantedNow, now
from cockpit.api.ledger import Board, Device, Kind, Shard, Wanted, ledger_filter
from cockpit.api.parts import Document
from cockpit.api.refusals import problems
from cockpit.api.window import Then
from cockpit.export_tables import alarm_columns, case_columns, kpi_columns, kpi_rows, ledger_columns
from cockpit.exports import CSV_TYPE, XLSX_TYPE, Column, csv_text, workbook
from cockpit.guard import current_user
from cockpit.kpi_period import day_of
from cockpit.problems import Problem
from cockpit.texts import LANGUAGES, Texts, texts
from devices.site import Site

router = APIRouter(prefix="/api/v1/export", tags=["export"], responses=problems(422, 503))
Rows = AsyncIterator[Sequence[Any]]
Format = Annotated[Literal["csv", "xlsx"], Query(alias="format", description="CSV (UTF-8 with BOM) or a workbook")]
Language = Annotated[str, Query(alias="lang", description="language of titles and names: zh or en")]
_PAGE = 1_000
_CHUNK = 64 * 1024


def _say(lang: Language = "zh") -> Texts:
    if lang not in LANGUAGES:
        raise Problem(
            422,
            f"lang {lang!r}: expected one of {', '.join(LANGUAGES)}.",
            code="bad_choice",
            values={"value": lang, "expected": ", ".join(LANGUAGES), "name": "lang"},
        )
    return texts(lang)


Say = Annotated[Texts, Depends(_say)]


@router.get("/alarms")
async def alarms(
    parts: PartsNow,
    sieve: Annotated[alarm_list.Sieve, Depends(alarm_routes.sieve_of)],
    say: Say,
    form: Format = "csv",
    at: Then = None,
) -> StreamingResponse:
    """Alarms, filtered as `/api/v1/alarms`."""

    def listed(cursor: str | None) -> Document:
        if at is not None:
            return parts.past_boards.alarms(sieve, _PAGE, cursor, at)
        return alarm_list.listed(parts.database, parts.board, sieve, _PAGE, cursor)

    async def rows() -> Rows:
        cursor = None
        while True:
            page = await asyncio.to_thread(listed, cursor)
            yield page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    return await _answer("alarms", parts.site, alarm_columns(say, _streets(parts.site, say)), say, rows(), form)


@router.get("/cases")
async def cases(
    parts: PartsNow,
    sieve: Annotated[case_board.Sieve, Depends(case_routes.sieve_of)],
    say: Say,
    form: Format = "csv",
    at: Then = None,
) -> StreamingResponse:
    """Cases, filtered as `/api/v1/cases`."""
    now_ms, user = parts.live.now_ms(), current_user.get()

    def listed(offset: int) -> list[Document]:
        if at is not None:
            return parts.past_boards.cases(sieve, _PAGE, offset, at)
        return parts.cases.listed(sieve, user, _PAGE, offset, now_ms)

    return await _answer(
        "cases", parts.site, case_columns(say, _streets(parts.site, say)), say, _all(listed, "id"), form
    )


@router.get("/ledger")
async def ledger(
    parts: PartsNow,
    board: Board,
    say: Say,
    kind: Kind = None,
    device: Device = None,
    shard: Shard = None,
    only: Wanted = None,
    form: Format = "csv",
) -> StreamingResponse:
    """The equations of each device, filtered as `/api/v1/ledger/devices`."""

    def listed(offset: int) -> list[Document]:
        return board.devices(ledger_filter(kind, device, shard), only, _PAGE, offset)

    return await _answer("ledger", parts.site, ledger_columns(), say, _all(listed, None), form)


@router.get("/kpi")
async def kpi(
    parts: PartsNow, found: KpiNow, wanted: WantedNow, say: Say, kind: str | None = None, form: Format = "csv"
) -> StreamingResponse:
    """The indicators of one kind or of all, one figure a row; every day of the period is reckoned first."""
    if kind and kind not in found.kinds:
        raise Problem(
            422,
            f"kind {kind!r}: expected one of {', '.join(found.kinds)}.",
            code="bad_choice",
            values={"value": kind, "expected": ", ".join(found.kinds), "name": "kind"},
        )
    whole = replace(wanted, go_on=lambda: True)

    async def rows() -> Rows:
        for each in [kind] if kind else found.kinds:
            yield list(kpi_rows(await asyncio.to_thread(found.figures, each, whole)))

    return await _answer("kpi", parts.site, kpi_columns(), say, rows(), form)


async def _answer(
    name: str, site: Site, columns: Sequence[Column], say: Texts, rows: Rows, form: str
) -> StreamingResponse:
    name = f"drill-{name}" if site.drill else name
    # What is away refuses now, while there is still a status to say it with.
    first = await anext(rows)

    async def again() -> Rows:
        yield first
        async for page in rows:
            yield page

    day = day_of(now(), site.timezone)
    headers = {"Content-Disposition": f'attachment; filename="citydeck-{name}-{day:%Y%m%d}.{form}"'}
    if form == "csv":
        return StreamingResponse(csv_text(columns, say, again()), headers=headers, media_type=CSV_TYPE)
    file = await workbook(columns, say, again(), name)

    def chunks() -> Iterator[bytes]:
        with file:
            while chunk := file.read(_CHUNK):
                yield chunk

    return StreamingResponse(chunks(), headers=headers, media_type=XLSX_TYPE)


async def _all(listed: Callable[[int], list[Document]], key: str | None) -> Rows:
    """Yield every page of a list that is read by offsets; what moves on meanwhile is given once."""
    seen: set[Any] = set()
    offset = 0
    while True:
        page = await asyncio.to_thread(listed, offset)
        yield page if key is None else [row for row in page if row[key] not in seen]
        if len(page) < _PAGE:
            return
        seen.update(row[key] for row in page if key is not None)
        offset += _PAGE


def _streets(site: Site, say: Texts) -> dict[str, str]:
    return {key: getattr(street.label, say.language) for key, street in site.streets.items()}
