"""Writing a planned city down: site.toml, devices.csv, basemap.geojson, routes.geojson."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from simulators.city.names import BRIDGES, CANAL, LAKE, PARKS, RING_ROAD, UNITS
from simulators.city.plan import City, Reserved
from simulators.city.plane import Line, to_lon_lat
from simulators.city.streets import StreetCell

COLUMNS = (
    "id", "kind", "street", "grid", "lat", "lon", "parent", "foreign", "installed", "expires", "responsible", "camera",
    "name_zh", "name_en", "fitted", "circuit", "premises", "rated_kg", "max_mass_kg", "posted_limit_kg",
    "verify_due", "noise_class", "road",
)  # fmt: skip

_HEAD = """\
# The demo city: an invented district (示意图), made by `python -m simulators.make_city`.
# Nothing in it is real: neither streets nor bridges, serial numbers, cameras or telephone numbers (0571-5550-…).
# A site of your own begins as a copy of this file; `citydeck check --site FILE` tells everything that is wrong with it.

devices_file = "devices.csv"          # or [[devices]] tables with the same columns

[site]
name = {zh = "示范区", en = "Demo District"}
timezone = "Asia/Shanghai"
holidays = [2026-10-01, 2026-10-02, 2026-10-03, 2027-01-01, 2027-05-01, 2027-05-02]   # for schedules, docs/rules.md
simulated = true                      # a watermark on every page
basemap = "basemap.geojson"           # drawn under the devices; WGS-84
routes = "routes.geojson"             # drone routes and collection rounds

[broker]
url = "embedded"                      # or mqtts://host:8883 ; user and password from CITYDECK_MQTT_USER / _PASSWORD
subscriptions = ["city/v1/#", "thing/product/#", "hj212/#"]

[store]
url = "embedded"                      # or http://host:8086?org=…&bucket=… ; token from CITYDECK_INFLUX_TOKEN
retention = "7d"                      # readings as they came
retention_1m = "2y"                   # a summary of each minute; [store.keep.wim_pass] raw = "1y" for one measurement

[journal]
keep = "7d"                           # the recording: every message as it came

[alarms]
database = "embedded"                 # or postgresql+psycopg://… ; alarms and audit are never deleted

