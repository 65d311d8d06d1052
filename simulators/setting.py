"""What every simulated device needs to know of its city."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from devices.site import Device, Site
from simulators.lamps import LampHolds
from simulators.moment import Moment, SimulatedClock, Window
from simulators.report import Data, Report
from simulators.sky import Sky
from simulators.tracks import Tracks, read_tracks


@dataclass(frozen=True)
class Setting:
    """The city, the seed, the clock. Without ``incidents`` no lorry is overweight and no lamp fails."""

    site: Site
    seed: int
    clock: SimulatedClock
    sky: Sky
    tracks: Tracks
    incidents: bool = True
    lamps: LampHolds = field(default_factory=LampHolds)

    def of_kind(self, kind: str) -> list[Device]:
        """Return the devices of a kind in the site's order."""
        return [device for device in self.site.devices.values() if device.kind == kind]


def make_setting(site: Site, seed: int, clock: SimulatedClock, incidents: bool = True) -> Setting:
    """Look around in a site; its sky stands over the first device that has a place."""
    places = ((d.lat, d.lon) for d in site.devices.values() if d.lat is not None and d.lon is not None)
    lat, lon = next(places, (30.32, 120.14))
    return Setting(site, seed, clock, Sky(seed, lat, lon, clock.zone), read_tracks(site.routes), incidents)


class Day(Protocol):
    """The plausible day of one kind of device."""

    def due(self, window: Window) -> Iterable[Report]:
        """Return what is said in a window of time."""

    def telemetry(self, device: Device, moment: Moment) -> Data:
        """Return what a device would say if it spoke now."""

    def event(self, device: Device, moment: Moment, wishes: Data) -> Data:
        """Return something that happens once, as a scenario wishes it."""


def home(device: Device) -> tuple[float, float]:
    """Return where a device stands as (lat, lon); one without a place stands at 0, 0, which means none on the wire."""
    return device.lat or 0.0, device.lon or 0.0
