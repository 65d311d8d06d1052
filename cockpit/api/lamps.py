"""Lamp switching over HTTP: circuits and lamps as they stand, orders, and the acts of one and of two persons."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from cockpit.api.alarm_acts import carried_out
from cockpit.api.alarm_requests import AgreeRequest, Key, Reason
from cockpit.api.parts import Document, Parts, offset_of, page, parts_of
from cockpit.api.refusals import ACT_PROBLEMS, problems
from cockpit.api.role_first import RoleFirst, takes
from cockpit.problems import Problem
from cockpit.times import rfc3339
from ingest.alarms.commands.carrying import OFFICERS
from ingest.commands.orders import LONGEST_S, SHORTEST_S, Ordered, Settling, Switching, settle, switch

router = APIRouter(prefix="/api/v1", tags=["lamps"], route_class=RoleFirst)
PartsNow = Annotated[Parts, Depends(parts_of)]


class SwitchRequest(BaseModel):
    """So bright (0 is off) and for how long, or ``auto``: the lamp's own schedule again; and why.

    Without ``for_s`` it holds until the schedule of the pole next changes.
    """

    model_config = ConfigDict(extra="forbid")

    idempotency_key: Key
    dim_pct: Annotated[StrictInt, Field(ge=0, le=100)] | None = None
    auto: StrictBool = False
    for_s: Annotated[StrictInt, Field(ge=SHORTEST_S, le=LONGEST_S)] | None = None
    reason: Reason


@router.get("/circuits", responses=problems(503))
async def circuits(parts: PartsNow) -> Document:
    """Every lighting circuit: its lamps, how many are lit, commanded and waiting, and who asks for what."""
    return {"items": await asyncio.to_thread(parts.lamps.circuits, parts.live.now_ms()), "next": None}


@router.get("/circuits/{circuit}", responses=problems(404, 503))
async def circuit(parts: PartsNow, circuit: str) -> Document:
    """One circuit with each of its lamps: commanded, reported, and whether it obeys."""
    _require_circuit(parts, circuit)
    return await asyncio.to_thread(parts.lamps.circuit, circuit, parts.live.now_ms())


@router.get("/lamps", responses=problems(422))
async def lamps(
    parts: PartsNow,
    search: Annotated[str, Query(min_length=2, max_length=64, description="a part of the lamp's number")],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Document:
    """Lamps by a part of their number, with circuit and street."""
    return {"items": parts.lamps.found(search, limit), "next": None}


@router.get("/lamps/{device}", responses=problems(404, 503))
async def lamp(parts: PartsNow, device: str) -> Document:
    """One lamp: what it says of itself, the command that stands, and whether it obeys."""
    _require_lamp(parts, device)
    return await asyncio.to_thread(parts.lamps.lamp, device, parts.live.now_ms())


@router.get("/lamp-orders", responses=problems(422, 503))
async def orders(
    parts: PartsNow,
    state: Literal["asked", "ordered", "declined", "expired", "all"] = "all",
    subject: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: str | None = None,
) -> Document:
    """Orders, the newest first; ``subject`` a lamp or a circuit."""
    offset = offset_of(cursor)
    return page(await asyncio.to_thread(parts.lamps.orders, state, subject, limit + 1, offset), limit, offset)


@router.get("/lamp-orders/{order}", responses=problems(404, 503))
async def order(parts: PartsNow, order: str) -> Document:
    """One order with what became of the command to each lamp."""
    found = await asyncio.to_thread(parts.lamps.order, order)
    if found is None:
        raise Problem(404, f"There is no lamp order {order!r}.", code="unknown_lamp_order", values={"order": order})
    return found


@router.post(
    "/lamps/{device}/switch", status_code=202, responses=ACT_PROBLEMS, openapi_extra=takes("lamp_switch", OFFICERS)
)
async def switch_lamp(parts: PartsNow, device: str, body: SwitchRequest, request: Request) -> Document:
    """Order one lamp on, off or dimmed, or give it back to its schedule; the pole answers later."""
    _require_lamp(parts, device)
    wish = _wish("lamp", device, body)
    lamps = [parts.lamps.lamps[device]]
    done = await carried_out(parts, request, lambda who, now: switch(parts.database, wish, lamps, who, now))
    return await _done(parts, done)


@router.post(
    "/circuits/{circuit}/switch",
    status_code=202,
    responses=ACT_PROBLEMS,
    openapi_extra=takes("circuit_switch", OFFICERS),
)
async def switch_circuit(parts: PartsNow, circuit: str, body: SwitchRequest, request: Request) -> Document:
    """Ask for a whole circuit; another person has to approve within ten minutes."""
    _require_circuit(parts, circuit)
    wish = _wish("circuit", circuit, body)
    lamps = parts.lamps.of_circuit(circuit)
    done = await carried_out(parts, request, lambda who, now: switch(parts.database, wish, lamps, who, now))
    return await _done(parts, done)


@router.post(
    "/lamp-orders/{order}/approve",
    status_code=202,
    responses=ACT_PROBLEMS,
    openapi_extra=takes("lamp_approve", OFFICERS),
)
async def approve(parts: PartsNow, order: str, body: AgreeRequest, request: Request) -> Document:
    """Approve, as a second person, what another one asked for; the commands go out at once."""
    return await _settled(parts, request, Settling(order, True, body.idempotency_key, body.comment))


@router.post("/lamp-orders/{order}/decline", responses=ACT_PROBLEMS, openapi_extra=takes("lamp_decline", OFFICERS))
async def decline(parts: PartsNow, order: str, body: AgreeRequest, request: Request) -> Document:
    """Decline what somebody asked for; whoever asked may take it back so."""
    return await _settled(parts, request, Settling(order, False, body.idempotency_key, body.comment))


async def _settled(parts: Parts, request: Request, wish: Settling) -> Document:
    lamps_of = parts.lamps.of_circuit
    done = await carried_out(parts, request, lambda who, now: settle(parts.database, wish, lamps_of, who, now))
    return await _done(parts, done)


async def _done(parts: Parts, done: Ordered) -> Document:
    if parts.dispatcher is not None:
        parts.dispatcher.wake()
    found = await asyncio.to_thread(parts.lamps.order, done.order["id"])
    return {"result": done.result, "by": done.by, "at": rfc3339(done.at_ms, parts.site.timezone), "order": found}


def _wish(scope: Literal["lamp", "circuit"], subject: str, body: SwitchRequest) -> Switching:
    if (body.dim_pct is None) != body.auto:
        raise Problem(422, "Say either dim_pct (0 to 100) or auto.", code="lamp_want")
    return Switching(scope, subject, body.dim_pct, body.reason, body.idempotency_key, body.for_s)


def _require_lamp(parts: Parts, device: str) -> None:
    if device not in parts.lamps.lamps:
        raise Problem(404, f"The site has no lamp {device!r}.", code="unknown_lamp", values={"device": device})


def _require_circuit(parts: Parts, circuit: str) -> None:
    if not parts.lamps.of_circuit(circuit):
        raise Problem(
            404, f"The site has no lighting circuit {circuit!r}.", code="unknown_circuit", values={"circuit": circuit}
        )
