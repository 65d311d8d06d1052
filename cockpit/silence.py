"""Devices nobody hears: those that fell silent and those that never spoke, children folded below a silent parent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cockpit.city import DeviceNow
from cockpit.times import rfc3339
from devices.site import Site

Document = dict[str, Any]
State = Literal["silent", "never"]


@dataclass(slots=True)
class Mute:
    """One device that is not heard, and how many below it are not heard either, by kind."""

    name: str
    now: DeviceNow
    folded: dict[str, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Return how many devices this stands for, itself among them."""
        return 1 + sum(self.folded.values())


def mute_devices(site: Site, devices: Mapping[str, DeviceNow], state: State) -> list[Mute]:
    """Return who is not heard: those that stand for most first, then those silent for longest.

    A device whose parent is not heard is folded below the topmost such parent, whatever its own state: it is the
    parent that somebody must go to.
    """
    heads: dict[str, Mute] = {}
    for name, now in devices.items():
        if now.online:
            continue
        top = name
        while (above := _parent(site, top)) in devices and not devices[above].online:
            top = above
        if _state(devices[top]) != state:
            continue
        head = heads.setdefault(top, Mute(top, devices[top]))
        if top != name:
            head.folded[now.kind] = head.folded.get(now.kind, 0) + 1
    return sorted(heads.values(), key=lambda head: (-head.count, head.now.seen_ms, head.name))


def mute_document(site: Site, found: Mute) -> Document:
    """Return one as JSON; ``since`` is when it was last heard, null for never."""
    registered = site.devices.get(found.name)
    return {
        "device": found.name,
        "kind": found.now.kind,
        "street": registered.street if registered else None,
        "parent": (registered.parent or None) if registered else None,
        "since": rfc3339(found.now.seen_ms or None, site.timezone),
        "alarmed": found.now.silent,
        "folded": found.folded,
    }


def _parent(site: Site, name: str) -> str:
    registered = site.devices.get(name)
    return registered.parent if registered else ""


def _state(now: DeviceNow) -> State:
    return "silent" if now.seen_ms else "never"
