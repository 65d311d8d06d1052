"""Instants in and out of the API: RFC 3339 with the site's offset, or epoch milliseconds."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cockpit.problems import Problem


def rfc3339(at_ms: int | None, zone: ZoneInfo) -> str | None:
    """Return an instant as text with milliseconds and offset, None for None."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).isoformat(timespec="milliseconds")


# What nanoseconds since 1970 in 64 bits can hold, with room for a window.
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def parse_instant(text: str, name: str) -> int:
    """Return epoch milliseconds of RFC 3339 with offset, or of epoch milliseconds as digits.

    Raises:
        Problem: 422, the text is neither.
    """
    if text.isascii() and text.isdigit() and len(text) == 13:
        return int(text)
    try:
        # A plus sign in an address arrives as a blank.
        at = datetime.fromisoformat(text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Problem(
            422,
            f"{name}: {text!r} is no instant; expected RFC 3339 with an offset or epoch milliseconds.",
            code="bad_instant",
            values={"at": text},
        )
    if not _FIRST <= at <= _LAST:
        raise Problem(
            422, f"{name}: {text!r} lies outside the years 1970 to 2200.", code="instant_range", values={"at": text}
        )
    return round(at.timestamp() * 1000)
