"""A small site for tests: one district, two streets, one or two devices of each kind."""

from pathlib import Path

from devices.site import Site
from devices.site_file import load_site

# Messages of tests stand on one day for ever, so nothing of them may expire.
SMALL = """
[site]
name = {zh = "测试区", en = "Test District"}
{head}
[broker]
url = "{broker}"
[store]
url = "{store}"
retention = "100y"
[[districts]]
key = "demo"
name = {zh = "测试区", en = "Test District"}
streets = [
  {key = "s01", name = {zh = "甲街道", en = "First Street"}, grids = ["s01-01"]},
  {key = "s02", name = {zh = "乙街道", en = "Second Street"}, grids = ["s02-01"]},
]
[[units]]
key = "unit-gas"
name = {zh = "燃气公司", en = "Gas company"}
phone = "0571-5550-0101"
[[devices]]
id = "gw-1"
kind = "gateway"
street = "s01"
[[devices]]
id = "gas-1"
kind = "gas_alarm"
street = "s01"
parent = "gw-1"
responsible = "unit-gas"
lat = 30.32
lon = 120.14
[[devices]]
id = "gas-2"
kind = "gas_alarm"
street = "s02"
[[devices]]
id = "pole-1"
kind = "light_pole"
street = "s01"
fitted = "light_pole pole_env"
foreign = "HJ212:MN0001"
[[devices]]
id = "dock-1"
kind = "drone_dock"
street = "s01"
[[devices]]
id = "drone-1"
kind = "drone"
street = "s01"
parent = "dock-1"
[[devices]]
id = "truck-1"
kind = "refuse_truck"
street = "s02"
[[devices]]
id = "wim-1"
kind = "bridge_wim"
street = "s02"
{tail}
"""


def small_site_text(*, head: str = "", tail: str = "", broker: str = "embedded", store: str = "embedded") -> str:
    """Return the site file; ``head`` goes into ``[site]``, ``tail`` to the end."""
    text = SMALL
    for name, value in (("head", head), ("tail", tail), ("broker", broker), ("store", store)):
        text = text.replace(f"{{{name}}}", value)
    return text


def small_site(folder: Path, **parts: str) -> Site:
    """Write the small site into a folder and load it."""
    path = folder / "site.toml"
    path.write_text(small_site_text(**parts), encoding="utf-8")
    return load_site(path)
