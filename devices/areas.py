"""Areas a rule may ask about: where trucks unload, where drones may fly and where not; ``[[areas]]`` of a site file."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devices.errors import Fault, shown
from devices.kind import Label
from devices.signals import AREA_USES

_METRES_A_DEGREE = 111_195.0
_KEYS = frozenset({"key", "name", "use", "polygon", "lat", "lon", "radius_m"})


@dataclass(frozen=True, slots=True)
class Area:
    """A polygon, a ring of (lon, lat), or a circle of ``radius_m`` around (lon, lat); WGS-84."""

    key: str
    label: Label
    use: str
    ring: tuple[tuple[float, float], ...] = ()
    centre: tuple[float, float] = (0.0, 0.0)
    radius_m: float = 0.0

    def holds(self, lat: float, lon: float) -> bool:
        """Tell whether a position lies in it."""
        if not self.ring:
            north = (lat - self.centre[1]) * _METRES_A_DEGREE
            east = (lon - self.centre[0]) * _METRES_A_DEGREE * math.cos(math.radians(lat))
            return math.hypot(north, east) <= self.radius_m
        within = False
        before_lon, before_lat = self.ring[-1]
        for corner_lon, corner_lat in self.ring:
            if (corner_lat > lat) != (before_lat > lat):
                slope = (before_lon - corner_lon) / (before_lat - corner_lat)
                within ^= lon < corner_lon + (lat - corner_lat) * slope
            before_lon, before_lat = corner_lon, corner_lat
        return within


def read_areas(tables: Sequence[Mapping[str, Any]], faults: list[Fault]) -> tuple[Area, ...]:
    """Return the areas of a site file; everything wrong is added to ``faults``."""
    found: dict[str, Area] = {}
    for index, table in enumerate(tables):
        path = f"areas[{index}]"
        before = len(faults)
        area = _area(table, path, faults)
        if area.key in found:
            faults.append(Fault(f"{path}.key", f"the area {area.key!r} stands in this file already"))
        if len(faults) == before:
            found[area.key] = area
    return tuple(found.values())


def _area(table: Mapping[str, Any], path: str, faults: list[Fault]) -> Area:
    for setting in table:
        if setting not in _KEYS:
            known = ", ".join(sorted(_KEYS))
            faults.append(Fault(f"{path}.{setting}", f"is not a setting of an area; known are {known}"))
    key, use, name = table.get("key"), table.get("use"), table.get("name")
    if not isinstance(key, str) or not key:
        faults.append(Fault(f"{path}.key", f"expected a text, found {shown(key)}"))
    if use not in AREA_USES:
        faults.append(Fault(f"{path}.use", f"expected one of {', '.join(AREA_USES)}, found {shown(use)}"))
    names = name if isinstance(name, dict) else {}
    if not all(isinstance(names.get(language), str) for language in ("zh", "en")):
        faults.append(Fault(f"{path}.name", f'expected {{zh = "…", en = "…"}}, found {shown(name)}'))
    label = Label(str(names.get("zh", "")), str(names.get("en", "")))
    if "polygon" in table:
        return Area(str(key), label, str(use), _ring(table["polygon"], path, faults))
    lat, lon, radius_m = (_number(table.get(field)) for field in ("lat", "lon", "radius_m"))
    if abs(lat) <= 90 and abs(lon) <= 180 and 0 < radius_m <= 100_000:
        return Area(str(key), label, str(use), (), (lon, lat), radius_m)
    faults.append(Fault(path, "expected a polygon, or lat, lon and a radius_m above 0 and up to 100000"))
    return Area(str(key), label, str(use))


def _ring(found: object, path: str, faults: list[Fault]) -> tuple[tuple[float, float], ...]:
    corners = found if isinstance(found, list) else []
    pairs = [(_number(c[0]), _number(c[1])) for c in corners if isinstance(c, list) and len(c) == 2]
    good = [(lon, lat) for lon, lat in pairs if abs(lon) <= 180 and abs(lat) <= 90]
    if len(good) != len(corners) or len(good) < 3:
        faults.append(Fault(f"{path}.polygon", f"expected three or more [lon, lat] in degrees, found {shown(found)}"))
        return ()
    return tuple(good)


def _number(found: object) -> float:
    """Return a number of the file; anything else is not a number, which lies within no bounds."""
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else math.nan
