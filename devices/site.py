"""A site: one city's broker, store, districts, devices and limits, as its ``site.toml`` says."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from devices.areas import Area
from devices.calendar import Place
from devices.catalog import Catalog
from devices.envelope import Envelope
from devices.kind import Label, Limit, Measurement
from devices.lanes import Lanes
from devices.topics import topic_matches


@dataclass(frozen=True, slots=True)
class Broker:
    """Where messages come from; ``url`` is ``embedded`` or ``mqtt[s]://host:port``."""

    url: str
    subscriptions: tuple[str, ...]

    @property
    def embedded(self) -> bool:
        """Tell whether ``citydeck up`` starts the broker itself."""
        return self.url == "embedded"


@dataclass(frozen=True, slots=True)
class Keep:
    """How many days one measurement stays: as it came, and as a summary of each minute."""

    raw_days: int
    minute_days: int


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where readings go; ``url`` is ``embedded`` or ``http[s]://host:port?org=…&bucket=…``."""

    url: str = "embedded"
    raw_days: int = 90
    minute_days: int = 730
    keep: Mapping[str, Keep] = field(default_factory=dict)

    @property
    def embedded(self) -> bool:
        """Tell whether readings are kept in the site's own SQLite file."""
        return self.url == "embedded"

    def kept(self, measurement: str, sampled: bool) -> Keep:
        """Return how long a measurement stays; what is no sample but a record stays as long as the minutes do."""
        usual = Keep(self.raw_days if sampled else self.minute_days, self.minute_days)
        return self.keep.get(measurement, usual)


@dataclass(frozen=True, slots=True)
class Simulation:
    """Whether ``citydeck up`` runs the simulators, how fast their day passes, and from which seed."""

    run: bool = False
    speed: float = 1.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Street:
    """A street (街道): the level below the district. ``polygon`` is a ring of (lon, lat), WGS-84."""

    key: str
    label: Label
    polygon: tuple[tuple[float, float], ...] = ()
    grids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class District:
    """The administrative level that topics name."""

    key: str
    label: Label
    streets: tuple[Street, ...]


@dataclass(frozen=True, slots=True)
class ResponsibleUnit:
    """Who is called when a device raises an alarm."""

    key: str
    label: Label
    phone: str = ""
    duty: str = ""


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera and where it stands (WGS-84)."""

    id: str
    label: Label
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class GridOfficer:
    """Who looks after a grid (网格员)."""

    label: Label
    phone: str


@dataclass(frozen=True, slots=True)
class Device:
    """A registered device and where it stands (WGS-84)."""

    id: str
    kind: str
    district: str
    street: str
    grid: str = ""
    lat: float | None = None
    lon: float | None = None
    parent: str = ""
    foreign: str = ""
    installed: date | None = None
    expires: date | None = None
    responsible: str = ""
    camera: str = ""
    label: Label | None = None
    fitted: tuple[str, ...] = ()
    circuit: str = ""
    premises: str = ""
    rated_kg: float | None = None
    max_mass_kg: float | None = None
    posted_limit_kg: float | None = None
    verify_due: date | None = None
    noise_class: str = ""
    road: str = ""

    @property
    def facts(self) -> dict[str, float]:
        """Return the registered numbers a kind may reckon with."""
        found = {
            "rated_kg": self.rated_kg,
            "max_mass_kg": self.max_mass_kg,
            "posted_limit_kg": self.posted_limit_kg,
        }
        return {key: value for key, value in found.items() if value is not None}


@dataclass(slots=True, eq=False)
class Way:
    """What is known of a native topic before its payload is looked at.

    ``lane`` begins the keys of its messages; usual ones have a ``place`` in ``lanes``. ``simple`` is the first
    measurement where nothing is to be derived or told apart in it, else empty. ``usual`` tells whether its messages may
    be read together with those of others, and ``tries_tags`` whether they are tried as such with tags, from the first
    on that was none without; so many of the next that ``spared`` counts are not tried, for the last that was tried was
    none.
    """

    topic: str
    kind: str
    device: str
    district: str
    channel: str
    envelope: Envelope
    measurements: tuple[Measurement, ...]
    facts: Mapping[str, float]
    lane: str
    registered: bool
    simple: str
    lanes: Lanes
    place: int
    usual: bool
    tries_tags: bool = False
    spared: int = 0


@dataclass(frozen=True, slots=True)
class ScopedLimit:
    """A limit as it stands for one device, circuit or street, in place of the kind's own."""

    scope: Literal["device", "circuit", "street"]
    name: str
    kind: str
    field: str
    limit: Limit


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to reach people: its kind (mail, wecom, dingtalk, …), the variable with its address, and what for."""

    name: str
    kind: str
    env: str
    roles: tuple[str, ...]
    priorities: tuple[str, ...]


_FOREIGN_TOPICS = {"DJI": "thing/product/{}/osd", "HJ212": "hj212/{}/up"}


@dataclass(frozen=True, slots=True)
class Shard:
    """One collector's share: topic filters, and the foreign numbers of devices that speak on topics of their own."""

    name: str
    subscriptions: tuple[str, ...]
    foreign: frozenset[str] = frozenset()

    def holds(self, device: "Device") -> bool:
        """Tell whether a device's messages come to this collector."""
        scheme, _, number = device.foreign.partition(":")
        topics = [f"city/v1/{device.district}/{device.kind}/{device.id}/telemetry"]
        if scheme in _FOREIGN_TOPICS:
            topics.append(_FOREIGN_TOPICS[scheme].format(number))
        return device.foreign in self.foreign or any(
            topic_matches(pattern, topic) for pattern in self.subscriptions for topic in topics
        )


