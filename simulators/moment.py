"""Real and simulated time: stamps are the real now, the day that is lived through may pass faster."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant: the real one that is stamped, and the simulated one that decides what is seen.

    ``day`` is the ordinal of the simulated local date, ``day_s`` the seconds since its midnight.
    """

    real_ms: int
    sim_s: float
    day: int
    day_s: float

    @property
    def date(self) -> date:
        """Return the simulated local date."""
        return date.fromordinal(self.day)


class SimulatedClock:
    """Maps real instants to simulated ones; at speed 1 they are the same. Reads no clock itself."""

    def __init__(self, zone: ZoneInfo, speed: float = 1.0, anchor_ms: int = 0) -> None:
        """Simulated and real time agree at ``anchor_ms`` and part from there by ``speed``."""
        self.zone = zone
        self.speed = speed
        self._anchor_ms = anchor_ms
        self._hour = -1
        self._offset_s = 0.0

    def sim_s(self, real_ms: int) -> float:
        """Return the simulated instant, seconds since 1970."""
        return (self._anchor_ms + (real_ms - self._anchor_ms) * self.speed) / 1000

    def real_ms(self, sim_s: float) -> int:
        """Return the real instant at which a simulated one falls due."""
        return round(self._anchor_ms + (sim_s * 1000 - self._anchor_ms) / self.speed)

    def moment(self, real_ms: int) -> Moment:
        """Return a real instant with the simulated one that belongs to it."""
        return self._moment(real_ms, self.sim_s(real_ms))

    def moment_of(self, sim_s: float) -> Moment:
        """Return a simulated instant with the real one that belongs to it."""
        return self._moment(self.real_ms(sim_s), sim_s)

    def day_start_s(self, day: int) -> float:
        """Return the simulated instant of a local midnight."""
        found = date.fromordinal(day)
        return datetime(found.year, found.month, found.day, tzinfo=self.zone).timestamp()

    def _moment(self, real_ms: int, sim_s: float) -> Moment:
        hour = int(sim_s // 3600)
        if hour != self._hour:
            offset = datetime.fromtimestamp(hour * 3600, self.zone).utcoffset()
            self._hour, self._offset_s = hour, offset.total_seconds() if offset is not None else 0.0
        days, day_s = divmod(sim_s + self._offset_s, DAY_S)
        return Moment(real_ms, sim_s, _EPOCH + int(days), day_s)


_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of real time, start included, stop not."""

    start_ms: int
    stop_ms: int
    clock: SimulatedClock

    @property
    def sim(self) -> tuple[float, float]:
        """Return the simulated stretch that belongs to it."""
        return self.clock.sim_s(self.start_ms), self.clock.sim_s(self.stop_ms)

    def holds(self, at_ms: int) -> bool:
        """Tell whether an instant lies in it."""
        return self.start_ms <= at_ms < self.stop_ms
