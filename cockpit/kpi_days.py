"""Figures of single days, reckoned once: a day that is over changes no more but by readings that come late."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from cockpit.kpi_period import Day, Period

Value = TypeVar("Value")
_MINUTE_MS = 60_000
_DAY_MS = 86_400_000
_MOST = 1_000


class Days:
    """Remembers what was found of a day; safe to share between threads. What may still change is asked again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Hashable, int, int | None], tuple[int, object]] = OrderedDict()
        self._lock = threading.Lock()

    def of(
        self,
        what: Hashable,
        period: Period,
        now_ms: int,
        reckon: Callable[[Day], Value],
        go_on: Callable[[], bool],
        at_ms: int | None = None,
    ) -> tuple[dict[Day, Value], int]:
        """Return what is known of the days of a period that have begun, and how many are not reckoned yet.

        Args:
            what: names the figure.
            period: its days.
            now_ms: the present.
            reckon: finds the figure of a day; slow.
            go_on: whether there is time to reckon one more day; the first is always reckoned.
            at_ms: an instant of the past, up to which things are known; the day on which it falls is one of its own.
        """
        found: dict[Day, Value] = {}
        waiting, reckoned = 0, 0
        # The newest first: that is what people look at while the rest comes.
        known_ms = now_ms if at_ms is None else at_ms
        for day in sorted((day for day in period.days if day.from_ms <= known_ms), key=_begin, reverse=True):
            key = (what, day.from_ms, None if known_ms >= day.to_ms else at_ms)
            with self._lock:
                until_ms, value = self._kept.get(key, (0, None))
                if until_ms > now_ms:
                    found[day] = cast(Value, value)
                    continue
            if reckoned and not go_on():
                waiting += 1
                continue
            reckoned += 1
            fresh = reckon(day)
            with self._lock:
                self._kept[key] = (now_ms + _lasts_ms(day, now_ms), fresh)
                while len(self._kept) > _MOST:
                    self._kept.popitem(last=False)
            found[day] = fresh
        return dict(sorted(found.items(), key=lambda pair: pair[0].from_ms)), waiting


def _begin(day: Day) -> int:
    return day.from_ms


def _lasts_ms(day: Day, now_ms: int) -> int:
    if now_ms < day.to_ms:
        return _MINUTE_MS
    # For two days what waited in a journal or a device may still come in.
    return 10 * _MINUTE_MS if now_ms < day.to_ms + 2 * _DAY_MS else 366 * _DAY_MS
