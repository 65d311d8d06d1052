"""What a gas alarm and a lamp say at a second of the table's time."""

from typing import Any

from tests.ingest.alarms.feeding import message

Message = tuple[float, str, bytes]


def gas(at_s: float, value: float, device: str = "gas-1", **more: Any) -> Message:
    """Return what a gas alarm measures, in %LEL."""
    return message(at_s, "gas_alarm", device, {"conc_pct_lel": value}, **more)


def pole(at_s: float, **data: Any) -> Message:
    """Return what a lamp says."""
    return message(at_s, "light_pole", "pole-1", data)
