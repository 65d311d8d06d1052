"""What became of records of the journal: decoded, a repeat, or in quarantine; exactly one of the three for each."""

from bisect import bisect_left
from collections.abc import Container, Iterator, Mapping, Sequence
from copy import copy
from itertools import chain
from typing import overload

import msgspec
import numpy as np

from devices.readings import Reading
from devices.shapes import Shape
from ingest.alarms.revisions.revision import Revision
from ingest.lanewise import Instants
from ingest.quarantine import Origin
from ingest.sheets import NOTHING, Fate, Sheet, Usual
from ingest.store.usual import UsualReadings, times_of


class Outcome(msgspec.Struct, gc=False):
    """What became of one record.

    A quarantined message may still have readings: those of its fields that could be read. ``origin`` is set on one
    that was in quarantine before and was tried again; ``own`` holds what a tick says of the collector itself;
    ``revision`` are the rules from this record on, where it says so.
    """

    position: int
    received_ms: int
    topic: str
    fate: Fate
    kind: str = ""
    device: str = ""
    readings: Sequence[Reading] = ()
    seq: int | None = None
    status: bool | None = None
    reason: str = ""
    sentence: str = ""
    unknown: int = 0
    ahead_ms: int = 0
    own: Mapping[str, float] = NOTHING
    origin: Origin | None = None
    revision: Revision | None = None


AnyOutcome = Outcome | Usual


class Batch(Sequence[AnyOutcome]):
    """What became of records that were read together: usual messages in sheets, all others one by one.

    Attributes:
        positions: of all of them.
        received_ms: of all of them.
        single: the others, by their place among all, in rising order.
        sheets: the usual ones; there may be several of the same lanes, one behind the other.
    """

    __slots__ = ("_made", "positions", "received_ms", "sheets", "single")

    def __init__(
        self, positions: Instants, received_ms: Instants, single: dict[int, Outcome], sheets: list[Sheet]
    ) -> None:
        self.positions = positions
        self.received_ms = received_ms
        self.single = single
        self.sheets = sheets
        self._made: dict[int, Usual] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.received_ms)

    @overload
    def __getitem__(self, index: int) -> AnyOutcome: ...
    @overload
    def __getitem__(self, index: slice) -> list[AnyOutcome]: ...
    def __getitem__(self, index: int | slice) -> AnyOutcome | list[AnyOutcome]:
        """Return one or some as outcomes; always the same object of each."""
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        return self.single.get(index) or self._usual(index)

    def _usual(self, index: int) -> Usual:
        made = self._made.get(index)
        if made is not None:
            return made
        for sheet in self.sheets:
            row = bisect_left(sheet.indexes, index)
            if row < len(sheet.indexes) and sheet.indexes[row] == index:
                return self.usual(sheet, row)
        raise IndexError(index)

    def usual(self, sheet: Sheet, row: int) -> Usual:
        """Return a row of one of the sheets as an outcome."""
        index = sheet.indexes[row]
        made = self._made.get(index)
        if made is None:
            made = self._made[index] = sheet.usual(row)
        return made

    def of(self, kinds: Container[str]) -> "Batch":
        """Return what is of some kinds, with all ticks."""
        single = {at: each for at, each in self.single.items() if each.fate == "tick" or each.kind in kinds}
        sheets = [copy(sheet) for sheet in self.sheets if sheet.ways[0].kind in kinds]
        kept = np.sort(np.array([*single, *chain.from_iterable(sheet.indexes for sheet in sheets)], dtype=np.intp))
        for sheet in sheets:
            sheet.indexes = np.searchsorted(kept, sheet.indexes).tolist()
        places = np.searchsorted(kept, list(single)).tolist()
        return Batch(
            self.positions[kept], self.received_ms[kept], dict(zip(places, single.values(), strict=True)), sheets
        )

    def readings(self) -> tuple[list[Reading], list[UsualReadings]]:
        """Return what was read: one by one, and of usual messages by column."""
        one_by_one = [reading for outcome in self.single.values() for reading in outcome.readings]
        return one_by_one, list(self._columns())

    def _columns(self) -> Iterator[UsualReadings]:
        for sheet in self.sheets:
            for shape in sheet.distinct:
                if len(sheet.distinct) == 1:
                    yield _columns(sheet, shape, None)
                else:
                    yield _columns(sheet, shape, np.flatnonzero(sheet.shape_numbers == shape.number).tolist())


def _columns(sheet: Sheet, shape: Shape, rows: list[int] | None) -> UsualReadings:
    """Return some rows, or all, of a sheet, which have a shape in common."""
    if rows is None:
        ways, at_ms, received_ms = sheet.ways, sheet.at_ms, sheet.received_ms
        positions, values = sheet.positions, sheet.values[:, shape.places]
        tags = sheet.tags
    else:
        ways, at_ms, received_ms = [sheet.ways[row] for row in rows], sheet.at_ms[rows], sheet.received_ms[rows]
        positions, values = sheet.positions[rows], sheet.values[np.ix_(rows, shape.places)]
        tags = [sheet.tags[row] for row in rows] if shape.tag_keys else []
    return UsualReadings(
        ways[0].kind,
        ways[0].simple,
        shape.fields,
        [way.device for way in ways],
        [way.district for way in ways],
        times_of(at_ms, received_ms, positions),
        values.tobytes(),
        shape.tag_keys,
        [[each[key] for each in tags] for key in shape.tag_keys],
    )
