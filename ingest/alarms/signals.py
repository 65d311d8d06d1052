"""What a rule judges in place of a value: reducers over the samples of one field of one device.

Pure: each keeps its window as a short list of numbers in the device's state and gives the figure to be judged, or None
when there is nothing to judge now. A sample older than the newest says nothing of now: it is judged by no window; a
mean takes it in where its step is still kept. An implausible value (flag ``range``) is judged like any other, but no
mean takes it in and nothing is learned from it: one of them would outweigh all the rest. A figure is always finite.
"""

from collections.abc import Callable, Mapping
from math import inf, isfinite, log10

import msgspec

from devices.calendar import local
from devices.kind import Value
from devices.signals import Drop, Learned, Mean, Outside, Permitted, Rate, Signal
from devices.site import Device, Site
from ingest.alarms.rules import Rule

Window = list[float]
Known = Callable[[str], float | None]
"""The newest value a device is known to have sent of a field."""

RATE_POINTS = 32
# At least so many samples over at least this share of the window make a slope.
RATE_LEAST, RATE_SPAN = 3, 0.25
# A learned value follows an ordinary sample by this much.
_FOLLOW = 1 / 500
_ORDINARY = (60.0, 125.0)
# The energy of a level beyond this is no number any more; nothing is so loud or so still.
_MOST_DB = 3_000.0


class Seen(msgspec.Struct, gc=False):
    """One sample with what a reducer may ask about it; ``values`` are those that came with it."""

    value: float
    at_ms: int
    values: Mapping[str, Value]
    elsewhere: Known
    device: Device | None
    frozen: bool

    def look(self, key: str) -> float | None:
        """Return another field of the sample, else the device's newest value of it."""
        value = self.values.get(key)
        if value is None:
            return self.elsewhere(key)
        return value if isinstance(value, float) else None


def reducer(signal: Signal, rule: Rule, site: Site) -> Callable[[Window, Seen], float | None]:
    """Return the reducer of the signal of a rule; it changes the window in place."""
    match signal:
        case Rate():
            return lambda window, seen: rate(signal, window, seen)
        case Mean():
            return lambda window, seen: mean(signal, window, seen, rule, site)
        case Learned():
            states = states_of(signal, rule, site)
            return lambda window, seen: learned(signal, window, seen, rule, states)
        case Drop():
            return lambda window, seen: drop(signal, window, seen, site)
        case Outside():
            return lambda window, seen: outside(signal, window, seen, site)
    raise TypeError(f"{signal!r} keeps no window")


def rate(signal: Rate, window: Window, seen: Seen) -> float | None:
    """Return the least-squares slope per minute; ``window`` holds times and values by turns, oldest first."""
    at_ms = float(seen.at_ms)
    if window and at_ms < window[-2]:
        return None
    width_ms = signal.window_s * 1000
    while window and window[0] < at_ms - width_ms:
        del window[:2]
    points = [*zip(window[::2], window[1::2], strict=True), (at_ms, seen.value)]
    # A device that reports faster than the window needs is thinned out.
    if not window or at_ms - window[-2] >= width_ms / RATE_POINTS:
        window += (at_ms, seen.value)
    if len(points) < RATE_LEAST or at_ms - points[0][0] < width_ms * RATE_SPAN:
        return None
    middle = sum(at for at, _ in points) / len(points)
    level = sum(value for _, value in points) / len(points)
    spread = sum((at - middle) ** 2 for at, _ in points)
    return _finite(sum((at - middle) * (value - level) for at, value in points) / spread * 60_000)


def mean(signal: Mean, window: Window, seen: Seen, rule: Rule, site: Site) -> float | None:
    """Return the mean as a step ends; ``window`` holds step, sum and count by turns, oldest first."""
    if not rule.low <= seen.value <= rule.high:
        return None
    step_ms = signal.window_s * 1000 / signal.steps
    step = seen.at_ms // step_ms
    amount = 10 ** (max(-_MOST_DB, min(seen.value, _MOST_DB)) / 10) if signal.energy else seen.value
    newest = window[-3] if window else step
    oldest = max(step, newest) - signal.steps * signal.in_a_row
    if step < oldest:
        return None
    for place in range(len(window) - 3, -1, -3):
        if window[place] == step:
            window[place + 1] += amount
            window[place + 2] += 1.0
            return None
        if window[place] < step:
            window[place + 3 : place + 3] = [step, amount, 1.0]
            break
    else:
        window[0:0] = [step, amount, 1.0]
    if step < newest or len(window) == 3:
        return None
    while window[0] < oldest:
        del window[:3]
    best: float | None = None
    for turn in range(signal.in_a_row):
        last = step - 1 - turn * signal.steps
        found = _average(signal, window, last)
        if found is not None and signal.over is not None:
            allowed = permitted(signal.over, seen.device, round(last * step_ms), site)
            found = None if allowed is None else found - allowed
        if found is None:
            return None
        best = found if best is None else min(best, found)
    return best


