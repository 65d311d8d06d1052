"""Which span the evidence of an alarm covers."""

import pytest

from ingest.errors import InstantError
from ingest.evidence.span import duration, span_of

DAY_MS = 86_400_000
AROUND = (600_000, 600_000)


@pytest.mark.parametrize(("text", "length_ms"), [("90s", 90_000), ("30m", 1_800_000), ("24h", DAY_MS), ("0m", 0)])
def test_durations(text: str, length_ms: int) -> None:
    assert duration(text, "before") == length_ms


@pytest.mark.parametrize("text", ["30", "m", "-5m", "25h", "1d", "1.5h", ""])
def test_what_is_no_duration_is_told(text: str) -> None:
    with pytest.raises(InstantError, match=f"^before {text!r}: expected a duration such as 90s, 30m or 2h"):
        duration(text, "before")


def test_the_span_of_an_alarm() -> None:
    alarm = {"raised_at": 1_000_000, "noticed_at": 1_000_500, "returned_at": None, "active": True}
    assert span_of(alarm, 100, 50, 1_200_000).to_ms == 1_200_051
    over = {**alarm, "active": False, "returned_at": 1_100_000}
    assert (span_of(over, 100, 50, 9_000_000).from_ms, span_of(over, 100, 50, 9_000_000).to_ms) == (999_900, 1_100_051)
    long = span_of(alarm, *AROUND, 1_000_000 + 3 * DAY_MS)
    assert long.cut
    assert long.to_ms == 1_000_000 + DAY_MS + AROUND[1] + 1
