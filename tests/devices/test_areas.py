"""Areas: who lies inside, and what of a site file is refused."""

import pytest

from devices.areas import read_areas
from devices.errors import Fault
from tests.ingest.alarms.rule_city import city

NAME = {"zh": "站", "en": "Station"}
SQUARE = {
    "key": "a",
    "use": "flight",
    "name": NAME,
    "polygon": [[120.0, 30.0], [120.2, 30.0], [120.2, 30.2], [120.0, 30.2]],
}
CIRCLE = {"key": "a", "use": "unloading", "name": NAME, "lat": 30.0, "lon": 120.0, "radius_m": 150}


def read(**change: object) -> list[str]:
    faults: list[Fault] = []
    base = (
        CIRCLE if "polygon" not in change else {k: v for k, v in CIRCLE.items() if k not in ("lat", "lon", "radius_m")}
    )
    read_areas([{**base, **change}], faults)
    return [str(fault) for fault in faults]


@pytest.mark.parametrize(
    ("lat", "lon", "inside"),
    [(30.1, 120.1, True), (30.1, 120.21, False), (30.21, 120.1, False), (29.99, 120.1, False), (30.1, 119.99, False)],
)
def test_a_ring(lat: float, lon: float, inside: bool) -> None:
    (area,) = read_areas([SQUARE], [])
    assert area.holds(lat, lon) == inside


def test_a_ring_with_a_bay() -> None:
    bay = [[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]]
    (area,) = read_areas([{**SQUARE, "polygon": bay}], [])
    assert [area.holds(lat, lon) for lat, lon in ((0.5, 2), (2, 2), (2, 0.5), (2, 3.5))] == [True, False, True, True]


@pytest.mark.parametrize(("north_m", "inside"), [(149, True), (151, False)])
def test_a_circle_is_as_wide_to_the_east_as_to_the_north(north_m: float, inside: bool) -> None:
    (area,) = read_areas([CIRCLE], [])
    degrees = north_m / 111_195
    assert area.holds(30.0 + degrees, 120.0) == inside
    assert area.holds(30.0, 120.0 + degrees / 0.8660) == inside


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"key": ""}, "areas[0].key: expected a text, found ''"),
        ({"use": "parking"}, "areas[0].use: expected one of flight, no_fly, unloading, found 'parking'"),
        ({"name": "站"}, 'areas[0].name: expected {zh = "…", en = "…"}, found \'站\''),
        ({"radius": 5}, "areas[0].radius: is not a setting of an area; known are"),
        ({"radius_m": 0}, "areas[0]: expected a polygon, or lat, lon and a radius_m above 0 and up to 100000"),
        ({"radius_m": float("nan")}, "areas[0]: expected a polygon, or lat, lon and a radius_m"),
        ({"lat": 91}, "areas[0]: expected a polygon, or lat, lon and a radius_m"),
        ({"lat": True}, "areas[0]: expected a polygon, or lat, lon and a radius_m"),
        ({"polygon": [[120, 30], [121, 30]]}, "areas[0].polygon: expected three or more [lon, lat] in degrees"),
        ({"polygon": [[30, 120], [30, 121], [31, 120]]}, "areas[0].polygon: expected three or more [lon, lat]"),
        ({"polygon": "round"}, "areas[0].polygon: expected three or more [lon, lat] in degrees, found 'round'"),
    ],
)
def test_a_mistake_is_told_with_its_place(change: dict[str, object], sentence: str) -> None:
    (told,) = read(**change)
    assert told.startswith(sentence)


def test_a_key_stands_once() -> None:
    faults: list[Fault] = []
    read_areas([CIRCLE, CIRCLE], faults)
    assert [str(fault) for fault in faults] == ["areas[1].key: the area 'a' stands in this file already"]


def test_a_site_has_them() -> None:
    assert [(area.key, area.use) for area in city().areas] == [
        ("air", "flight"),
        ("pad", "no_fly"),
        ("station", "unloading"),
    ]
