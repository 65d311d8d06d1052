"""Gas alarms in blocks of homes, in restaurants, valve wells and stations, and their area gateways."""

import math
from random import Random

from simulators.city.plan import City, Row, placed
from simulators.city.plane import Point, centroid, distance, inside
from simulators.city.streets import StreetCell

ALARMS = 3000
_PER_GATEWAY = 220
_PREMISES = (("home", 0.80), ("restaurant", 0.155), ("valve_well", 0.035), ("station", 0.01))


def add_gas_alarms(city: City, random: Random) -> None:
    """Place the alarms: blocks of neighbours first, so that neighbouring numbers stand side by side."""
    cells = city.ground.streets.cells
    share, extra = divmod(ALARMS, len(cells))
    number = camera = 0
    for index, cell in enumerate(cells):
        count = share + (1 if index < extra else 0)
        spots = _spots(city, cell, count, random)
        gateways = _gateways(city, cell, math.ceil(count / _PER_GATEWAY))
        for place, spot in enumerate(spots):
            number += 1
            premises = random.choices([name for name, _ in _PREMISES], [weight for _, weight in _PREMISES])[0]
            row = placed(
                "gas_alarm", f"gas-{number:04d}", spot, cell,
                parent=gateways[place * len(gateways) // count], premises=premises, **_dates(random),
                responsible="unit-gas-1" if cell.key <= "s09" else "unit-gas-2",
            )  # fmt: skip
            if premises in ("restaurant", "station") and random.random() < 0.5:
                camera += 1
                row["camera"] = f"cam-{2000 + camera:04d}"
            city.devices.append(row)


def _gateways(city: City, cell: StreetCell, count: int) -> list[str]:
    middle = centroid(cell.ring)
    names = [f"gw-{cell.key}-g{n + 1}" for n in range(count)]
    for n, name in enumerate(names):
        spot = middle[0] + 260 * (n + 1), middle[1] - 180
        row: Row = placed(
            "gateway", name, spot, cell, installed="2024-09-03", responsible="unit-network",
            name_zh=f"{cell.zh.removesuffix('街道')}燃气网关{n + 1}", name_en=f"Gas area gateway {cell.en} {n + 1}",
        )  # fmt: skip
        city.devices.append(row)
    return names


def _spots(city: City, cell: StreetCell, count: int, random: Random) -> list[Point]:
    """Return spots in four or five blocks of houses around road junctions of a street."""
    nature = city.ground.nature
    junctions = [point for node, point in sorted(city.ground.roads.nodes.items()) if inside(point, cell.ring)]
    wet = (nature.banks_ring, nature.lake, *nature.parks)
    dry = [p for p in junctions if not any(inside(corner, ring) for corner in _corners(p) for ring in wet)]
    blocks: list[Point] = []
    for candidate in random.sample(dry, len(dry)):
        if all(distance(candidate, block) > 600 for block in blocks) and len(blocks) < 5:
            blocks.append(candidate)
    spots: list[Point] = []
    for n in range(count):
        x, y = blocks[n * len(blocks) // count]
        column, row = n % 7, (n // 7) % 6
        spots.append((x + 40 + 28 * column + random.uniform(-7, 7), y + 40 + 30 * row + random.uniform(-7, 7)))
    return spots


def _corners(junction: Point) -> list[Point]:
    x, y = junction
    return [(x + dx, y + dy) for dx in (30, 130, 230) for dy in (30, 120, 210)]


def _dates(random: Random) -> dict[str, str]:
    # A household detector's sensor lives five years (GB 15322.2); some of these are due within months.
    year, month, day = random.choice((2022, 2023, 2024, 2025)), random.randint(1, 12), random.randint(1, 28)
    if year == 2022:
        year, month = 2022, 12
    return {"installed": f"{year}-{month:02d}-{day:02d}", "expires": f"{year + 5}-{month:02d}-{day:02d}"}
