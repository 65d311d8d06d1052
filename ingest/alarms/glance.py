"""The look at a sheet of usual messages as a whole: which rows need more than to be kept."""

from collections.abc import Sequence
from typing import NamedTuple

from devices.shapes import Shape
from ingest.alarms.judging import Judging
from ingest.alarms.learning import Learning, learning, may_learn
from ingest.sheets import Sheet

_NO_SHAPE = Shape((), ())


class Look(NamedTuple):
    """What is seen of a sheet at a glance.

    ``loud`` tells of each row whether a figure of it may concern a rule. ``calm`` holds the shape of each row of which
    nothing has to be looked at while its device is calm, but what ``learning`` says; of any other a shape that no row
    has.
    """

    loud: list[bool]
    calm: Sequence[Shape]
    learning: Sequence[Learning] = ()


def look_closely(sheet: Sheet) -> Look:
    """Return that every row must be looked at."""
    return Look([True] * len(sheet.shapes), [_NO_SHAPE] * len(sheet.shapes))


def look(measurement: str, sheet: Sheet, judging: Judging) -> Look:
    """Return what the rules in force see in a sheet of one measurement."""
    loud = judging.columns.loud_rows(measurement, sheet)
    followed = judging.followed.get(measurement, frozenset())
    follows = judging.follows.get(measurement, ())
    # Of some nothing is followed; of others only what is learned, and they hold all that it asks.
    still = {shape for shape in sheet.distinct if followed.isdisjoint(shape.fields)}
    learned = {
        shape
        for shape in sheet.distinct
        if shape not in still and all(may_learn(each, shape.fields) for each in follows)
    }
    # A device with limits of its own is followed by those, row by row.
    own = set() if judging.own_rules.keys().isdisjoint(sheet.devices) else judging.own_rules.keys()
    if len(still) + len(learned) == len(sheet.distinct) and True not in loud and not own:
        calm: Sequence[Shape] = sheet.shapes
    else:
        calm = [
            shape if not is_loud and (shape in still or (shape in learned and device not in own)) else _NO_SHAPE
            for shape, is_loud, device in zip(sheet.shapes, loud, sheet.devices, strict=True)
        ]
    asked = {field for shape in learned for field in shape.fields}
    return Look(loud, calm, [learning(each, sheet) for each in follows if each.field in asked])
