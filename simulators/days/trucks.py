"""Refuse trucks: rounds in the morning and in the evening, a few at any hour; they fill bin by bin and empty."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from devices.site import Device
from simulators.chance import draws
from simulators.days.rounds import Round
from simulators.moment import DAY_S, Moment, Window
from simulators.report import Data, Report
from simulators.rhythm import Rhythm
from simulators.setting import Setting, home
from simulators.tracks import circle

_PAUSE_S = 15 * 60
_GOLDEN = 0.6180339887498949
# share of the fleet up to here, first start, spread of the starts (h)
_SHIFTS = ((0.36, 4.3, 2.4), (0.62, 16.3, 2.5), (0.86, 8.6, 6.4), (1.0, 19.8, 7.2))
_CLASSES = (
    ("kitchen", 0.34, "kitchen"),
    ("other", 0.84, "compactor"),
    ("recyclable", 0.985, "box"),
    ("hazardous", 1.01, "box"),
)


@dataclass(frozen=True)
class _Truck:
    device: Device
    round: Round
    starts_s: tuple[float, ...]
    rated_kg: float
    waste: str
    body: str

    @property
    def tare_kg(self) -> float:
        return round(2100 + 1.34 * self.rated_kg, -1)


class TruckDay:
    """Each truck drives the same rounds every day; how much the bins hold differs."""

    def __init__(self, setting: Setting) -> None:
        """Plan every truck's rounds."""
        self._setting = setting
        devices = setting.of_kind("refuse_truck")
        self._trucks = {
            device.id: self._planned(device, (index + 0.5) * _GOLDEN % 1.0) for index, device in enumerate(devices)
        }
        self._rhythm = Rhythm(devices, 10)
        self._filled = lru_cache(maxsize=6 * len(devices) + 8)(self._drawn)

    def due(self, window: Window) -> Iterable[Report]:
        """Return telemetry and bin lifts of a window."""
        clock = self._setting.clock
        for at_ms, device in self._rhythm.due(window):
            yield Report(at_ms, device, "telemetry", self.telemetry(device, clock.moment(at_ms)))
        yield from self.lifts(window)

    def lifts(self, window: Window) -> Iterator[Report]:
        """Yield the bins that are lifted in a window."""
        clock = self._setting.clock
        start_s, stop_s = window.sim
        first, last = clock.moment_of(start_s).day, clock.moment_of(stop_s).day
        # A night shift's rounds begin on the day after the one they are planned for, and end later still.
        for day in range(first - 2, last + 1):
            midnight_s = clock.day_start_s(day)
            for truck in self._trucks.values():
                for number, begun_s in enumerate(truck.starts_s):
                    base_s = midnight_s + begun_s
                    if base_s + truck.round.lasts_s < start_s - 1 or base_s > stop_s + 1:
                        continue
                    lifts = truck.round.lifts_s
                    for index in range(bisect_right(lifts, start_s - base_s - 0.01), len(lifts)):
                        if base_s + lifts[index] > stop_s + 0.01:
                            break
                        moment = clock.moment_of(base_s + lifts[index])
                        if window.holds(moment.real_ms):
                            yield self._lift(truck, day, number, index, moment)

    def telemetry(self, device: Device, moment: Moment) -> Data:
        """Return where the truck is, what it carries and what it does."""
        truck = self._trucks[device.id]
        seed = self._setting.seed
        now = draws(seed, device.id, moment.real_ms)
        day, number, gone_s = self._under_way(truck, moment)
        track = truck.round.track
        rounds_a_day = len(truck.starts_s)
        before = (day - 738_000) * rounds_a_day + number
        if gone_s >= truck.round.lasts_s:
            lat, lon, heading = track.at(0.0)
            doing, speed, load, driven_m = "parked", 0.0, 15 + 10 * now[0], (before + 1) * track.length_m
        else:
            leg = truck.round.leg(gone_s)
            share = (gone_s - leg.start_s) / (leg.stop_s - leg.start_s)
            gone_m = leg.from_m + (leg.to_m - leg.from_m) * min(max(share, 0.0), 1.0)
            lat, lon, heading = track.at(gone_m)
            moving = leg.to_m > leg.from_m
            speed = (
                3.6 * (leg.to_m - leg.from_m) / (leg.stop_s - leg.start_s) * (0.85 + 0.3 * now[1]) if moving else 0.0
            )
            doing, driven_m = leg.doing, before * track.length_m + gone_m
            load = self._load(truck, day, number, gone_s) + (40 * now[2] - 20 if moving else 0)
        gross = truck.tare_kg + load
        front = 0.36 if truck.rated_kg < 9000 else 0.28
        axles = [front, 1 - front] if truck.rated_kg < 9000 else [front, (1 - front) / 2, (1 - front) / 2]
        return {
            "lat": lat,
            "lon": lon,
            "speed_kmh": speed,
            "heading_deg": heading,
            "odo_km": 20_000 + 40_000 * draws(seed, device.id)[0] + driven_m / 1000,
            "load_kg": load,
            "gross_kg": gross,
            "tare_kg": truck.tare_kg,
            "load_pct": 100 * load / truck.rated_kg,
            **{f"axle{n}_kg": gross * share for n, share in enumerate(axles, 1)},
            "tilt_deg": 2 * now[3] - 1,
            "body_up": False,
            "tailgate_open": doing == "empty" and truck.round.empty_from_s <= gone_s <= truck.round.empty_to_s,
            "compactor_on": doing == "lift" and truck.body == "compactor",
            "weigh_stable": speed == 0 and doing in ("collect", "parked"),
            "body_type": truck.body,
        }

    def event(self, device: Device, moment: Moment, wishes: Data) -> Data:
        """Return a bin lift here and now, with the wishes in it."""
        truck = self._trucks[device.id]
        where = self.telemetry(device, moment)
        return {**self._bin(truck, 60.0, moment), "lat": where["lat"], "lon": where["lon"], **wishes}

    def _under_way(self, truck: _Truck, moment: Moment) -> tuple[int, int, float]:
        """Return day, number and seconds gone of the round begun last."""
        day, day_s = moment.day, moment.day_s
        while day_s < truck.starts_s[0]:
            day, day_s = day - 1, day_s + DAY_S
        number = bisect_right(truck.starts_s, day_s) - 1
        return day, number, day_s - truck.starts_s[number]

    def _load(self, truck: _Truck, day: int, number: int, gone_s: float) -> float:
        filled = self._filled(truck.device.id, day, number)
        lifted = bisect_right(truck.round.lifts_s, gone_s)
        load = filled[lifted - 1] if lifted else 15.0
        if gone_s >= truck.round.empty_from_s:
            share = (gone_s - truck.round.empty_from_s) / (truck.round.empty_to_s - truck.round.empty_from_s)
            load = max(15.0, load * (1 - min(share, 1.0)))
        return load

    def _drawn(self, truck_id: str, day: int, number: int) -> tuple[float, ...]:
        """Return the load after each lift of a round."""
        truck = self._trucks[truck_id]
        count = len(truck.round.lifts_s)
        weights = [w for n in range(count // 16 + 1) for w in draws(self._setting.seed, truck_id, day, number, n)][
            :count
        ]
        fill = 0.72 + 0.25 * draws(self._setting.seed, truck_id, day, number, "fill")[0]
        scale = fill * truck.rated_kg / sum(0.35 + w for w in weights)
        return tuple(accumulate(max((0.35 + weight) * scale, 1.0) for weight in weights))

    def _lift(self, truck: _Truck, day: int, number: int, index: int, moment: Moment) -> Report:
        filled = self._filled(truck.device.id, day, number)
        net = filled[index] - (filled[index - 1] if index else 0.0)
        lat, lon, _ = truck.round.track.at(truck.round.leg(truck.round.lifts_s[index]).from_m)
        data = {**self._bin(truck, net, moment), "lat": lat, "lon": lon}
        return Report(moment.real_ms, truck.device, "event", data, passage=f"{moment.real_ms:x}")

    def _bin(self, truck: _Truck, net: float, moment: Moment) -> Data:
        tag_number = int(draws(self._setting.seed, truck.device.id, moment.sim_s)[0] * 0xFFFFFF)
        # A 240 l bin for kitchen waste, the 1,100 l one for everything heavier.
        tare = 12.5 if truck.waste == "kitchen" and net < 120 else 52.0
        net = round(net * 2) / 2
        return {
            "bin_rfid": f"E2806894{tag_number:06X}",
            "gross_kg": tare + net,
            "tare_kg": tare,
            "net_kg": net,
            "waste_class": truck.waste,
        }

    def _planned(self, device: Device, rank: float) -> _Truck:
        seed = self._setting.seed
        own = draws(seed, device.id, "plan")
        track = self._setting.tracks.rounds.get(device.id) or circle(f"round {device.id}", *home(device), 700)
        tour = Round(track, tuple(1 + int(3 * draw) for draw in draws(seed, device.id, "bins")))
        upto, first_h, spread_h = next(shift for shift in _SHIFTS if rank < shift[0])
        since = max((shift[0] for shift in _SHIFTS if shift[0] <= rank), default=0.0)
        start_s = (first_h + spread_h * (rank - since) / (upto - since)) * 3600
        starts = (start_s, start_s + tour.lasts_s + _PAUSE_S + 600 * own[0])
        waste, _, body = next(entry for entry in _CLASSES if own[1] < entry[1])
        return _Truck(device, tour, starts, device.rated_kg or 6800.0, waste, body)
