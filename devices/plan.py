"""A kind's channel compiled for the message path: from a key of a payload straight to where its value belongs.

Derived from the kind's table and from nothing else; what a table means stands in ``devices/decode.py``.
"""

import sys
from dataclasses import dataclass

from devices.kind import Field, Kind, Measurement

# The largest number there is: a range without bounds still refuses infinities.
MOST = sys.float_info.max


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a key belongs. ``low`` and ``high`` are the plausible range, or all finite numbers where there is none."""

    field: Field
    index: int
    numeric: bool
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The measurements a channel feeds, and the slot of every key."""

    measurements: tuple[Measurement, ...]
    slots: dict[str, Slot]


def plan_of(kind: Kind, channel: str) -> Plan:
    """Compile a channel of a kind."""
    measurements = kind.measurements_on(channel)
    slots = {
        field.key: Slot(
            field,
            index,
            field.type in ("number", "code") and not field.tag,
            -MOST if field.low is None else field.low,
            MOST if field.high is None else field.high,
        )
        for index, measurement in enumerate(measurements)
        for field in measurement.fields
    }
    return Plan(measurements, slots)