def _average(signal: Mean, window: Window, last: float) -> float | None:
    """Return the mean of the steps up to ``last``, None when too few of them were heard."""
    means = [
        window[place + 1] / window[place + 2]
        for place in range(0, len(window), 3)
        if last - signal.steps < window[place] <= last
    ]
    if len(means) < signal.share * signal.steps:
        return None
    found = sum(means) / len(means)
    return 10 * log10(found) if signal.energy else _finite(found)


def permitted(table: Permitted, device: Device | None, at_ms: int, site: Site) -> float | None:
    """Return what is permitted where a device stands at this hour; None when the site does not say of which class."""
    limits = table.table.get(getattr(device, table.attribute, ""))
    if limits is None:
        return None
    now = local(at_ms, site.timezone)
    by_day = table.day_from_min <= now.hour * 60 + now.minute < table.day_to_min
    return limits[0] if by_day else limits[1]


def states_of(signal: Learned, rule: Rule, site: Site) -> tuple[float, float]:
    """Return the plausible range of the field that tells in what state a device is."""
    by = site.catalog.kinds[rule.kind].field(signal.by)
    return -inf if by.low is None else by.low, inf if by.high is None else by.high


def learned(signal: Learned, window: Window, seen: Seen, rule: Rule, states: tuple[float, float]) -> float | None:
    """Return the value in per cent of the usual one; ``window`` holds state, count and mean by turns.

    A device is in no state outside of ``states``, the plausible range of the field that tells it: else each absurd
    number would have a place in the window.
    """
    look = seen.look
    for each in signal.judged:
        if not each.holds(look(each.field)):
            return None
    by = look(signal.by) or 0.0
    if not states[0] <= by <= states[1]:
        return None
    state = float(round(by / signal.step))
    normal = seen.value > 0 and rule.low <= seen.value <= rule.high
    for each in signal.normal:
        normal = normal and each.holds(look(each.field))
    return learn(signal, window, state, seen.value, normal, seen.frozen)


def learn(signal: Learned, window: Window, state: float, value: float, normal: bool, frozen: bool) -> float | None:
    """Return a value in per cent of what is usual in a state, and learn from it where it is ``normal``."""
    for place in range(0, len(window), 3):
        if window[place] == state:
            break
    else:
        if normal:
            window += (state, 1.0, value)
        return None
    count, usual = window[place + 1], window[place + 2]
    if count < signal.samples:
        if normal:
            window[place + 1 : place + 3] = [count + 1, usual + (value - usual) / (count + 1)]
        return None
    found = 100.0 * value / usual
    if normal and not frozen and _ORDINARY[0] <= found <= _ORDINARY[1]:
        window[place + 2] += (value - usual) * _FOLLOW
    return _finite(found)


def drop(signal: Drop, window: Window, seen: Seen, site: Site) -> float | None:
    """Return how far the value fell within the window; ``window`` holds times and values by turns, oldest first."""
    at_ms = float(seen.at_ms)
    if window and at_ms < window[-2]:
        return None
    while window and window[0] < at_ms - signal.window_s * 1000:
        del window[:2]
    fallen = max(window[1::2], default=seen.value) - seen.value
    window += (at_ms, seen.value)
    # However fast a scale speaks: what the window needs is its first and its last samples.
    del window[2 : max(2, len(window) - 2 * RATE_POINTS)]
    lat, lon = seen.look("lat"), seen.look("lon")
    if lat is None or lon is None:
        return None
    if any(area.holds(lat, lon) for area in site.areas if area.use == signal.elsewhere_than):
        return 0.0
    return _finite(max(0.0, fallen))


def outside(signal: Outside, window: Window, seen: Seen, site: Site) -> float | None:
    """Return 1 for a position that is not allowed, 0 for one that is; ``window`` holds the newest instant."""
    if window and seen.at_ms < window[0]:
        return None
    window[:] = [float(seen.at_ms)]
    lat, lon = seen.look("lat"), seen.look("lon")
    if lat is None or lon is None:
        return None
    fences = [area for area in site.areas if area.use == signal.of]
    if fences and not any(area.holds(lat, lon) for area in fences):
        return 1.0
    return float(any(area.holds(lat, lon) for area in site.areas if area.use == signal.inside))


def _finite(figure: float) -> float | None:
    """Return a figure, None for one beyond all numbers."""
    return figure if isfinite(figure) else None
