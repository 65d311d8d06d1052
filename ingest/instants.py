"""Instants as people write them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from ingest.errors import InstantError

# Times have 13 digits until the year 2286; nothing was received before 1970.
_MOST_MS = 10**13


def instant(text: str, what: str, zone: ZoneInfo) -> int:
    """Return an ISO 8601 instant as epoch ms; without an offset it is in the zone given.

    Raises:
        InstantError: it is none; the sentence begins with ``what``.
    """
    try:
        at = datetime.fromisoformat(text)
        found = round((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp() * 1000)
    except (ValueError, OverflowError):
        found = -1
    if not 0 <= found < _MOST_MS:
        raise InstantError(
            f"{what} {text!r}: expected an instant such as 2026-01-31T08:00 or 2026-01-31T00:00:00+00:00"
        )
    return found
