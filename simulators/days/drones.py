"""Patrol drones and their docks: fly, come home, charge; the dock opens and closes around it."""

from collections.abc import Iterable

from devices.site import Device
from simulators.chance import draws, wander
from simulators.days.flights import CHARGE_PCT_S, DRAIN_PCT_S, PREPARE_S, Flight, Flights
from simulators.moment import Moment, Window
from simulators.report import Data, Report
from simulators.rhythm import Rhythm
from simulators.setting import Setting, home
from simulators.tracks import ground_distance

_AFTERWARDS_MS = 8_000


class DroneDay:
    """Once a second in the air and shortly after; on the ground three times within what counts as silence."""

    def __init__(self, setting: Setting, flights: Flights) -> None:
        """Follow the plan of flights."""
        self._setting, self._flights = setting, flights
        drones = setting.of_kind("drone")
        self._fast, self._slow = Rhythm(drones, 1), Rhythm(drones, 10)

    def due(self, window: Window) -> Iterable[Report]:
        """Return the reports of a window."""
        clock = self._setting.clock
        for at_ms, device in self._fast.due(window):
            moment = clock.moment(at_ms)
            if self._awake(device, moment) or self._awake(device, clock.moment(at_ms - _AFTERWARDS_MS)):
                yield Report(at_ms, device, "telemetry", self.telemetry(device, moment))
        for at_ms, device in self._slow.due(window):
            moment = clock.moment(at_ms)
            if not (self._awake(device, moment) or self._awake(device, clock.moment(at_ms - _AFTERWARDS_MS))):
                yield Report(at_ms, device, "telemetry", self.telemetry(device, moment))

    def telemetry(self, device: Device, moment: Moment) -> Data:
        """Return what the aircraft reports."""
        seed, sky = self._setting.seed, self._setting.sky
        flight = self._flights.last(device, moment)
        gone_s = flight.gone_s(moment)
        now = draws(seed, device.id, moment.real_ms)
        charge = battery_pct(flight, gone_s)
        lat, lon = home(device)
        data: Data = {"batt_pct": charge, "batt_v": 21.6 + 3.9 * charge / 100, "remain_flight_s": charge / DRAIN_PCT_S}
        if 0 <= gone_s < flight.lasts_s:
            mode, gone_m, height, speed, climb = flight.at(gone_s)
            lat, lon, heading = flight.track.at(gone_m)
            aloft = 1.35 * sky.wind_mps(moment) + 0.6 * now[0]
            data.update(
                mode=float(mode), speed_mps=speed * (0.96 + 0.08 * now[1]), climb_mps=climb + 0.2 * now[2] - 0.1,
                alt_rel_m=max(0.0, height + 0.6 * now[3] - 0.3), heading_deg=heading, pitch_deg=-2 - speed + now[4],
                roll_deg=4 * now[5] - 2, gimbal_pitch_deg=-55.0 if mode == 5 else 0.0, gimbal_yaw_deg=heading,
                wind_mps=min(aloft, 7.4), route_id=flight.track.key, batt_temp_c=30 + 6 * (1 - charge / 100) + now[6],
                mission_id=f"{device.id}-{flight.day}-{flight.number:02d}",
            )  # fmt: skip
        else:
            preparing = gone_s < 0
            data.update(
                mode=(1.0 if gone_s < -PREPARE_S / 2 else 2.0) if preparing else 0.0, speed_mps=0.0, climb_mps=0.0,
                alt_rel_m=0.0, heading_deg=360 * draws(seed, device.id)[0], pitch_deg=0.0, roll_deg=0.0,
                batt_temp_c=25 + now[6],
            )  # fmt: skip
        data["alt_ellipsoid_m"] = 34.0 + float(data["alt_rel_m"])
        data["home_dist_m"] = ground_distance((home(device)[1], home(device)[0]), (lon, lat))
        data.update(lat=lat, lon=lon, gnss_sats=19 + 8 * now[7], rtk_sats=24 + 8 * now[8])
        data.update(fix=2.0, pdop=0.9 + 0.5 * now[9])
        return data

    def event(self, device: Device, moment: Moment, wishes: Data) -> Data:
        """Return the telemetry with the wishes in it; drones have no passages."""
        return {**self.telemetry(device, moment), **wishes}

    def _awake(self, device: Device, moment: Moment) -> bool:
        flight = self._flights.last(device, moment)
        return -PREPARE_S <= flight.gone_s(moment) < flight.lasts_s


class DockDay:
    """A report every half minute."""

    def __init__(self, setting: Setting, flights: Flights) -> None:
        """Learn which drone lives where."""
        self._setting, self._flights = setting, flights
        docks = setting.of_kind("drone_dock")
        self._drone = {device.parent: device for device in setting.of_kind("drone")}
        self._rhythm = Rhythm(docks, 30)

    def due(self, window: Window) -> Iterable[Report]:
        """Return the reports of a window."""
        for at_ms, device in self._rhythm.due(window):
            yield Report(at_ms, device, "telemetry", self.telemetry(device, self._setting.clock.moment(at_ms)))

    def telemetry(self, device: Device, moment: Moment) -> Data:
        """Return cover, weather and charging."""
        seed, sky = self._setting.seed, self._setting.sky
        own, now = draws(seed, device.id), draws(seed, device.id, moment.real_ms)
        outside = sky.temperature_c(moment) + own[0]
        data: Data = {
            "mode": 0.0, "cover": 0.0, "drone_in_dock": 0.0, "rain": 1.0 if sky.rain_mmh(moment) > 0 else 0.0,
            "wind_mps": sky.wind_mps(moment) * (1.0 + 0.2 * own[1]), "env_temp_c": outside,
            "inside_temp_c": 22 + 0.25 * (outside - 22) + now[0], "inside_rh_pct": 44 + 8 * own[2] + now[1],
            "mains_v": 226 + 4 * wander(seed, device.id, moment.sim_s, 3000) + now[2], "net_type": 2.0,
            "sdr_q": 5.0 if now[3] < 0.9 else 4.0, "lte_q": 4.0, "charge_state": 0.0,
        }  # fmt: skip
        drone = self._drone.get(device.id)
        if drone is None:
            return data
        flight = self._flights.last(drone, moment)
        gone_s = flight.gone_s(moment)
        charge = battery_pct(flight, gone_s)
        aloft = 0 <= gone_s < flight.lasts_s
        data["job_count"] = float(max(0, self._flights.count_before(drone, moment)))
        if not aloft:
            charging = gone_s > 0 and charge < 100
            data.update(drone_in_dock=1.0, batt_pct=charge, charge_state=1.0 if charging else 0.0)
        if -PREPARE_S <= gone_s < flight.lasts_s + 20:
            data["mode"] = 4.0
        # Open for take-off and landing, closed while the drone is away: it rains in otherwise.
        if -12 <= gone_s < 30 or flight.lasts_s - 35 <= gone_s < flight.lasts_s + 12:
            data["cover"] = 1.0
        elif -20 <= gone_s < -12 or flight.lasts_s + 12 <= gone_s < flight.lasts_s + 20:
            data["cover"] = 2.0
        return data

    def event(self, device: Device, moment: Moment, wishes: Data) -> Data:
        """Return the telemetry with the wishes in it; docks have no passages."""
        return {**self.telemetry(device, moment), **wishes}


def battery_pct(flight: Flight, gone_s: float) -> float:
    """Return the charge: full at take-off, drained in the air, charged again in the dock."""
    left = 100 - DRAIN_PCT_S * min(max(gone_s, 0.0), flight.lasts_s)
    return min(100.0, left + CHARGE_PCT_S * max(0.0, gone_s - flight.lasts_s))
