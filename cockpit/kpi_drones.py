"""Drones: how much of the patrol routes was flown, from the positions in the store."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property

from cockpit.kpi_parts import Document, Sources, Wanted, share
from cockpit.kpi_period import Day
from cockpit.kpi_routes import Place, Points, Route, Routes, routes_of
from devices.site import Device
from ingest.store import Store

KIND = "drone"
# A drone flies some fifty metres in that time, which is less than what counts as near.
_STEP_MS = 5_000
_DAY_MS = 86_400_000
FLOWN = 0.9
_MOST_ROUTES = 30


class Drones:
    """Reads the routes of the site once."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    @cached_property
    def routes(self) -> Routes:
        """Return the routes of the site."""
        return routes_of(self._sources.site.routes)

    def figures(self, wanted: Wanted) -> Document:
        """Return the coverage (km flown of km planned) in all, by street, day and route.

        A day whose positions the site keeps no longer is left out. A point counts on each day on which the drone of
        its dock came by; the period counts a point once.
        """
        sources = self._sources
        docks = sources.devices("drone_dock", wanted)
        drones = {key: each for key, each in sources.devices(KIND, wanted).items() if each.parent in docks}
        kept_ms = sources.site.store.kept(KIND, True).raw_days * _DAY_MS

        def reckon(day: Day) -> dict[str, Points] | None:
            if day.from_ms < wanted.now_ms - kept_ms:
                return None
            every = {key: each for key, each in sources.site.devices.items() if each.kind == KIND}
            return {key: self._covered(each, day, wanted.known_ms) for key, each in every.items()}

        found, waiting = sources.daily(KIND, wanted, reckon)
        planned = [route for route in self.routes.routes if route.dock in docks]
        known = {day: each for day, each in found.items() if each is not None}
        flown: dict[str, set[int]] = defaultdict(set)
        days = []
        for day, each in known.items():
            own = {point for drone in drones for point in each.get(drone, ())}
            by_route: dict[str, set[int]] = defaultdict(set)
            for route, number in own:
                by_route[route].add(number)
                flown[route].add(number)
            days.append({"day": day.date.isoformat(), **_figures(planned, by_route)})
        shown = planned if known else []
        routes = [
            {"route": route.key, "name": route.name, "dock": route.dock, **_figures([route], flown)} for route in shown
        ]
        return {
            "waiting": waiting,
            "forgotten": len(found) - len(known),
            "total": _figures(shown, flown),
            "days": days,
            "streets": [
                {"street": street, **_figures([route for route in shown if docks[route.dock].street == street], flown)}
                for street in sources.streets(wanted)
            ],
            "routes": sorted(routes, key=lambda row: (row["coverage"]["value"] or 0, row["route"]))[:_MOST_ROUTES],
            "routes_in_all": len(planned),
        }

    def _covered(self, drone: Device, day: Day, known_ms: int) -> Points:
        flown = positions(self._sources.store, drone.id, day.from_ms, min(day.to_ms, known_ms))
        return self.routes.covered(drone.parent, flown)


def positions(store: Store, drone: str, from_ms: int, to_ms: int) -> list[Place]:
    """Return where a drone was, every few seconds.

    Raises:
        StoreError: the store is away.
    """
    lat, lon = (store.series(KIND, drone, key, from_ms, to_ms, _STEP_MS).points for key in ("lat", "lon"))
    east = {at: value for at, value, _ in lon}
    return [
        (north, other)
        for at, north, _ in lat
        if isinstance(north, float) and isinstance(other := east.get(at), float) and (north or other)
    ]


def _figures(routes: list[Route], flown: Mapping[str, set[int]]) -> Document:
    parts = [(route, len(flown.get(route.key, ())) / len(route.points)) for route in routes]
    covered_km = sum(route.length_m * part for route, part in parts) / 1000
    planned_km = sum(route.length_m for route in routes) / 1000
    return {
        "coverage": {
            "numerator": round(covered_km, 1),
            "denominator": round(planned_km, 1),
            "value": covered_km / planned_km if planned_km else None,
        },
        "flown": share(sum(part >= FLOWN for _, part in parts), len(routes)),
    }
