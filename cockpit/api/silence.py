"""Devices nobody hears, those whose messages come badly, and how one of them fared."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from cockpit.api.parts import Document, Parts, offset_of, page, parts_of
from cockpit.api.refusals import problems
from cockpit.problems import Problem
from cockpit.silence import mute_devices, mute_document
from cockpit.sources import Faults, faulty_sources, health_readings
from cockpit.times import parse_instant, rfc3339

router = APIRouter(prefix="/api/v1", tags=["health"])
PartsNow = Annotated[Parts, Depends(parts_of)]
_DAY_MS = 86_400_000


@router.get("/silence")
async def silence(
    parts: PartsNow,
    state: Literal["silent", "never"] = "silent",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    cursor: str | None = None,
) -> Document:
    """Devices that fell silent, or that never spoke; children of a parent that is not heard are folded below it.

    ``devices`` is how many that are by kind, the folded ones among them.
    """
    offset = offset_of(cursor)
    found = mute_devices(parts.site, parts.live.city.devices, state)
    kinds: dict[str, int] = {}
    for head in found:
        for kind, count in ((head.now.kind, 1), *head.folded.items()):
            kinds[kind] = kinds.get(kind, 0) + count
    shown = [mute_document(parts.site, head) for head in found[offset : offset + limit + 1]]
    return {**page(shown, limit, offset), "total": len(found), "devices": kinds}


@router.get("/sources")
async def sources(
    parts: PartsNow, limit: Annotated[int, Query(ge=1, le=1_000)] = 100, cursor: str | None = None
) -> Document:
    """Sources with numbers skipped or clocks ahead within 24 h, or messages late or ahead at all; the worst first."""
    offset = offset_of(cursor)
    found = await asyncio.to_thread(faulty_sources, parts.database, parts.live.now_ms() - _DAY_MS)
    shown = [_faults_document(parts, faults) for faults in found[offset : offset + limit + 1]]
    return {**page(shown, limit, offset), "total": len(found)}


@router.get("/devices/{device}/health", responses=problems(404, 422, 503))
async def device_health(
    parts: PartsNow,
    device: str,
    start: Annotated[str | None, Query(description="first instant; a week before `stop` unless told")] = None,
    stop: Annotated[str | None, Query(description="end of the span; now unless told")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    cursor: str | None = None,
) -> Document:
    """What happened to a device itself in [start, stop), the newest first; kept 90 days.

    `what` is `online` (`value` 1 or 0; `why`: `last_will` or `stale_after`), `seq_gap` (numbers skipped),
    `clock_skew_s` (seconds ahead, 0 when right again) or `folded` (1 while the silence is explained by the device
    `cause` above it). `online`, `silent` and `last_seen` are the state now; `silent` is an open no-data alarm.
    """
    now = parts.live.city.devices.get(device)
    if now is None:
        raise Problem(404, f"There is no device {device!r}.", code="unknown_device", values={"device": device})
    stop_ms = parse_instant(stop, "stop") if stop else parts.live.now_ms() + 1
    start_ms = parse_instant(start, "start") if start else stop_ms - 7 * _DAY_MS
    if stop_ms <= start_ms:
        raise Problem(422, "stop must be later than start.", code="bad_order")
    offset = offset_of(cursor)
    rows = await asyncio.to_thread(health_readings, parts.database, device, start_ms, stop_ms, limit + 1, offset)
    registered = parts.site.devices.get(device)
    return {
        "device": device,
        "online": now.online,
        "silent": now.silent,
        "last_seen": rfc3339(now.seen_ms or None, parts.site.timezone),
        "parent": (registered.parent or None) if registered else None,
        **page([{**row, "at": rfc3339(row["at"], parts.site.timezone)} for row in rows], limit, offset),
    }


def _faults_document(parts: Parts, faults: Faults) -> Document:
    now = parts.live.city.devices.get(faults.device)
    return {
        "device": faults.device,
        "kind": faults.kind or (now.kind if now else ""),
        "gaps": faults.gaps,
        "ahead_s": faults.ahead_s,
        "last_at": rfc3339(faults.last_ms, parts.site.timezone),
        "late": faults.late,
        "skewed": faults.skewed,
    }
