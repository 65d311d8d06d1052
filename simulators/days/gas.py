"""Gas alarms: quiet until something leaks."""

from collections.abc import Iterable
from datetime import datetime

from devices.site import Device
from simulators.chance import draws, wander
from simulators.moment import DAY_S, Moment, Window
from simulators.report import Data, Report
from simulators.rhythm import Rhythm
from simulators.setting import Setting

# More often than the five minutes of a mains-powered detector, so that a demo is whole within two.
_PERIOD_S = 120


class GasDay:
    """A report every two minutes, the whole city's spread evenly over them."""

    def __init__(self, setting: Setting) -> None:
        """Learn what each detector is for."""
        self._setting = setting
        devices = setting.of_kind("gas_alarm")
        self._gas = {device.id: _gas(setting.seed, device) for device in devices}
        self._rhythm = Rhythm(devices, _PERIOD_S)

    def due(self, window: Window) -> Iterable[Report]:
        """Return the reports of a window."""
        for at_ms, device in self._rhythm.due(window):
            yield Report(at_ms, device, "telemetry", self.telemetry(device, self._setting.clock.moment(at_ms)))

    def telemetry(self, device: Device, moment: Moment) -> Data:
        """Return a quiet detector's values: a trace of gas, more at meal times, and noise."""
        seed = self._setting.seed
        own = draws(seed, device.id)
        now = draws(seed, device.id, moment.real_ms)
        cooking = 1.0 if 0.45 < moment.day_s / DAY_S < 0.53 or 0.72 < moment.day_s / DAY_S < 0.80 else 0.0
        trace = 0.45 + 0.35 * own[0] + 0.25 * wander(seed, device.id, moment.sim_s, 5 * 3600) + 0.5 * cooking * own[1]
        outdoors = device.premises in ("valve_well", "station")
        inside = 21 + 2.5 * wander(seed, f"{device.id} room", moment.sim_s, 8 * 3600)
        data: Data = {"state": 0.0, "gas": self._gas[device.id], "premises": device.premises or "home"}
        if self._gas[device.id] == "CO":
            data["conc_ppm"] = max(0.0, 3.0 * trace + 2 * now[0] - 1)
        else:
            data["conc_pct_lel"] = min(2.0, max(0.0, trace + 0.5 * now[0] - 0.25))
        data["valve"] = 2.0 if own[2] < 0.2 else 1.0
        data["temp_c"] = self._setting.sky.temperature_c(moment) if outdoors else inside
        data["rsrp_dbm"] = -84 - 22 * own[3] - 4 * now[1]
        if outdoors:
            data["batt_v"] = 3.62 - 0.12 * own[4] + 0.01 * now[2]
            data["batt_pct"] = 98 - 38 * own[4]
        else:
            data["mains_ok"] = True
            data["fan"] = device.premises == "restaurant" and cooking > 0
        if device.expires is not None:
            end_s = datetime(
                device.expires.year, device.expires.month, device.expires.day, tzinfo=self._setting.clock.zone
            )
            data["sensor_life_s"] = max(0.0, end_s.timestamp() - moment.real_ms / 1000)
        return data

    def event(self, device: Device, moment: Moment, wishes: Data) -> Data:
        """Return an alarm edge: it says the little that matters."""
        full = self.telemetry(device, moment)
        return {
            key: full[key] for key in ("conc_pct_lel", "conc_ppm", "state", "valve", "gas", "premises") if key in full
        }


def _gas(seed: int, device: Device) -> str:
    draw = draws(seed, device.id, "gas")[0]
    if device.premises == "restaurant":
        return "C3H8" if draw < 0.3 else "CH4"
    return "CO" if device.premises == "home" and draw < 0.04 else "CH4"