@dataclass(frozen=True)
class Site:
    """Everything the other rooms need to know about a city; made by :func:`devices.site_file.load_site` only."""

    source: Path
    label: Label
    timezone: ZoneInfo
    simulated: bool
    broker: Broker
    store: StoreSettings
    alarm_database: str
    districts: tuple[District, ...]
    units: Mapping[str, ResponsibleUnit]
    devices: Mapping[str, Device]
    catalog: Catalog
    simulation: Simulation = field(default_factory=Simulation)
    shards: Mapping[str, Shard] = field(default_factory=dict)
    basemap: Path | None = None
    routes: Path | None = None
    by_foreign: Mapping[str, Device] = field(default_factory=dict)
    journal_days: int = 7
    areas: tuple[Area, ...] = ()
    holidays: frozenset[date] = frozenset()
    scoped: tuple[ScopedLimit, ...] = ()
    channels: tuple[Channel, ...] = ()
    cameras: tuple[Camera, ...] = ()
    grid_officers: Mapping[str, GridOfficer] = field(default_factory=dict)
    kinds_as_they_come: Catalog | None = field(default=None, compare=False, repr=False)
    """The kinds without the site's thresholds: what a cap means."""
    limits_for: tuple[Mapping[str, Any], ...] = field(default=(), compare=False, repr=False)
    """The tables from which ``scoped`` was made."""
    ways: dict[str, Way] = field(default_factory=dict, compare=False, repr=False)
    """Where decoding remembers what it knows of a topic; see :mod:`devices.quick`."""
    lanes: dict[tuple[str, str], Lanes] = field(default_factory=dict, compare=False, repr=False)
    """Who sends usual messages, by kind and channel."""
    replayed: bool = False
    """Whether what is shown of it is played from a recording, so that every page has to say so."""
    drill: bool = False
    """Whether that is an exercise, in which people act."""
    awaited: frozenset[str] | None = None
    """Whose silence counts even if they are never heard; without a set every device's."""

    def part(self, shard: str) -> "Site":
        """Return the site as one collector sees it: with the devices of its shard alone."""
        own = self.shards[shard]
        devices = {key: device for key, device in self.devices.items() if own.holds(device)}
        by_foreign = {key: device for key, device in self.by_foreign.items() if device.id in devices}
        return replace(self, devices=devices, by_foreign=by_foreign, ways={})

    def place(self, device: str) -> Place:
        """Return where the schedules of a device hold: at its own position, else in the middle of the city."""
        found = self.devices.get(device)
        lat, lon = self.middle
        if found is not None and found.lat is not None and found.lon is not None:
            lat, lon = found.lat, found.lon
        return Place(self.timezone, lat, lon, self.holidays)

    @cached_property
    def middle(self) -> tuple[float, float]:
        """Return the mean position (lat, lon) of the devices, or that of Hangzhou where none has one."""
        found = [(d.lat, d.lon) for d in self.devices.values() if d.lat is not None and d.lon is not None]
        if not found:
            return 30.25, 120.17
        return sum(lat for lat, _ in found) / len(found), sum(lon for _, lon in found) / len(found)

    def lane(self, lane: str) -> tuple[Lanes, int] | None:
        """Return the place of a lane among those of usual messages, None where it has none."""
        device, _, channel = lane.removesuffix("|").partition("|")
        registered = self.devices.get(device)
        lanes = None if registered is None else self.lanes.get((registered.kind, channel))
        place = None if lanes is None else lanes.known(device)
        return None if lanes is None or place is None else (lanes, place)

    @property
    def district(self) -> str:
        """Return the key of the first district, under which unregistered foreign devices are kept."""
        return self.districts[0].key

    @property
    def streets(self) -> Mapping[str, Street]:
        """Return every street by key."""
        return {street.key: street for district in self.districts for street in district.streets}

    def device_of(self, scheme: str, foreign: str) -> Device | None:
        """Return the device registered for a foreign number (``DJI`` serial, ``HJ212`` station), if any."""
        return self.by_foreign.get(f"{scheme}:{foreign}")
