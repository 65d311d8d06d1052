"""Usual messages read together: what became of each, and the numbers of one measurement side by side as columns."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.envelope import NO_FLAGS, NO_TAGS
from devices.readings import Quality, Reading
from devices.shapes import Sample, Shape, Shapes
from devices.site import Way

Fate = Literal["tick", "decoded", "duplicate", "quarantined"]
# One for all: a dict of its own would cost each message as much as a field.
NOTHING: Mapping[str, float] = MappingProxyType({})


class Usual(msgspec.Struct, gc=False, eq=False):
    """What became of a usual message: news, of a device that is known, and one row of a sheet.

    It says what an :class:`ingest.outcomes.Outcome` would. Its reading is made when somebody asks for it, for nearly
    all are quiet.
    """

    position: int
    received_ms: int
    way: Way
    at_ms: int
    seq: int
    history: bool
    sample: Sample
    row: int
    sheet: "Sheet"
    status: ClassVar[bool | None] = None
    unknown: ClassVar[int] = 0
    ahead_ms: ClassVar[int] = 0
    own: ClassVar[Mapping[str, float]] = NOTHING
    origin: ClassVar[None] = None
    revision: ClassVar[None] = None

    @property
    def topic(self) -> str:
        """Return where it came from."""
        return self.way.topic

    @property
    def kind(self) -> str:
        """Return the kind of its device."""
        return self.way.kind

    @property
    def device(self) -> str:
        """Return the device that sent it."""
        return self.way.device

    @property
    def shape(self) -> Shape:
        """Return which fields it holds."""
        return self.sheet.shapes[self.row]

    @property
    def fate(self) -> Fate:
        """Return what became of it."""
        return "quarantined" if self.row in self.sheet.failed else "decoded"

    @property
    def reason(self) -> str:
        """Return why it is in quarantine."""
        return self.sheet.failed.get(self.row, ("", ""))[0]

    @property
    def sentence(self) -> str:
        """Return the same for people."""
        return self.sheet.failed.get(self.row, ("", ""))[1]

    @property
    def readings(self) -> list[Reading]:
        """Return what was read from it; the same list each time."""
        found = self.sheet.readings.get(self.row)
        if found is None:
            way = self.way
            found = self.sheet.readings[self.row] = [
                Reading(
                    way.kind, way.simple, way.device, way.district, self.at_ms * 1_000_000,
                    self.shape.values(self.sample), self.sheet.tags[self.row] if self.sheet.tag_keys else NO_TAGS,
                    Quality.GOOD, NO_FLAGS, self.received_ms, self.position, self.history,
                )
            ]  # fmt: skip
        return found


class Sheet:
    """Messages of one kind and channel that have the same tags.

    Attributes:
        numbers: the fields, one a column.
        tag_keys: the tags of each row.
        samples: of each row.
        ways: how each came; the messages themselves are not held, for each of them holds its sheet.
        tags: what those say, of each row; empty where there are none.
        readings: those that somebody asked for, by row.
        failed: reason and sentence of those that could not be judged, by row.
        values: float64, one row a message; there once the sheet is filled, like the shapes.
        shapes: of each row.
        distinct: all shapes there are in it.
    """

    __slots__ = (
        "_shapes", "distinct", "failed", "numbers", "readings", "samples", "shapes", "tag_keys", "tags", "values",
        "ways",
    )  # fmt: skip

    def __init__(self, shapes: Shapes) -> None:
        """Begin without messages."""
        self._shapes = shapes
        self.numbers = shapes.numbers
        self.tag_keys = shapes.tag_keys
        self.samples: list[Sample] = []
        self.ways: list[Way] = []
        self.tags: list[dict[str, str]] = []
        self.readings: dict[int, list[Reading]] = {}
        self.failed: dict[int, tuple[str, str]] = {}
        self.values: NDArray[np.float64] = np.empty((0, len(self.numbers)))
        self.shapes: Sequence[Shape] = ()
        self.distinct: tuple[Shape, ...] = ()

    @property
    def devices(self) -> list[str]:
        """Return the device of each row."""
        return [way.device for way in self.ways]

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
