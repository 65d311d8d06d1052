"""The rows of the time up to an instant in the embedded store, newest first."""

from collections.abc import Iterable, Sequence
from typing import Any

from ingest.store.base import Held


def statement(measurement: str, keys: Sequence[str], devices: int) -> str:
    """Return the statement; its values are beginning and end of the window, the devices, and how many rows at most."""
    names = ", ".join(f'"{key}"' for key in keys)
    whose = f"AND device_id IN ({', '.join('?' * devices)}) " if devices else ""
    return (
        f'SELECT device_id, district, at_ns, quality, flags, {names} FROM "{measurement}" '
        f"WHERE at_ns >= ? AND at_ns < ? {whose}ORDER BY at_ns DESC LIMIT ?"
    )


def held(rows: Iterable[Sequence[Any]], keys: Sequence[str]) -> list[Held]:
    """Return what the rows of the statement say."""
    return [
        Held(
            str(device),
            district or "",
            at_ns // 1_000_000,
            {key: value for key, value in zip(keys, values, strict=True) if value is not None},
            int(quality or 0),
            flags or "",
        )
        for device, district, at_ns, quality, flags, *values in rows
    ]
