"""When which drone flies which route: slots that keep some in the air at any hour, and the shape of one flight."""

from dataclasses import dataclass

from devices.site import Device
from simulators.chance import draws
from simulators.moment import DAY_S, Moment
from simulators.setting import Setting, home
from simulators.tracks import Track, circle

# A drone's day begins at six: sixteen hours of patrols, then eight with a few night flights.
DAWN_S = 6 * 3600
_DAY_SLOT_S, _DAY_SLOTS = 48 * 60, 20
_NIGHT_SLOT_S, _NIGHT_SLOTS = 160 * 60, 3
_LASTS_S = 14.5 * 60
_CLIMB_MPS, _SINK_MPS = 4.0, 3.0
PREPARE_S = 25.0
DRAIN_PCT_S = 3.4 / 60
CHARGE_PCT_S = 3.0 / 60


@dataclass(frozen=True)
class Flight:
    """One flight: ``since_s`` counts simulated seconds, or real ones for a flight a scenario ordered."""

    track: Track
    since_s: float
    height_m: float
    day: int
    number: int
    by_real_time: bool = False

    @property
    def speed_mps(self) -> float:
        """Return the ground speed: slow over a short route, so that all flights last alike."""
        return min(max(self.track.length_m / (_LASTS_S - self._climb_s - self._sink_s), 2.5), 12.0)

    @property
    def _climb_s(self) -> float:
        return self.height_m / _CLIMB_MPS

    @property
    def _sink_s(self) -> float:
        return self.height_m / _SINK_MPS

    @property
    def lasts_s(self) -> float:
        """Return the time from take-off to landing."""
        return self._climb_s + self.track.length_m / self.speed_mps + self._sink_s

    def gone_s(self, moment: Moment) -> float:
        """Return the seconds since take-off; negative before."""
        return (moment.real_ms / 1000 if self.by_real_time else moment.sim_s) - self.since_s

    def at(self, gone_s: float) -> tuple[int, float, float, float, float]:
        """Return mode, metres gone along the route, height, ground speed and climb rate."""
        cruise_s = self.track.length_m / self.speed_mps
        if gone_s < self._climb_s:
            return 4, 0.0, gone_s * _CLIMB_MPS, 0.0, _CLIMB_MPS
        if gone_s < self._climb_s + cruise_s:
            gone_m = (gone_s - self._climb_s) * self.speed_mps
            # The last eighth leads home.
            return (9 if gone_m > 0.88 * self.track.length_m else 5), gone_m, self.height_m, self.speed_mps, 0.0
        left_s = self.lasts_s - gone_s
        return 10, self.track.length_m, left_s * _SINK_MPS, 0.0, -_SINK_MPS


class Flights:
    """The plan of all drones, and the flights that scenarios order beside it."""

    def __init__(self, setting: Setting) -> None:
        """Give each drone its place in the slots."""
        self._setting = setting
        drones = setting.of_kind("drone")
        self._place = {device.id: index / max(len(drones), 1) for index, device in enumerate(drones)}
        self._ordered: dict[str, list[Flight]] = {}

    def order(self, device: Device, moment: Moment) -> None:
        """Let a drone fly now, whatever the hour; one that is in the air for a while yet just goes on."""
        current = self.last(device, moment)
        if -PREPARE_S < current.gone_s(moment) < current.lasts_s - 300:
            return
        flight = self._flight(device, moment.day, 99, moment.real_ms / 1000 + PREPARE_S, True)
        self._ordered.setdefault(device.id, []).append(flight)

    def last(self, device: Device, moment: Moment) -> Flight:
        """Return the flight that was, or is about to be, begun last."""
        for flight in reversed(self._ordered.get(device.id, [])):
            if -PREPARE_S <= flight.gone_s(moment) < flight.lasts_s + 1800:
                return flight
        day, since_dawn_s = moment.day, moment.day_s - DAWN_S + PREPARE_S
        if since_dawn_s < 0:
            day, since_dawn_s = day - 1, since_dawn_s + DAY_S
        starts = self._starts(device)
        number = max((n for n, start in enumerate(starts) if start <= since_dawn_s), default=-1)
        if number < 0:
            day, number, since_dawn_s = day - 1, len(starts) - 1, since_dawn_s + DAY_S
        since_s = moment.sim_s + PREPARE_S - (since_dawn_s - starts[number])
        return self._flight(device, day, number, since_s, False)

    def count_before(self, device: Device, moment: Moment) -> int:
        """Return how many flights a dock has seen, this drone's last one included."""
        flight = self.last(device, moment)
        return (flight.day - 739_000) * (_DAY_SLOTS + _NIGHT_SLOTS) + min(flight.number, _DAY_SLOTS + _NIGHT_SLOTS)

    def _starts(self, device: Device) -> list[float]:
        place = self._place[device.id]
        by_day = [_DAY_SLOT_S * (n + place) for n in range(_DAY_SLOTS)]
        return by_day + [_DAY_SLOT_S * _DAY_SLOTS + _NIGHT_SLOT_S * (n + place) for n in range(_NIGHT_SLOTS)]

    def _flight(self, device: Device, day: int, number: int, since_s: float, real: bool) -> Flight:
        routes = self._setting.tracks.routes.get(device.parent, ())
        choice, height, *_ = draws(self._setting.seed, device.id, day, number)
        track = routes[int(choice * len(routes))] if routes else circle(f"round {device.id}", *home(device), 400)
        # The same flight must be the same number to the last bit, from whichever moment it is asked for.
        return Flight(track, round(since_s, 3), 60.0 + 5 * int(9 * height), day, number, real)
