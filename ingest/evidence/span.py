"""The span of time that the evidence of an alarm covers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingest.errors import InstantError

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000}
_LONGEST_MS = 24 * 3_600_000
# An alarm that stands for weeks is told by its acts; its readings are those of its first day.
_DAY_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Span:
    """From before an alarm to after it, epoch ms, the end not included; ``cut`` when it went on for longer."""

    from_ms: int
    to_ms: int
    cut: bool = False


def duration(text: str, what: str) -> int:
    """Return a duration such as ``90s``, ``30m`` or ``2h`` in ms, a day at most.

    Raises:
        InstantError: it is none; the sentence begins with ``what``.
    """
    found = re.fullmatch(r"(\d{1,6})([smh])", text)
    length_ms = int(found[1]) * _UNITS_MS[found[2]] if found else _LONGEST_MS + 1
    if length_ms > _LONGEST_MS:
        raise InstantError(f"{what} {text!r}: expected a duration such as 90s, 30m or 2h, 24h at most")
    return length_ms


def span_of(alarm: Mapping[str, Any], before_ms: int, after_ms: int, now_ms: int) -> Span:
    """Return the span around an alarm, from before it was raised to after it returned, or to now while it is active."""
    raised_ms = min(alarm["raised_at"], alarm["noticed_at"])
    over_ms = now_ms if alarm["active"] else max(alarm["returned_at"] or 0, alarm["raised_at"], alarm["noticed_at"])
    end_ms = min(over_ms, raised_ms + _DAY_MS)
    # The end itself counts, and so does what was received in its millisecond.
    return Span(raised_ms - before_ms, end_ms + after_ms + 1, cut=end_ms < over_ms)
