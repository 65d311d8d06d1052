import logging

import pytest

from ingest.clock_trust import ClockTrust

HOUR, DAY = 3_600_000, 86_400_000
NOW = 1_800_000_000_000


def looked(known_ms: int, *looks: tuple[int, int]) -> list[bool]:
    """Look at a clock that shows NOW and so much when so much has passed."""
    trust = ClockTrust(known_ms)
    return [trust.look(NOW + shown_ms, passed_ms) for shown_ms, passed_ms in looks]


@pytest.mark.parametrize(
    ("known_ms", "looks", "believed"),
    [
        pytest.param(0, [(0, 0), (DAY, DAY), (9 * DAY, 9 * DAY)], [True, True, True], id="even"),
        pytest.param(0, [(0, 0), (60_000 + HOUR // 2, 60_000)], [True, True], id="half an hour, as at daylight saving"),
        pytest.param(0, [(0, 0), (DAY, 200), (DAY + 200, 400)], [True, False, False], id="a leap"),
        pytest.param(0, [(0, 0), (DAY, 200), (400, 400)], [True, False, True], id="a leap taken back"),
        pytest.param(
            0, [(0, 0), (DAY, 200), (2 * DAY, DAY + 199), (2 * DAY + 1, DAY + 200)], [True, False, False, True],
            id="a leap that lasts",
        ),
        pytest.param(0, [(0, 0), (-DAY, 200), (-DAY + 200, 400)], [True, True, True], id="set back"),
        pytest.param(NOW - HOUR, [(0, 0)], [True], id="off for an hour"),
        pytest.param(NOW - 3 * DAY, [(0, 0), (DAY - 1, DAY - 1), (DAY, DAY)], [False, False, True], id="off for days"),
        pytest.param(NOW + DAY, [(0, 0)], [True], id="behind what is on record"),
    ],
)  # fmt: skip
def test_who_leaps_ahead_is_believed_after_a_day(
    known_ms: int, looks: list[tuple[int, int]], believed: list[bool]
) -> None:
    assert looked(known_ms, *looks) == believed


def test_a_leap_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    looked(0, (0, 0), (DAY, 200), (DAY + 200, 400))
    assert len(caplog.messages) == 1 and "leapt ahead" in caplog.messages[0]
