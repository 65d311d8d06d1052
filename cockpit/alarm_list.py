"""The list of alarms as the API gives it: narrowed, page by page, and counted so that shown and hidden make up all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from cockpit.board import Board, Document, state_is, worst_first
from cockpit.problems import Problem
from devices.kind import PRIORITIES
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.own_kind import WATCHDOG
from ingest.alarms.states import OPEN_STATES
from ingest.alarms.suppressions import HIDDEN
from ingest.alarms.tables import occurrence


@dataclass(frozen=True, slots=True)
class Sieve:
    """What a list is narrowed to; instants of raising in [from, to), epoch ms. Empty means everything."""

    state: str = "open"
    priorities: Sequence[str] = ()
    kind: str | None = None
    device: str | None = None
    devices: Sequence[str] | None = None
    suppression: str | None = None
    rules: Sequence[str] = ()
    from_ms: int | None = None
    to_ms: int | None = None


def listed(database: AlarmDatabase, board: Board, sieve: Sieve, limit: int, cursor: str | None) -> Document:
    """Return a page: open ones by priority and age, others newest first; and how many open ones are hidden by what.

    ``counts`` leave ``state`` and ``suppression`` aside: shown + shelved + by_design + out_of_service = open.

    Raises:
        Problem: 422, the cursor is not one that a list gave.
    """
    by_rank = sieve.state in ("open", *OPEN_STATES)
    place = _conditions(sieve)
    query = sa.select(occurrence).where(*place, *state_is(sieve.state))
    if sieve.suppression is not None:
        query = query.where(occurrence.c.suppression == sieve.suppression)
    if cursor is not None:
        query = query.where(_behind(cursor, by_rank))
    newest = (occurrence.c.raised_at.desc(), occurrence.c.id)
    query = query.order_by(worst_first, *newest) if by_rank else query.order_by(*newest)
    counting = (
        sa.select(occurrence.c.suppression, sa.func.count())
        .where(*place, occurrence.c.closed_at.is_(None))
        .group_by(occurrence.c.suppression)
    )
    with database.read() as connection:
        rows = connection.execute(query.limit(limit + 1)).mappings().all()
        counted = {str(kind): int(count) for kind, count in connection.execute(counting)}
        items = board.documents(connection, rows[:limit])
    counts = {"shown": counted.get("none", 0), **{kind: counted.get(kind, 0) for kind in HIDDEN}}
    counts["open"] = sum(counted.values())
    return {"items": items, "next": _cursor(rows[limit - 1]) if len(rows) > limit else None, "counts": counts}


def closed_alarms(sieve: Sieve, limit: int, cursor: str | None) -> sa.Select[Any]:
    """Return how to find those of a page that fit, for the past: an alarm that is closed changes no more.

    Raises:
        Problem: 422, the cursor is not one that a list gave.
    """
    query = sa.select(occurrence).where(*_conditions(sieve))
    if sieve.suppression is not None:
        query = query.where(occurrence.c.suppression == sieve.suppression)
    if sieve.state not in ("all", "CLOSED"):
        return query.where(sa.false())
    if cursor is not None:
        query = query.where(_behind(cursor, by_rank=False))
    return query.order_by(occurrence.c.raised_at.desc(), occurrence.c.id).limit(limit)


def _conditions(sieve: Sieve) -> list[sa.ColumnElement[bool]]:
    # The watchdog's own alarms are listed only for who asks for the collector as a device.
    found: list[sa.ColumnElement[bool]] = [] if sieve.device is not None else [occurrence.c.rule != WATCHDOG]
    if sieve.priorities:
        found.append(occurrence.c.priority.in_(sieve.priorities))
    if sieve.kind is not None:
        found.append(occurrence.c.kind == sieve.kind)
    if sieve.device is not None:
        found.append(occurrence.c.device == sieve.device)
    if sieve.devices is not None:
        found.append(occurrence.c.device.in_(sieve.devices))
    if sieve.rules:
        found.append(occurrence.c.rule.in_(sieve.rules))
    if sieve.from_ms is not None:
        found.append(occurrence.c.raised_at >= sieve.from_ms)
    if sieve.to_ms is not None:
        found.append(occurrence.c.raised_at < sieve.to_ms)
    return found


def _cursor(row: sa.RowMapping) -> str:
    # The place in the order, not a count: what is raised or closed meanwhile neither repeats nor hides another.
    return f"{PRIORITIES.index(row['priority'])}.{row['raised_at']}.{row['id']}"


def _behind(cursor: str, by_rank: bool) -> sa.ColumnElement[bool]:
    rank, raised_at, identifier = ([*cursor.split("."), "", ""])[:3]
    if not (rank.isascii() and rank.isdigit() and raised_at.isascii() and raised_at.isdigit() and identifier):
        raise Problem(422, f"cursor {cursor!r} is not one that this list gave.", code="bad_cursor")
    if len(rank) > 1 or len(raised_at) > 15 or len(identifier) > 40 or not identifier.isalnum():
        raise Problem(422, f"cursor {cursor!r} is not one that this list gave.", code="bad_cursor")
    older = sa.or_(
        occurrence.c.raised_at < int(raised_at),
        sa.and_(occurrence.c.raised_at == int(raised_at), occurrence.c.id > identifier),
    )
    return sa.or_(worst_first > int(rank), sa.and_(worst_first == int(rank), older)) if by_rank else older
