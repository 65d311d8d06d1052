"""Lines on the ground that something moves along, read from the site's routes.geojson."""

import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_M_PER_DEG = 111_195.0


class Track:
    """A line of (lon, lat) with its length; positions are asked for by the metres gone along it."""

    def __init__(self, key: str, line: Sequence[tuple[float, float]], marks: Mapping[str, float] | None = None) -> None:
        """Measure the line once; ``marks`` are named distances along it."""
        self.key = key
        self.line = list(line)
        self.marks = dict(marks or {})
        self._gone = [0.0]
        for a, b in zip(self.line, self.line[1:], strict=False):
            self._gone.append(self._gone[-1] + ground_distance(a, b))
        self.length_m = self._gone[-1]

    def at(self, gone_m: float) -> tuple[float, float, float]:
        """Return latitude, longitude and heading (degrees from north) after so many metres."""
        gone_m = min(max(gone_m, 0.0), self.length_m)
        index = min(max(bisect_right(self._gone, gone_m) - 1, 0), len(self.line) - 2)
        (lon1, lat1), (lon2, lat2) = self.line[index], self.line[index + 1]
        step = self._gone[index + 1] - self._gone[index]
        share = (gone_m - self._gone[index]) / step if step else 0.0
        east = (lon2 - lon1) * math.cos(math.radians(lat1))
        heading = math.degrees(math.atan2(east, lat2 - lat1)) % 360
        return lat1 + (lat2 - lat1) * share, lon1 + (lon2 - lon1) * share, heading


def ground_distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the metres between two (lon, lat), good for a city."""
    east = (b[0] - a[0]) * math.cos(math.radians((a[1] + b[1]) / 2))
    return math.hypot(east, b[1] - a[1]) * _M_PER_DEG


def circle(key: str, lat: float, lon: float, radius_m: float) -> Track:
    """Return a round trip for something that has no track of its own."""
    north = radius_m / _M_PER_DEG
    east = north / math.cos(math.radians(lat))
    turns = [math.tau * step / 24 for step in range(25)]
    return Track(key, [(lon + east * (math.cos(t) - 1), lat + north * math.sin(t)) for t in turns])


@dataclass(frozen=True)
class Tracks:
    """Drone routes by dock, collection rounds by truck."""

    routes: Mapping[str, tuple[Track, ...]] = field(default_factory=dict)
    rounds: Mapping[str, Track] = field(default_factory=dict)


def read_tracks(path: Path | None) -> Tracks:
    """Read the tracks of a site; a site without any simulates round trips instead."""
    if path is None:
        return Tracks()
    routes: dict[str, list[Track]] = {}
    rounds: dict[str, Track] = {}
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        properties = feature["properties"]
        marks = {key: float(value) for key, value in properties.items() if key.endswith("_m")}
        track = Track(str(properties["id"]), [(p[0], p[1]) for p in feature["geometry"]["coordinates"]], marks)
        if properties.get("class") == "drone_route":
            routes.setdefault(str(properties["dock"]), []).append(track)
        elif properties.get("class") == "truck_round":
            rounds[str(properties["truck"])] = track
    return Tracks({dock: tuple(found) for dock, found in routes.items()}, rounds)
