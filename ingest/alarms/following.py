"""The rules that look at every sample of a field, because what they judge lies in several."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.sheet import Sheet
from devices.signals import Learned, While
from devices.site import Site
from ingest.alarms.rules import Rule, Watch, Watches
from ingest.alarms.signals import Seen, Window, learn, reducer, states_of

Mask = NDArray[np.bool_]
Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Follow:
    """One signal of one field: where its window is kept, how it is reduced, and the rules that judge the figure.

    ``rule`` is one of them; ``states`` the plausible range of what tells the state of a device, where it is learned.
    """

    field: str
    window: str
    reduce: Callable[[Window, Seen], float | None]
    watches: tuple[Watch, ...]
    low: float
    high: float
    rule: Rule
    states: tuple[float, float]

    def quiet(self, figure: float) -> bool:
        """Tell whether a figure reaches no level of any of the rules."""
        return self.low < figure < self.high

    def reads(self, fields: Collection[str]) -> bool:
        """Tell whether ``learning`` finds all it asks for in messages with these fields."""
        if self.field not in fields:
            return True
        signal = self.rule.limit.signal
        return isinstance(signal, Learned) and all(
            key in fields for key in (signal.by, *(each.field for each in (*signal.judged, *signal.normal)))
        )

    def learning(self, sheet: Sheet) -> "Learning":
        """Return what a learned signal has to be asked of each row of a sheet; of rows that it reads."""
        signal = self.rule.limit.signal
        assert isinstance(signal, Learned)
        column = dict(zip(sheet.numbers, sheet.values.T, strict=True))
        by, value = column[signal.by], column[self.field]
        judged = _all_hold(signal.judged, column) & (self.states[0] <= by) & (by <= self.states[1])
        normal = _all_hold(signal.normal, column) & (value > 0) & (self.rule.low <= value) & (value <= self.rule.high)
        # No state is minus nothing.
        with np.errstate(over="ignore"):
            states = np.where(judged, np.rint(by / signal.step) + 0.0, np.nan)
        return Learning(self, signal, states.tolist(), value.tolist(), normal.tolist())


class Learning(NamedTuple):
    """What a learned signal is asked of the rows of a sheet.

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


Follows = Mapping[str, tuple[Follow, ...]]
"""By measurement."""


def follows(watches: Watches, site: Site) -> Follows:
    """Return what has to be followed; limits that judge the same signal share its window."""
    found: dict[str, tuple[Follow, ...]] = {}
    for measurement, fields in watches.items():
        for field, rules in fields.items():
            waiting = [watch for watch in rules if not watch.instant]
            while waiting:
                rule = waiting[0].rule
                limit = rule.limit
                assert limit.signal is not None
                same = tuple(watch for watch in waiting if watch.rule.limit.signal == limit.signal)
                waiting = [watch for watch in waiting if watch.rule.limit.signal != limit.signal]
                band = max(watch.low for watch in same), min(watch.high for watch in same)
                reduce = reducer(limit.signal, rule, site)
                states = states_of(limit.signal, rule, site) if isinstance(limit.signal, Learned) else (-inf, inf)
                follow = Follow(field, f"{field}.{limit.key}", reduce, same, *band, rule, states)
                found[measurement] = (*found.get(measurement, ()), follow)
    return found


def instants(watches: Watches) -> dict[str, dict[str, tuple[Watch, ...]]]:
    """Return the rules for which one sample says all."""
    found = {
        measurement: {field: tuple(watch for watch in rules if watch.instant) for field, rules in fields.items()}
        for measurement, fields in watches.items()
    }
    return {m: {field: rules for field, rules in fields.items() if rules} for m, fields in found.items()}
