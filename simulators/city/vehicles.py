"""Refuse trucks with their collection rounds, and the weighing stations on the bridges."""

import itertools
from random import Random

from simulators.city.names import BRIDGES, STATIONS
from simulators.city.plan import City, Reserved, Track, placed
from simulators.city.plane import Line, Point, centroid, distance, inside, length
from simulators.city.roads import Node, Roads
from simulators.city.streets import StreetCell

TRUCKS = 127
# rated load in kg, and how many of a hundred trucks have it: small kitchen-waste trucks up to 18 t and 25 t compactors
_RATED = ((2900, 22), (4200, 20), (6800, 38), (9500, 14), (12400, 6))
# How far from its gate a transfer station reaches.
_STATION_M = 150
_POSTED = {2: 30_000, 5: 20_000, 8: 30_000, 11: 40_000}


def add_bridges(city: City) -> None:
    """Put a weighing station on each of the twelve crossings; four bridges have a posted limit."""
    for number, (bridge, (zh, en)) in enumerate(zip(city.ground.roads.bridges, BRIDGES, strict=True), 1):
        limit = {"posted_limit_kg": str(_POSTED[number])} if number in _POSTED else {}
        city.devices.append(
            placed(
                "bridge_wim",
                f"wim-{number:02d}",
                bridge.middle,
                city.ground.streets.at(bridge.middle),
                name_zh=zh,
                name_en=en,
                installed="2024-11-30",
                verify_due=f"2028-11-{number + 10}",
                responsible="unit-bridge",
                camera=f"cam-{4000 + number}",
                **limit,
            )
        )


def add_trucks(city: City, random: Random) -> None:
    """Give each street its trucks, a depot to start from, and each truck a round of its own."""
    roads, cells = city.ground.roads, city.ground.streets.cells
    depots = [roads.nearest_node(p) for p in ((-3900, 2300), (3900, 600), (-1800, -3300), (1700, 3300))]
    stations = [roads.nearest_node(p) for p in ((-4700, -700), (4500, -2300), (700, 3900), (200, -3900))]
    for number, (node, (zh, en)) in enumerate(zip(stations, STATIONS, strict=True), 1):
        city.areas.append(Reserved(f"station-{number}", "unloading", zh, en, [roads.nodes[node]], _STATION_M))
    for number in range(1, TRUCKS + 1):
        cell = cells[(number - 1) % len(cells)]
        middle = centroid(cell.ring)
        depot = min(depots, key=lambda node: distance(roads.nodes[node], middle))
        station = min(stations, key=lambda node: distance(roads.nodes[node], middle))
        rated = random.choices([kg for kg, _ in _RATED], [weight for _, weight in _RATED])[0]
        home = roads.nodes[depot][0] + 22 * (number % 9) - 90, roads.nodes[depot][1] + 16 * (number // 9 % 9) - 64
        key = f"truck-{number:03d}"
        # The empty mass of a truck of this size, as its day reckons it, and what it may carry.
        most = round(2100 + 2.34 * rated, -1)
        row = placed(
            "refuse_truck", key, home, cell, rated_kg=str(rated), max_mass_kg=f"{most:.0f}", installed="2024-07-01",
            verify_due=f"2028-{1 + number % 12:02d}-{1 + number % 28:02d}", responsible="unit-refuse",
        )  # fmt: skip
        city.devices.append(row)
        city.tracks.append(_round(roads, key, cell, home, depot, station, random))


def _round(roads: Roads, key: str, cell: StreetCell, home: Point, depot: Node, station: Node, random: Random) -> Track:
    own = [node for node in roads.edges if inside(roads.nodes[node], cell.ring)]
    wanted = random.sample(own, min(len(own), 13))
    here, stops = depot, []
    while wanted:
        here = min(wanted, key=lambda node: distance(roads.nodes[node], roads.nodes[here]))
        wanted.remove(here)
        stops.append(here)
    line: Line = [home, *roads.way(depot, stops[0])]
    collect_from = length(line)
    for a, b in itertools.pairwise(stops):
        line.extend(roads.way(a, b)[1:])
    collect_to = length(line)
    line.extend(roads.way(stops[-1], station)[1:])
    transfer = length(line)
    line.extend([*roads.way(station, depot)[1:], home])
    properties: dict[str, str | float] = {
        "class": "truck_round",
        "id": f"round-{key.removeprefix('truck-')}",
        "truck": key,
        "name_zh": f"{cell.zh.removesuffix('街道')}收运",
        "name_en": f"Collection {cell.en}",
        "length_m": round(length(line)),
        "collect_from_m": round(collect_from),
        "collect_to_m": round(collect_to),
        "transfer_m": round(transfer),
    }
    return Track(line, properties)
