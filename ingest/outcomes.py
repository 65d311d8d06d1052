"""What became of a record of the journal: decoded, a repeat, or in quarantine; exactly one of the three."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Literal

import msgspec
import numpy as np

from devices.envelope import NO_FLAGS, NO_TAGS
from devices.readings import Quality, Reading
from devices.sheet import Sample, Shape, Sheet
from devices.site import Way
from ingest.alarms.revisions.revision import Revision
from ingest.quarantine import Origin
from ingest.store.usual import UsualReadings

Fate = Literal["tick", "decoded", "duplicate", "quarantined"]
# One for all: a dict of its own would cost each message as much as a field.
_NOTHING: Mapping[str, float] = MappingProxyType({})


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
    own: Mapping[str, float] = _NOTHING
    origin: Origin | None = None
    revision: Revision | None = None


class Usual(msgspec.Struct, gc=False):
    """What became of a usual message: news, of a device that is known, and one row of a sheet.

    It says what an :class:`Outcome` would. Its reading is made when somebody asks for it, for nearly all are quiet.
    """

    position: int
    received_ms: int
    topic: str
    way: Way
    at_ms: int
    seq: int
    history: bool
    sample: Sample
    sheet: Sheet
    row: int
    made: list[Reading] | None = None
    fate: Fate = "decoded"
    reason: str = ""
    sentence: str = ""
    status: ClassVar[bool | None] = None
    unknown: ClassVar[int] = 0
    ahead_ms: ClassVar[int] = 0
    own: ClassVar[Mapping[str, float]] = _NOTHING
    origin: ClassVar[Origin | None] = None
    revision: ClassVar[Revision | None] = None

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
    def readings(self) -> list[Reading]:
        """Return what was read from it; the same list each time."""
        if self.made is None:
            way = self.way
            values = self.shape.values(self.sample)
            tags = self.sheet.tags[self.row] if self.sheet.tag_keys else NO_TAGS
            self.made = [
                Reading(
                    way.kind, way.simple, way.device, way.district, self.at_ms * 1_000_000, values, tags,
                    Quality.GOOD, NO_FLAGS, self.received_ms, self.position, self.history,
                )
            ]  # fmt: skip
        return self.made


AnyOutcome = Outcome | Usual


def readings_of(outcomes: Iterable[AnyOutcome]) -> tuple[list[Reading], list[UsualReadings]]:
    """Return what was read: one by one, and of usual messages by column."""
    readings: list[Reading] = []
    sheets: dict[Sheet, list[Usual]] = {}
    for outcome in outcomes:
        if type(outcome) is not Usual:
            readings += outcome.readings
            continue
        try:
            sheets[outcome.sheet].append(outcome)
        except KeyError:
            sheets[outcome.sheet] = [outcome]
    usual = []
    for sheet, found in sheets.items():
        for shape in sheet.distinct:
            alike = found if len(sheet.distinct) == 1 else [each for each in found if each.shape is shape]
            ways = [each.way for each in alike]
            tags = [sheet.tags[each.row] for each in alike] if sheet.tag_keys else []
            usual.append(
                UsualReadings(
                    ways[0].kind,
                    ways[0].simple,
                    shape.fields,
                    [way.device for way in ways],
                    [way.district for way in ways],
                    [each.at_ms for each in alike],
                    [each.received_ms for each in alike],
                    [each.position for each in alike],
                    sheet.values[np.ix_([each.row for each in alike], shape.places)].tobytes(),
                    sheet.tag_keys,
                    [[each[key] for each in tags] for key in sheet.tag_keys],
                )
            )
    return readings, usual
