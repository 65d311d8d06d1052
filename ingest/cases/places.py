"""Where a case is: the street around a point, and how far two points are apart."""

from math import asin, cos, radians, sin, sqrt

from devices.site import Site

_EARTH_M = 6_371_000.0


def street_at(site: Site, lat: float, lon: float) -> str | None:
    """Return the key of the street whose outline holds a point (WGS-84), or None."""
    for street in site.streets.values():
        if street.polygon and _inside(street.polygon, lat, lon):
            return street.key
    return None


def metres_apart(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Return the distance of two points on the ground."""
    half_lat, half_lon = radians(other_lat - lat) / 2, radians(other_lon - lon) / 2
    share = sin(half_lat) ** 2 + cos(radians(lat)) * cos(radians(other_lat)) * sin(half_lon) ** 2
    return 2 * _EARTH_M * asin(sqrt(share))


def _inside(ring: tuple[tuple[float, float], ...], lat: float, lon: float) -> bool:
    inside = False
    for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside
