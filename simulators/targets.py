"""Finding the devices a scenario means."""

from collections.abc import Mapping

from devices.site import Device, Site
from simulators.errors import ScenarioFault
from simulators.scenario import Scenario, Selector
from simulators.tracks import ground_distance


def resolve(scenario: Scenario, site: Site) -> Mapping[str, tuple[Device, ...]]:
    """Return each target's devices.

    Raises:
        ScenarioFault: a target means a device the site does not have, or none at all.
    """
    return {name: _found(scenario.key, name, selector, site) for name, selector in scenario.targets.items()}


def _found(scenario: str, name: str, selector: Selector, site: Site) -> tuple[Device, ...]:
    for identifier in (*selector.ids, *filter(None, (selector.nearest, selector.parent))):
        if identifier not in site.devices:
            raise ScenarioFault(f"scenario {scenario}, target {name}: the site has no device {identifier!r}")
    if selector.ids:
        return tuple(site.devices[identifier] for identifier in selector.ids)
    found = [device for device in site.devices.values() if _matches(device, selector)]
    if selector.nearest:
        middle = site.devices[selector.nearest]
        found = [device for device in found if device is not middle and device.lat is not None]
        found.sort(key=lambda device: (_distance(device, middle), device.id))
    if not found:
        raise ScenarioFault(f"scenario {scenario}, target {name}: no device of the site is meant by it")
    return tuple(found[: selector.count or None])


def _matches(device: Device, selector: Selector) -> bool:
    return all(
        getattr(device, key) == wanted
        for key in ("kind", "street", "parent", "circuit")
        if (wanted := getattr(selector, key))
    )


def _distance(device: Device, middle: Device) -> float:
    return ground_distance((device.lon or 0.0, device.lat or 0.0), (middle.lon or 0.0, middle.lat or 0.0))
