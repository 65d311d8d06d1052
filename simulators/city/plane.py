"""The plane the demo city is drawn on: metres east and north of its centre, and what lines and rings can do there."""

import itertools
import math
from collections.abc import Iterable, Sequence

Point = tuple[float, float]
Line = list[Point]

CENTRE_LAT, CENTRE_LON = 30.32, 120.14
_M_PER_DEG_LAT = 110_950.0
_M_PER_DEG_LON = 111_320.0 * math.cos(math.radians(CENTRE_LAT))


def warped(point: Point) -> Point:
    """Bend the drawing plane a little, so that nothing in the city is ruler-straight; neighbours stay neighbours."""
    x, y = point
    dx = 170 * math.sin(y / 1900 + 1.3) + 90 * math.sin((x + 0.6 * y) / 1250)
    dy = 150 * math.sin(x / 1700 + 0.4) + 80 * math.sin((y - 0.5 * x) / 1350 + 2.0)
    return x + dx, y + dy


def to_lon_lat(point: Point, digits: int = 6) -> tuple[float, float]:
    """Return a point of the plane as WGS-84 (longitude, latitude)."""
    x, y = point
    return round(CENTRE_LON + x / _M_PER_DEG_LON, digits), round(CENTRE_LAT + y / _M_PER_DEG_LAT, digits)


def distance(a: Point, b: Point) -> float:
    """Return the distance of two points in metres."""
    return math.hypot(a[0] - b[0], a[1] - b[1])


def length(line: Sequence[Point]) -> float:
    """Return the length of a line in metres."""
    return sum(distance(a, b) for a, b in itertools.pairwise(line))


def between(a: Point, b: Point, share: float) -> Point:
    """Return the point that lies a share of the way from a to b."""
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def densified(a: Point, b: Point, step_m: float) -> Line:
    """Return points from a to b, both included; the same ones in reverse from b to a, so that neighbours share them."""
    if b < a:
        return densified(b, a, step_m)[::-1]
    pieces = max(1, math.ceil(distance(a, b) / step_m))
    return [between(a, b, n / pieces) for n in range(pieces + 1)]


def along(line: Sequence[Point], spacing_m: float, start_m: float = 0.0) -> Line:
    """Return points on a line at even spacing."""
    found: Line = []
    wanted, walked = start_m, 0.0
    for a, b in itertools.pairwise(line):
        step = distance(a, b)
        while step > 0 and wanted <= walked + step:
            found.append(between(a, b, (wanted - walked) / step))
            wanted += spacing_m
        walked += step
    return found


def inside(point: Point, ring: Sequence[Point]) -> bool:
    """Tell whether a point lies in a ring (even-odd rule)."""
    x, y = point
    odd = False
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            odd = not odd
    return odd


def centroid(ring: Sequence[Point]) -> Point:
    """Return the centre of area of a ring."""
    area = cx = cy = 0.0
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        cross = x1 * y2 - x2 * y1
        area, cx, cy = area + cross, cx + (x1 + x2) * cross, cy + (y1 + y2) * cross
    return cx / (3 * area), cy / (3 * area)


def crossing(a: Point, b: Point, line: Sequence[Point]) -> Point | None:
    """Return where the segment from a to b first meets a line, if it does."""
    for c, d in itertools.pairwise(line):
        denominator = (b[0] - a[0]) * (d[1] - c[1]) - (b[1] - a[1]) * (d[0] - c[0])
        if denominator == 0:
            continue
        t = ((c[0] - a[0]) * (d[1] - c[1]) - (c[1] - a[1]) * (d[0] - c[0])) / denominator
        u = ((c[0] - a[0]) * (b[1] - a[1]) - (c[1] - a[1]) * (b[0] - a[0])) / denominator
        if 0 <= t <= 1 and 0 <= u <= 1:
            return between(a, b, t)
    return None


def offset(line: Sequence[Point], metres: float) -> Line:
    """Return a line moved sideways (positive: to the left of its direction)."""
    moved: Line = []
    for index, (x, y) in enumerate(line):
        (x1, y1), (x2, y2) = line[max(0, index - 1)], line[min(len(line) - 1, index + 1)]
        run = math.hypot(x2 - x1, y2 - y1) or 1.0
        moved.append((x - (y2 - y1) / run * metres, y + (x2 - x1) / run * metres))
    return moved


def ribbon(line: Sequence[Point], width_m: float) -> Line:
    """Return the closed ring of a strip of even width along a line."""
    ring = offset(line, width_m / 2) + offset(line, -width_m / 2)[::-1]
    return [*ring, ring[0]]


def blob(centre: Point, radius_x: float, radius_y: float, waviness: float, phase: float) -> Line:
    """Return a soft closed shape, as a lake or a park has."""
    ring: Line = []
    for step in range(40):
        angle = 2 * math.pi * step / 40
        wave = 1 + waviness * (math.sin(3 * angle + phase) + 0.6 * math.sin(2 * angle - phase))
        ring.append((centre[0] + radius_x * wave * math.cos(angle), centre[1] + radius_y * wave * math.sin(angle)))
    return [*ring, ring[0]]


def nearest(point: Point, candidates: Iterable[Point]) -> Point:
    """Return the candidate nearest to a point."""
    return min(candidates, key=lambda candidate: distance(point, candidate))
