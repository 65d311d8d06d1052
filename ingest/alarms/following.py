"""The rules that look at every sample of a field, because what they judge lies in several."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf

from devices.signals import Learned
from devices.site import Site
from ingest.alarms.rules import Rule, Watch, Watches
from ingest.alarms.signals import Seen, Window, reducer, states_of


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
