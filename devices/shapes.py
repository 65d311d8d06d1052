"""What usual messages hold: the numbers of one measurement each, and tags.

What is absent is NaN, which no message can hold: JSON has no word for it. A comparison with it is never true.
"""

import itertools
from collections.abc import Iterable
from struct import Struct
from typing import NamedTuple

from devices.kind import Value

Sample = bytes
"""The numbers of one message in the order of its envelope, each a float of 8 bytes in the machine's own order."""

ABSENT = float("nan")
_SHAPES_KEPT = 1_000


class Shape:
    """Which fields a usual message holds, and their places in a sample; one object for all that hold the same.

    ``number`` stands for it in columns; none has 0. ``tag_keys`` are the tags it has beside the numbers.
    """

    __slots__ = ("_unpacked", "fields", "number", "places", "tag_keys")
    _numbers = itertools.count(1)

    def __init__(self, numbers: tuple[str, ...], there: Iterable[bool], tag_keys: tuple[str, ...] = ()) -> None:
        given = list(there)
        self.number = next(self._numbers)
        self.tag_keys = tag_keys
        self.places = [place for place, one in enumerate(given) if one]
        self.fields = tuple(numbers[place] for place in self.places)
        self._unpacked = Struct("=" + "".join(["d" if one else "8x" for one in given])).unpack

    def values(self, sample: Sample) -> dict[str, Value]:
        """Return what a message of this shape holds, by field."""
        return dict(zip(self.fields, self._unpacked(sample), strict=True))


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
            shape = self._known[bits] = Shape(self.numbers, there, self.tag_keys)
        return shape


class TagSet(NamedTuple):
    """What a message says in tags, by key; one object for all that say the same."""

    values: dict[str, str]
    shapes: Shapes
