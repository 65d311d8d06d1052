"""Schedules: weekly windows over midnight, holidays, the sun; each by the site's own clock."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from devices.calendar import Place
from devices.signals import Daylight, Night, Schedule, Weekly

HANGZHOU = Place(ZoneInfo("Asia/Shanghai"), 30.25, 120.17, frozenset({date(2026, 10, 1)}))
NIGHT_SHIFT = Weekly(22 * 60, 6 * 60, frozenset(range(5)))
OFFICE = Weekly(9 * 60, 17 * 60, frozenset(range(5)), holidays=False)


def at_ms(text: str, place: Place = HANGZHOU) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=place.zone).timestamp() * 1000)


@pytest.mark.parametrize(
    ("schedule", "text", "holds"),
    [
        # 2026-11-20 is a Friday.
        (NIGHT_SHIFT, "2026-11-20T21:59:59.999", False),
        (NIGHT_SHIFT, "2026-11-20T22:00", True),
        (NIGHT_SHIFT, "2026-11-21T00:00", True),
        (NIGHT_SHIFT, "2026-11-21T05:59:59.999", True),
        (NIGHT_SHIFT, "2026-11-21T06:00", False),
        (NIGHT_SHIFT, "2026-11-21T22:00", False),
        (NIGHT_SHIFT, "2026-11-23T05:00", False),
        (OFFICE, "2026-10-02T10:00", True),
        (OFFICE, "2026-10-01T10:00", False),
        (Weekly(0, 0), "2026-11-20T00:00", True),
        (Weekly(0, 0), "2026-11-20T23:59", True),
        (Weekly(0, 0, frozenset({5}), holidays=True), "2026-10-01T10:00", True),
        (Weekly(0, 0, frozenset({3}), holidays=None), "2026-10-01T10:00", True),
        # The night that begins on a holiday belongs to it until the morning.
        (Weekly(22 * 60, 6 * 60, frozenset(), holidays=True), "2026-10-02T05:00", True),
        (Weekly(22 * 60, 6 * 60, frozenset(), holidays=True), "2026-10-01T05:00", False),
        # On 2026-06-21 the sun rises over Hangzhou at 4:57 and sets at 19:04.
        (Night(), "2026-06-21T19:00", False),
        (Night(), "2026-06-21T19:08", True),
        (Night(), "2026-06-21T04:50", True),
        (Night(), "2026-06-21T05:02", False),
        (Night(30, 30), "2026-06-21T19:30", False),
        (Night(30, 30), "2026-06-21T19:38", True),
        (Night(30, 30), "2026-06-21T04:20", True),
        (Night(30, 30), "2026-06-21T04:32", False),
        (Night(), "2026-06-21T00:00", True),
        (Daylight(30, 30), "2026-06-21T05:20", False),
        (Daylight(30, 30), "2026-06-21T05:32", True),
        (Daylight(30, 30), "2026-06-21T18:30", True),
        (Daylight(30, 30), "2026-06-21T18:38", False),
    ],
)
def test_whether_it_holds(schedule: Schedule, text: str, holds: bool) -> None:
    assert HANGZHOU.holds(schedule, at_ms(text)) == holds


def test_an_hour_that_the_clock_skips_or_repeats_stays_in_its_window() -> None:
    berlin = Place(ZoneInfo("Europe/Berlin"), 52.5, 13.4)
    nights = Weekly(1 * 60, 4 * 60)
    begun = at_ms("2026-03-29T01:00", berlin)
    # At two the clocks go to three: the window is an hour shorter.
    assert [berlin.holds(nights, begun + hours * 3_600_000) for hours in (0, 1, 2)] == [True, True, False]


def test_beyond_the_polar_circle_night_keeps_office_hours() -> None:
    tromso = Place(ZoneInfo("Europe/Oslo"), 69.65, 18.96)
    assert tromso.holds(Daylight(), at_ms("2026-12-21T12:00", tromso))
    assert tromso.holds(Night(), at_ms("2026-06-21T23:00", tromso))
