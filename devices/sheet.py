"""Usual messages read together: the numbers of one measurement each, side by side as columns, and their tags.

What is absent is NaN, which no message can hold: JSON has no word for it. A comparison with it is never true.
"""

from collections.abc import Iterable
from struct import Struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.kind import Value

Sample = bytes
"""The numbers of one message in the order of its envelope, each a float of 8 bytes in the machine's own order."""

ABSENT = float("nan")
_SHAPES_KEPT = 1_000


class Shape:
    """Which fields a usual message holds, and their places in a sample; one object for all that hold the same."""

    __slots__ = ("_numbers", "fields", "places")

    def __init__(self, numbers: tuple[str, ...], there: Iterable[bool]) -> None:
        self.places = [place for place, one in enumerate(there) if one]
        self._numbers = Struct(f"{len(numbers)}d").unpack
        self.fields = tuple(numbers[place] for place in self.places)

    def values(self, sample: Sample) -> dict[str, Value]:
        """Return what a message of this shape holds, by field."""
        numbers = self._numbers(sample)
        return {key: numbers[place] for key, place in zip(self.fields, self.places, strict=True)}


class Shapes:
    """The shapes of those messages of one envelope that have the same tags, by the bits of what numbers are there.

    Attributes:
        numbers: the fields a message may hold.
        tag_keys: the tags that each of them has.
    """

    def __init__(self, numbers: tuple[str, ...], tag_keys: tuple[str, ...] = ()) -> None:
        self.numbers = numbers
        self.tag_keys = tag_keys
        self._known: dict[bytes, Shape] = {}

    def of(self, bits: bytes, there: Iterable[bool]) -> Shape:
        """Return the shape of a row."""
        shape = self._known.get(bits)
        if shape is None:
            if len(self._known) >= _SHAPES_KEPT:
                # Whoever sends all that can be sent must not fill the memory.
                self._known.clear()
            shape = self._known[bits] = Shape(self.numbers, there)
        return shape


class TagSet(NamedTuple):
    """What a message says in tags, by key; one object for all that say the same."""

    values: dict[str, str]
    shapes: Shapes


class Sheet:
    """Messages of one kind and channel that have the same tags.

    Attributes:
        numbers: the fields, one a column.
        tag_keys: the tags of each row.
        samples: of each row.
        devices: of each row.
        tags: what those say, of each row; empty where there are none.
        values: float64, one row a message; there once the sheet is filled, like the shapes.
        shapes: of each row.
        distinct: all shapes there are in it.
    """

    __slots__ = ("_shapes", "devices", "distinct", "numbers", "samples", "shapes", "tag_keys", "tags", "values")

    def __init__(self, shapes: Shapes) -> None:
        """Begin without messages."""
        self._shapes = shapes
        self.numbers = shapes.numbers
        self.tag_keys = shapes.tag_keys
        self.samples: list[Sample] = []
        self.devices: list[str] = []
        self.tags: list[dict[str, str]] = []
        self.values: NDArray[np.float64] = np.empty((0, len(self.numbers)))
        self.shapes: list[Shape] = []
        self.distinct: tuple[Shape, ...] = ()

    def fill(self) -> None:
        """Take in the numbers of all messages that were added."""
        self.values = np.frombuffer(b"".join(self.samples)).reshape(len(self.samples), len(self.numbers))
        there = ~np.isnan(self.values)
        bits = np.packbits(there, axis=1)
        alike = (bits == bits[0]).all()
        if alike:
            self.shapes = [self._shapes.of(bits[0].tobytes(), there[0])] * len(self.samples)
        else:
            self.shapes = [self._shapes.of(row.tobytes(), there[place]) for place, row in enumerate(bits)]
        self.distinct = (self.shapes[0],) if alike else tuple(dict.fromkeys(self.shapes))
