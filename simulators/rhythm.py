"""Who reports when: devices of one period, spread evenly over it."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from devices.site import Device
from simulators.moment import Window

_GOLDEN = 0.6180339887498949


class Rhythm:
    """Each device reports once a period at an instant of its own; neighbours in the list lie far apart."""

    def __init__(self, devices: Sequence[Device], period_s: float) -> None:
        """Give every device its place in the period."""
        self._period_ms = round(period_s * 1000)
        placed = sorted((round((index * _GOLDEN) % 1.0 * self._period_ms), index) for index in range(len(devices)))
        self._phases = [phase for phase, _ in placed]
        self._devices = [devices[index] for _, index in placed]

    def due(self, window: Window) -> Iterator[tuple[int, Device]]:
        """Yield the instants that fall in a window, in order, each with its device."""
        start_ms, stop_ms = window.start_ms, window.stop_ms
        for turn in range(start_ms // self._period_ms, (stop_ms - 1) // self._period_ms + 1):
            base = turn * self._period_ms
            index = bisect_left(self._phases, start_ms - base)
            while index < len(self._phases) and base + self._phases[index] < stop_ms:
                yield base + self._phases[index], self._devices[index]
                index += 1
