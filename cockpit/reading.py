"""What pages and programs may ask of the city: devices, their history, their alarms, as documents of the API."""

import asyncio
from collections.abc import Sequence
from copy import copy
from typing import Any

from cockpit.board import Board
from cockpit.city import City, DeviceNow
from cockpit.problems import Problem
from cockpit.rule_board import RuleBoard
from cockpit.times import rfc3339
from cockpit.world import Clock
from devices.kind import Field, Measurement
from devices.readings import Quality
from devices.site import Site
from ingest.errors import AlarmError
from ingest.store import Store

Document = dict[str, Any]
_RAW_POINTS = 2_000
_SECOND_MS = 1_000
# Half a day of the bridges of the demo city.
_STORED_PASSAGES = 5_000


class Reader:
    """Reading access; blocking work is done in threads."""

    def __init__(self, site: Site, city: City, store: Store, board: Board, rules: RuleBoard, clock: Clock) -> None:
        self._site = site
        self._city = city
        self._store = store
        self._board = board
        self._rules = rules
        self._clock = clock
        self._units = {
            field.key: field.unit
            for kind in site.catalog.kinds.values()
            for m in kind.measurements
            for field in m.fields
        }

    def over(self, city: City) -> "Reader":
        """Return the same reader over another city."""
        found = copy(self)
        found._city = city
        return found

    def now_ms(self) -> int:
        """Return the instant at which the city is."""
        return self._clock.now_ms()

    def devices(self, kind: str | None, district: str | None, street: str | None) -> list[str]:
        """Return the ids of the devices that fit, in order."""
        found = []
        for name, now in self._city.devices.items():
            registered = self._site.devices.get(name)
            if kind is not None and now.kind != kind:
                continue
            if district is not None and now.district != district:
                continue
            if street is not None and (registered is None or registered.street != street):
                continue
            found.append(name)
        return sorted(found)

    def device_document(self, name: str) -> Document:
        """Return a device in the shape of CONTRACTS.md.

        Raises:
            KeyError: nobody knows it.
        """
        now = self._city.devices[name]
        registered = self._site.devices.get(name)
        unit = self._site.units.get(registered.responsible) if registered else None
        lat, lon = self.position(name, now)
        return {
            "id": name,
            "kind": now.kind,
            "district": now.district,
            "street": registered.street if registered else None,
            "grid": registered.grid if registered else None,
            "lat": lat,
            "lon": lon,
            "registered": registered is not None,
            "online": now.online,
            "quality": self._quality(now),
            "last_seen": rfc3339(now.seen_ms or None, self._site.timezone),
            "parent": (registered.parent or None) if registered else None,
            "name": {"zh": registered.label.zh, "en": registered.label.en} if registered and registered.label else None,
            "circuit": (registered.circuit or None) if registered else None,
            "camera": (registered.camera or None) if registered else None,
            "responsible": {"name": {"zh": unit.label.zh, "en": unit.label.en}, "phone": unit.phone} if unit else None,
            "installed": registered.installed.isoformat() if registered and registered.installed else None,
            "expires": registered.expires.isoformat() if registered and registered.expires else None,
            "rated_kg": registered.rated_kg if registered else None,
            "posted_limit_kg": registered.posted_limit_kg if registered else None,
            "latest": {
                key: {
                    "value": value,
                    "unit": self._units.get(key, "1"),
                    "at": rfc3339(at_ms, self._site.timezone),
                    "quality": Quality(quality).word,
                }
                for key, (value, at_ms, quality) in now.latest.items()
            },
        }

    def position(self, name: str, now: DeviceNow) -> tuple[float | None, float | None]:
        """Return where a device is: where it says, else where it is registered."""
        registered = self._site.devices.get(name)
        lat, lon = now.latest.get("lat"), now.latest.get("lon")
        if lat is not None and lon is not None and isinstance(lat[0], float) and isinstance(lon[0], float):
            return lat[0], lon[0]
        return (registered.lat, registered.lon) if registered else (None, None)

    async def device(self, device: str) -> Document | None:
        """Return a device, or None when nobody knows it."""
        return self.device_document(device) if device in self._city.devices else None

    async def series(
        self, device: str, field: str, start_ms: int, stop_ms: int, width: int | None = None, step_ms: int | None = None
    ) -> Document:
        """Return a field's history in [start, stop): raw points, or a minimum and maximum a step.

        Without its limits, and ``limits_unread``, while the alarm database is away.

        Raises:
            Problem: 404 for an unknown device or field, 422 for an empty window.
            StoreError: the store is away.
        """
        now = self._city.devices.get(device)
        if now is None:
            raise Problem(404, f"There is no device {device!r}.", code="unknown_device", values={"device": device})
        if stop_ms <= start_ms:
            raise Problem(422, "stop must be later than start.", code="bad_order")
        found = self._field(now.kind, field)
        if found is None:
            raise Problem(
                404,
                f"A {now.kind} has no field {field!r}; GET /api/v1/kinds lists them.",
                code="unknown_field",
                values={"kind": now.kind, "field": field},
            )
        measurement, definition = found
        if step_ms is None:
            step_ms = self._step_ms(now.kind, start_ms, stop_ms, width)
        if definition.type == "text":
            step_ms = 0
        series = await asyncio.to_thread(self._store.series, measurement.key, device, field, start_ms, stop_ms, step_ms)
        try:
            limits: Sequence[Any] = await asyncio.to_thread(self._rules.limits, device, now.kind, definition, stop_ms)
        except AlarmError:
            # What was measured is in the store all the same, and nobody is to wait for a line across it.
            limits, unread = (), True
        else:
            unread = False
        return {
            "device": device,
            "field": field,
            "unit": definition.unit,
            "points": [list(point) for point in series.points],
            "step_s": series.step_s,
            "limits": [
                {
                    "level": level.level,
                    "value": level.value,
                    "priority": level.priority,
                    "sense": limit.sense,
                    "name": {"zh": limit.zh, "en": limit.en},
                }
                for limit in limits
                for level in limit.levels
            ],
            "limits_unread": unread,
        }

    async def alarms(self, device: str, limit: int) -> Sequence[Document]:
        """Return the newest alarms of a device, open and closed."""
        return await asyncio.to_thread(self._board.listed, "all", device, limit, 0)

    async def passages(
        self, kind: str, device: str | None, limit: int, least: tuple[str, float] | None = None
    ) -> list[Document]:
        """Return the newest passages of a kind, newest first; with ``least`` only those whose field is so high.

        High ones may be rare: where too few are remembered, the store is asked how far it goes back among its newest.

        Raises:
            StoreError: the store is away, and it was asked.
        """

        def fits(passage: Document) -> bool:
            if device is not None and passage["device"] != device:
                return False
            value = passage["values"].get(least[0]) if least else None
            return least is None or (isinstance(value, float) and value >= least[1])

        found = [p for p in reversed(self._city.passages.get(kind, ())) if fits(p)][:limit]
        if least is None or len(found) >= limit:
            return found
        devices = [device] if device is not None else []
        merged = {(passage["device"], passage["at"]): passage for passage in found}
        for measurement in self._measurements(kind):
            rows = await asyncio.to_thread(self._store.rows, measurement, devices, _STORED_PASSAGES)
            for passage in (_passage(kind, measurement, *row) for row in rows):
                if fits(passage):
                    merged.setdefault((passage["device"], passage["at"]), passage)
        return sorted(merged.values(), key=lambda passage: -int(passage["at"]))[:limit]

    async def recall_passages(self) -> None:
        """Fill the newest passages from the store, for a cockpit that has just started."""
        for key, (kind, measurement) in self._site.catalog.measurements.items():
            if measurement.passage is None:
                continue
            rows = await asyncio.to_thread(self._store.rows, key, [], 50)
            for row in reversed(rows):
                self._city.add_passage(_passage(kind.key, key, *row))

    def _measurements(self, kind: str) -> list[str]:
        known = self._site.catalog.kinds.get(kind)
        return [m.key for m in known.measurements if m.passage is not None] if known else []

    def _quality(self, now: DeviceNow) -> str:
        if now.seen_ms and not now.online:
            return "stale"
        return Quality(max((quality for _, _, quality in now.latest.values()), default=0)).word

    def _field(self, kind_key: str, key: str) -> tuple[Measurement, Field] | None:
        kind = self._site.catalog.kinds.get(kind_key)
        for measurement in kind.measurements if kind else ():
            for field in measurement.fields:
                if field.key == key and not field.tag:
                    return measurement, field
        return None

    def _step_ms(self, kind_key: str, start_ms: int, stop_ms: int, width: int | None) -> int:
        window_ms = stop_ms - start_ms
        expected = window_ms / (self._site.catalog.kinds[kind_key].period_s * 1000)
        if expected <= max(_RAW_POINTS, 2 * (width or 0)):
            return 0
        return max(_SECOND_MS, -(-window_ms // (width or _RAW_POINTS // 2) // _SECOND_MS) * _SECOND_MS)


def _passage(kind: str, measurement: str, device: str, at_ms: int, values: dict[str, float | str]) -> Document:
    quality = Quality(int(float(values.pop("quality", 0) or 0))).word
    passage = {"device": device, "kind": kind, "measurement": measurement, "at": at_ms, "quality": quality}
    return {**passage, "values": values}
