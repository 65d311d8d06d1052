"""What a generated city consists of, before it is written down."""

from dataclasses import dataclass, field

from simulators.city.plane import Line, Point, to_lon_lat
from simulators.city.roads import Roads
from simulators.city.streets import StreetCell, Streets
from simulators.city.water import Nature

Row = dict[str, str]


@dataclass(frozen=True)
class Ground:
    """The land everything stands on."""

    streets: Streets
    nature: Nature
    roads: Roads


@dataclass(frozen=True)
class Track:
    """A drone route or a truck's collection round: where it runs and what belongs into its properties."""

    line: Line
    properties: dict[str, str | float]


@dataclass(frozen=True)
class Reserved:
    """An area that rules ask about: a ring, or a circle of ``radius_m`` around one point."""

    key: str
    use: str
    zh: str
    en: str
    ring: Line
    radius_m: int = 0


@dataclass
class City:
    """The whole plan; ``devices`` are rows of devices.csv in their final order."""

    ground: Ground
    devices: list[Row] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)
    areas: list[Reserved] = field(default_factory=list)


def placed(kind: str, identifier: str, point: Point, cell: StreetCell, **columns: str) -> Row:
    """Return a row of devices.csv for something that stands at a point of a street."""
    lon, lat = to_lon_lat(point)
    return {
        "id": identifier,
        "kind": kind,
        "street": cell.key,
        "grid": cell.grid_at(point),
        "lat": f"{lat:.6f}",
        "lon": f"{lon:.6f}",
        **columns,
    }
