"""Bridge weighing stations: one record per heavy vehicle, a heartbeat each minute."""

from collections.abc import Iterable
from functools import lru_cache

from devices.site import Device
from simulators.chance import draws, wander, word
from simulators.days.traffic import BY_NAME, GROUPS, AxleGroup, TrafficDay, axle_loads, traffic_day
from simulators.moment import DAY_S, Moment, Window
from simulators.report import Data, Report
from simulators.rhythm import Rhythm
from simulators.setting import Setting

_VEHICLES_A_DAY = 6000.0
# Over the whole city: what the duty desk can bear beside everything else.
_OVERLOADED_AN_HOUR = 3.6
_OFFENDERS = 60


class BridgeDay:
    """Traffic by simulated time: a day that passes faster brings more vehicles a second."""

    def __init__(self, setting: Setting) -> None:
        """Share the city's overloaded lorries among the bridges without a sign of their own."""
        self._setting = setting
        self._stations = setting.of_kind("bridge_wim")
        self._rhythm = Rhythm(self._stations, 60)
        unposted = sum(1 for device in self._stations if device.posted_limit_kg is None)
        self._heavy = _OVERLOADED_AN_HOUR / max(unposted, 1) if setting.incidents else 0.0
        self._traffic = lru_cache(maxsize=4 * len(self._stations) + 4)(self._drawn)

    def due(self, window: Window) -> Iterable[Report]:
        """Return heartbeats and passages of a window."""
        clock = self._setting.clock
        for at_ms, device in self._rhythm.due(window):
            yield Report(at_ms, device, "telemetry", self.telemetry(device, clock.moment(at_ms)))
        start_s, stop_s = window.sim
        first, last = clock.moment_of(start_s), clock.moment_of(stop_s)
        for day in range(first.day, last.day + 1):
            midnight_s = clock.day_start_s(day)
            for device in self._stations:
                traffic = self._traffic(device.id, day)
                # A little wider than the window: rounding to milliseconds decides at the edges, see below.
                low, high = traffic.until(start_s - midnight_s - 0.01), traffic.until(stop_s - midnight_s + 0.01)
                for index in range(low, high):
                    moment = clock.moment_of(midnight_s + float(traffic.at_s[index]))
                    if window.holds(moment.real_ms):
                        yield self._passage(device, traffic, index, moment)

    def telemetry(self, device: Device, moment: Moment) -> Data:
        """Return the heartbeat."""
        own, now = draws(self._setting.seed, device.id), draws(self._setting.seed, device.id, moment.real_ms)
        filling = (moment.sim_s / DAY_S + 30 * own[1]) % 30
        return {
            "uptime_s": (moment.real_ms / 1000 + own[0] * 90 * DAY_S) % (90 * DAY_S),
            "loops_ok": 8.0,
            "temp_c": self._setting.sky.temperature_c(moment) + 7 + now[0],
            "disk_pct": 31 + 1.1 * filling + 4 * own[2],
            "passes_today": float(self._traffic(device.id, moment.day).until(moment.day_s)),
        }

    def event(self, device: Device, moment: Moment, wishes: Data) -> Data:
        """Return a passage with the gross mass and axle group a scenario wishes."""
        noise = draws(self._setting.seed, device.id, moment.real_ms, "wished")
        group = BY_NAME.get(str(wishes.get("axle_groups", "113")), GROUPS[0])
        gross = wishes.get("gvw_kg", group.median_kg)
        data = self._vehicle(device, group, float(gross), noise, moment)
        lane = 1 + int(noise[0] * 2)
        data.update(
            speed_kmh=48 + 14 * noise[1], lane=str(lane), direction="E", headway_s=2 + 3 * noise[2], warn_bits=4.0
        )
        data.update({key: value for key, value in wishes.items() if key not in ("gvw_kg", "axle_groups")})
        return data

    def _drawn(self, station: str, day: int) -> TrafficDay:
        seed, device = self._setting.seed, self._setting.site.devices[station]
        vehicles = _VEHICLES_A_DAY * (0.6 + 0.8 * draws(seed, station, "traffic")[0])
        heavy = self._heavy if device.posted_limit_kg is None else 0.0
        return traffic_day(seed, station, day, vehicles, device.posted_limit_kg, heavy)

    def _passage(self, device: Device, traffic: TrafficDay, index: int, moment: Moment) -> Report:
        noise = draws(self._setting.seed, device.id, moment.day, index)
        group = GROUPS[int(traffic.group[index])]
        data = self._vehicle(device, group, float(traffic.gross_kg[index]), noise, moment)
        lane = int(traffic.lane[index])
        data.update(
            speed_kmh=float(traffic.speed_mps[index]) * 3.6,
            lane=str(lane),
            direction="E" if lane <= 2 else "W",
            headway_s=min(float(traffic.headway_s[index]), 3600.0),
            warn_bits=float(traffic.warnings[index]),
        )
        return Report(moment.real_ms, device, "event", data, passage=f"{moment.real_ms:x}-{index}")

    def _vehicle(
        self, device: Device, group: AxleGroup, gross_kg: float, noise: tuple[float, ...], moment: Moment
    ) -> Data:
        seed = self._setting.seed
        loads = axle_loads(group, gross_kg, noise[4:12])
        limit = group.limit_kg if device.posted_limit_kg is None else min(group.limit_kg, device.posted_limit_kg)
        # The same few lorries offend again and again.
        known = word(seed, "offender", int(noise[12] * _OFFENDERS))
        data: Data = {
            "plate_hash": known if gross_kg > 1.1 * limit else word(seed, device.id, moment.sim_s, noise[12]),
            "plate_color": "yellow" if len(loads) > 2 or noise[13] < 0.6 else "blue",
            "axle_count": float(len(loads)),
            "axle_groups": group.name,
            "gvw_kg": sum(loads),
            "vclass": group.name,
            "length_m": sum(group.gaps_m) + 2.6 + 0.8 * noise[3],
            "width_m": 2.45 + 0.08 * noise[13],
            "height_m": 2.6 + 1.3 * noise[14],
            "confidence_pct": 88 + 11 * noise[15],
            "pave_temp_c": self._setting.sky.temperature_c(moment)
            + 9 * self._setting.sky.daylight(moment)
            + wander(seed, device.id, moment.sim_s, 3600),
        }
        data.update({f"axle{n}_kg": load for n, load in enumerate(loads, 1)})
        data.update({f"axle_gap{n}_m": gap + 0.1 * noise[n % 16] for n, gap in enumerate(group.gaps_m, 1)})
        if device.posted_limit_kg is not None:
            data["limit_kg"] = limit
        return data
