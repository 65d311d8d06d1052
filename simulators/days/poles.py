"""Light poles: lamps follow the sun, their supply wanders, now and then one fails; some measure the air."""

from collections.abc import Iterable

from devices.site import Device
from simulators.chance import draws, wander
from simulators.days.air import air
from simulators.moment import DAY_S, Moment, Window
from simulators.report import Data, Report
from simulators.rhythm import Rhythm
from simulators.setting import Setting

_WEEK_S = 7 * DAY_S
# Beyond the polar circle nothing switches for days.
_LONGEST_MIN = 2 * 24 * 60
_FAILS_A_WEEK = 0.003
_BURNS_A_WEEK = 0.0008


class PoleDay:
    """Each lamp reports once a minute, each air station in between."""

    def __init__(self, setting: Setting) -> None:
        """Look up who has an air station; a pole that says nothing of its fittings has a lamp."""
        self._setting = setting
        devices = setting.of_kind("light_pole")
        self.lamps = [d for d in devices if not d.fitted or "light_pole" in d.fitted]
        self._lamps = Rhythm(self.lamps, 60)
        self._stations = Rhythm([d for d in devices if "pole_env" in d.fitted], 60)

    def due(self, window: Window) -> Iterable[Report]:
        """Return the reports of a window."""
        clock = self._setting.clock
        for at_ms, device in self._lamps.due(window):
            yield Report(at_ms, device, "telemetry", self.telemetry(device, clock.moment(at_ms)), part="light_pole")
        for at_ms, device in self._stations.due(window):
            yield Report(at_ms, device, "telemetry", air(self._setting, device, clock.moment(at_ms)), part="pole_env")

    def telemetry(self, device: Device, moment: Moment) -> Data:
        """Return the lamp's values."""
        seed, sky = self._setting.seed, self._setting.sky
        own = draws(seed, device.id)
        now = draws(seed, device.id, moment.real_ms)
        own_schedule = self._schedule(device, moment)
        hold = self._setting.lamps.at(device.id, moment.real_ms)
        command = own_schedule if hold is None else hold.dim_pct
        failed, burning = self._fails(device, moment), command == 0 and self._burns(device, moment)
        shines = own_schedule if hold is not None and hold.stuck else command
        actual = 100.0 if burning else 0.0 if failed else shines
        volts = 225.5 + 3.5 * wander(seed, device.circuit, moment.sim_s, 2400) + 1.6 * own[0] + 0.5 * now[0]
        rated_w = (60.0, 80.0, 120.0, 150.0)[int(own[1] * 4)]
        watts = rated_w * (0.05 + 0.95 * actual / 100) * (0.985 + 0.03 * now[1]) if actual else 0.6 + 0.2 * now[1]
        factor = 0.94 + 0.04 * actual / 100 if actual else 0.42
        burned_h = sky.dark_h(moment)
        return {
            "dim_pct": actual,
            "cmd_pct": command,
            "supply_v": volts,
            "supply_a": watts / volts / factor,
            "active_w": watts,
            "pf": factor,
            "energy_kwh": 180 * own[2] + rated_w * 0.74 * burned_h / 1000,
            "lamp_hours_h": 3000 * own[3] + burned_h,
            "driver_temp_c": sky.temperature_c(moment) + 3 + 24 * actual / 100 + now[2],
            "leak_ma": 0.3 + 3.5 * own[4] + 0.6 * now[3],
            "tilt_deg": 1.4 * own[5] + 0.1 * now[4],
            "lamp_fail": failed,
            "gear_fail": False,
            "relay_fail": False,
            "comm_fail": False,
            "day_burner": burning,
            "door_open": False,
            "feeder": device.circuit or "F-000",
        }

    def event(self, device: Device, moment: Moment, wishes: Data) -> Data:
        """Return the telemetry with the wishes in it; poles have no passages."""
        return {**self.telemetry(device, moment), **wishes}

    def next_switching_ms(self, device: Device, moment: Moment) -> int:
        """Return the real instant at which the lamp's own schedule next switches."""
        clock, now = self._setting.clock, self._schedule(device, moment)
        for minute in range(1, _LONGEST_MIN):
            later = clock.moment_of(moment.sim_s + minute * 60)
            if self._schedule(device, later) != now:
                return later.real_ms
        return clock.real_ms(moment.sim_s + _LONGEST_MIN * 60)

    def _schedule(self, device: Device, moment: Moment) -> float:
        # A circuit switches as one: its contactor, not its lamps, knows the time.
        lag_s = 240 * draws(self._setting.seed, device.circuit or device.id)[0] - 120
        return self._setting.sky.dimming(moment, lag_s)

    def _fails(self, device: Device, moment: Moment) -> bool:
        return self._spell(device, moment, "fails", _FAILS_A_WEEK, 20 * 3600, 60 * 3600)

    def _burns(self, device: Device, moment: Moment) -> bool:
        return self._spell(device, moment, "burns", _BURNS_A_WEEK, 6 * 3600, 30 * 3600)

    def _spell(self, device: Device, moment: Moment, what: str, share: float, least_s: float, most_s: float) -> bool:
        """Tell whether a fault of this or the last week still lasts: few lamps have one, then until it is mended."""
        if not self._setting.incidents:
            return False
        week = int(moment.sim_s // _WEEK_S)
        for since in (week, week - 1):
            hit, start, lasts, *_ = draws(self._setting.seed, device.id, what, since)
            begun_s = (since + start) * _WEEK_S
            if hit < share and begun_s <= moment.sim_s < begun_s + least_s + lasts * (most_s - least_s):
                return True
        return False
