"""What a rule judges in place of values: means and slopes, sample by sample, by the engine's own reducers.

So they are the engine's figures to the last digit. What cannot reach a level is found beforehand over whole columns:
a mean lies within the extremes of its values (:func:`within`), and a slope is reckoned roughly for all samples at once.
"""

from collections.abc import Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray

from devices.signals import Mean, Rate
from devices.site import Site
from ingest.alarms.rules import Rule
from ingest.alarms.signals import RATE_LEAST, RATE_POINTS, RATE_SPAN, Seen, Window, reducer
from ingest.backtest.columns import Indexes, Samples

# Means and slopes are added up in another order than here; a figure may lie that much beside, and is not passed over.
_SLACK = 1e-6


def judged_by_figures(rule: Rule) -> bool:
    """Tell whether a rule judges figures that can be made of one column."""
    return isinstance(rule.limit.signal, Mean | Rate)


def within(rule: Rule, extreme: float) -> float:
    """Return what bounds the figures of a rule, from the highest (or for a lower limit the lowest) value of a device.

    A slope is bounded by no value alone.
    """
    signal = rule.limit.signal
    above = rule.limit.sense == "above"
    if isinstance(signal, Rate):
        return inf if above else -inf
    if isinstance(signal, Mean) and signal.over is not None:
        allowed = [each for pair in signal.over.table.values() for each in pair]
        extreme -= min(allowed) if above else max(allowed)
    return extreme + (1 if above else -1) * _SLACK * (1 + abs(extreme))


def figures(rules: Sequence[Rule], samples: Samples, names: Sequence[str], site: Site) -> Samples:
    """Return figures in place of the values; samples at which there is none are left out.

    Before the first of several figures a bad sample came, if one came anywhere since the last one.

    Args:
        rules: those that judge them; they have one field and one signal.
        samples: of the field.
        names: of the devices.
        site: the city.
    """
    rule = rules[0]
    begins = np.flatnonzero(np.diff(samples.device, prepend=-1))
    ends = np.append(begins[1:], len(samples.device))
    kept: list[Indexes] = []
    found: list[NDArray[np.float64]] = []
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        t_ms, values = samples.t_ms[begin:end], samples.values[begin:end]
        if isinstance(rule.limit.signal, Rate) and not _may_rise(rules, rule.limit.signal, t_ms, values):
            continue
        at, of_device = _reduced(rule, t_ms, values, names[int(samples.device[begin])], site)
        kept.append(at + begin)
        found.append(of_device)
    where = np.concatenate(kept) if kept else np.empty(0, np.int64)
    doubts = np.cumsum(samples.doubted)
    before = np.zeros(len(where), np.int64)
    before[1:] = doubts[where[:-1]]
    return Samples(
        samples.device[where],
        samples.t_ms[where],
        np.concatenate(found) if found else np.empty(0),
        samples.tag[where],
        doubts[where] > before,
    )


def _reduced(
    rule: Rule, t_ms: Indexes, values: NDArray[np.float64], name: str, site: Site
) -> tuple[Indexes, NDArray[np.float64]]:
    assert rule.limit.signal is not None
    reduce, window, device = reducer(rule.limit.signal, rule, site), Window(), site.devices.get(name)
    at: list[int] = []
    found: list[float] = []
    for number, (at_ms, value) in enumerate(zip(t_ms.tolist(), values.tolist(), strict=True)):
        figure = reduce(window, Seen(value, at_ms, {}, _nothing_else, device, False))
        if figure is not None:
            at.append(number)
            found.append(figure)
    return np.array(at, np.int64), np.array(found, np.float64)


def _nothing_else(_key: str) -> None:
    return None


def _may_rise(rules: Sequence[Rule], signal: Rate, t_ms: Indexes, values: NDArray[np.float64]) -> bool:
    """Tell whether a slope over the window comes near a level of some rule anywhere."""
    width_ms = signal.window_s * 1000
    if len(t_ms) < RATE_LEAST:
        return False
    if np.diff(t_ms).min() < width_ms / RATE_POINTS:
        # The engine thins these out; which ones it keeps is not found out here.
        return True
    oldest = np.searchsorted(t_ms, t_ms - width_ms)
    place = np.arange(len(t_ms))
    count, sum_t, sum_v, sum_tt, sum_tv = (np.zeros(len(t_ms)) for _ in range(5))
    for back in range(int((place - oldest).max()) + 1):
        there = np.flatnonzero(place - back >= oldest)
        past_s = (t_ms[there - back] - t_ms[there]) / 1000
        fallen = values[there - back] - values[there]
        count[there] += 1
        sum_t[there] += past_s
        sum_v[there] += fallen
        sum_tt[there] += past_s * past_s
        sum_tv[there] += past_s * fallen
    slopes = (count >= RATE_LEAST) & (t_ms - t_ms[oldest] >= width_ms * RATE_SPAN)
    spread = (sum_tt - sum_t * sum_t / count)[slopes]
    rise = (sum_tv - sum_t * sum_v / count)[slopes] / spread * 60
    slack = _SLACK * (1 + float(np.abs(values).max()))
    return any(_reaches(rule, rise, slack) for rule in rules)


def _reaches(rule: Rule, rise: NDArray[np.float64], slack: float) -> bool:
    levels = [level.value for level in rule.limit.levels]
    if rule.limit.sense == "above":
        return bool((rise >= min(levels) - slack).any())
    return bool((rise <= max(levels) + slack).any())
