"""Dates of detectors and scales: thirty days before, and once they are past."""

import pytest

from ingest.alarms.transitions import Transition
from tests.ingest.alarms.feeding import T0, message, tick
from tests.ingest.alarms.rule_city import city, told

DAY = 86_400
# The instant 0 is 8 o'clock of 2026-01-01; the detector's life ends on 2026-02-10, the scale's term ended yesterday.
MIDNIGHT = 16 * 3600


def days(count: int) -> list[tuple[float, str, bytes]]:
    """Return a tick at the beginning, and one around each midnight."""
    return [tick(0), *(tick(MIDNIGHT + DAY * n + second) for n in range(count) for second in (-1, 0))]


def brief(found: list[Transition], device: str) -> list[tuple[str, int, str, float | None, float]]:
    return [
        (t.what, t.level, t.priority, t.value, (t.at_ms - T0) / 1000)
        for t in found
        if t.device == device and not t.point.endswith("no_data")
    ]


def test_a_detector_is_told_thirty_days_before_and_when_it_is_past() -> None:
    found = told(city(), days(60))
    assert brief(found, "gas") == [
        ("raise", 1, "health", 30.0, MIDNIGHT + 9 * DAY),
        ("change", 2, "health", -1.0, MIDNIGHT + 40 * DAY),
    ]
    assert {t.rule for t in found if t.device == "gas" and t.point == "gas/expires"} == {"gas_alarm.expires"}


def test_what_is_past_already_is_told_at_the_first_look() -> None:
    found = told(city(), [tick(5)])
    assert brief(found, "truck") == [("raise", 2, "health", -1.0, 5.0)]
    assert [t.point for t in found] == ["truck/verify_due"]


@pytest.mark.parametrize(("day", "level"), [("2026-01-01", 1), ("2026-01-31", 1), ("2026-02-01", 0), ("2025-12-31", 2)])
def test_the_day_itself_is_not_past_and_thirty_days_are_near(day: str, level: int) -> None:
    row = f'[[devices]]\nid = "scale"\nkind = "bridge_wim"\nstreet = "s01"\nverify_due = {day}\n'
    found = brief(told(city(row), [tick(0)]), "scale")
    assert [each[1] for each in found] == ([level] if level else [])


def test_a_date_needs_no_word_from_the_device_and_a_word_changes_nothing() -> None:
    hello = message(1, "refuse_truck", "truck", {"load_kg": 100.0})
    assert brief(told(city(), [tick(0), hello, tick(2)]), "truck") == brief(told(city(), [tick(0), tick(2)]), "truck")
