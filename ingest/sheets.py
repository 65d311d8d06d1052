"""Usual messages read together: those of one kind and channel side by side as columns."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Literal

import msgspec
import numpy as np

from devices.envelope import NO_FLAGS, NO_TAGS
from devices.lanes import Lanes
from devices.readings import Quality, Reading
from devices.shapes import Sample, Shape, TagSet
from devices.site import Way
from ingest.lanewise import Instants, Lanewise, Mask

Fate = Literal["tick", "decoded", "duplicate", "quarantined"]
# One for all: a dict of its own would cost each message as much as a field.
NOTHING: Mapping[str, float] = MappingProxyType({})


class Usual(msgspec.Struct, gc=False, eq=False):
    """What became of a usual message: news, of a device that is known, and one row of a sheet.

    It says what an :class:`ingest.outcomes.Outcome` would, and is made when somebody asks for it, for nearly all are
    quiet.
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
                    self.shape.values(self.sample), self.sheet.tags[self.row] if self.shape.tag_keys else NO_TAGS,
                    Quality.GOOD, NO_FLAGS, self.received_ms, self.position, self.history,
                )
            ]  # fmt: skip
        return found


class Sheet:
    """Usual messages of one kind and channel, a row each.

    First they are added to ``rows``; ``align`` makes columns of when and whose they are, ``keep`` leaves out what is no
    news, and ``fill`` makes columns of all else.

    Attributes:
        rows: which of all read together each is, how it came, its instant, its number and its sample.
        lanes: whose they are.
        numbers: the fields, one a column of ``values``.
        indexes: which of all messages read together each row is, in rising order.
        ways: how each came.
        at_ms: of each row, int64.
        seqs: of each row, int64.
        history: the rows that say they are of before.
        samples: of each row.
        tag_sets: the tags of the rows that have some.
        tags: what those say, of each row; empty where none has any.
        places: of each row in its lanes.
        lanewise: what came before each row there.
        received_ms: of each row.
        positions: of each row.
        values: float64, one row a message.
        shapes: of each row.
        shape_numbers: the same as numbers.
        distinct: all shapes there are in it.
        readings: those that somebody asked for, by row.
        failed: reason and sentence of those that could not be judged, by row.
    """

    __slots__ = (
        "at_ms", "distinct", "failed", "history", "indexes", "lanes", "lanewise", "numbers", "places", "positions",
        "readings", "received_ms", "rows", "samples", "seqs", "shape_numbers", "shapes", "tag_sets", "tags", "values",
        "ways",
    )  # fmt: skip

    def __init__(self, way: Way) -> None:
        """Begin without messages, for those that come as one that is given."""
        self.lanes: Lanes = way.lanes
        self.numbers = way.envelope.numbers
        self.rows: list[tuple[int, Way, int, int, Sample]] = []
        self.history: set[int] = set()
        self.tag_sets: dict[int, TagSet] = {}
        self.readings: dict[int, list[Reading]] = {}
        self.failed: dict[int, tuple[str, str]] = {}

    def align(self, received_ms: Instants) -> None:
        """Make columns of what was added; ``received_ms`` is that of all messages read together."""
        rows, self.rows = self.rows, []
        columns = zip(*rows, strict=True)
        self.indexes: list[int] = list(next(columns))
        self.ways: list[Way] = list(next(columns))
        self.at_ms, self.seqs = (np.array(next(columns), dtype=np.int64) for _ in range(2))
        self.samples: list[Sample] = list(next(columns))
        self.places = np.array([way.place for way in self.ways], dtype=np.intp)
        self.lanewise = Lanewise(self.places)
        self.received_ms = self._of(received_ms)

    def _of(self, column: Instants) -> Instants:
        """Return what belongs to each row of a column of all that was read together."""
        first, last = self.indexes[0], self.indexes[-1]
        return column[first : last + 1] if last - first < len(self.indexes) else column[self.indexes]

    def keep(self, wanted: Mask) -> dict[int, Way]:
        """Leave out all other rows; return which of all messages these were, and how they came."""
        if wanted.all():
            return {}
        out = {self.indexes[row]: self.ways[row] for row in np.flatnonzero(~wanted).tolist()}
        rows = np.flatnonzero(wanted).tolist()
        new = {row: place for place, row in enumerate(rows)}
        self.indexes, self.ways = [self.indexes[row] for row in rows], [self.ways[row] for row in rows]
        self.samples = [self.samples[row] for row in rows]
        self.history = {new[row] for row in self.history if row in new}
        self.tag_sets = {new[row]: tags for row, tags in self.tag_sets.items() if row in new}
        self.at_ms, self.seqs, self.places = self.at_ms[rows], self.seqs[rows], self.places[rows]
        self.lanewise = self.lanewise.of(wanted)
        self.received_ms = self.received_ms[rows]
        return out

    def fill(self, positions: Instants) -> None:
        """Make columns of all else; ``positions`` are those of all messages read together."""
        count = len(self.indexes)
        self.positions = self._of(positions)
        self.values = np.frombuffer(b"".join(self.samples)).reshape(count, len(self.numbers))
        there = ~np.isnan(self.values)
        bits = np.packbits(there, axis=1)
        untagged = self.ways[0].envelope.untagged
        self.tags = [NO_TAGS] * count if self.tag_sets else []
        for row, tags in self.tag_sets.items():
            self.tags[row] = tags.values
        alike = not self.tag_sets and bool((bits == bits[0]).all())
        self.shapes: Sequence[Shape]
        self.distinct: tuple[Shape, ...]
        if alike:
            shape = untagged.shapes.of(bits[0].tobytes(), there[0])
            self.shapes, self.distinct = [shape] * count, (shape,)
            self.shape_numbers = np.full(count, shape.number, dtype=np.int64)
            return
        sets = self.tag_sets
        self.shapes = [sets.get(row, untagged).shapes.of(some.tobytes(), there[row]) for row, some in enumerate(bits)]
        self.distinct = tuple(dict.fromkeys(self.shapes))
        self.shape_numbers = np.array([shape.number for shape in self.shapes], dtype=np.int64)

    @property
    def devices(self) -> list[str]:
        """Return the device of each row."""
        return [way.device for way in self.ways]

    def usual(self, row: int) -> Usual:
        """Return a row as a message."""
        return Usual(
            int(self.positions[row]), int(self.received_ms[row]), self.ways[row], int(self.at_ms[row]),
            int(self.seqs[row]), row in self.history, self.samples[row], row, self,
        )  # fmt: skip
