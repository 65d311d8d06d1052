"""When limits are armed: weekly windows over midnight, holidays, the sun; by the sample's own time."""

import pytest

from tests.ingest.alarms.feeding import message, ticks
from tests.ingest.alarms.rule_city import city, of_point, samples

HOUR, DAY = 3600, 86_400
# The instant 0 is Thursday, 2026-01-01, 8 o'clock in Hangzhou, a holiday of the site. Friday 22 o'clock:
FRIDAY_22 = DAY + 14 * HOUR
POINT = "truck/load_pct.full"


def scheduled(hours: str) -> str:
    return f'[[limits_for]]\ndevice = "truck"\nkind = "refuse_truck"\nfield = "load_pct"\non_s = 0\n{hours}\n'


def raised(at_s: float, hours: str) -> bool:
    rows = [(at_s, {"load_pct": 120.0})]
    return bool(of_point(city(scheduled(hours)), samples("refuse_truck", "truck", rows), POINT))


@pytest.mark.parametrize(
    ("at_s", "armed"),
    [
        (FRIDAY_22 - 1, False),
        (FRIDAY_22, True),
        (FRIDAY_22 + 2 * HOUR, True),
        (FRIDAY_22 + 8 * HOUR - 1, True),
        (FRIDAY_22 + 8 * HOUR, False),
        # Saturday's own window does not begin, Saturday is not one of the days.
        (FRIDAY_22 + DAY, False),
        (FRIDAY_22 + DAY + 4 * HOUR, False),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_begins_on(at_s: float, armed: bool) -> None:
    assert raised(at_s, 'hours = "22:00-06:00"\ndays = "mon-fri"') == armed


@pytest.mark.parametrize(
    ("hours", "armed"),
    [
        ('days = "thu"', True),
        ('days = "thu"\nholidays = false', False),
        ('days = "sat sun"', False),
        ('days = "sat sun"\nholidays = true', True),
        ('hours = "09:00-17:00"\ndays = "sat sun"\nholidays = true', False),
    ],
)
def test_a_holiday_counts_as_the_schedule_says(hours: str, armed: bool) -> None:
    assert raised(1, hours) == armed


def test_a_standing_alarm_ends_with_its_window() -> None:
    rows = [(FRIDAY_22 + 8 * HOUR + at_s, {"load_pct": 120.0}) for at_s in (-60, -30, 0, 30, 60)]
    hours = 'hours = "22:00-06:00"\ndays = "fri"'
    story = of_point(city(scheduled(hours)), samples("refuse_truck", "truck", rows), POINT)
    assert [(what, at_s - FRIDAY_22 - 8 * HOUR) for what, _, at_s in story] == [("raise", -60), ("return", 60)]


def test_the_time_of_a_sample_counts_and_not_that_of_its_arrival() -> None:
    late = message(FRIDAY_22 + 60, "refuse_truck", "truck", {"load_pct": 120.0}, ts_s=FRIDAY_22 - 60)
    hours = scheduled('hours = "22:00-06:00"\ndays = "fri"')
    assert of_point(city(hours), [late], POINT) == []


@pytest.mark.parametrize(
    ("at_s", "raised_"),
    [
        # The sun rises at 6:57 and sets at 17:10 on this day; half an hour on either side is twilight.
        (-0.6 * HOUR, False),
        (-0.5 * HOUR, True),
        (8.5 * HOUR, True),
        (8.75 * HOUR, False),
        (16 * HOUR, False),
    ],
)
def test_a_lamp_that_burns_by_day_is_told_by_day_alone(at_s: float, raised_: bool) -> None:
    rows = [(at_s + DAY, {"day_burner": 1.0})]
    assert bool(of_point(city(), samples("light_pole", "pole", rows), "pole/day_burner.fault")) == raised_


def test_leakage_is_armed_at_every_hour() -> None:
    for hour in range(24):
        rows = [(hour * HOUR, {"leak_ma": 30.0})]
        assert of_point(city(), samples("light_pole", "pole", rows), "pole/leak_ma.leakage") != []


def test_a_group_may_have_hours_too() -> None:
    tail = (
        '[[limits_for]]\nstreet = "s01"\nkind = "light_pole"\nfield = "lit_rate_main"\n'
        'hours = "10:00-11:00"\nlevels = [97.99]\n'
    )
    reports = [
        m
        for minute in range(8)
        for n in range(60)
        for m in samples(
            "light_pole", f"lamp-{n:02d}", [(2 * HOUR + 60 * minute, {"cmd_pct": 100.0, "dim_pct": 0.0})]
        )
    ]  # fmt: skip
    found = of_point(city(tail), [*reports, *ticks(2 * HOUR, 2 * HOUR + 480)], "street:s01/lit_rate_main")
    assert [what for what, _, _ in found] == ["raise"]
