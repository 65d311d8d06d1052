"""The audit over HTTP: every act, and whether the record is whole."""

import asyncio
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query

from cockpit.api.alarms import From, To
from cockpit.api.parts import Document, Parts, parts_of, require_user
from cockpit.api.refusals import problems
from cockpit.problems import Problem
from cockpit.times import parse_instant, rfc3339
from ingest.alarms.altered import Comparison, compare
from ingest.alarms.audit import Check, check
from ingest.alarms.tables import audit

router = APIRouter(prefix="/api/v1/audit", tags=["audit"], responses=problems(401, 403, 422, 503))
PartsNow = Annotated[Parts, Depends(parts_of)]
_READERS = ("auditor", "engineer", "leader")
_NAMED = 1_000


@router.get("")
async def rows(
    parts: PartsNow,
    from_: From = None,
    to: To = None,
    actor: str | None = None,
    action: str | None = None,
    occurrence: str | None = None,
    case: str | None = None,
    point: str | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
    cursor: str | None = None,
) -> Document:
    """Acts in [from, to), newest first, narrowed by who, what and about which."""
    _require_reader()
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 18):
        raise Problem(422, f"cursor {cursor!r} is not one that this list gave.", code="bad_cursor")
    query = sa.select(audit).order_by(audit.c.seq.desc()).limit(limit + 1)
    if from_:
        query = query.where(audit.c.at >= parse_instant(from_, "from"))
    if to:
        query = query.where(audit.c.at < parse_instant(to, "to"))
    named = {"actor": actor, "action": action, "occurrence": occurrence, "case": case, "point": point}
    for column, value in named.items():
        if value:
            query = query.where(audit.c[column] == value)
    if cursor is not None:
        query = query.where(audit.c.seq <= int(cursor))
    found = await asyncio.to_thread(_read, parts, query)
    items = [{**row, "at": rfc3339(row["at"], parts.site.timezone)} for row in found[:limit]]
    return {"items": items, "next": str(found[limit]["seq"]) if len(found) > limit else None}


@router.get("/verify")
async def verify(parts: PartsNow) -> Document:
    """Whether the chain of hashes is whole, else what is broken first; and which alarms are not what it says."""
    _require_reader()

    def checked() -> tuple[Check, Comparison]:
        with parts.database.read() as connection:
            return check(connection), compare(connection, parts.site)

    found, alarms = await asyncio.to_thread(checked)
    return {
        "whole": found.broken is None and not alarms.altered,
        "rows": found.rows,
        "hash": found.hash,
        "broken": found.broken,
        "alarms": alarms.occurrences,
        "altered": len(alarms.altered),
        "sentences": [each.sentence for each in alarms.altered[:_NAMED]],
        "priority_not_judged": alarms.unranked,
    }


def _read(parts: Parts, query: sa.Select[Any]) -> list[dict[str, Any]]:
    with parts.database.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def _require_reader() -> None:
    if not set(require_user().roles) & set(_READERS):
        raise Problem(
            403,
            f"Reading the audit takes one of the roles {', '.join(_READERS)}.",
            code="role_missing",
            values={"roles": sorted(_READERS)},
        )
