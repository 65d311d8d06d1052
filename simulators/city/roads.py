"""Roads: a bent lattice of main and minor roads, a ring road, and the bridges where they cross the canal."""

import heapq
import itertools
from dataclasses import dataclass, field
from random import Random

from simulators.city.names import EAST_WEST_ROADS, NORTH_SOUTH_ROADS
from simulators.city.plane import Line, Point, crossing, densified, distance, inside, length, warped
from simulators.city.water import Nature

Node = tuple[int, int]
_SPACING_M = 430.0
_MAIN_EVERY = 5
_STEP_M = 150.0
_BRIDGES = 12


@dataclass(frozen=True)
class Road:
    """A drawn road; main roads have names."""

    line: Line
    main: bool
    zh: str = ""
    en: str = ""


@dataclass(frozen=True)
class Crossing:
    """Where a road crosses the canal; ``line`` is the stretch over the water."""

    middle: Point
    line: Line
    main: bool


@dataclass
class Roads:
    """All roads, and the graph of the lattice for those who drive on them."""

    roads: list[Road] = field(default_factory=list)
    ring: Line = field(default_factory=list)
    bridges: list[Crossing] = field(default_factory=list)
    nodes: dict[Node, Point] = field(default_factory=dict)
    edges: dict[Node, dict[Node, Line]] = field(default_factory=dict)

    def nearest_node(self, point: Point) -> Node:
        """Return the junction nearest to a point."""
        return min(self.edges, key=lambda node: distance(point, self.nodes[node]))

    def way(self, start: Node, goal: Node) -> Line:
        """Return the shortest way between two junctions as a line."""
        best: dict[Node, float] = {start: 0.0}
        before: dict[Node, Node] = {}
        queue: list[tuple[float, Node]] = [(0.0, start)]
        while queue:
            walked, node = heapq.heappop(queue)
            if node == goal:
                break
            for other, line in self.edges[node].items():
                total = walked + length(line)
                if total < best.get(other, float("inf")):
                    best[other], before[other] = total, node
                    heapq.heappush(queue, (total, other))
        chain = [goal]
        while chain[-1] != start:
            chain.append(before[chain[-1]])
        chain.reverse()
        points: Line = [self.nodes[start]]
        for a, b in itertools.pairwise(chain):
            points.extend(self.edges[a][b][1:])
        return points


def make_roads(outline: Line, nature: Nature, random: Random) -> Roads:
    """Draw the roads inside the (unbent) outline."""
    inner = [(x * 0.965, y * 0.965) for x, y in outline]
    plain = {
        (i, j): (i * _SPACING_M + 60.0 * ((i * 7) % 3 - 1), j * _SPACING_M + 60.0 * ((j * 5) % 3 - 1))
        for i in range(-13, 14)
        for j in range(-11, 12)
    }
    plain = {node: point for node, point in plain.items() if inside(point, inner)}
    drawn = Roads(nodes={node: warped(point) for node, point in plain.items()})
    stretches: dict[tuple[Node, Node], Line] = {}
    over_water: list[tuple[Node, Node]] = []
    for a in plain:
        for b in ((a[0] + 1, a[1]), (a[0], a[1] + 1)):
            if b not in plain:
                continue
            line = [warped(point) for point in densified(plain[a], plain[b], _STEP_M)]
            main = _is_main(a, b)
            wet = any(crossing(p, q, nature.canal) for p, q in itertools.pairwise(line))
            if nature.blocks(line) or (not main and random.random() < 0.16 and not wet):
                continue
            stretches[a, b] = line
            if wet:
                over_water.append((a, b))
    _build_bridges(drawn, stretches, over_water, nature)
    for (a, b), line in stretches.items():
        drawn.edges.setdefault(a, {})[b] = line
        drawn.edges.setdefault(b, {})[a] = line[::-1]
    _keep_connected(drawn, stretches)
    ring = [(x * 0.86, y * 0.86) for x, y in outline]
    drawn.ring = [warped(p) for a, b in zip(ring, [*ring[1:], ring[0]], strict=True) for p in densified(a, b, 220)]
    drawn.roads = list(_drawn(stretches))
    return drawn


def _is_main(a: Node, b: Node) -> bool:
    return (a[1] == b[1] and a[1] % _MAIN_EVERY == 0) or (a[0] == b[0] and a[0] % _MAIN_EVERY == 0)


def _build_bridges(
    drawn: Roads, stretches: dict[tuple[Node, Node], Line], over_water: list[tuple[Node, Node]], nature: Nature
) -> None:
    """Keep twelve crossings from west to east, the main roads' first, and the main roads' others; drop the rest."""
    kept: list[tuple[Node, Node]] = []
    rows: set[int] = set()
    west_east = [pair for pair in over_water if pair[0][1] == pair[1][1]]
    for pair in sorted(west_east, key=lambda pair: (not _is_main(*pair), pair[0][1] % 2, pair)):
        if len(kept) < _BRIDGES and pair[0][1] not in rows:
            kept.append(pair)
            rows.add(pair[0][1])
    for pair in over_water:
        line = stretches[pair]
        if pair not in kept and not _is_main(*pair):
            del stretches[pair]
    for pair in sorted(kept, key=lambda pair: -pair[0][1]):
        line = stretches[pair]
        for p, q in itertools.pairwise(line):
            middle = crossing(p, q, nature.canal)
            if middle is not None:
                run = distance(p, q)
                dx, dy = (q[0] - p[0]) / run * 70, (q[1] - p[1]) / run * 70
                ends = [(middle[0] - dx, middle[1] - dy), (middle[0] + dx, middle[1] + dy)]
                drawn.bridges.append(Crossing(middle, ends, _is_main(*pair)))
                break


def _keep_connected(drawn: Roads, stretches: dict[tuple[Node, Node], Line]) -> None:
    """Drop what cannot be reached from the middle of the city."""
    reached: set[Node] = set()
    waiting = [drawn.nearest_node((0.0, 0.0))]
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting.extend(drawn.edges[node])
    for pair in [pair for pair in stretches if pair[0] not in reached]:
        del stretches[pair]
    drawn.edges = {node: edges for node, edges in drawn.edges.items() if node in reached}


def _drawn(stretches: dict[tuple[Node, Node], Line]) -> list[Road]:
    """Join the stretches of each lattice line into roads."""
    roads: list[Road] = []
    for axis, names in ((1, EAST_WEST_ROADS), (0, NORTH_SOUTH_ROADS)):
        step = (1, 0) if axis == 1 else (0, 1)
        mine = {a: line for (a, b), line in stretches.items() if (b[0] - a[0], b[1] - a[1]) == step}
        mains = sorted({a[axis] for a in mine if a[axis] % _MAIN_EVERY == 0})
        for a in sorted(mine):
            if (a[0] - step[0], a[1] - step[1]) in mine:
                continue
            line, here = list(mine[a]), (a[0] + step[0], a[1] + step[1])
            while here in mine:
                line.extend(mine[here][1:])
                here = here[0] + step[0], here[1] + step[1]
            if a[axis] in mains:
                roads.append(Road(line, True, *names[mains.index(a[axis]) % len(names)]))
            else:
                roads.append(Road(line, False))
    return roads
