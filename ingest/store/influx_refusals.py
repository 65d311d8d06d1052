"""What InfluxDB says of lines it does not take, and how a batch is divided so that those are soon alone.

A write that is refused in part has stored the rest; which lines were left out it does not say before version 3. Halving
finds them; where the words tell the field or the reason, what belongs together is put together first, and a part of
which everything was dropped needs no further look.
"""

import json
import re
from collections.abc import Sequence
from operator import attrgetter

from influxdb_client.rest import ApiException

from devices.readings import Reading

_DROPPED = re.compile(r"partial write: .* dropped=(\d+)$", re.DOTALL)
_CONFLICT = re.compile(
    r'input field \\?"(?P<field>[^"\\]+)\\?" on measurement \\?"(?P<measurement>[^"\\]+)\\?" is type (?P<type>\w+)'
)
_by_time = attrgetter("at_ns")
_by_device = attrgetter("measurement", "device", "at_ns")


def reason_of(error: ApiException) -> str:
    """Return the sentence of an answer, in one line."""
    body = error.body.decode(errors="replace") if isinstance(error.body, bytes) else str(error.body or error.reason)
    try:
        found = json.loads(body)
        return str(found.get("message") or found.get("error") or body)[:300]
    except (ValueError, AttributeError):
        # A proxy answers with a page: its status line says as much in one line.
        return " ".join(body.split())[:300] if not body.lstrip().startswith("<") else str(error.reason)


def is_own(error: ApiException) -> bool:
    """Tell whether an answer is an error of InfluxDB itself, and not the page of a proxy or of another server."""
    try:
        found = json.loads(error.body or b"")
    except ValueError:
        return False
    if not isinstance(found, dict):
        return False
    # 1.x and 3 have ``error``, 2 has ``code`` and ``message``; a message alone is what many others give.
    return isinstance(found.get("error"), str) or all(isinstance(found.get(key), str) for key in ("code", "message"))


def takes_none(reason: str, count: int) -> bool:
    """Tell whether not one of so many lines was stored."""
    found = _DROPPED.search(reason)
    return found is not None and int(found[1]) == count


def divided(readings: Sequence[Reading], reason: str) -> tuple[Sequence[Reading], Sequence[Reading]]:
    """Return two parts of a batch, neither empty, of which one holds less of what was refused, if the words tell.

    The order of what is one point stays: the later one counts.
    """
    found = _CONFLICT.search(reason)
    if found is not None:
        sort = str if found["type"] == "string" else float
        parts: tuple[list[Reading], list[Reading]] = [], []
        for each in readings:
            concerned = each.measurement == found["measurement"] and isinstance(each.values.get(found["field"]), sort)
            parts[concerned].append(each)
        if parts[0] and parts[1]:
            return parts
    ordered = sorted(readings, key=_by_time if "retention" in reason else _by_device)
    middle = len(ordered) // 2
    return ordered[:middle], ordered[middle:]
