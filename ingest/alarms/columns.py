"""The quick look at a whole batch: which readings hold a value that may concern a rule, found column by column.

Nearly every reading is quiet; only the others are judged one by one: a rule costs nothing while nothing happens.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from devices.readings import Reading
from ingest.alarms.rules import Watch


@dataclass(frozen=True, slots=True)
class Band:
    """Where one field is quiet by all its rules: strictly between low and high, and none of ``states``."""

    key: str
    low: float
    high: float
    states: tuple[float, ...]


class Columns:
    """The bands of every measurement."""

    def __init__(self, watches: Mapping[str, Mapping[str, Sequence[Watch]]]) -> None:
        self._bands = {
            measurement: tuple(_band(key, rules) for key, rules in fields.items())
            for measurement, fields in watches.items()
        }

    def loud(self, readings: Sequence[Reading]) -> set[int]:
        """Return the indexes of readings with a value outside of its band."""
        rows: dict[str, list[int]] = {}
        for index, reading in enumerate(readings):
            if reading.measurement in self._bands:
                rows.setdefault(reading.measurement, []).append(index)
        found: set[int] = set()
        for measurement, indexes in rows.items():
            values = [readings[index].values for index in indexes]
            for band in self._bands[measurement]:
                # A field that is absent is not a number, and that is neither above nor below anything.
                column = np.array([row.get(band.key, math.nan) for row in values])
                mask = (column <= band.low) | (column >= band.high)
                for state in band.states:
                    mask |= column == state
                if mask.any():
                    found.update(indexes[place] for place in np.flatnonzero(mask))
        return found


def _band(key: str, watches: Sequence[Watch]) -> Band:
    numbers = [watch for watch in watches if watch.states is None]
    states = {state for watch in watches for state in watch.states or ()}
    return Band(
        key,
        max((watch.low for watch in numbers), default=-math.inf),
        min((watch.high for watch in numbers), default=math.inf),
        tuple(sorted(states)),
    )
