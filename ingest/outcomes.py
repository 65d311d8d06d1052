"""What became of a record of the journal: decoded, a repeat, or in quarantine; exactly one of the three."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np

from devices.readings import Reading
from devices.shapes import Shape
from ingest.alarms.revisions.revision import Revision
from ingest.quarantine import Origin
from ingest.sheets import NOTHING, Fate, Sheet, Usual
from ingest.store.usual import UsualReadings


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


def readings_of(outcomes: Iterable[AnyOutcome]) -> tuple[list[Reading], list[UsualReadings]]:
    """Return what was read: one by one, and of usual messages by column."""
    readings: list[Reading] = []
    usual: dict[Sheet, list[Usual]] = {}
    last: Sheet | None = None
    for outcome in outcomes:
        if type(outcome) is not Usual:
            readings += outcome.readings
            continue
        sheet = outcome.sheet
        if sheet is not last:
            last = sheet
            add = usual.setdefault(sheet, []).append
        add(outcome)
    columns = []
    for sheet, found in usual.items():
        for shape in sheet.distinct:
            alike = found if len(sheet.distinct) == 1 else [each for each in found if each.shape is shape]
            if alike:
                columns.append(_columns(sheet, shape, alike))
    return readings, columns


def _columns(sheet: Sheet, shape: Shape, alike: Sequence[Usual]) -> UsualReadings:
    ways, rows = [each.way for each in alike], [each.row for each in alike]
    tags = [sheet.tags[row] for row in rows] if sheet.tag_keys else []
    return UsualReadings(
        ways[0].kind,
        ways[0].simple,
        shape.fields,
        [way.device for way in ways],
        [way.district for way in ways],
        [each.at_ms for each in alike],
        [each.received_ms for each in alike],
        [each.position for each in alike],
        sheet.values[np.ix_(rows, shape.places)].tobytes(),
        sheet.tag_keys,
        [[each[key] for each in tags] for key in sheet.tag_keys],
    )
