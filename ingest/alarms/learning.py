"""What is learned of devices, asked of a whole sheet of usual messages at once: in what state each row is judged."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.signals import Learned, While
from ingest.alarms.following import Follow
from ingest.alarms.signals import Window, learn
from ingest.lanewise import Mask
from ingest.sheets import Sheet

Column = NDArray[np.float64]


class Learning(NamedTuple):
    """A learned signal and what it is asked of the rows of a sheet.

    ``states`` are NaN where nothing is judged, ``values`` where the row has none; ``normal`` tells what may be learned
    from.
    """

    follow: Follow
    signal: Learned
    states: list[float]
    values: list[float]
    normal: list[bool]

    def figure(self, row: int, windows: dict[str, Window]) -> float | None:
        """Return the figure of a row of a device that is calm, None where there is none; its window follows."""
        value, state = self.values[row], self.states[row]
        if value != value:
            return None
        window = windows.get(self.follow.window)
        if window is None:
            window = windows[self.follow.window] = []
        return None if state != state else learn(self.signal, window, state, value, self.normal[row], frozen=False)


def may_learn(follow: Follow, fields: Collection[str]) -> bool:
    """Tell whether ``learning`` finds all that a signal asks of messages with some fields, or need not ask them."""
    if follow.field not in fields:
        return True
    signal = follow.rule.limit.signal
    return isinstance(signal, Learned) and all(
        key in fields for key in (signal.by, *(each.field for each in (*signal.judged, *signal.normal)))
    )


def learning(follow: Follow, sheet: Sheet) -> Learning:
    """Return what a learned signal has to be asked of each row of a sheet; of rows for which it may be."""
    signal, rule = follow.rule.limit.signal, follow.rule
    assert isinstance(signal, Learned)
    column = dict(zip(sheet.numbers, sheet.values.T, strict=True))
    by, value = column[signal.by], column[follow.field]
    judged = _all_hold(signal.judged, column) & (follow.states[0] <= by) & (by <= follow.states[1])
    normal = _all_hold(signal.normal, column) & (value > 0) & (rule.low <= value) & (value <= rule.high)
    # Beyond all numbers are only rows outside of the states; and no state is minus nothing.
    with np.errstate(over="ignore"):
        states = np.where(judged, np.rint(by / signal.step) + 0.0, np.nan)
    return Learning(follow, signal, states.tolist(), value.tolist(), normal.tolist())


def _all_hold(conditions: tuple[While, ...], columns: Mapping[str, Column]) -> Mask:
    """Tell of each row whether all of some conditions hold; what is absent does not."""
    found: Mask = np.ones(len(next(iter(columns.values()))), dtype=np.bool_)
    for each in conditions:
        column = columns[each.field]
        if each.values:
            found &= np.isin(column, each.values)
            continue
        if each.low is not None:
            found &= column >= each.low
        if each.high is not None:
            found &= column <= each.high
    return found
