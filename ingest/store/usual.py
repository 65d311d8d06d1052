"""Usual readings by column: those of one measurement with the same fields, as they pass from process to process."""

from collections.abc import Iterator, Sequence
from itertools import repeat
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.envelope import NO_FLAGS, NO_TAGS
from devices.readings import Quality, Reading
from ingest.lanewise import Instants

_position = attrgetter("position")


class UsualReadings(NamedTuple):
    """Good readings with the same fields and tags.

    ``times`` are int64 in the machine's own order: when each was measured and when received (epoch ms), and their
    positions. ``numbers`` are float64, row by row; ``tags`` holds for each of ``tag_keys`` what every reading says.
    """

    kind: str
    measurement: str
    fields: Sequence[str]
    devices: Sequence[str]
    districts: Sequence[str]
    times: bytes
    numbers: bytes
    tag_keys: Sequence[str] = ()
    tags: Sequence[Sequence[str]] = ()

    @property
    def at_ms(self) -> Instants:
        """Return when each was measured."""
        return self._times(0)

    @property
    def received_ms(self) -> Instants:
        """Return when each was received."""
        return self._times(1)

    @property
    def positions(self) -> Instants:
        """Return the position of each."""
        return self._times(2)

    def _times(self, column: int) -> Instants:
        size = 8 * len(self.devices)
        return np.frombuffer(self.times[column * size : (column + 1) * size], dtype=np.int64)

    def columns(self) -> list[list[float]]:
        """Return the numbers of each field."""
        found: list[list[float]] = self.table().T.tolist()
        return found

    def values(self) -> list[list[float]]:
        """Return the numbers of each reading, in the order of the fields."""
        found: list[list[float]] = self.table().tolist()
        return found

    def table(self) -> NDArray[np.float64]:
        """Return the numbers, shape (readings, fields)."""
        return np.frombuffer(self.numbers).reshape(len(self.devices), len(self.fields))

    def readings(self) -> Iterator[Reading]:
        """Yield them one by one."""
        times = (each.tolist() for each in (self.at_ms, self.received_ms, self.positions))
        rows = zip(self.devices, self.districts, *times, self.values(), strict=True)
        tags = zip(*self.tags, strict=True) if self.tag_keys else repeat(())
        for (device, district, at_ms, received_ms, position, numbers), told in zip(rows, tags, strict=False):
            yield Reading(
                self.kind, self.measurement, device, district, at_ms * 1_000_000,
                dict(zip(self.fields, numbers, strict=True)), dict(zip(self.tag_keys, told, strict=True)) or NO_TAGS,
                Quality.GOOD, NO_FLAGS, received_ms, position,
            )  # fmt: skip


def times_of(
    at_ms: Sequence[int] | Instants, received_ms: Sequence[int] | Instants, positions: Sequence[int] | Instants
) -> bytes:
    """Return as bytes when readings were measured and received, and their positions."""
    return np.array((at_ms, received_ms, positions), dtype=np.int64).tobytes()


def may_meet(readings: Sequence[Reading], usual: Sequence[UsualReadings]) -> bool:
    """Tell whether it matters which of some readings is written first: several may be of one point."""
    # Those of one measurement with the same fields and tags are in order, unless several channels carry it; all others
    # must be of different points.
    reached: dict[tuple[str, tuple[str, ...], tuple[str, ...]], int] = {}
    in_turn = True
    for each in usual:
        kind = each.measurement, tuple(each.fields), tuple(each.tag_keys)
        positions = each.positions
        in_turn = in_turn and bool(positions[0] > reached.get(kind, 0))
        reached[kind] = int(positions[-1])
    measurements = {measurement for measurement, *_ in reached}
    single = [reading for reading in readings if reading.measurement in measurements]
    if in_turn and len(reached) == len(measurements) and not single:
        return False
    points = [(reading.measurement, reading.device, reading.at_ns) for reading in single]
    points += [
        (each.measurement, device, at_ms * 1_000_000)
        for each in usual
        for device, at_ms in zip(each.devices, each.at_ms.tolist(), strict=True)
    ]
    return len(set(points)) < len(points)


def in_order(readings: Sequence[Reading], usual: Sequence[UsualReadings]) -> list[Reading]:
    """Return all readings one by one, in the order of their receipt."""
    return sorted((*readings, *(reading for each in usual for reading in each.readings())), key=_position)
