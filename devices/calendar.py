"""Whether a schedule holds at an instant: weekly windows, holidays, and the sun over a place. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from astral import Observer
from astral.sun import sunrise, sunset

from devices.signals import Daylight, Schedule, Weekly

_DAY_MIN = 24 * 60
_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where and by which clock and holidays a schedule is meant."""

    zone: ZoneInfo
    lat: float
    lon: float
    holidays: frozenset[date] = frozenset()

    def holds(self, schedule: Schedule, at_ms: int) -> bool:
        """Tell whether a schedule holds at an instant; a window's start belongs to it, its end does not."""
        if isinstance(schedule, Weekly):
            return self._weekly(schedule, at_ms)
        minute = at_ms / _MINUTE_MS
        today = local(at_ms, self.zone).date()
        rise, set_ = _sun(round(self.lat, 2), round(self.lon, 2), self.zone, today)
        if isinstance(schedule, Daylight):
            return rise + schedule.after_min <= minute < set_ - schedule.before_min
        return minute < rise - schedule.before_min or minute >= set_ + schedule.after_min

    def _weekly(self, weekly: Weekly, at_ms: int) -> bool:
        now = local(at_ms, self.zone)
        minute, today = now.hour * 60 + now.minute, now.date()
        if weekly.start_min < weekly.stop_min:
            return weekly.start_min <= minute < weekly.stop_min and self._is_on(weekly, today)
        if minute >= weekly.start_min:
            return self._is_on(weekly, today)
        return minute < weekly.stop_min and self._is_on(weekly, today - timedelta(days=1))

    def _is_on(self, weekly: Weekly, day: date) -> bool:
        if weekly.holidays is not None and day in self.holidays:
            return weekly.holidays
        return day.weekday() in weekly.days


def local(at_ms: int, zone: ZoneInfo) -> datetime:
    """Return an instant on a zone's own clock."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)


@lru_cache(maxsize=8192)
def _sun(lat: float, lon: float, zone: ZoneInfo, day: date) -> tuple[float, float]:
    """Return sunrise and sunset of a local day, minutes since 1970."""
    observer = Observer(lat, lon)
    try:
        rise, set_ = sunrise(observer, day, tzinfo=zone), sunset(observer, day, tzinfo=zone)
    except ValueError:
        # Beyond the polar circle the sun may not rise or set: office hours, as the lamps there keep them.
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
        rise, set_ = noon - timedelta(hours=6), noon + timedelta(hours=6)
    return rise.timestamp() / 60, set_.timestamp() / 60
