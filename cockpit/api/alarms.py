"""Alarms: what is open, what was, its history, and the load on the operators."""

import asyncio
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from cockpit.alarm_list import Sieve, listed
from cockpit.api.parts import Document, Parts, parts_of
from cockpit.api.refusals import problems
from cockpit.api.window import Then
from cockpit.problems import Problem
from cockpit.times import parse_instant, rfc3339
from devices.kind import PRIORITIES
from ingest.alarms.load import load
from ingest.alarms.states import OPEN_STATES
from ingest.alarms.suppressions import HIDDEN

router = APIRouter(prefix="/api/v1/alarms", tags=["alarms"])
PartsNow = Annotated[Parts, Depends(parts_of)]
From = Annotated[str | None, Query(alias="from")]
To = Annotated[str | None, Query(alias="to")]
_STATES = ("open", "all", *OPEN_STATES, "CLOSED")
_SUPPRESSIONS = ("none", *HIDDEN)
_DAY_MS = 24 * 3_600_000
_STANDING = ("active_over_24_h", "shelved_now", "shelves_ending_soon", "shelves_renewed")
# ISA-18.2: what one operator can bear, and where it is too much.
_TARGETS = {
    "per_10_min": {"target": 1, "red": 2},
    "per_hour": {"target": 6, "red": 12},
    "flood_share": {"target": 0.01},
    "busiest_share": {"target": 0.05},
    "active_over_24_h": {"target": 5},
    "priorities": {"P1": 0.05, "P2": 0.15, "P3": 0.80},
    "chattering": {"target": 0},
}


def sieve_of(
    parts: PartsNow,
    state: str = "open",
    priority: str | None = None,
    kind: str | None = None,
    device: str | None = None,
    street: str | None = None,
    suppression: str | None = None,
    rule: str | None = None,
    from_: From = None,
    to: To = None,
) -> Sieve:
    """Return what a request narrows a list of alarms to.

    Raises:
        Problem: 422, a value that there is not.
    """
    _one_of("state", state, _STATES)
    chosen = [each for each in (priority or "").split(",") if each]
    for each in chosen:
        _one_of("priority", each, PRIORITIES)
    if suppression:
        _one_of("suppression", suppression, _SUPPRESSIONS)
    here = [name for name, each in parts.board.places.items() if each.street == street] if street else None
    return Sieve(
        state,
        chosen,
        # An empty parameter, as a form sends it, asks for nothing.
        kind or None,
        device or None,
        here,
        suppression or None,
        [each for each in (rule or "").split(",") if each],
        parse_instant(from_, "from") if from_ else None,
        parse_instant(to, "to") if to else None,
    )


@router.get("", responses=problems(422, 503))
async def alarms(
    parts: PartsNow,
    sieve: Annotated[Sieve, Depends(sieve_of)],
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
    cursor: str | None = None,
    at: Then = None,
) -> Document:
    """Occurrences: ``open`` by priority and age; ``all`` or one state, see ALARMS §2.

    ``priority`` and ``rule`` may name several. Hidden ones are in the list, with what hides them; ``counts`` say how
    many: shown + hidden = open.
    """
    if at is not None:
        return await asyncio.to_thread(parts.past_boards.alarms, sieve, limit, cursor, at)
    return await asyncio.to_thread(listed, parts.database, parts.board, sieve, limit, cursor)


@router.get("/load", responses=problems(422, 503))
async def operator_load(parts: PartsNow, from_: From = None, to: To = None, at: Then = None) -> Document:
    """The load on the operators (ALARMS §6) of the last 24 hours unless told; what cannot be said is null.

    With ``at`` the hours end there; how much stood or was hidden at that instant is in the lists, not here.
    """
    now_ms = parts.live.now_ms() if at is None else at
    to_ms = parse_instant(to, "to") if to else now_ms
    from_ms = parse_instant(from_, "from") if from_ else to_ms - _DAY_MS
    if not from_ms < to_ms <= from_ms + 366 * _DAY_MS:
        raise Problem(422, "to must be later than from, by at most a year.", code="bad_span")

    def reckoned() -> Document:
        if at is not None:
            return asdict(parts.past_boards.load(from_ms, to_ms, at))
        with parts.database.read() as connection:
            return asdict(load(connection, from_ms, to_ms, now_ms))

    found = await asyncio.to_thread(reckoned)
    window = {key: rfc3339(found.pop(f"{key}_ms"), parts.site.timezone) for key in ("from", "to")}
    if at is not None:
        found.update(dict.fromkeys(_STANDING))
    found["busiest"] = [{"point": point, "count": count} for point, count in found["busiest"]]
    return {**window, "at": rfc3339(now_ms, parts.site.timezone), **found, "targets": _TARGETS}


@router.get("/{alarm}", responses=problems(404, 503))
async def alarm(parts: PartsNow, alarm: str, at: Then = None) -> Document:
    """One occurrence, with everything that was done about it."""
    if at is not None:
        return await _past(parts, alarm, at)
    found = await asyncio.to_thread(parts.board.one, alarm)
    if found is None:
        raise Problem(404, f"There is no alarm {alarm!r}.", code="unknown_alarm", values={"alarm": alarm})
    return {**found, "history": await asyncio.to_thread(parts.board.history, alarm)}


@router.get("/{alarm}/history", responses=problems(404, 503))
async def history(parts: PartsNow, alarm: str, at: Then = None) -> Document:
    """Everything that was done about an occurrence and by whom, oldest first."""
    if at is not None:
        return {"items": (await _past(parts, alarm, at))["history"], "next": None}
    if await asyncio.to_thread(parts.board.one, alarm) is None:
        raise Problem(404, f"There is no alarm {alarm!r}.", code="unknown_alarm", values={"alarm": alarm})
    return {"items": await asyncio.to_thread(parts.board.history, alarm), "next": None}


async def _past(parts: Parts, alarm: str, at_ms: int) -> Document:
    found = await asyncio.to_thread(parts.past_boards.alarm, alarm, at_ms)
    if found is None:
        raise Problem(404, f"There was no alarm {alarm!r}.", code="alarm_not_yet", values={"alarm": alarm})
    return found


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise Problem(
            422,
            f"{name} {value!r}: expected one of {', '.join(known)}.",
            code="bad_choice",
            values={"name": name, "value": value, "expected": ", ".join(known)},
        )
