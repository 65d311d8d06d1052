"""Who is not heard: fallen silent or never spoken, children folded below the parent that is not heard."""

from pathlib import Path

import pytest

from cockpit.city import City, DeviceNow
from cockpit.silence import mute_devices
from devices.site import Site
from tests.cockpit.town import Town
from tests.sites import small_site

MORE = """
[[devices]]
id = "gas-3"
kind = "gas_alarm"
street = "s01"
parent = "gw-1"
[[devices]]
id = "pole-2"
kind = "light_pole"
street = "s01"
parent = "gw-1"
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return small_site(tmp_path, tail=MORE)


@pytest.fixture
def devices(site: Site) -> dict[str, DeviceNow]:
    """Everybody online, last heard at 1 s."""
    found = City(site).devices
    for now in found.values():
        now.online, now.seen_ms = True, 1_000
    return found


def test_nobody_is_mute(site: Site, devices: dict[str, DeviceNow]) -> None:
    assert mute_devices(site, devices, "silent") == mute_devices(site, devices, "never") == []


def test_children_stand_alone_while_their_parent_speaks(site: Site, devices: dict[str, DeviceNow]) -> None:
    """The longest silence first."""
    devices["gas-1"].online = devices["gas-3"].online = False
    devices["gas-3"].seen_ms = 500
    assert [(m.name, m.count) for m in mute_devices(site, devices, "silent")] == [("gas-3", 1), ("gas-1", 1)]


def test_a_silent_gateway_folds_its_children(site: Site, devices: dict[str, DeviceNow]) -> None:
    """One line for the gateway and all below it, also for those that never spoke; others stay apart."""
    for name in ("gw-1", "gas-1", "gas-3", "pole-2", "gas-2"):
        devices[name].online = False
    devices["gas-3"].seen_ms = 0
    gateway, other = mute_devices(site, devices, "silent")
    assert (gateway.name, gateway.folded, gateway.count) == ("gw-1", {"gas_alarm": 2, "light_pole": 1}, 4)
    assert (other.name, other.count) == ("gas-2", 1)
    assert mute_devices(site, devices, "never") == []


def test_never_heard_is_a_list_of_its_own(site: Site, devices: dict[str, DeviceNow]) -> None:
    devices["truck-1"] = DeviceNow("refuse_truck", "demo")
    assert [m.name for m in mute_devices(site, devices, "never")] == ["truck-1"]
    assert mute_devices(site, devices, "silent") == []


def test_an_unregistered_device_has_no_parent(site: Site, devices: dict[str, DeviceNow]) -> None:
    devices["stranger-1"] = DeviceNow("gas_alarm", "demo", online=False, seen_ms=5)
    assert [m.name for m in mute_devices(site, devices, "silent")] == ["stranger-1"]


def test_the_api_lists_who_never_spoke(town: Town) -> None:
    """Pages, a total by kind, and a sentence for a state that does not exist."""
    first = town.get("/api/v1/silence", state="never", limit=1)
    assert len(first["items"]) == 1 and first["next"] == "1"
    assert first["total"] > 1 and sum(first["devices"].values()) >= first["total"]
    assert first["items"][0]["since"] is None
    second = town.get("/api/v1/silence", state="never", limit=1, cursor=first["next"])
    assert second["items"][0]["device"] != first["items"][0]["device"]
    with town.client() as client:
        answer = client.get("/api/v1/silence", params={"state": "loud"})
    assert answer.status_code == 422
    assert "silent" in answer.json()["detail"]
