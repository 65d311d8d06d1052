"""One limit over whole columns: the flip-flops of ``ingest.alarms.conditions``, found without looking at each sample.

A level is entered in a run of samples that reach it, at the first one by which it was held long enough, and left in a
run of samples beyond the deadband likewise; in between it stays as it is. So only the runs have to be found, and they
lie where something happens: what is quiet costs the two comparisons that say so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.kind import Level, Limit

Indexes = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Samples:
    """What several devices measured: one device behind the other, each oldest first, none of bad quality.

    ``device`` and ``tag`` number the device and the value of its tag for each sample; ``doubted`` tells before which
    of them one of bad quality came, so that what passed until then counts towards no delay.
    """

    device: NDArray[np.int32]
    t_ms: NDArray[np.int64]
    values: NDArray[np.float64]
    tag: NDArray[np.int16]
    doubted: Mask

    def of(self, mask: Mask) -> "Samples":
        """Return those of some devices."""
        return Samples(self.device[mask], self.t_ms[mask], self.values[mask], self.tag[mask], self.doubted[mask])


class Changes(NamedTuple):
    """The samples at which the level of a device changed, and the level from then on; 0 is none."""

    at: Indexes
    level: NDArray[np.int64]


class _Runs(NamedTuple):
    """Neighbours of one device that a mask holds for: index of the first and of the last."""

    first: Indexes
    last: Indexes


Armed = Callable[[Indexes], Mask]
"""Tells for samples, by index, whether the limit is armed at them."""


def changes(limit: Limit, stale_after_ms: int, samples: Samples, armed: Armed | None = None) -> Changes:
    """Return when a limit's level changed on each device; before its first sample nothing is on.

    Delays count device time, but no gap longer than ``stale_after_ms`` and none in which a bad sample came.
    """
    nothing = Changes(np.empty(0, np.int64), np.empty(0, np.int64))
    if not loud(limit, samples.values).any():
        return nothing
    begins = np.flatnonzero(np.diff(samples.device, prepend=-1))
    ends = np.append(begins[1:], len(samples.device)) - 1
    held_ms = _held_ms(samples, begins, stale_after_ms)
    found = []
    for level in limit.levels:
        inside, staying = _sides(limit, level, samples.values)
        inside, staying = _where_armed(inside, staying, armed)
        entered = _reached(_runs(inside, samples.device), held_ms, limit.on_s)
        left = _reached(_behind(_runs(staying, samples.device), begins, ends), held_ms, limit.off_s)
        found.append(_turns(entered, left, samples.device))
    return _worst(found, samples.device)


def loud(limit: Limit, values: NDArray[np.float64]) -> Mask:
    """Return which values reach a level by themselves."""
    if limit.sense == "state":
        return np.isin(values, [level.value for level in limit.levels])
    if limit.sense == "above":
        return np.asarray(values >= min(level.value for level in limit.levels))
    return np.asarray(values <= max(level.value for level in limit.levels))


def _sides(limit: Limit, level: Level, values: NDArray[np.float64]) -> tuple[Indexes, Indexes]:
    """Return which samples reach a level, and which do not lie beyond its deadband."""
    if limit.sense == "state":
        inside = values == level.value
        if limit.clears is None:
            out = ~inside
        else:
            out = np.isin(values, [*limit.clears, *(other.value for other in limit.levels)]) & ~inside
        return np.flatnonzero(inside), np.flatnonzero(~out)
    # Reckoned as one sample is, so that rounding falls alike.
    sign = 1.0 if limit.sense == "above" else -1.0
    weighed = values if limit.sense == "above" else -values
    staying = np.flatnonzero(~(weighed < sign * level.value - limit.deadband))
    return staying[weighed[staying] >= sign * level.value], staying


def _where_armed(inside: Indexes, staying: Indexes, armed: Armed | None) -> tuple[Indexes, Indexes]:
    # A sample while the limit is not armed lies beyond the deadband, whatever its value.
    if armed is None or not len(staying):
        return inside, staying
    staying = staying[armed(staying)]
    return inside[np.isin(inside, staying, assume_unique=True)], staying


def _held_ms(samples: Samples, begins: Indexes, stale_after_ms: int) -> NDArray[np.int64]:
    """Return the time that counts towards delays, added up over all samples."""
    gaps = np.diff(samples.t_ms, prepend=samples.t_ms[:1])
    gaps[begins] = 0
    gaps[(gaps > stale_after_ms) | samples.doubted] = 0
    return np.cumsum(gaps, out=gaps)


def _runs(where: Indexes, device: NDArray[np.int32]) -> _Runs:
    if not len(where):
        return _Runs(where, where)
    new = np.ones(len(where), np.bool_)
    new[1:] = (np.diff(where) != 1) | (device[where[1:]] != device[where[:-1]])
    edges = np.flatnonzero(new)
    return _Runs(where[edges], where[np.append(edges[1:], len(where)) - 1])


def _behind(runs: _Runs, begins: Indexes, ends: Indexes) -> _Runs:
    """Return the runs between others: what lies behind each one, up to the next or the device's last sample."""
    place = np.searchsorted(begins, runs.first, "right") - 1
    last = ends[place]
    if len(last) > 1:
        last[:-1] = np.minimum(last[:-1], runs.first[1:] - 1)
    first = runs.last + 1
    there = first <= last
    return _Runs(first[there], last[there])


def _reached(runs: _Runs, held_ms: NDArray[np.int64], delay_s: float) -> Indexes:
    """Return in each run the sample by which it has lasted for a delay; runs that end before have none."""
    if delay_s <= 0:
        return runs.first
    found = np.maximum(np.searchsorted(held_ms, held_ms[runs.first] + ceil(delay_s * 1000)), runs.first)
    return found[found <= runs.last]


def _turns(entered: Indexes, left: Indexes, device: NDArray[np.int32]) -> Changes:
    """Return where a level really turned on or off: entering what is on, or leaving what is off, is nothing."""
    at = np.concatenate((entered, left))
    order = np.argsort(at, kind="stable")
    at, on = at[order], (np.arange(len(at)) < len(entered))[order]
    before = np.zeros(len(at), np.bool_)
    before[1:] = on[:-1] & (device[at[1:]] == device[at[:-1]])
    turned = on != before
    return Changes(at[turned], on[turned].astype(np.int64))


def _worst(levels: list[Changes], device: NDArray[np.int32]) -> Changes:
    """Return when the worst level that is on changed."""
    at = np.unique(np.concatenate([each.at for each in levels]))
    worst = np.zeros(len(at), np.int64)
    for number, each in enumerate(levels, 1):
        if not len(each.at):
            continue
        last = np.searchsorted(each.at, at, "right") - 1
        known = (last >= 0) & (device[each.at[last]] == device[at])
        worst[known & (each.level[last] == 1)] = number
    before = np.zeros(len(at), np.int64)
    before[1:] = np.where(device[at[1:]] == device[at[:-1]], worst[:-1], 0)
    changed = worst != before
    return Changes(at[changed], worst[changed])
