"""Site, kinds, map, devices and their history."""

import asyncio
import hashlib
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response

from cockpit.api.parts import Document, Parts, offset_of, page, parts_of
from cockpit.api.window import Then, ThenWithValues
from cockpit.kinds import kind_document, site_document
from cockpit.problems import Problem
from cockpit.reading import Reader
from cockpit.times import parse_instant, rfc3339

router = APIRouter(prefix="/api/v1", tags=["city"])
PartsNow = Annotated[Parts, Depends(parts_of)]
Known = Annotated[str, Header(include_in_schema=False)]
_HOUR_MS = 3_600_000


@router.get("/site")
def site(parts: PartsNow) -> Document:
    """Names, streets, units and kinds of the site."""
    return site_document(parts.site, parts.asset_version)


@router.get("/kinds")
def kinds(parts: PartsNow) -> Document:
    """Every kind of device as its table says: fields, units, ranges, limits with their sources."""
    return {"items": [kind_document(kind) for kind in parts.site.catalog.kinds.values()], "next": None}


@router.get("/map/basemap")
def basemap(parts: PartsNow, if_none_match: Known = "") -> Response:
    """Streets, water, green and roads as GeoJSON."""
    return _map(parts.site.basemap, if_none_match)


@router.get("/map/routes")
def routes(parts: PartsNow, if_none_match: Known = "") -> Response:
    """Routes of drones and trucks as GeoJSON."""
    return _map(parts.site.routes, if_none_match)


@router.get("/map/devices")
async def map_devices(parts: PartsNow, at: Then = None) -> Document:
    """Every device that has a place, in the fewest bytes."""
    columns = ["id", "kind", "lat", "lon", "street", "registered"]
    rows = []
    city = parts.live.city if at is None else (await asyncio.to_thread(parts.past.moment, at)).city
    for name, now in city.devices.items():
        registered = parts.site.devices.get(name)
        lat, lon = parts.reader.position(name, now)
        rows.append([name, now.kind, lat, lon, registered.street if registered else None, registered is not None])
    return {"columns": columns, "rows": rows}


@router.get("/devices")
async def devices(
    parts: PartsNow,
    kind: str | None = None,
    district: str | None = None,
    street: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100_000)] = 10_000,
    cursor: str | None = None,
    at: ThenWithValues = None,
) -> Document:
    """Devices with latest values, quality and position, registered or not."""
    if kind and kind not in parts.site.catalog.kinds:
        raise Problem(
            404,
            f"There is no kind {kind!r}{parts.site.catalog.suggestion(kind)}.",
            code="unknown_kind",
            values={"kind": kind},
        )
    offset = offset_of(cursor)
    # An empty parameter, as a form sends it, asks for nothing.
    reader = await _reader(parts, at)
    names = reader.devices(kind or None, district or None, street or None)[offset : offset + limit + 1]
    return page([reader.device_document(name) for name in names], limit, offset)


@router.get("/devices/{device}")
async def device(parts: PartsNow, device: str, at: ThenWithValues = None) -> Document:
    """One device; of the past with what it had told within a week."""
    if at is None:
        found = await parts.reader.device(device)
    else:
        found = await asyncio.to_thread(parts.past.device, device, at)
    if found is None:
        raise Problem(
            404,
            f"There {'is' if at is None else 'was'} no device {device!r}.",
            code="unknown_device",
            values={"device": device},
        )
    return found


@router.get("/devices/{device}/series")
async def series(
    parts: PartsNow,
    device: str,
    field: str,
    start: str | None = None,
    stop: str | None = None,
    step: str = "auto",
    width: Annotated[int | None, Query(ge=10, le=10_000)] = None,
) -> Document:
    """A field's history; the last hour unless told. ``step`` in seconds, 0 for raw points, or ``auto``."""
    stop_ms = parse_instant(stop, "stop") if stop else parts.live.now_ms()
    start_ms = parse_instant(start, "start") if start else stop_ms - _HOUR_MS
    return await parts.reader.series(device, field, start_ms, stop_ms, width, _step_ms(step))


@router.get("/passages")
async def passages(
    parts: PartsNow,
    kind: str,
    device: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 30,
    field: Annotated[
        str | None, Query(description="with `least`: only those where this field is at least so much")
    ] = None,
    least: float | None = None,
    at: ThenWithValues = None,
) -> Document:
    """The newest passages of a kind (vehicles over bridges, bins lifted), newest first."""
    if (field is None) is not (least is None):
        raise Problem(422, "field and least: expected both or none.", code="field_and_least")
    above = None if field is None else (field, least or 0.0)
    if at is None:
        found = await parts.reader.passages(kind, device, limit, above)
    else:
        found = await asyncio.to_thread(parts.past.passages, kind, device, limit, above, at)
    return {"items": [{**p, "at": rfc3339(p["at"], parts.site.timezone)} for p in found], "next": None}


@router.get("/summary")
async def summary(parts: PartsNow, at: Then = None) -> Document:
    """Online, alarming, faulty and total per kind, and alarms by priority."""
    return parts.live.summary() if at is None else await asyncio.to_thread(parts.past.summary, at)


async def _reader(parts: Parts, at: int | None) -> Reader:
    return parts.reader if at is None else await asyncio.to_thread(parts.past.reader, at)


def _map(path: Path | None, known: str) -> Response:
    """Answer with a map file as it stands, or that the browser has it already."""
    if path is None:
        raise Problem(404, "The site file names no such map.", code="no_map")
    text = path.read_bytes()
    # Weak: what is sent may be packed or not.
    mark = f'W/"{hashlib.blake2b(text, digest_size=8).hexdigest()}"'
    if mark in known:
        return Response(status_code=304, headers={"ETag": mark})
    return Response(text, media_type="application/json", headers={"ETag": mark})


def _step_ms(step: str) -> int | None:
    if step in ("auto", ""):
        return None
    try:
        seconds = float(step)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 31_536_000:
        raise Problem(422, f"step {step!r}: expected seconds from 0, or auto.", code="bad_step", values={"step": step})
    return round(seconds * 1000)
