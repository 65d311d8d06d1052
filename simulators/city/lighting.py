"""Light poles along the main roads, their circuits and feeder gateways."""

from random import Random

from simulators.city.plan import City, Row, placed
from simulators.city.plane import Point, along, centroid, length, offset

POLES = 2000
CIRCUITS = 144
FITTED = 200
HJ212_STATIONS = 20


def add_lighting(city: City, random: Random) -> None:
    """Place the poles evenly along main and ring roads, join them into circuits, and give some an air station."""
    by_street = _spots(city)
    shares = _circuit_counts({key: len(spots) for key, spots in by_street.items()})
    poles: list[Row] = []
    circuit = 0
    for cell in city.ground.streets.cells:
        spots = by_street.get(cell.key, [])
        if not spots:
            continue
        gateway = f"gw-{cell.key}-f1"
        city.devices.append(
            placed(
                "gateway",
                gateway,
                centroid(cell.ring),
                cell,
                installed="2024-04-12",
                responsible="unit-network",
                name_zh=f"{cell.zh.removesuffix('街道')}馈线网关",
                name_en=f"Feeder gateway {cell.en}",
            )
        )
        count = shares[cell.key]
        for index, (spot, road) in enumerate(spots):
            number = circuit + index * count // len(spots) + 1
            poles.append(
                placed(
                    "light_pole",
                    f"pole-{len(poles) + 1:04d}",
                    spot,
                    cell,
                    parent=gateway,
                    circuit=f"F-{number:03d}",
                    road=road,
                    fitted="light_pole",
                    installed="2024-05-20",
                    responsible="unit-light-1" if cell.key <= "s09" else "unit-light-2",
                )
            )
        circuit += count
    for index in range(FITTED):
        pole = poles[index * len(poles) // FITTED + 3]
        pole["fitted"] = "light_pole pole_env"
        pole["noise_class"] = "4a" if pole["road"] == "main" else "2"
        if index % (FITTED // HJ212_STATIONS) == 4:
            pole["foreign"] = f"HJ212:CDK0000{index // (FITTED // HJ212_STATIONS) + 1:04d}AIR"
    for index, pole in enumerate(random.sample(poles, 120)):
        pole["camera"] = f"cam-{index + 1:04d}"
    city.devices.extend(poles)


def _spots(city: City) -> dict[str, list[tuple[Point, str]]]:
    """Return exactly as many spots as there are poles, by street, in the order of the roads; each with its road."""
    lines = [road.line for road in city.ground.roads.roads if road.main]
    # Every third of the named roads is one that people live along.
    roads = [(line, "branch" if index % 3 == 2 else "main") for index, line in enumerate(lines)]
    roads.append((city.ground.roads.ring, "main"))
    spacing = sum(length(line) for line, _ in roads) / (POLES + len(roads) / 2)
    while True:
        spots = [(spot, road) for line, road in roads for spot in along(offset(line, 9), spacing, spacing / 2)]
        if len(spots) >= POLES:
            break
        spacing *= 0.999
    by_street: dict[str, list[tuple[Point, str]]] = {}
    for spot, road in spots[:POLES]:
        by_street.setdefault(city.ground.streets.at(spot).key, []).append((spot, road))
    return by_street


def _circuit_counts(poles: dict[str, int]) -> dict[str, int]:
    """Share the circuits among the streets by their number of poles (largest remainders)."""
    exact = {key: count * CIRCUITS / POLES for key, count in poles.items()}
    shares = {key: max(1, int(value)) for key, value in exact.items()}
    by_remainder = sorted(exact, key=lambda key: int(exact[key]) - exact[key])
    for key in by_remainder[: CIRCUITS - sum(shares.values())]:
        shares[key] += 1
    return shares
