"""The district and its 18 streets: cells of a Voronoi diagram, so that they tile it without gaps or overlaps."""

import math
from dataclasses import dataclass
from random import Random

from simulators.city.names import STREETS
from simulators.city.plane import Line, Point, between, centroid, densified, distance, inside, warped

_EDGE_STEP_M = 260.0


@dataclass(frozen=True)
class StreetCell:
    """One street: ``ring`` is closed; ``grids`` maps a grid's key to its middle."""

    key: str
    zh: str
    en: str
    ring: Line
    grids: dict[str, Point]

    def grid_at(self, point: Point) -> str:
        """Return the grid whose middle is nearest."""
        return min(self.grids, key=lambda key: distance(point, self.grids[key]))


@dataclass(frozen=True)
class Streets:
    """All cells and the outline they fill together."""

    cells: tuple[StreetCell, ...]
    outline: Line

    def at(self, point: Point) -> StreetCell:
        """Return the cell a point lies in, or the nearest one for a point outside."""
        for cell in self.cells:
            if inside(point, cell.ring):
                return cell
        return min(self.cells, key=lambda cell: distance(point, centroid(cell.ring)))


def plain_outline() -> Line:
    """Return the district's outline before the plane is bent: a soft rectangle."""
    ring: Line = []
    for step in range(36):
        angle = 2 * math.pi * (step + 0.5) / 36
        c, s = math.cos(angle), math.sin(angle)
        ring.append((5700 * math.copysign(abs(c) ** 0.72, c), 4700 * math.copysign(abs(s) ** 0.72, s)))
    return ring


def make_streets(random: Random) -> Streets:
    """Draw the streets: seeds spread out evenly, then each one's cell cut from the outline."""
    outline = plain_outline()
    seeds: Line = []
    while len(seeds) < len(STREETS):
        candidate = random.uniform(-5500, 5500), random.uniform(-4500, 4500)
        if inside(candidate, outline):
            seeds.append(candidate)
    for _ in range(7):
        # Going only part of the way leaves the cells unequal, as streets are.
        seeds = [between(seed, centroid(_cell(seed, seeds, outline)), 0.75) for seed in seeds]
    seeds.sort(key=lambda seed: (-round(seed[1] / 2300), seed[0]))
    corners: dict[tuple[int, int], Point] = {}
    rings = [[_snapped(corner, corners) for corner in _cell(seed, seeds, outline)] for seed in seeds]
    rings = [[p for p, q in zip(ring, [*ring[1:], ring[0]], strict=True) if p != q] for ring in rings]
    cells = []
    for number, (ring, (zh, en)) in enumerate(zip(rings, STREETS, strict=True), 1):
        key = f"s{number:02d}"
        bent = _bent(ring)
        cells.append(StreetCell(key, zh, f"{en} Street", bent, _grids(key, bent, random)))
    return Streets(tuple(cells), _bent(_outer(rings)))


def _cell(seed: Point, seeds: Line, outline: Line) -> Line:
    ring = outline
    for other in seeds:
        if other != seed:
            ring = _nearer_half(ring, seed, other)
    return ring


def _nearer_half(ring: Line, seed: Point, other: Point) -> Line:
    """Keep the part of a convex ring that is nearer to the seed than to the other."""
    middle = between(seed, other, 0.5)
    normal = other[0] - seed[0], other[1] - seed[1]
    side = [(x - middle[0]) * normal[0] + (y - middle[1]) * normal[1] for x, y in ring]
    kept: Line = []
    for index, point in enumerate(ring):
        here, there = side[index], side[(index + 1) % len(ring)]
        if here <= 0:
            kept.append(point)
        if here * there < 0:
            kept.append(between(point, ring[(index + 1) % len(ring)], here / (here - there)))
    return kept


def _snapped(corner: Point, known: dict[tuple[int, int], Point]) -> Point:
    """Return one and the same point for corners that rounding has parted."""
    x, y = round(corner[0]), round(corner[1])
    for key in ((x + dx, y + dy) for dx in (0, -1, 1) for dy in (0, -1, 1)):
        if key in known:
            return known[key]
    return known.setdefault((x, y), corner)


def _outer(rings: list[Line]) -> Line:
    """Chain the edges that belong to one cell alone."""
    edges = {(a, b) for ring in rings for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)}
    following = {a: b for a, b in edges if (b, a) not in edges}
    start = min(following)
    chain, here = [start], following[start]
    while here != start:
        chain.append(here)
        here = following[here]
    return chain


def _bent(ring: Line) -> Line:
    dense: Line = []
    for a, b in zip(ring, [*ring[1:], ring[0]], strict=True):
        dense.extend(densified(a, b, _EDGE_STEP_M)[:-1])
    bent = [warped(point) for point in dense]
    return [*bent, bent[0]]


def _grids(key: str, ring: Line, random: Random) -> dict[str, Point]:
    middle = centroid(ring)
    count = random.choice((3, 4, 4, 5))
    turn = random.uniform(0, math.tau)
    reach = 0.5 * min(distance(middle, corner) for corner in ring)
    return {
        f"{key}-{n + 1:02d}": (
            middle[0] + reach * math.cos(turn + math.tau * n / count),
            middle[1] + reach * math.sin(turn + math.tau * n / count),
        )
        for n in range(count)
    }
