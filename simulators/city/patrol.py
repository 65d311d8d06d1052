"""Drone docks on roofs, their drones, and the 159 routes these fly."""

import itertools
import math
from random import Random

from simulators.city.names import CANAL, HELIPAD
from simulators.city.plan import City, Reserved, Track, placed
from simulators.city.plane import Line, Point, centroid, densified, distance, inside, length

DRONES = 20
ROUTES = 159
_DJI_PAIRS = 4
_LONGEST_M = 8200.0
_BEYOND = 1.1
_PAD_M, _MARGIN_M = 300, 60


def add_drones(city: City, random: Random) -> None:
    """Place a dock with a drone in each street and two more by the canal; draw their routes."""
    cells = city.ground.streets.cells
    canal = city.ground.nature.canal
    spots = [centroid(cell.ring) for cell in cells]
    spots += [(canal[len(canal) // 4][0] + 260, canal[len(canal) // 4][1]), (canal[-12][0] - 260, canal[-12][1])]
    docks, drones = [], []
    route = 0
    for number, spot in enumerate(spots, 1):
        cell = city.ground.streets.at(spot)
        spot = spot[0] + random.uniform(-250, 250), spot[1] + random.uniform(-200, 200)
        dock, drone = f"dock-{number:02d}", f"drone-{number:02d}"
        foreign = number % 5 == 2 and number // 5 < _DJI_PAIRS
        common = {"installed": "2025-03-18", "responsible": "unit-air"}
        docks.append(
            placed("drone_dock", dock, spot, cell, **common, camera=f"cam-{3000 + number}",
                   foreign=f"DJI:4TADCDK00000{number:02d}D" if foreign else "",
                   name_zh=f"{cell.zh.removesuffix('街道')}机场", name_en=f"Dock {cell.en.removesuffix(' Street')}")
        )  # fmt: skip
        drones.append(
            placed("drone", drone, spot, cell, **common, parent=dock,
                   foreign=f"DJI:1581FCDK0000000{number:02d}A" if foreign else "",
                   name_zh=f"巡查{number:02d}号", name_en=f"Patrol {number:02d}")
        )  # fmt: skip
        for place in range(8 if number < DRONES else ROUTES - 8 * (DRONES - 1)):
            route += 1
            city.tracks.append(_route(city, spot, cell.zh, cell.en, f"route-{route:03d}", dock, place, random))
    city.devices.extend([*docks, *drones])
    _add_areas(city)


def _add_areas(city: City) -> None:
    """Allow flights over the district and a little beyond, but not over the pad that no route comes near."""
    outline = city.ground.streets.outline[:-1]
    fence = [(x * _BEYOND, y * _BEYOND) for x, y in outline]
    city.areas.append(Reserved("airspace", "flight", "巡查空域", "Patrol airspace", fence))
    routes = [point for track in city.tracks for point in _dotted(track.line)]
    spots = [(x, y) for x in range(-5400, 5401, 300) for y in range(-4400, 4401, 300) if inside((x, y), outline)]
    free = [(min(distance(spot, point) for point in routes), spot) for spot in spots]
    margin, pad = max(free)
    city.areas.append(Reserved("helipad", "no_fly", *HELIPAD, [pad], min(_PAD_M, int(margin - _MARGIN_M))))


def _dotted(line: Line) -> Line:
    return [point for a, b in itertools.pairwise(line) for point in densified(a, b, 60.0)]


def _route(city: City, spot: Point, zh: str, en: str, key: str, dock: str, place: int, random: Random) -> Track:
    zh, en = zh.removesuffix("街道"), en.removesuffix(" Street")
    if place == 0 and distance(spot, min(city.ground.nature.canal, key=lambda p: distance(p, spot))) < 1500:
        line, names = _canal_run(city.ground.nature.canal, spot), (f"{zh}·{CANAL[0]}巡河", f"{en}: canal run")
    elif place % 2:
        line, names = _lawn(spot, place, random), (f"{zh}·片区{place // 2 + 1}", f"{en}: area {place // 2 + 1}")
    else:
        line, names = _loop(spot, place, random), (f"{zh}·环线{place // 2 + 1}", f"{en}: loop {place // 2 + 1}")
    line = [point if inside(point, city.ground.streets.outline) else _towards(point, spot) for point in line]
    while length(line) > _LONGEST_M:
        line = [(spot[0] + (x - spot[0]) * 0.95, spot[1] + (y - spot[1]) * 0.95) for x, y in line]
    return Track(
        line,
        {"class": "drone_route", "id": key, "dock": dock, "name_zh": names[0], "name_en": names[1],
         "length_m": round(length(line))},
    )  # fmt: skip


def _towards(point: Point, spot: Point) -> Point:
    return spot[0] + (point[0] - spot[0]) * 0.35, spot[1] + (point[1] - spot[1]) * 0.35


def _loop(spot: Point, place: int, random: Random) -> Line:
    """Fly a round whose far side lies in a direction of its own."""
    angle = math.tau * place / 8 + random.uniform(-0.3, 0.3)
    reach = random.uniform(750, 1050)
    middle = spot[0] + reach * math.cos(angle), spot[1] + reach * math.sin(angle)
    line: Line = []
    for step in range(25):
        turn = angle + math.pi + math.tau * step / 24
        wave = reach * (1 + 0.12 * math.sin(3 * turn + place) - 0.12 * math.sin(3 * (angle + math.pi) + place))
        line.append((middle[0] + wave * math.cos(turn), middle[1] + wave * math.sin(turn)))
    return [spot, *line[1:-1], spot]


def _lawn(spot: Point, place: int, random: Random) -> Line:
    """Fly parallel tracks over a field beside the dock, then home."""
    angle = math.tau * place / 8 + random.uniform(-0.3, 0.3)
    along_, across = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))
    start, width, spacing, tracks = random.uniform(250, 500), random.uniform(650, 800), 95.0, 6
    line: Line = [spot]
    for track in range(tracks):
        ends = (start, start + width) if track % 2 == 0 else (start + width, start)
        side = (track - tracks / 2) * spacing
        line.extend(
            (spot[0] + along_[0] * far + across[0] * side, spot[1] + along_[1] * far + across[1] * side) for far in ends
        )
    return [*line, spot]


def _canal_run(canal: Line, spot: Point) -> Line:
    nearest = min(range(len(canal)), key=lambda n: distance(canal[n], spot))
    first, last = max(0, nearest - 26), min(len(canal), nearest + 26)
    return [spot, *canal[first:last:3], spot]
