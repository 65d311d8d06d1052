"""Periods of whole days of the site, which indicators and reports are about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cockpit.problems import Problem

MOST_DAYS = 92


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the site in [from, to), epoch ms; 23 or 25 hours long where clocks change."""

    date: date
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Period:
    """The days from the first to the last, both counted in."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def from_ms(self) -> int:
        """Return the beginning of the first day."""
        return _midnight_ms(self.first, self.zone)

    @property
    def to_ms(self) -> int:
        """Return the end of the last day."""
        return _midnight_ms(self.last + timedelta(days=1), self.zone)

    @property
    def days(self) -> Iterator[Day]:
        """Return its days in order."""
        for number in range((self.last - self.first).days + 1):
            each = self.first + timedelta(days=number)
            yield Day(each, _midnight_ms(each, self.zone), _midnight_ms(each + timedelta(days=1), self.zone))


def period_of(first: str | None, last: str | None, zone: ZoneInfo, now_ms: int) -> Period:
    """Return the period that a request names by its days (``YYYY-MM-DD``); today unless told.

    Raises:
        Problem: 422, no day, the last before the first, or too many days.
    """
    today = day_of(now_ms, zone)
    ends = _date("to", last) if last else today
    begins = _date("from", first) if first else min(ends, today)
    if ends < begins:
        raise Problem(
            422, f"to {ends} lies before from {begins}.", code="period_reversed", values={"to": ends, "from": begins}
        )
    if (ends - begins).days >= MOST_DAYS:
        raise Problem(
            422,
            f"from {begins} to {ends}: expected {MOST_DAYS} days at most.",
            code="period_too_long",
            values={"from": begins, "to": ends, "days": MOST_DAYS},
        )
    return Period(begins, ends, zone)


def day_of(at_ms: int, zone: ZoneInfo) -> date:
    """Return the day of the site on which an instant falls."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).date()


def _date(name: str, text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or text != found.isoformat() or not 1970 < found.year < 2200:
        raise Problem(422, f"{name} {text!r}: expected a day such as 2026-09-30.", code="bad_day", values={"day": text})
    return found


def _midnight_ms(day: date, zone: ZoneInfo) -> int:
    return round(datetime.combine(day, time(), zone).timestamp() * 1000)
