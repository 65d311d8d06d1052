"""Instants as people write them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from ingest.errors import InstantError


def instant(text: str, what: str, zone: ZoneInfo) -> int:
    """Return an ISO 8601 instant as epoch ms; without an offset it is in the zone given.

    Raises:
        InstantError: it is none; the sentence begins with ``what``.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InstantError(
            f"{what} {text!r}: expected an instant such as 2026-01-31T08:00 or 2026-01-31T00:00:00+00:00"
        ) from None
    return round((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp() * 1000)
