"""Recorded messages as if they were sent now: the device's own time is moved, and an identifier told apart."""

from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec

from devices.errors import Undecodable
from devices.formats import hj212

_CLOCKS = ("ts", "timestamp")
_NAMES = ("id", "tid", "bid")
_STAMP = "%Y%m%d%H%M%S"
_HJ212 = timezone(timedelta(hours=8))


def shifted(topic: str, payload: bytes, by_ms: int, mark: str) -> bytes:
    """Return a payload with its times moved; ``mark`` is added to its identifiers, so that a repeat is news.

    What cannot be read is returned as it is.
    """
    if hj212.owns(topic):
        return _frame(payload, by_ms)
    try:
        found = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return payload
    if not isinstance(found, dict):
        return payload
    for key in _CLOCKS:
        if key in found:
            found[key] = _moved(found[key], by_ms)
    for key in _NAMES:
        if isinstance(found.get(key), str | int):
            found[key] = f"{found[key]}~{mark}"
    return msgspec.json.encode(found)


def _moved(at: Any, by_ms: int) -> Any:
    """Move a time in seconds, milliseconds, microseconds or nanoseconds since 1970, or in ISO 8601."""
    if isinstance(at, int | float) and not isinstance(at, bool):
        unit = 10 ** max(0, len(str(abs(int(at)))) - 10)
        return at + (by_ms * unit // 1000 if isinstance(at, int) else by_ms * unit / 1000)
    if isinstance(at, str):
        try:
            return (datetime.fromisoformat(at) + timedelta(milliseconds=by_ms)).isoformat()
        except (ValueError, OverflowError):
            return at
    return at


def _frame(payload: bytes, by_ms: int) -> bytes:
    try:
        # Byte by byte, whatever language its texts are in.
        text = hj212.unframed(payload).decode("latin-1")
    except Undecodable:
        return payload
    parts = text.replace("&&", "&&;").split(";")
    return hj212.framed(";".join(_setting(part, by_ms) for part in parts).replace("&&;", "&&").encode("latin-1"))


def _setting(part: str, by_ms: int) -> str:
    key, equals, value = part.partition("=")
    if key not in ("QN", "DataTime"):
        return part
    try:
        at = datetime.strptime(value[:14], _STAMP).replace(tzinfo=_HJ212) + timedelta(milliseconds=by_ms)
    except (ValueError, OverflowError):
        return part
    return f"{key}{equals}{at.strftime(_STAMP)}{value[14:]}"
