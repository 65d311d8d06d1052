"""The devices of one circuit or street taken together, under the name by which their common alarms stand."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from devices.kind import Label
from devices.site import Device, Site


def gathered(site: Site) -> Mapping[str, Device]:
    """Return every ``circuit:…`` and ``street:…`` in the shape of a device.

    It stands in the middle of its devices and belongs to the street and unit that most of them belong to.
    """
    members: dict[str, list[Device]] = {}
    for device in site.devices.values():
        members.setdefault(f"street:{device.street}", []).append(device)
        if device.circuit:
            members.setdefault(f"circuit:{device.circuit}", []).append(device)
    return {name: _together(site, name, found) for name, found in members.items()}


def _together(site: Site, name: str, members: Sequence[Device]) -> Device:
    by, _, key = name.partition(":")
    of_street = by == "street"
    places = [(device.lat, device.lon) for device in members if device.lat is not None and device.lon is not None]
    street = _most(device.street for device in members)
    return Device(
        name,
        _most(device.kind for device in members),
        members[0].district,
        street,
        grid="" if of_street else _most(device.grid for device in members),
        lat=sum(lat for lat, _ in places) / len(places) if places else None,
        lon=sum(lon for _, lon in places) / len(places) if places else None,
        # Of a street many units look after many things; a circuit is one unit's.
        responsible="" if of_street else _most(device.responsible for device in members),
        camera="" if of_street else next((device.camera for device in members if device.camera), ""),
        label=site.streets[street].label if of_street else Label(f"回路 {key}", f"Circuit {key}"),
        circuit="" if of_street else key,
    )


def _most(words: Iterable[str]) -> str:
    return Counter(words).most_common(1)[0][0]
