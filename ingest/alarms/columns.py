"""The quick look at a whole batch: which readings hold a figure that may concern a rule, found column by column.

Nearly every reading is quiet; only the others are judged one by one: a rule costs nothing while nothing happens.
Devices with limits of their own have rows of their own in the bounds, so a thousand of them cost no more than one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.readings import Reading
from ingest.alarms.rules import Watch, Watches
from ingest.sheets import Sheet

_SHAPES_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Band:
    """Where one figure is quiet by all its rules: strictly between low and high, and none of ``states``.

    The figure is a field's value, or how far it is from that of ``other``. ``lows`` and ``highs`` hold one bound for
    each set of rules, the usual one first.
    """

    key: str
    other: str | None
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]
    states: tuple[float, ...]

    def loud(self, column: NDArray[np.float64], which: list[int] | int) -> NDArray[np.bool_]:
        """Tell of each figure whether it lies outside; ``which`` is the set of rules of each, or of all."""
        found: NDArray[np.bool_] = (column <= self.lows[which]) | (column >= self.highs[which])
        for state in self.states:
            found |= column == state
        return found


class Columns:
    """The bands of every measurement."""

    def __init__(self, watches: Watches, own: Mapping[str, Watches] | None = None) -> None:
        """Make the bands of the usual rules, and of those of devices that have some of their own."""
        sets = [watches]
        place: dict[int, int] = {}
        self._own: dict[str, int] = {}
        for device, found in (own or {}).items():
            if id(found) not in place:
                place[id(found)] = len(sets)
                sets.append(found)
            self._own[device] = place[id(found)]
        self._bands = {measurement: _bands(measurement, sets) for measurement in watches}
        self._by_shape: dict[tuple[str, tuple[str, ...]], tuple[Band, ...]] = {}
        self._tables: dict[tuple[str, tuple[str, ...], tuple[str, ...]], _Table] = {}

    def loud(self, readings: Sequence[Reading]) -> set[int]:
        """Return the indexes of readings with a figure outside of its band."""
        # Readings with the same fields share their columns: what is absent in one is absent in all.
        shapes: dict[tuple[str, ...], list[int]] = {}
        for index, reading in enumerate(readings):
            shape = (reading.measurement, *reading.values)
            try:
                shapes[shape].append(index)
            except KeyError:
                shapes[shape] = [index]
        found: set[int] = set()
        own = self._own
        for (measurement, *keys), indexes in shapes.items():
            bands = self._bands_of(measurement, tuple(keys))
            if not bands:
                continue
            values = [readings[index].values for index in indexes]
            which = [own.get(readings[index].device, 0) for index in indexes] if own else 0
            for band in bands:
                column = np.array([row[band.key] for row in values])
                if band.other is not None:
                    column = _distance(column, np.array([row[band.other] for row in values]))
                mask = band.loud(column, which)
                if mask.any():
                    found.update(indexes[place] for place in np.flatnonzero(mask))
        return found

    def loud_rows(self, measurement: str, sheet: Sheet) -> NDArray[np.bool_]:
        """Tell of each row of a sheet whether it holds a figure outside of its band; what is absent never is."""
        own = self._own
        which = [own.get(device, 0) for device in sheet.devices] if own else 0
        shape = sheet.distinct[0].fields if len(sheet.distinct) == 1 else _united(sheet)
        about = measurement, sheet.numbers, shape
        table = self._tables.get(about)
        if table is None:
            if len(self._tables) >= _SHAPES_KEPT:
                self._tables.clear()
            table = self._tables[about] = _Table(self._bands_of(measurement, shape), sheet.numbers)
        return table.loud(sheet.values, which)

    def _bands_of(self, measurement: str, keys: tuple[str, ...]) -> tuple[Band, ...]:
        """Return the bands that look at some of these fields, and at nothing else."""
        bands = self._by_shape.get((measurement, keys))
        if bands is None:
            if len(self._by_shape) >= _SHAPES_KEPT:
                self._by_shape.clear()
            bands = self._by_shape[measurement, keys] = tuple(
                band
                for band in self._bands.get(measurement, ())
                if band.key in keys and (band.other is None or band.other in keys)
            )
        return bands


class _Table:
    """The bands of the columns of a sheet: those of plain values are looked at together."""

    def __init__(self, bands: Sequence[Band], numbers: Sequence[str]) -> None:
        plain = [band for band in bands if band.other is None and not band.states]
        self._places = [numbers.index(band.key) for band in plain]
        # One row for each set of rules, one column for each band.
        self._lows = np.array([band.lows for band in plain]).T
        self._highs = np.array([band.highs for band in plain]).T
        self._others = [
            (band, numbers.index(band.key), None if band.other is None else numbers.index(band.other))
            for band in bands
            if band.other is not None or band.states
        ]

    def loud(self, values: NDArray[np.float64], which: list[int] | int) -> NDArray[np.bool_]:
        """Tell of each row whether a figure of it lies outside; ``which`` is the set of rules of each, or of all."""
        found: NDArray[np.bool_]
        if self._places:
            columns = values[:, self._places]
            found = np.any((columns <= self._lows[which]) | (columns >= self._highs[which]), axis=1)
        else:
            found = np.zeros(len(values), dtype=np.bool_)
        for band, place, other in self._others:
            column = values[:, place]
            if other is not None:
                column = _distance(column, values[:, other])
            found |= band.loud(column, which)
        return found


def _united(sheet: Sheet) -> tuple[str, ...]:
    there = {key for shape in sheet.distinct for key in shape.fields}
    return tuple(key for key in sheet.numbers if key in there)


def _distance(column: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    # What is beyond all numbers is loud, and judged no further.
    with np.errstate(over="ignore"):
        return np.abs(column - other)


def _bands(measurement: str, sets: Sequence[Watches]) -> tuple[Band, ...]:
    found = []
    for key, usual in sets[0][measurement].items():
        for other in dict.fromkeys(watch.other for watch in usual if watch.instant):
            each = [
                [watch for watch in watches[measurement][key] if watch.instant and watch.other == other]
                for watches in sets
            ]
            found.append(_band(key, other, each))
    return tuple(found)


def _band(key: str, other: str | None, sets: Sequence[Sequence[Watch]]) -> Band:
    numbers = [[watch for watch in watches if watch.states is None] for watches in sets]
    states = {state for watches in sets for watch in watches for state in watch.states or ()}
    return Band(
        key,
        other,
        np.array([max((watch.low for watch in watches), default=-math.inf) for watches in numbers]),
        np.array([min((watch.high for watch in watches), default=math.inf) for watches in numbers]),
        tuple(sorted(states)),
    )
