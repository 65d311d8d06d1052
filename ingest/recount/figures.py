"""What a limit judges in place of the value, reckoned the plain way from the words of :mod:`devices.signals`.

The arithmetic follows the definitions step by step: where a figure lies exactly on a threshold, another order of the
same sums would decide otherwise.
"""

import math
from collections.abc import Callable

from devices.calendar import local
from devices.kind import Field
from devices.signals import Deviation, Drop, Learned, Mean, Outside, Permitted, Rate, While
from devices.site import Device, Site
from ingest.alarms.rules import Rule

Ask = Callable[[str], float | None]
Window = list[float]

# A window of a fast device holds a sample for each 32nd of it; 3 samples over a quarter of it make a slope.
_THIN, _LEAST, _QUARTER = 32, 3, 0.25


class Figures:
    """The figures of a site's devices."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def of(
        self, rule: Rule, window: Window, value: float, at_ms: int, ask: Ask, device: Device | None, frozen: bool
    ) -> float | None:
        """Return the figure a sample makes, None where there is nothing to judge; the device keeps ``window``."""
        assert rule.limit.signal is not None
        plausible = rule.low <= value <= rule.high
        if isinstance(rule.limit.signal, Learned):
            by = self._site.catalog.kinds[rule.kind].field(rule.limit.signal.by)
            figure = _against_usual(rule.limit.signal, by, window, value, ask, frozen, plausible)
        else:
            figure = self._of(rule.limit.signal, window, value, at_ms, ask, device, plausible)
        return None if figure is None or not math.isfinite(figure) else figure

    def _of(
        self,
        signal: Deviation | Rate | Mean | Drop | Outside,
        window: Window,
        value: float,
        at_ms: int,
        ask: Ask,
        device: Device | None,
        plausible: bool,
    ) -> float | None:
        if isinstance(signal, Deviation):
            other = ask(signal.other)
            return None if other is None else abs(value - other)
        if isinstance(signal, Rate):
            return _slope(signal, window, value, at_ms)
        if isinstance(signal, Mean):
            return self._mean(signal, window, value, at_ms, device) if plausible else None
        if isinstance(signal, Drop):
            return self._fallen(signal, window, value, at_ms, ask)
        return self._outside(signal, window, at_ms, ask)

    def _mean(self, signal: Mean, window: Window, value: float, at_ms: int, device: Device | None) -> float | None:
        step_ms = signal.window_s * 1000 / signal.steps
        step = at_ms // step_ms
        sums = {window[place]: (window[place + 1], window[place + 2]) for place in range(0, len(window), 3)}
        newest = max(sums, default=step)
        if step < max(step, newest) - signal.steps * signal.in_a_row:
            return None
        begins = step not in sums
        total, count = sums.get(step, (0.0, 0.0))
        # 3,000 dB either way are as much as a number holds.
        amount = 10 ** (min(max(value, -3000.0), 3000.0) / 10) if signal.energy else value
        sums[step] = (amount, 1.0) if begins else (total + amount, count + 1.0)
        ended = begins and step >= newest and len(sums) > 1
        if ended:
            sums = {each: found for each, found in sums.items() if each >= step - signal.steps * signal.in_a_row}
        window[:] = [number for each in sorted(sums) for number in (each, *sums[each])]
        if not ended:
            return None
        means = []
        for turn in range(signal.in_a_row):
            last = step - 1 - turn * signal.steps
            found = _mean_until(signal, sums, last)
            if found is not None and signal.over is not None:
                allowed = self._permitted(signal.over, device, round(last * step_ms))
                found = None if allowed is None else found - allowed
            if found is None:
                return None
            means.append(found)
        return min(means)

    def _permitted(self, over: Permitted, device: Device | None, at_ms: int) -> float | None:
        by_class = over.table.get(getattr(device, over.attribute, ""))
        if by_class is None:
            return None
        clock = local(at_ms, self._site.timezone)
        minute = clock.hour * 60 + clock.minute
        return by_class[0] if over.day_from_min <= minute < over.day_to_min else by_class[1]

    def _fallen(self, signal: Drop, window: Window, value: float, at_ms: int, ask: Ask) -> float | None:
        if window and at_ms < window[-2]:
            return None
        while window and window[0] < at_ms - signal.window_s * 1000:
            del window[:2]
        highest = max(window[1::2], default=value)
        window += [float(at_ms), value]
        # Of a scale that speaks fast the first sample and the newest 32 are looked at.
        del window[2 : max(2, len(window) - 2 * _THIN)]
        place = (ask("lat"), ask("lon"))
        if place[0] is None or place[1] is None:
            return None
        if self._within(signal.elsewhere_than, place[0], place[1]):
            return 0.0
        return max(0.0, highest - value)

    def _outside(self, signal: Outside, window: Window, at_ms: int, ask: Ask) -> float | None:
        if window and at_ms < window[0]:
            return None
        window[:] = [float(at_ms)]
        lat, lon = ask("lat"), ask("lon")
        if lat is None or lon is None:
            return None
        fenced = any(area.use == signal.of for area in self._site.areas)
        left = fenced and not self._within(signal.of, lat, lon)
        return 1.0 if left or self._within(signal.inside, lat, lon) else 0.0

    def _within(self, use: str, lat: float, lon: float) -> bool:
        return any(area.use == use and area.holds(lat, lon) for area in self._site.areas)


def _slope(signal: Rate, window: Window, value: float, at_ms: int) -> float | None:
    if window and at_ms < window[-2]:
        return None
    width_ms = signal.window_s * 1000
    while window and window[0] < at_ms - width_ms:
        del window[:2]
    times, values = [*window[::2], float(at_ms)], [*window[1::2], value]
    if not window or at_ms - window[-2] >= width_ms / _THIN:
        window += [float(at_ms), value]
    if len(times) < _LEAST or at_ms - times[0] < width_ms * _QUARTER:
        return None
    mean_time, mean_value = sum(times) / len(times), sum(values) / len(values)
    spread = sum((time - mean_time) ** 2 for time in times)
    rise = sum((time - mean_time) * (each - mean_value) for time, each in zip(times, values, strict=True))
    return rise / spread * 60_000


def _mean_until(signal: Mean, sums: dict[float, tuple[float, float]], last: float) -> float | None:
    steps = [sums[each] for each in sorted(sums) if last - signal.steps < each <= last]
    if len(steps) < signal.share * signal.steps:
        return None
    mean = sum([total / count for total, count in steps]) / len(steps)
    return 10 * math.log10(mean) if signal.energy else mean


def _against_usual(
    signal: Learned, by: Field, window: Window, value: float, ask: Ask, frozen: bool, plausible: bool
) -> float | None:
    if not _all_hold(signal.judged, ask):
        return None
    told = ask(signal.by) or 0.0
    if (by.low is not None and told < by.low) or (by.high is not None and told > by.high):
        # Nobody can be in such a state; nothing is usual in it.
        return None
    state = float(round(told / signal.step))
    ordinary = plausible and value > 0 and _all_hold(signal.normal, ask)
    states = window[::3]
    if state not in states:
        if ordinary:
            window += [state, 1.0, value]
        return None
    place = 3 * states.index(state)
    count, usual = window[place + 1], window[place + 2]
    if count < signal.samples:
        if ordinary:
            window[place + 1], window[place + 2] = count + 1, usual + (value - usual) / (count + 1)
        return None
    per_cent = 100.0 * value / usual
    if ordinary and not frozen and 60.0 <= per_cent <= 125.0:
        window[place + 2] = usual + (value - usual) * (1 / 500)
    return per_cent


def _all_hold(conditions: tuple[While, ...], ask: Ask) -> bool:
    return all(condition.holds(ask(condition.field)) for condition in conditions)