[simulation]
run = true                            # `citydeck up` starts the simulators
speed = 1                             # how much faster the simulated day passes; time stamps stay the real now
seed = 1
"""
_PUBLIC_CAMERAS = "cam-3"


def write_city(city: City, folder: Path) -> None:
    """Write the four files; the same city gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "site.toml").write_text("\n".join(_site(city)) + "\n", encoding="utf-8", newline="\n")
    with (folder / "devices.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(city.devices)
    _write_features(folder / "basemap.geojson", _basemap(city))
    _write_features(
        folder / "routes.geojson", (_feature("LineString", _lon_lat(t.line, 5), t.properties) for t in city.tracks)
    )


def _site(city: City) -> Iterator[str]:
    yield _HEAD
    for number, (key, zh, en, duty) in enumerate(UNITS, 1):
        yield f'[[units]]\nkey = "{key}"\nname = {{zh = "{zh}", en = "{en}"}}'
        yield f'phone = "0571-5550-{100 + number:04d}"              # invented\nduty = "{duty}"\n'
    yield "# Where trucks unload (use = unloading), where drones may fly (flight) and where not (no_fly)."
    for area in city.areas:
        yield _area(area)
    for number, cell in enumerate(city.ground.streets.cells, 1):
        grids = ", ".join(f'"{grid}"' for grid in cell.grids)
        yield f'[[grid_officers]]\nname = {{zh = "{cell.zh}网格长", en = "{cell.en} grid officer"}}'
        yield f'phone = "0571-5550-{200 + number:04d}"              # invented\ngrids = [{grids}]\n'
    for row in city.devices:
        # Those of docks and bridges; where a device names none, the nearest of them is shown with its alarm.
        if row.get("camera", "") >= _PUBLIC_CAMERAS:
            yield f'[[cameras]]\nid = "{row["camera"]}"'
            yield f'name = {{zh = "{row["name_zh"]}监控", en = "{row["name_en"]} camera"}}'
            yield f"lat = {row['lat']}\nlon = {row['lon']}\n"
    yield '[[districts]]\nkey = "demo"\nname = {zh = "示范区", en = "Demo"}'
    yield "# each street: key, names, polygon as [longitude, latitude], grids (网格)\nstreets = ["
    for cell in city.ground.streets.cells:
        yield from _street(cell)
    yield "]"


def _area(area: Reserved) -> str:
    head = f'[[areas]]\nkey = "{area.key}"\nuse = "{area.use}"\nname = {{zh = "{area.zh}", en = "{area.en}"}}'
    points = _lon_lat(area.ring, 6)
    if area.radius_m:
        ((lon, lat),) = points
        return f"{head}\nlat = {lat}\nlon = {lon}\nradius_m = {area.radius_m}\n"
    return f"{head}\npolygon = [{', '.join(f'[{lon}, {lat}]' for lon, lat in points)}]\n"


def _street(cell: StreetCell) -> Iterator[str]:
    ring = ", ".join(f"[{lon}, {lat}]" for lon, lat in _lon_lat(cell.ring[:-1], 6))
    grids = ", ".join(f'"{grid}"' for grid in cell.grids)
    head = f'key = "{cell.key}", name = {{zh = "{cell.zh}", en = "{cell.en}"}}'
    yield f"  {{{head}, grids = [{grids}], polygon = [{ring}]}},"


def _basemap(city: City) -> Iterator[dict[str, object]]:
    ground = city.ground
    yield _polygon(ground.streets.outline, "district", "示范区（示意图）", "Demo District (schematic)", "demo")
    for cell in ground.streets.cells:
        yield _polygon(cell.ring, "street", cell.zh, cell.en, cell.key)
    yield _polygon(ground.nature.banks_ring, "green", f"{CANAL[0]}绿带", f"{CANAL[1]} banks", "banks")
    for number, (park, names) in enumerate(zip(ground.nature.parks, PARKS, strict=True), 1):
        yield _polygon(park, "green", *names, f"park-{number}")
    yield _polygon(ground.nature.canal_ring, "water", *CANAL, "canal")
    yield _polygon(ground.nature.lake, "water", *LAKE, "lake")
    for number, road in enumerate((road for road in ground.roads.roads if not road.main), 1):
        yield _line(road.line, "road_minor", "", "", f"minor-{number:03d}")
    for number, road in enumerate((road for road in ground.roads.roads if road.main), 1):
        yield _line(road.line, "road_main", road.zh, road.en, f"main-{number:02d}")
    yield _line(ground.roads.ring, "road_main", *RING_ROAD, "ring")
    for number, (bridge, names) in enumerate(zip(ground.roads.bridges, BRIDGES, strict=True), 1):
        yield _line(bridge.line, "bridge", *names, f"wim-{number:02d}")


def _polygon(ring: Line, class_: str, zh: str, en: str, key: str) -> dict[str, object]:
    return _feature("Polygon", [_lon_lat(ring, 6)], {"class": class_, "name_zh": zh, "name_en": en, "key": key})


def _line(line: Line, class_: str, zh: str, en: str, key: str) -> dict[str, object]:
    return _feature("LineString", _lon_lat(line, 6), {"class": class_, "name_zh": zh, "name_en": en, "key": key})


def _lon_lat(line: Line, digits: int) -> list[tuple[float, float]]:
    return [to_lon_lat(point, digits) for point in line]


def _feature(
    type_: str, coordinates: Sequence[object], properties: dict[str, str | float] | dict[str, str]
) -> dict[str, object]:
    return {"type": "Feature", "properties": properties, "geometry": {"type": type_, "coordinates": coordinates}}


def _write_features(path: Path, features: Iterable[dict[str, object]]) -> None:
    lines = ",\n".join(json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in features)
    text = f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'
    path.write_text(text, encoding="utf-8", newline="\n")
