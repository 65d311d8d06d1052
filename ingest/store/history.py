"""A field's history in columns: what a back-test judges, read device by device and far quicker than point by point."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.readings import Quality, flag_quality

Told = Callable[[int, int], None]
"""Is told how far a long reading is: steps done, of so many."""

MOST_VALUES = 10_000_000
"""What is read of one device at a time, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Sought:
    """One field in [start, stop); with ``tag`` apart by the value of that tag."""

    measurement: str
    key: str
    start_ms: int
    stop_ms: int
    tag: str = ""


class Source(NamedTuple):
    """A device, and the value of its tag where one is sought; an absent tag is an empty text."""

    device: str
    tag: str = ""


class Column(NamedTuple):
    """The values of one source, oldest first, without those of bad quality.

    ``doubts_ms`` are the instants at which the device's readings were bad for this field, with a value of it or not.
    """

    t_ms: NDArray[np.int64]
    values: NDArray[np.float64]
    doubts_ms: NDArray[np.int64]


def joined(parts: Iterable[Column]) -> Column:
    """Return columns of one source, one behind the other."""
    found = [part for part in parts if len(part.t_ms)]
    if not found:
        return Column(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))
    return found[0] if len(found) == 1 else Column(*(np.concatenate(each) for each in zip(*found, strict=True)))


def is_bad(key: str, quality: float | None, flags: str | None) -> bool:
    """Tell whether what is stored says that a field is not to be judged."""
    if (quality or 0) >= Quality.BAD:
        return True
    words = (word.rpartition(":") for word in (flags or "").split(" "))
    return any(colon and name == key and flag_quality(code) is Quality.BAD for name, colon, code in words)


def too_many(sought: Sought, source: Source) -> str:
    """Return the sentence for a device that has sent more than is read at a time."""
    return (
        f"{source.device} has more than {MOST_VALUES:,} values of {sought.measurement}.{sought.key} in the span; "
        "expected fewer: take a shorter one"
    )
