"""Drone routes as points along them, and which of these a flight came by."""

import itertools
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

# A point of a route is covered by a flight that came as near as this; cameras see further than that from 100 m.
REACH_M = 60.0
SPACING_M = 50.0
_M_PER_DEGREE = 111_320.0
Place = tuple[float, float]
Points = frozenset[tuple[str, int]]


@dataclass(frozen=True)
class Route:
    """A route of a dock, with points (lat, lon) no further apart than the spacing."""

    key: str
    dock: str
    name: dict[str, str]
    length_m: float
    points: tuple[Place, ...]


@dataclass(frozen=True)
class Routes:
    """All routes of a site."""

    routes: tuple[Route, ...]

    def covered(self, dock: str, flown: Iterable[Place]) -> Points:
        """Return the points (route, number) of a dock's routes that came into reach of what was flown."""
        grid = self._grids.get(dock)
        if grid is None:
            return frozenset()
        found: set[tuple[str, int]] = set()
        for place in flown:
            row, column = _cell(*place)
            for cell in ((row + up, column + right) for up in (-1, 0, 1) for right in (-1, 0, 1)):
                found.update(
                    point for at, point in grid.get(cell, ()) if point not in found and _m(at, place) <= REACH_M
                )
        return frozenset(found)

    @cached_property
    def _grids(self) -> dict[str, dict[tuple[int, int], list[tuple[Place, tuple[str, int]]]]]:
        grids: dict[str, dict[tuple[int, int], list[tuple[Place, tuple[str, int]]]]] = {}
        for route in self.routes:
            grid = grids.setdefault(route.dock, {})
            for number, at in enumerate(route.points):
                grid.setdefault(_cell(*at), []).append((at, (route.key, number)))
        return grids


def routes_of(path: Path | None) -> Routes:
    """Return the drone routes of a site's file; none where it has no such file."""
    if path is None:
        return Routes(())
    features: list[Any] = json.loads(path.read_text(encoding="utf-8"))["features"]
    found = []
    for feature in features:
        facts = feature["properties"]
        if facts.get("class") != "drone_route" or feature["geometry"]["type"] != "LineString":
            continue
        line = [(lat, lon) for lon, lat, *_ in feature["geometry"]["coordinates"]]
        length_m = sum(_m(first, then) for first, then in itertools.pairwise(line))
        key = str(facts.get("id", ""))
        name = {"zh": str(facts.get("name_zh", key)), "en": str(facts.get("name_en", key))}
        found.append(Route(key, str(facts.get("dock", "")), name, length_m, tuple(_spaced(line))))
    return Routes(tuple(found))


def _spaced(line: list[Place]) -> list[Place]:
    points: list[Place] = []
    for first, then in itertools.pairwise(line):
        steps = max(1, math.ceil(_m(first, then) / SPACING_M))
        points += [
            (first[0] + (then[0] - first[0]) * n / steps, first[1] + (then[1] - first[1]) * n / steps)
            for n in range(steps)
        ]
    return [*points, *line[-1:]]


def _m(first: Place, then: Place) -> float:
    east = (then[1] - first[1]) * math.cos(math.radians(first[0]))
    return math.hypot(then[0] - first[0], east) * _M_PER_DEGREE


def _cell(lat: float, lon: float) -> tuple[int, int]:
    # Square enough: a cell is at least as wide as the reach up to 60 degrees of latitude.
    return math.floor(lat * _M_PER_DEGREE / REACH_M), math.floor(lon * _M_PER_DEGREE / (2 * REACH_M))
