"""How many devices of each kind there are, are heard, alarm, or are faulty themselves."""

from collections.abc import Iterable
from typing import Any

from cockpit.city import DeviceNow
from devices.site import Site

Document = dict[str, Any]


def kind_counts(site: Site, devices: Iterable[DeviceNow], alarms: Iterable[Document]) -> dict[str, dict[str, int]]:
    """Return counts per kind; ``alarms`` are the open ones."""
    kinds: dict[str, dict[str, int]] = {
        kind: dict.fromkeys(("total", "online", "alarming", "faulty", "silent"), 0) for kind in site.catalog.kinds
    }
    for device in devices:
        counts = kinds.get(device.kind)
        if counts is not None:
            counts["total"] += 1
            counts["online"] += device.online
            counts["silent"] += device.silent
    alarming: set[tuple[str, str]] = set()
    faulty: set[tuple[str, str]] = set()
    for alarm in alarms:
        if alarm["active"]:
            (faulty if alarm["priority"] == "health" else alarming).add((alarm["kind"], alarm["device"]))
    for key, found in (("alarming", alarming), ("faulty", faulty)):
        for kind, _ in found:
            if kind in kinds:
                kinds[kind][key] += 1
    return kinds
