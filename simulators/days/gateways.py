"""Gateways: a sign of life every half minute."""

from collections import Counter
from collections.abc import Iterable

from devices.site import Device
from simulators.chance import draws
from simulators.moment import DAY_S, Moment, Window
from simulators.report import Data, Report
from simulators.rhythm import Rhythm
from simulators.setting import Setting


class GatewayDay:
    """They restart every few weeks, as boxes in cabinets do."""

    def __init__(self, setting: Setting) -> None:
        """Count the children once."""
        self._seed = setting.seed
        self._clock = setting.clock
        self._children = Counter(device.parent for device in setting.site.devices.values())
        self._rhythm = Rhythm(setting.of_kind("gateway"), 30)

    def due(self, window: Window) -> Iterable[Report]:
        """Return the signs of life of a window."""
        for at_ms, device in self._rhythm.due(window):
            yield Report(at_ms, device, "telemetry", self.telemetry(device, self._clock.moment(at_ms)))

    def telemetry(self, device: Device, moment: Moment) -> Data:
        """Return uptime, children and signal."""
        own = draws(self._seed, device.id)
        now = draws(self._seed, device.id, moment.real_ms)
        period_s = (20 + 60 * own[0]) * DAY_S
        return {
            "uptime_s": (moment.real_ms / 1000 + own[1] * period_s) % period_s,
            "children": float(self._children[device.id]),
            "rssi_dbm": -62 - 18 * own[2] - 4 * now[0],
        }

    def event(self, device: Device, moment: Moment, wishes: Data) -> Data:
        """Return the telemetry with the wishes in it; gateways have no passages."""
        return {**self.telemetry(device, moment), **wishes}
