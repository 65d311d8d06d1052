"""Shifts begin at 8 and at 20 in the city's own time; what is shelved does not outlast one."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from ingest.alarms.shifts import shift_end_ms, shift_start_ms

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-01-01T07:59:59", "2026-01-01T08:00:00"),
        ("2026-01-01T08:00:00", "2026-01-01T20:00:00"),
        ("2026-01-01T19:59:59", "2026-01-01T20:00:00"),
        ("2026-01-01T20:00:00", "2026-01-02T08:00:00"),
        ("2026-12-31T23:00:00", "2027-01-01T08:00:00"),
    ],
)
def test_the_end_is_the_next_beginning(now: str, end: str) -> None:
    stamp, expected = (datetime.fromisoformat(each).replace(tzinfo=SHANGHAI).timestamp() for each in (now, end))
    assert shift_end_ms(round(stamp * 1000), SHANGHAI) == round(expected * 1000)


@pytest.mark.parametrize(
    ("now", "start"),
    [
        ("2026-01-01T07:59:59", "2025-12-31T20:00:00"),
        ("2026-01-01T08:00:00", "2026-01-01T08:00:00"),
        ("2026-01-01T19:59:59", "2026-01-01T08:00:00"),
        ("2026-01-01T23:00:00", "2026-01-01T20:00:00"),
    ],
)
def test_the_beginning_is_the_last_one(now: str, start: str) -> None:
    stamp, expected = (datetime.fromisoformat(each).replace(tzinfo=SHANGHAI).timestamp() for each in (now, start))
    assert shift_start_ms(round(stamp * 1000), SHANGHAI) == round(expected * 1000)
