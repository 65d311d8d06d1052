"""The look at a sheet of usual messages as a whole: which rows need more than to be kept."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.alarms.judging import Judging
from ingest.alarms.learning import Learning, learning, may_learn
from ingest.lanewise import Mask
from ingest.sheets import Sheet

NO_SHAPE = -1
"""The number that no shape has."""


class Look(NamedTuple):
    """What is seen of a sheet at a glance.

    ``loud`` tells of each row whether a figure of it may concern a rule. ``calm`` holds the number of the shape of each
    row of which nothing has to be looked at while its device is calm, but what ``learning`` says; of any other a number
    that no shape has.
    """

    loud: Mask
    calm: NDArray[np.int64]
    learning: Sequence[Learning] = ()


def look_closely(sheet: Sheet) -> Look:
    """Return that every row must be looked at."""
    count = len(sheet.ways)
    return Look(np.ones(count, dtype=np.bool_), np.full(count, NO_SHAPE, dtype=np.int64))


def look(measurement: str, sheet: Sheet, judging: Judging) -> Look:
    """Return what the rules in force see in a sheet of one measurement."""
    loud = judging.columns.loud_rows(measurement, sheet)
    followed = judging.followed.get(measurement, frozenset())
    follows = judging.follows.get(measurement, ())
    # Of some nothing is followed; of others only what is learned, and they hold all that it asks.
    still = [shape for shape in sheet.distinct if followed.isdisjoint(shape.fields)]
    learned = [
        shape
        for shape in sheet.distinct
        if shape not in still and all(may_learn(each, shape.fields) for each in follows)
    ]
    closely = loud.copy()
    if len(still) + len(learned) < len(sheet.distinct):
        closely |= ~np.isin(sheet.shape_numbers, [shape.number for shape in (*still, *learned)])
    if learned and not judging.own_rules.keys().isdisjoint(sheet.devices):
        # A device with limits of its own is followed by those, row by row.
        own = np.array([device in judging.own_rules for device in sheet.devices], dtype=np.bool_)
        closely |= own & np.isin(sheet.shape_numbers, [shape.number for shape in learned])
    asked = {field for shape in learned for field in shape.fields}
    return Look(
        loud,
        np.where(closely, NO_SHAPE, sheet.shape_numbers),
        [learning(each, sheet) for each in follows if each.field in asked],
    )
