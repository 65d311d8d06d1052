"""A kind the simulators have never heard of: calm values in its table's plausible range, below every limit."""

from collections.abc import Iterable

from devices.kind import Field, Kind
from devices.site import Device
from simulators.chance import draws, wander
from simulators.moment import Moment, Window
from simulators.report import Data, Report
from simulators.rhythm import Rhythm
from simulators.setting import Setting, home


class AnyKindDay:
    """Reports at the table's period, on the telemetry channel."""

    def __init__(self, setting: Setting, kind: Kind) -> None:
        """Read the table."""
        self._setting = setting
        self._fields = [field for m in kind.measurements_on("telemetry") for field in m.fields]
        self._rhythm = Rhythm(setting.of_kind(kind.key), kind.period_s)

    def due(self, window: Window) -> Iterable[Report]:
        """Return the reports of a window."""
        for at_ms, device in self._rhythm.due(window):
            yield Report(at_ms, device, "telemetry", self.telemetry(device, self._setting.clock.moment(at_ms)))

    def telemetry(self, device: Device, moment: Moment) -> Data:
        """Return a value for every field that is not a text."""
        data: Data = {}
        for field in self._fields:
            if field.key in ("lat", "lon"):
                data[field.key] = home(device)[field.key == "lon"]
            elif field.type == "code":
                data[field.key] = float(min(set(field.codes) - _alarming(field), default=0))
            elif field.type == "flag":
                data[field.key] = 1 in _alarming(field) and 0 in _alarming(field)
            elif field.type == "number":
                data[field.key] = self._number(device, field, moment)
        return data

    def event(self, device: Device, moment: Moment, wishes: Data) -> Data:
        """Return the telemetry with the wishes in it."""
        return {**self.telemetry(device, moment), **wishes}

    def _number(self, device: Device, field: Field, moment: Moment) -> float:
        low, high = calm_range(field)
        own = draws(self._setting.seed, device.id, field.key)[0]
        drift = wander(self._setting.seed, f"{device.id} {field.key}", moment.sim_s, 3 * 3600)
        return low + (high - low) * (0.35 + 0.3 * own + 0.15 * drift)


def _alarming(field: Field) -> set[int]:
    return {int(level.value) for limit in field.limits if limit.sense == "state" for level in limit.levels}


def calm_range(field: Field) -> tuple[float, float]:
    """Return the part of the plausible range that no limit touches."""
    low, high = field.low if field.low is not None else 0.0, field.high
    if high is None:
        high = max(low * 2, low + 100)
    for limit in field.limits:
        for level in limit.levels:
            if limit.sense == "above":
                high = min(high, level.value - limit.deadband)
            elif limit.sense == "below":
                low = max(low, level.value + limit.deadband)
    return (low, high) if low < high else (high, high)
