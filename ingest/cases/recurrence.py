"""Cases near a point: the closed one that a new case repeats, and the open one that it would double."""

import sqlalchemy as sa

from ingest.cases.lifecycle import OPEN_STATES
from ingest.cases.places import metres_apart
from ingest.cases.tables import cases

NEAR_M = 50.0
WITHIN_MS = 30 * 24 * 3_600_000
# A degree of latitude is 111 km; of longitude at 60° half of that. Only a coarse first sieve.
_LAT_BOX, _LON_BOX = 0.0005, 0.0011


def repeated(
    connection: sa.Connection, sub_class: str, lat: float | None, lon: float | None, device: str | None, now_ms: int
) -> str | None:
    """Return the last case closed within 30 days, of the same sub-class within 50 m (or at the same device)."""
    query = sa.select(cases).where(
        cases.c.sub_class == sub_class, cases.c.state == "CLOSED", cases.c.closed_at >= now_ms - WITHIN_MS
    )
    return _nearest(connection, query.order_by(cases.c.closed_at.desc(), cases.c.id.desc()), lat, lon, device)


def still_open(
    connection: sa.Connection, sub_class: str, lat: float | None, lon: float | None, device: str | None
) -> str | None:
    """Return the oldest open case of the same sub-class within 50 m (or at the same device)."""
    query = sa.select(cases).where(cases.c.sub_class == sub_class, cases.c.state.in_(OPEN_STATES))
    return _nearest(connection, query.order_by(cases.c.reported_at, cases.c.id), lat, lon, device)


def _nearest(
    connection: sa.Connection,
    query: sa.Select[tuple[object, ...]],
    lat: float | None,
    lon: float | None,
    device: str | None,
) -> str | None:
    at_device = cases.c.device == device if device is not None else sa.false()
    if lat is None or lon is None:
        query = query.where(at_device)
    else:
        box = sa.and_(
            cases.c.lat.between(lat - _LAT_BOX, lat + _LAT_BOX), cases.c.lon.between(lon - _LON_BOX, lon + _LON_BOX)
        )
        query = query.where(sa.or_(at_device, box))
    for row in connection.execute(query).mappings():
        if device is not None and row["device"] == device:
            return str(row["id"])
        if lat is None or lon is None or row["lat"] is None or row["lon"] is None:
            continue
        if metres_apart(lat, lon, row["lat"], row["lon"]) <= NEAR_M:
            return str(row["id"])
    return None
