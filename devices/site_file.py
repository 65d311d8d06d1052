"""Reading ``site.toml``: the whole file is checked before any connection, and all faults are told at once."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from devices.areas import read_areas
from devices.catalog import Catalog, load_catalog
from devices.errors import Fault, KindFault, SiteFault, shown
from devices.kind import Label
from devices.site import Broker, District, ResponsibleUnit, Shard, Simulation, Site, Street
from devices.site_contacts import read_cameras, read_grid_officers
from devices.site_devices import DeviceRows, read_devices
from devices.site_document import DEMO_SITE, read_document
from devices.site_keeping import FOREVER, check_alarm_keep, read_journal_days, read_store, split_address
from devices.site_limits import scoped_limits, with_limits
from devices.site_notify import read_channels
from devices.topics import topic_matches

DEFAULT_SUBSCRIPTIONS = ("city/v1/#", "thing/product/#", "hj212/#")
_TABLES: dict[str, frozenset[str]] = {
    "site": frozenset({"name", "timezone", "simulated", "kinds", "basemap", "routes", "holidays"}),
    "broker": frozenset({"url", "subscriptions"}),
    "store": frozenset({"url", "retention", "retention_1m", "keep"}),
    "journal": frozenset({"keep"}),
    "alarms": frozenset({"database", "keep"}),
    "simulation": frozenset({"run", "speed", "seed"}),
}
# What the collectors say and note themselves must not come back to them as if devices had said it.
_OWN_ROOTS = frozenset({"citydeck", "$tick", "$retry", "$rules"})
_OWN_TOPIC = "citydeck/v1/live/main/ledger"
_SHARD = frozenset({"subscriptions", "foreign"})
# It names a folder, and a level of topics.
_SHARD_NAME = re.compile(r"(?!\.{1,2}$)[\w.-]{1,64}")
_LISTS = (
    "districts", "devices", "devices_file", "units", "limits", "limits_for", "areas", "notify", "shards", "cameras",
    "grid_officers",
)  # fmt: skip
_TOP = frozenset({*_TABLES, *_LISTS})


def load_site(path: Path | None = None) -> Site:
    """Read and check a site file; without a path, the demo city's.

    Raises:
        SiteFault: with every fault found in the file and in the files it names.
    """
    source = (path or DEMO_SITE).resolve()
    return _Reader(source, read_document(source)).site()


class _Reader:
    """Walks a document once, collecting faults instead of stopping at the first."""

    def __init__(self, source: Path, document: dict[str, Any]) -> None:
        self.source = source
        self.document = document
        self.faults: list[Fault] = []

    def site(self) -> Site:
        self._names(self.document, _TOP, "")
        for table, keys in _TABLES.items():
            self._names(self._table(table), keys, f"{table}.")
        head = self._table("site")
        label = self._label(head.get("name"), "site.name")
        zone = self._timezone(head.get("timezone", "Asia/Shanghai"))
        catalog = self._catalog(head.get("kinds"))
        districts = tuple(self._districts())
        units = {unit.key: unit for unit in self._units()}
        rows = self._device_rows()
        shards = {shard.name: shard for shard in self._shards()}
        devices = read_devices(rows, catalog, districts, units, shards, self.faults)
        own_catalog = catalog
        catalog = with_limits(catalog, self._table("limits"), self.faults)
        scoped = scoped_limits(self._tables("limits_for"), own_catalog, catalog, devices, self.faults)
        areas = read_areas(self._tables("areas"), self.faults)
        broker, simulation = self._broker(), self._simulation()
        store = read_store(self._table("store"), catalog, self.faults)
        journal_days = read_journal_days(self._table("journal"), self.faults)
        database = self._text(self._table("alarms").get("database", "embedded"), "alarms.database")
        if database and database != "embedded" and not database.startswith(("postgresql+psycopg://", "sqlite:///")):
            expected = "expected embedded, postgresql+psycopg://… or sqlite:///…"
            self._fault("alarms.database", f"{expected}, found {shown(split_address(database).scheme)}")
        check_alarm_keep(self._table("alarms").get("keep", FOREVER), self.faults)
        basemap, routes = self._file(head, "basemap"), self._file(head, "routes")
        simulated = head.get("simulated", False)
        if not isinstance(simulated, bool):
            self._fault("site.simulated", f"expected true or false, found {shown(simulated)}")
        holidays = self._holidays(head.get("holidays", []))
        channels = read_channels(self._tables("notify"), self.faults)
        cameras = read_cameras(self._tables("cameras"), self.faults)
        grids = {grid for district in districts for street in district.streets for grid in street.grids}
        grid_officers = read_grid_officers(self._tables("grid_officers"), grids, self.faults)
        if self.faults:
            raise SiteFault(self.source.name, self.faults)
        return Site(
            self.source,
            label,
            zone,
            simulated,
            broker,
            store,
            database,
            districts,
            units,
            devices,
            catalog,
            simulation,
            shards,
            basemap,
            routes,
            {device.foreign: device for device in devices.values() if device.foreign},
            journal_days,
            areas,
            holidays,
            scoped,
            channels,
            cameras,
            grid_officers,
            kinds_as_they_come=own_catalog,
            limits_for=tuple(self._tables("limits_for")),
        )

    def _fault(self, path: str, sentence: str) -> None:
        self.faults.append(Fault(path, sentence))

    def _names(self, table: Mapping[str, Any], known: frozenset[str], prefix: str) -> None:
        for key in table:
            if key not in known:
                close = get_close_matches(key, known, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(sorted(known))}"
                self._fault(prefix + key, f"is not a setting{hint}")

    def _table(self, key: str) -> dict[str, Any]:
        found = self.document.get(key, {})
        if isinstance(found, dict):
            return found
        self._fault(key, f"expected a table [{key}], found {shown(found)}")
        self.document[key] = {}
        return {}

    def _tables(self, key: str) -> list[dict[str, Any]]:
        found = self.document.get(key, [])
        if isinstance(found, list) and all(isinstance(entry, dict) for entry in found):
            return found
        self._fault(key, f"expected tables [[{key}]], found {shown(found)}")
        return []

    def _text(self, found: object, path: str) -> str:
        if isinstance(found, str) and found:
            return found
        self._fault(path, f"expected a text, found {shown(found)}")
        return ""

    def _label(self, found: object, path: str) -> Label:
        if isinstance(found, dict) and isinstance(found.get("zh"), str) and isinstance(found.get("en"), str):
            return Label(found["zh"], found["en"])
        self._fault(path, f'expected {{zh = "…", en = "…"}}, found {shown(found)}')
        return Label("", "")

    def _timezone(self, found: object) -> ZoneInfo:
        try:
            return ZoneInfo(str(found))
        except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: "Asia" is a folder
            self._fault("site.timezone", f"{shown(found)} is not a time zone; expected a name such as Asia/Shanghai")
            return ZoneInfo("Asia/Shanghai")

    def _holidays(self, found: object) -> frozenset[date]:
        days = found if isinstance(found, list) else [found]
        try:
            return frozenset(day if type(day) is date else date.fromisoformat(str(day)) for day in days)
        except ValueError:
            self._fault("site.holidays", f"expected a list of dates such as 2026-10-01, found {shown(found)}")
            return frozenset()

    def _catalog(self, folder: object) -> Catalog:
        extra = [self.source.parent / str(folder)] if folder is not None else []
        try:
            return load_catalog(extra)
        except KindFault as fault:
            for line in str(fault).splitlines():
                self._fault("site.kinds", line)
            return load_catalog()

    def _file(self, head: Mapping[str, Any], key: str) -> Path | None:
        if key not in head:
            return None
        path = self.source.parent / self._text(head[key], f"site.{key}")
        if not path.is_file():
            self._fault(f"site.{key}", f"no such file: {path.name}")
        return path

    def _broker(self) -> Broker:
        table = self._table("broker")
        url = self._text(table.get("url", "embedded"), "broker.url")
        parts = split_address(url)
        if url and url != "embedded" and (parts.scheme not in ("mqtt", "mqtts") or not parts.hostname):
            self._fault("broker.url", f"expected embedded, mqtt://host:port or mqtts://host:port, found {shown(url)}")
        if parts.password is not None or parts.username is not None:
            self._fault("broker.url", "user and password belong into CITYDECK_MQTT_USER and CITYDECK_MQTT_PASSWORD")
        found = table.get("subscriptions", list(DEFAULT_SUBSCRIPTIONS))
        return Broker(url, self._subscriptions(found, "broker.subscriptions"))

    def _subscriptions(self, found: object, path: str) -> tuple[str, ...]:
        if isinstance(found, list) and found and all(isinstance(item, str) and item for item in found):
            for item in found:
                levels = item.split("/")
                if "#" in item[:-1] or (levels[-1] != "#" and "#" in item) or item == "#":
                    self._fault(path, f"{shown(item)}: # stands alone in the last level, and not as the whole pattern")
                elif any("+" in level and level != "+" for level in levels):
                    self._fault(path, f"{shown(item)}: + stands alone in its level")
                elif levels[0] in _OWN_ROOTS or (levels[0] == "+" and topic_matches(item, _OWN_TOPIC)):
                    self._fault(path, f"{shown(item)}: covers topics on which CityDeck itself speaks")
            return tuple(found)
        self._fault(path, f"expected a list of topic patterns, found {shown(found)}")
        return ()

    def _simulation(self) -> Simulation:
        table = self._table("simulation")
        run, speed, seed = table.get("run", False), table.get("speed", 1.0), table.get("seed", 1)
        if not isinstance(run, bool):
            self._fault("simulation.run", f"expected true or false, found {shown(run)}")
        if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0 < speed <= 1000:
            self._fault("simulation.speed", f"expected a number above 0 and up to 1000, found {shown(speed)}")
            speed = 1.0
        if isinstance(seed, bool) or not isinstance(seed, int):
            self._fault("simulation.seed", f"expected a whole number, found {shown(seed)}")
            seed = 1
        return Simulation(run is True, float(speed), seed)

    def _districts(self) -> Iterator[District]:
        tables = self._tables("districts")
        if not tables:
            self._fault("districts", "expected at least one [[districts]]")
            yield District("unknown", Label("", ""), ())
        for index, table in enumerate(tables):
            path = f"districts[{index}]"
            self._names(table, frozenset({"key", "name", "streets"}), f"{path}.")
            streets = table.get("streets", [])
            yield District(
                self._text(table.get("key"), f"{path}.key"),
                self._label(table.get("name"), f"{path}.name"),
                tuple(self._streets(streets, f"{path}.streets")),
            )

    def _streets(self, found: Any, path: str) -> Iterator[Street]:
        if not isinstance(found, list):
            self._fault(path, f"expected a list of streets, found {shown(found)}")
            return
        for index, table in enumerate(found):
            where = f"{path}[{index}]"
            if not isinstance(table, dict):
                self._fault(where, f"expected a table, found {shown(table)}")
                continue
            self._names(table, frozenset({"key", "name", "polygon", "grids"}), f"{where}.")
            yield Street(
                self._text(table.get("key"), f"{where}.key"),
                self._label(table.get("name"), f"{where}.name"),
                self._ring(table.get("polygon", []), f"{where}.polygon"),
                self._texts(table.get("grids", []), f"{where}.grids"),
            )

    def _texts(self, found: Any, path: str) -> tuple[str, ...]:
        if isinstance(found, list) and all(isinstance(item, str) for item in found):
            return tuple(found)
        self._fault(path, f"expected a list of texts, found {shown(found)}")
        return ()

    def _ring(self, found: Any, path: str) -> tuple[tuple[float, float], ...]:
        try:
            ring = tuple((float(lon), float(lat)) for lon, lat in found)
        except (TypeError, ValueError, OverflowError):
            self._fault(path, f"expected [[lon, lat], …], found {shown(found)}")
            return ()
        if any(not (-180 <= lon <= 180 and -90 <= lat <= 90) for lon, lat in ring):
            self._fault(path, "a corner lies outside −180…180, −90…90; expected [lon, lat] in degrees")
        return ring

    def _units(self) -> Iterator[ResponsibleUnit]:
        for index, table in enumerate(self._tables("units")):
            path = f"units[{index}]"
            self._names(table, frozenset({"key", "name", "phone", "duty"}), f"{path}.")
            yield ResponsibleUnit(
                self._text(table.get("key"), f"{path}.key"),
                self._label(table.get("name"), f"{path}.name"),
                str(table.get("phone", "")),
                str(table.get("duty", "")),
            )

    def _shards(self) -> Iterator[Shard]:
        for name, table in self._table("shards").items():
            if not isinstance(table, dict):
                self._fault(f"shards.{name}", f"expected a table with subscriptions, found {shown(table)}")
                continue
            if not _SHARD_NAME.fullmatch(name):
                self._fault("shards", f"expected names of 1 to 64 letters, digits and . _ -, found {shown(name)}")
            self._names(table, _SHARD, f"shards.{name}.")
            foreign = table.get("foreign", [])
            if not isinstance(foreign, list) or not all(isinstance(number, str) for number in foreign):
                self._fault(f"shards.{name}.foreign", f"expected a list of foreign numbers, found {shown(foreign)}")
                foreign = []
            yield Shard(
                name,
                self._subscriptions(table.get("subscriptions"), f"shards.{name}.subscriptions"),
                frozenset(foreign),
            )

    def _device_rows(self) -> DeviceRows:
        rows: list[tuple[str, Mapping[str, object]]] = [
            (f"devices[{index}]", table) for index, table in enumerate(self._tables("devices"))
        ]
        name = self.document.get("devices_file")
        if name is not None:
            text = self._text(name, "devices_file")
            rows.extend(self._csv_rows(text) if text else ())
        return rows

    def _csv_rows(self, name: str) -> Sequence[tuple[str, Mapping[str, object]]]:
        try:
            with (self.source.parent / name).open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file)
                return [
                    (f"{Path(name).name} line {reader.line_num}", {key: value for key, value in row.items() if value})
                    for row in reader
                ]
        except (OSError, ValueError, csv.Error) as error:
            self._fault("devices_file", f"{Path(name).name} cannot be read: {error}")
            return []
