"""A site that registers everything rules ask about, and short ways to feed one device of it."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from devices.site import Site
from devices.site_file import load_site
from ingest.alarms.transitions import Transition
from tests.ingest.alarms.feeding import T0, message, records, transitions

LAMPS = 60
Message = tuple[float, str, bytes]
Story = list[tuple[str, int, float]]

_HEAD = """
[site]
name = {zh = "测试区", en = "Test District"}
holidays = [2026-01-01]
[broker]
url = "embedded"
[store]
url = "embedded"
retention = "100y"
[[districts]]
key = "demo"
name = {zh = "示范区", en = "Demo"}
streets = [
  {key = "s01", name = {zh = "一街", en = "First"}},
  {key = "s02", name = {zh = "二街", en = "Second"}},
]
[[areas]]
key = "air"
use = "flight"
name = {zh = "空域", en = "Airspace"}
polygon = [[120.0, 30.0], [120.4, 30.0], [120.4, 30.4], [120.0, 30.4]]
[[areas]]
key = "pad"
use = "no_fly"
name = {zh = "停机坪", en = "Pad"}
lat = 30.1
lon = 120.1
radius_m = 300
[[areas]]
key = "station"
use = "unloading"
name = {zh = "中转站", en = "Station"}
lat = 30.3
lon = 120.3
radius_m = 150
"""
_DEVICES: tuple[tuple[str, str, str], ...] = (
    ("gw", "gateway", ""),
    ("gas", "gas_alarm", 'premises = "home"\nexpires = 2026-02-10\n'),
    ("canteen", "gas_alarm", 'premises = "restaurant"\n'),
    ("drone", "drone", ""),
    ("dock", "drone_dock", ""),
    ("truck", "refuse_truck", "rated_kg = 6000\nmax_mass_kg = 16000\nverify_due = 2025-12-31\n"),
    ("wim", "bridge_wim", ""),
    ("low-bridge", "bridge_wim", "posted_limit_kg = 20000\n"),
    ("pole", "light_pole", 'street = "s02"\nnoise_class = "2"\n'),
    ("quiet-pole", "light_pole", 'street = "s02"\nnoise_class = "0"\n'),
    ("unknown-pole", "light_pole", 'street = "s02"\n'),
)


@cache
def city(tail: str = "") -> Site:
    """Return the site; ``tail`` is added to its file."""
    rows = []
    for key, kind, more in _DEVICES:
        street = "" if "street" in more else 'street = "s01"\n'
        rows.append(f'[[devices]]\nid = "{key}"\nkind = "{kind}"\nlat = 30.25\nlon = 120.17\n{street}{more}')
    for n in range(LAMPS):
        circuit = f"F-{n // 12}"
        rows.append(
            f'[[devices]]\nid = "lamp-{n:02d}"\nkind = "light_pole"\nstreet = "s01"\nroad = "main"\n'
            f'circuit = "{circuit}"\nparent = "gw"\nlat = 30.25\nlon = 120.17\n'
        )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "site.toml"
        path.write_text(_HEAD + "\n".join(rows) + tail, encoding="utf-8")
        return load_site(path)


def samples(kind: str, device: str, rows: Iterable[tuple[float, Mapping[str, float]]]) -> list[Message]:
    """Return a device's messages: (second, values)."""
    return [message(at_s, kind, device, dict(values)) for at_s, values in rows]


def told(site: Site, messages: Iterable[Message]) -> list[Transition]:
    """Return what the engine says of messages, but not who is heard and who is stale."""
    quiet = ("stale", "fresh", "health")
    return [t for t in transitions(site, records(messages)) if t.what not in quiet]


def of_point(site: Site, messages: Iterable[Message], point: str) -> Story:
    """Return (what, level, second of the cause) of one alarm point."""
    return [(t.what, t.level, (t.at_ms - T0) / 1000) for t in told(site, messages) if t.point == point]
