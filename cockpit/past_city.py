"""The devices of the city as they stood at an instant: their last readings, who was heard and who was silent."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from cockpit.city import City, DeviceNow
from devices.decode import STATUS
from devices.kind import Kind, Measurement
from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.device_health import device_health
from ingest.store import Held, Store
from ingest.store.base import point_quality

Row = Mapping[str, Any]
# Who was not heard for longer than its kind allows is looked for on its own, as far back as this; not more of them.
_SILENT_BACK_MS = 24 * 3_600_000
_SILENT_MOST = 200
_SILENT_ROWS = 20
# What happens once is no sign of how often it should: the newest of a day tell what a station said last.
_PASSAGES_MOST = 5_000
# One device is looked at more closely.
_ONE_BACK_MS = 7 * 24 * 3_600_000
_ONE_ROWS = 200


class PastCity:
    """Reads a site's devices from its store; every call blocks."""

    def __init__(self, site: Site, store: Store, database: AlarmDatabase) -> None:
        self._site = site
        self._store = store
        self._database = database

    def all(self, at_ms: int, alarms: Iterable[Row]) -> City:
        """Return every device as it stood; ``alarms`` are those that were open.

        Raises:
            StoreError: the store is away.
            AlarmError: the alarm database is away.
        """
        city = City(self._site)
        for kind in self._site.catalog.kinds.values():
            for measurement in kind.measurements:
                self._take(city, kind, measurement, self._rows(city, kind, measurement, at_ms))
        self._take_signs(city, self._store.before(STATUS, at_ms, self._longest_ms()))
        told = self._told(at_ms)
        # Who was no longer heard and is not registered, either, is known by having gone.
        strangers = sorted(told.keys() - city.devices.keys())
        for name in strangers if len(strangers) <= _SILENT_MOST else ():
            self._look_back(city, name, at_ms, _SILENT_BACK_MS, _SILENT_ROWS)
        self._seen(city, at_ms, told)
        self._silent(city, alarms)
        return city

    def one(self, name: str, at_ms: int, alarms: Iterable[Row]) -> City:
        """Return one device as it stood, as far as anybody knew it.

        Raises:
            StoreError: the store is away.
            AlarmError: the alarm database is away.
        """
        city = City(self._site)
        city.devices = {key: device for key, device in city.devices.items() if key == name}
        self._look_back(city, name, at_ms, _ONE_BACK_MS, _ONE_ROWS)
        self._take_signs(city, self._store.before(STATUS, at_ms, self._longest_ms(), [name]))
        self._seen(city, at_ms, self._told(at_ms, name))
        self._silent(city, alarms)
        return city

    def _rows(self, city: City, kind: Kind, measurement: Measurement, at_ms: int) -> list[Held]:
        """Return what the devices of a kind said within its time; of a few that did not, what they had said last."""
        if measurement.passage is not None:
            return self._store.before(measurement.key, at_ms, _SILENT_BACK_MS, most=_PASSAGES_MOST)
        rows = self._store.before(measurement.key, at_ms, _stale_ms(kind))
        heard = {row.device for row in rows}
        quiet = [name for name, device in city.devices.items() if device.kind == kind.key and name not in heard]
        for name in quiet if len(quiet) <= _SILENT_MOST else ():
            rows += self._store.before(measurement.key, at_ms, _SILENT_BACK_MS, [name], _SILENT_ROWS)
        return rows

    def _look_back(self, city: City, name: str, at_ms: int, horizon_ms: int, most: int) -> None:
        known = city.devices.get(name)
        kinds = self._site.catalog.kinds
        for kind in kinds.values() if known is None else [kinds[known.kind]]:
            for measurement in kind.measurements:
                rows = self._store.before(measurement.key, at_ms, horizon_ms, [name], most)
                self._take(city, kind, measurement, rows)

    def _take(self, city: City, kind: Kind, measurement: Measurement, rows: Sequence[Held]) -> None:
        tags = {field.key for field in measurement.fields if field.tag}
        for row in rows:
            device = city.devices.get(row.device)
            if device is None:
                device = city.devices[row.device] = DeviceNow(kind.key, row.district)
            if device.kind != kind.key:
                continue
            device.seen_ms = max(device.seen_ms, row.at_ms)
            latest = device.latest
            for key, value in row.values.items():
                known = latest.get(key)
                if key not in tags and (known is None or known[1] < row.at_ms):
                    latest[key] = (value, row.at_ms, point_quality(key, row.quality, row.flags))

    def _take_signs(self, city: City, rows: Sequence[Held]) -> None:
        for row in rows:
            device = city.devices.get(row.device)
            if device is not None and row.values.get("online"):
                device.seen_ms = max(device.seen_ms, row.at_ms)

    def _told(self, at_ms: int, name: str | None = None) -> dict[str, tuple[int, bool]]:
        """Return who came or went of late: the last instant, and whether it came."""
        since_ms = at_ms - max(self._longest_ms(), _SILENT_BACK_MS)
        whose = [device_health.c.device == name] if name is not None else []
        query = (
            sa.select(device_health.c.device, device_health.c.at, device_health.c.value)
            .where(device_health.c.what == "online", device_health.c.at > since_ms, device_health.c.at <= at_ms, *whose)
            .order_by(device_health.c.at, device_health.c.position, device_health.c.ordinal)
        )
        with self._database.read() as connection:
            return {row.device: (int(row.at), bool(row.value)) for row in connection.execute(query)}

    def _seen(self, city: City, at_ms: int, told: Mapping[str, tuple[int, bool]]) -> None:
        """Tell who was online: heard within the time of its kind, and not known to have gone since."""
        for key, device in city.devices.items():
            stale_ms = _stale_ms(self._site.catalog.kinds[device.kind])
            told_ms, online = told.get(key, (0, False))
            device.online = online if told_ms > at_ms - stale_ms else device.seen_ms > at_ms - stale_ms

    def _silent(self, city: City, alarms: Iterable[Row]) -> None:
        for alarm in alarms:
            device = city.devices.get(alarm["device"])
            if device is not None and alarm["active"] and alarm["rule"] == f"{device.kind}.no_data":
                device.silent = True

    def _longest_ms(self) -> int:
        return max((_stale_ms(kind) for kind in self._site.catalog.kinds.values()), default=0)


def _stale_ms(kind: Kind) -> int:
    return round(kind.stale_after_s * 1000)
