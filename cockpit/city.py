"""The city as the live topics tell it: latest values of every device, in memory, for pages and walls."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from devices.readings import Quality
from devices.site import Site

_PASSAGES = 200
# Asked for every value of every tick.
_WORDS = {int(quality): quality.word for quality in Quality}


@dataclass(slots=True)
class DeviceNow:
    """One device now. ``latest`` maps a field to (value, device time in epoch ms, quality)."""

    kind: str
    district: str
    online: bool = False
    silent: bool = False
    seen_ms: int = 0
    latest: dict[str, tuple[float | str, int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class ShardLink:
    """How well one collector is followed."""

    boot: str = ""
    seq: int = 0
    heard_ms: int = 0
    ledger: dict[str, Any] = field(default_factory=dict)


class City:
    """Latest values; changed in the event loop only."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.devices: dict[str, DeviceNow] = {
            device.id: DeviceNow(device.kind, device.district) for device in site.devices.values()
        }
        self.shards: dict[str, ShardLink] = {}
        self.passages: dict[str, deque[dict[str, Any]]] = {}
        self._live_fields = {
            kind.key: frozenset(f.key for m in kind.measurements for f in m.fields if f.live)
            for kind in site.catalog.kinds.values()
        }
        self._changed: dict[str, set[str]] = {}
        self._switched: set[str] = set()
        self._fresh_passages: list[dict[str, Any]] = []

    def hear(self, topic: str, document: dict[str, Any], now_ms: int) -> bool:
        """Take a live message; return False when messages before it are missing and a snapshot is needed."""
        link = self.shards.setdefault(str(document["shard"]), ShardLink())
        whole = bool(document["boot"] == link.boot and document["seq"] == link.seq + 1)
        link.boot, link.seq, link.heard_ms = document["boot"], document["seq"], now_ms
        for name, state in document.get("devices", {}).items():
            self._take(name, state)
        for passage in document.get("passages", ()):
            self.add_passage(passage)
            self._fresh_passages.append(passage)
        if "ledger" in document:
            link.ledger = document["ledger"]
        return whole

    def add_passage(self, passage: dict[str, Any]) -> None:
        """Remember a passage among the newest of its kind."""
        self.passages.setdefault(str(passage["kind"]), deque(maxlen=_PASSAGES)).append(passage)

    def tick(self) -> tuple[dict[str, Any], dict[str, bool], list[dict[str, Any]]]:
        """Return what changed since the last call: live values, devices that went on or off line, passages."""
        values = {name: self._values(name, keys) for name, keys in self._changed.items()}
        online = {name: self.devices[name].online for name in self._switched}
        passages, self._fresh_passages = self._fresh_passages, []
        self._changed, self._switched = {}, set()
        return values, online, passages

    def live_values(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the live fields of devices."""
        found = {name: self._values(name, self._live_fields.get(self.devices[name].kind, ())) for name in names}
        return {name: values for name, values in found.items() if values}

    def _take(self, name: str, state: dict[str, Any]) -> None:
        device = self.devices.get(name)
        if device is None:
            device = self.devices[name] = DeviceNow(state["kind"], state["district"])
        if device.online != state["online"]:
            self._switched.add(name)
        device.online, device.silent, device.seen_ms = state["online"], state["silent"], state["seen"]
        live = self._live_fields.get(device.kind, frozenset())
        for key, latest in _latest(state["rows"].values()).items():
            if device.latest.get(key) != latest:
                device.latest[key] = latest
                if key in live:
                    self._changed.setdefault(name, set()).add(key)

    def _values(self, name: str, keys: Iterable[str]) -> dict[str, Any]:
        latest = self.devices[name].latest
        return {
            key: {"value": latest[key][0], "at": latest[key][1], "quality": _WORDS[latest[key][2]]}
            for key in keys
            if key in latest
        }


def _latest(rows: Iterable[list[Any]]) -> dict[str, tuple[float | str, int, int]]:
    """Return the newest value of every field; a row is values, their time and quality, and what is apart from them."""
    found: dict[str, tuple[float | str, int, int]] = {}
    for values, at_ms, quality, apart in rows:
        fields = {key: (value, at_ms, quality) for key, value in values.items()}
        fields.update((key, tuple(latest)) for key, latest in apart.items())
        for key, latest in fields.items():
            if key not in found or latest[1] >= found[key][1]:
                found[key] = latest
    return found
