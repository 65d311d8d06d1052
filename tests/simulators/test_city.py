import json
from collections import Counter

from click.testing import CliRunner

from devices.site_document import DEMO_SITE
from simulators.city.plane import inside
from simulators.make_city import main, planned_city
from tests.simulators.city import demo_site


def test_the_files_are_what_the_generator_makes(tmp_path):
    assert CliRunner().invoke(main, [str(tmp_path)]).exit_code == 0
    for name in ("site.toml", "devices.csv", "basemap.geojson", "routes.geojson"):
        assert (tmp_path / name).read_bytes() == (DEMO_SITE.parent / name).read_bytes(), name


def test_sizes():
    site = demo_site()
    kinds = Counter(device.kind for device in site.devices.values())
    assert kinds == {
        "drone": 20, "drone_dock": 20, "refuse_truck": 127, "bridge_wim": 12, "light_pole": 2000, "gas_alarm": 3000,
        "gateway": 36,
    }  # fmt: skip
    assert len(site.streets) == 18
    assert all(3 <= len(street.grids) <= 5 for street in site.streets.values())
    assert sum("pole_env" in d.fitted for d in site.devices.values()) == 200
    assert len({d.circuit for d in site.devices.values() if d.circuit}) == 144
    assert sum(d.posted_limit_kg is not None for d in site.devices.values()) == 4
    assert sum(key.startswith("HJ212:") for key in site.by_foreign) == 20
    assert max(Counter(d.parent for d in site.devices.values() if d.parent).values()) <= 230
    routes = json.loads((DEMO_SITE.parent / "routes.geojson").read_text())["features"]
    assert Counter(f["properties"]["class"] for f in routes) == {"drone_route": 159, "truck_round": 127}


def test_streets_tile_the_district():
    streets = planned_city(18).ground.streets
    whole = _area(streets.outline)
    assert abs(sum(_area(cell.ring) for cell in streets.cells) - whole) < 1e-6 * whole


def test_devices_stand_in_a_grid_of_their_street():
    for device in demo_site().devices.values():
        assert device.grid in demo_site().streets[device.street].grids
        assert device.responsible in demo_site().units


def test_most_devices_stand_in_their_street():
    stray = [
        d.id for d in demo_site().devices.values()
        if d.kind in ("light_pole", "bridge_wim") and not inside((d.lon, d.lat), demo_site().streets[d.street].polygon)
    ]  # fmt: skip
    assert len(stray) < 20


def test_a_circuit_hangs_on_one_gateway():
    gateways = {}
    for device in demo_site().devices.values():
        if device.circuit:
            assert gateways.setdefault(device.circuit, device.parent) == device.parent


def _area(ring):
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True))) / 2
