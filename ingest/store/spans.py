"""A field's history over any span: raw readings where they are, the summaries of minutes where they serve or must.

Raw readings expire before the minutes do. Nothing here knows when: minutes stand in front of the first raw reading
that is found, and a long span in steps of minutes reads few summaries instead of many readings. A step's quality is the
worst of its readings, and of what their flags say of the field; minutes keep both, so the envelope is the same from
either.
"""

from typing import NamedTuple, Protocol

from ingest.store.base import Point, Series

MINUTE_MS = 60_000
# Below this a window holds few readings, and reading them raw shows them as they are.
_LONG_MS = 6 * 3_600_000


class Wanted(NamedTuple):
    """One field of one device in [start, stop)."""

    measurement: str
    device: str
    key: str
    start_ms: int
    stop_ms: int


class Slot(NamedTuple):
    """What one step holds: the extremes of the field and the worst quality."""

    at_ms: int
    low: float
    high: float
    quality: int


class Source(Protocol):
    """What a store can read of one field; everything oldest first."""

    def raw(self, wanted: Wanted) -> list[Point]:
        """Return readings as they came."""

    def raw_slots(self, wanted: Wanted, step_ms: int) -> list[Slot]:
        """Return the steps that hold readings."""

    def minute_slots(self, wanted: Wanted, step_ms: int) -> list[Slot]:
        """Return the steps that hold minutes; ``step_ms`` is a multiple of a minute."""


def series_of(source: Source, wanted: Wanted, step_ms: int, has_minutes: bool) -> Series:
    """Return a field's points from readings, minutes or both.

    A long span in steps of a minute or more is answered in whole minutes: its step is rounded up to them, and up to a
    minute at either end may lie outside the window.
    """
    if has_minutes and step_ms >= MINUTE_MS and wanted.stop_ms - wanted.start_ms >= _LONG_MS:
        return _from_minutes(source, wanted, -(-step_ms // MINUTE_MS) * MINUTE_MS)
    if step_ms <= 0:
        points = source.raw(wanted)
        head = _head(source, wanted, points[0][0], MINUTE_MS) if has_minutes and points else []
        if points:
            return Series([*_pairs(head, MINUTE_MS), *points])
    else:
        slots = source.raw_slots(wanted, step_ms)
        if slots:
            head = _before(source, wanted, slots, step_ms) if has_minutes else []
            return Series(_pairs(_merged(head, slots), step_ms), step_ms / 1000)
    if not has_minutes:
        return Series([], max(0, step_ms) / 1000)
    coarse_ms = -(-max(step_ms, 1) // MINUTE_MS) * MINUTE_MS
    found = source.minute_slots(wanted, coarse_ms)
    return Series(_pairs(found, coarse_ms), (coarse_ms if found else max(0, step_ms)) / 1000)


def _from_minutes(source: Source, wanted: Wanted, step_ms: int) -> Series:
    start_ms = wanted.start_ms // MINUTE_MS * MINUTE_MS
    minutes = source.minute_slots(wanted._replace(start_ms=start_ms), step_ms)
    # The last step is read again: it may hold readings whose minute is not made yet.
    rest_ms = max(wanted.start_ms, minutes[-1].at_ms) if minutes else wanted.start_ms
    slots = source.raw_slots(wanted._replace(start_ms=rest_ms), step_ms)
    return Series(_pairs(_merged(minutes, slots), step_ms), step_ms / 1000)


def _before(source: Source, wanted: Wanted, slots: list[Slot], step_ms: int) -> list[Slot]:
    if step_ms % MINUTE_MS:
        return _head(source, wanted, slots[0].at_ms, -(-step_ms // MINUTE_MS) * MINUTE_MS)
    # Through the end of the first step: some of its readings may be gone already.
    return _head(source, wanted, slots[0].at_ms + step_ms, step_ms)


def _head(source: Source, wanted: Wanted, first_ms: int, step_ms: int) -> list[Slot]:
    start_ms = -(-wanted.start_ms // MINUTE_MS) * MINUTE_MS
    stop_ms = min(wanted.stop_ms, first_ms // MINUTE_MS * MINUTE_MS)
    if stop_ms <= start_ms:
        return []
    return source.minute_slots(wanted._replace(start_ms=start_ms, stop_ms=stop_ms), step_ms)


def _merged(first: list[Slot], second: list[Slot]) -> list[Slot]:
    found = {slot.at_ms: slot for slot in first}
    for slot in second:
        other = found.get(slot.at_ms, slot)
        found[slot.at_ms] = Slot(
            slot.at_ms, min(slot.low, other.low), max(slot.high, other.high), max(slot.quality, other.quality)
        )
    return [found[at_ms] for at_ms in sorted(found)]


def _pairs(slots: list[Slot], step_ms: int) -> list[Point]:
    points: list[Point] = []
    for slot in slots:
        points.append((slot.at_ms, slot.low, slot.quality))
        points.append((slot.at_ms + step_ms // 2, slot.high, slot.quality))
    return points
