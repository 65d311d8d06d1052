"""Whom to call: unit and officer of the place, the camera that the device names or the nearest; and faulty tables."""

from pathlib import Path
from typing import Any

import pytest

from devices.errors import Fault, SiteFault
from devices.site import Site
from devices.site_contacts import read_cameras, read_grid_officers
from ingest.contacts import Contacts, Directory
from tests.sites import small_site

TABLES = """
[[cameras]]
id = "far"
name = {zh = "远", en = "Far"}
lat = 30.33
lon = 120.14
[[cameras]]
id = "near"
name = {zh = "近", en = "Near"}
lat = 30.321
lon = 120.14
[[grid_officers]]
name = {zh = "王", en = "Wang"}
phone = "0571-1"
grids = ["s01-01"]
[[devices]]
id = "gas-named"
kind = "gas_alarm"
street = "s01"
grid = "s01-01"
lat = 30.32
lon = 120.14
camera = "far"
responsible = "unit-gas"
[[devices]]
id = "gas-own"
kind = "gas_alarm"
street = "s01"
camera = "cam-of-its-own"
"""


@pytest.fixture
def here(tmp_path: Path) -> Site:
    return small_site(tmp_path, tail=TABLES)


def test_the_nearest_camera_where_the_device_names_none(here: Site) -> None:
    found = Directory(here).of_device("gas-1").document()
    assert found["camera"] == {"id": "near", "name": {"zh": "近", "en": "Near"}, "distance_m": 111}
    assert found["unit"] == {"name": {"zh": "燃气公司", "en": "Gas company"}, "phone": "0571-5550-0101"}
    assert found["grid_officer"] is None


def test_the_camera_that_the_device_names(here: Site) -> None:
    found = Directory(here).of_device("gas-named").document()
    assert found["camera"] == {"id": "far", "name": {"zh": "远", "en": "Far"}, "distance_m": 1112}
    assert found["grid_officer"] == {"name": {"zh": "王", "en": "Wang"}, "phone": "0571-1"}
    assert Directory(here).of_device("gas-own").document()["camera"] == {
        "id": "cam-of-its-own", "name": None, "distance_m": None,
    }  # fmt: skip


def test_nobody_is_known_of_what_is_not_registered(here: Site) -> None:
    assert Directory(here).of_device("gas-99") == Contacts()
    assert Contacts().document() == {"unit": None, "grid_officer": None, "camera": None}
    assert Directory(here).of_place("", "s01-01", None, None).camera is None


CAMERA: dict[str, Any] = {"id": "c", "name": {"zh": "一", "en": "One"}, "lat": 30, "lon": 120.5}
OFFICER: dict[str, Any] = {"name": {"zh": "王", "en": "Wang"}, "phone": "1", "grids": ["g1"]}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"id": ""}, "cameras[0].id: expected a text, found ''"),
        ({"name": "One"}, 'cameras[0].name: expected {zh = "…", en = "…"}, found \'One\''),
        ({"lat": 120.5}, "cameras[0].lat: expected degrees from -90 to 90, found 120.5"),
        ({"lon": True}, "cameras[0].lon: expected degrees from -180 to 180, found True"),
        ({"url": "rtsp://x"}, "cameras[0].url: is not a setting; known are id, lat, lon, name"),
    ],
)
def test_faulty_cameras(change: dict[str, Any], sentence: str) -> None:
    faults: list[Fault] = []
    read_cameras([{**CAMERA, **change}], faults)
    assert [str(fault) for fault in faults] == [sentence]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"phone": 110}, "grid_officers[0].phone: expected a text, found 110"),
        ({"grids": "g1"}, "grid_officers[0].grids: expected a list of grids, found 'g1'"),
        ({"grids": ["g1", "g9"]}, "grid_officers[0].grids: 'g9' is no grid of a street"),
        ({"grids": ["g1", "g1"]}, "grid_officers[0].grids: 'g1' has another officer already"),
        ({"wechat": "x"}, "grid_officers[0].wechat: is not a setting; known are grids, name, phone"),
    ],
)
def test_faulty_grid_officers(change: dict[str, Any], sentence: str) -> None:
    faults: list[Fault] = []
    read_grid_officers([{**OFFICER, **change}], {"g1"}, faults)
    assert [str(fault) for fault in faults] == [sentence]


def test_a_camera_twice_is_refused_with_the_site(tmp_path: Path) -> None:
    with pytest.raises(SiteFault, match=r"cameras\[1\]\.id: 'near' is the id of another camera already"):
        small_site(tmp_path, tail=TABLES.replace('"far"\nname', '"near"\nname'))
