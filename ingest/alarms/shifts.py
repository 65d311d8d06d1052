"""When the shift of a duty room begins and ends: nothing is shelved beyond it, the next starts with all in sight."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

# Two shifts a day. Grade C: to be confirmed by the city.
SHIFT_STARTS: tuple[time, ...] = (time(8), time(20))


def shift_end_ms(now_ms: int, zone: ZoneInfo, starts: tuple[time, ...] = SHIFT_STARTS) -> int:
    """Return the next instant at which a shift begins in the city's own time."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)
    days = (now.date(), now.date() + timedelta(days=1))
    candidates = (datetime.combine(day, start, zone) for day in days for start in sorted(starts))
    return round(next(each for each in candidates if each > now).timestamp() * 1000)


def shift_start_ms(now_ms: int, zone: ZoneInfo, starts: tuple[time, ...] = SHIFT_STARTS) -> int:
    """Return the instant at which the running shift began."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)
    days = (now.date(), now.date() - timedelta(days=1))
    candidates = (datetime.combine(day, start, zone) for day in days for start in sorted(starts, reverse=True))
    return round(next(each for each in candidates if each <= now).timestamp() * 1000)
