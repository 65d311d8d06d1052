"""Circuits and streets in the shape of a device: where their alarms stand and who is called."""

from devices.groups import gathered
from tests.devices.small_city import SITE
from tests.ingest.alarms.rule_city import city
from tests.simulators.city import demo_site


def test_a_circuit_stands_in_the_middle_of_its_poles_and_belongs_to_their_unit() -> None:
    site = demo_site()
    found = gathered(site)["circuit:F-008"]
    poles = [device for device in site.devices.values() if device.circuit == "F-008"]
    assert found.id == "circuit:F-008"
    assert (found.kind, found.street, found.responsible) == ("light_pole", "s01", "unit-light-1")
    assert found.label is not None
    assert (found.label.zh, found.label.en) == ("回路 F-008", "Circuit F-008")
    assert found.lat is not None
    assert min(p.lat or 0 for p in poles) <= found.lat <= max(p.lat or 0 for p in poles)
    assert found.camera in {"", *(pole.camera for pole in poles)}


def test_a_street_has_its_own_name_and_no_unit() -> None:
    found = gathered(city())["street:s02"]
    assert found.label is not None
    assert (found.street, found.responsible, found.label.zh) == ("s02", "", "二街")


def test_all_of_them_and_nothing_else() -> None:
    assert set(gathered(SITE)) == {"street:s01", "street:s02"}
    assert len(gathered(demo_site())) == 144 + 18
