"""Devices nobody hears, and those whose messages come badly."""

import asyncio
import time
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from cockpit.api.parts import Document, Parts, offset_of, page, parts_of
from cockpit.silence import mute_devices, mute_document
from cockpit.sources import Faults, faulty_sources
from cockpit.times import rfc3339

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
    found = await asyncio.to_thread(faulty_sources, parts.database, time.time_ns() // 1_000_000 - _DAY_MS)
    shown = [_faults_document(parts, faults) for faults in found[offset : offset + limit + 1]]
    return {**page(shown, limit, offset), "total": len(found)}


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
