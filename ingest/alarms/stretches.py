"""A batch judged in stretches in which nothing is due: what only has to be kept is kept column by column.

Rows of devices that are calm touch nobody else, and nobody who is judged stirs a device that is calm but by what is due
then; so their order among those of others does not matter. All other outcomes are judged one by one, in their order,
each when all before it is kept.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ingest.alarms.calm import Calm
from ingest.alarms.glance import NO_SHAPE, Look
from ingest.alarms.transitions import Transition
from ingest.outcomes import Batch
from ingest.sheets import Sheet, Usual

if TYPE_CHECKING:
    from ingest.alarms.engine import Engine

Made: TypeAlias = Callable[[Sheet, int], Usual]
# Of so many rows and more that need a look, out of four, all are looked at one by one.
_MOST_ODD = 1 / 4
# Fewer are kept faster one by one.
_FEW = 8
_index = itemgetter(0)


class Seen:
    """A sheet, what is seen of it at a glance, and where its calm devices are kept.

    Attributes:
        numbers: of each row the number of the shape with which it may be kept together with others.
        left: from which row on rows are to be kept.
        until: up to which.
    """

    def __init__(self, sheet: Sheet, look: Look, calm: Calm) -> None:
        self.sheet = sheet
        self.calm = calm
        self.look = look
        self.numbers = look.calm
        self.learning = look.learning
        self.left = self.until = 0

    @cached_property
    def rows(self) -> list[tuple[int, int, int, int, int]]:
        """Return of each row the number of the shape with which it is only kept, place, instant, number and receipt.

        They are to be asked row by row: where nearly all is calm nobody asks.
        """
        sheet = self.sheet
        columns = (self.look.calm, sheet.places, sheet.at_ms, sheet.seqs, sheet.received_ms)
        return list(zip(*(column.tolist() for column in columns), strict=True))


class Stretches:
    """One batch and the engine that judges it."""

    def __init__(self, engine: "Engine", batch: Batch, found: list[Transition]) -> None:
        self._engine = engine
        self._batch = batch
        self._found = found
        self._loud = engine.loud(batch.single.values())
        self._seen = [engine.seen(sheet) for sheet in batch.sheets]
        self._singles = list(batch.single)
        # Up to which instant the engine has come with each outcome.
        self._reached = np.maximum.accumulate(batch.received_ms)
        self._reached_ms: list[int] = self._reached.tolist()
        devices = _elsewhere(batch)
        for seen in self._seen:
            lanes = seen.sheet.lanes
            places = [place for place in map(lanes.known, devices) if place is not None]
            if places:
                # What comes one by one of a device may change what the next means.
                seen.numbers = np.where(np.isin(seen.sheet.places, places), NO_SHAPE, seen.numbers)

    def judge(self) -> None:
        """Judge all of the batch."""
        index, count = 0, len(self._batch)
        while index < count:
            idle_ms = self._engine.course.idle_until()
            stop = int(np.searchsorted(self._reached, idle_ms, side="right"))
            if stop > index:
                index = self._stretch(index, stop, idle_ms)
            else:
                self._first(index)
                index += 1
        if count:
            self._engine.memory.position = int(self._batch.positions[-1])

    def _first(self, index: int) -> None:
        """Judge an outcome before which something may be due."""
        outcome = self._batch[index]
        if not isinstance(outcome, Usual):
            self._engine.take(outcome, self._loud, self._found)
            return
        seen = next(each for each in self._seen if each.sheet is outcome.sheet)
        self._engine.take_usual(outcome, seen, self._found)

    def _stretch(self, start: int, stop: int, idle_ms: int) -> int:
        """Judge outcomes before which nothing is due, up to where that may have changed; return where that is."""
        engine, batch, memory = self._engine, self._batch, self._engine.memory
        odd: list[tuple[int, Seen | None, int]] = []
        together = []
        for seen in self._seen:
            indexes = seen.sheet.indexes
            begin, end = bisect_left(indexes, start), bisect_left(indexes, stop)
            if begin == end:
                continue
            rows = self._odd(seen, begin, end)
            odd += [(indexes[row], seen, row) for row in rows]
            if len(rows) < end - begin:
                seen.left, seen.until = begin, end
                together.append(seen)
        singles = self._singles
        odd += [(index, None, 0) for index in singles[bisect_left(singles, start) : bisect_left(singles, stop)]]
        odd.sort(key=_index)
        for index, one, row in odd:
            for seen in together:
                self._keep(seen, bisect_left(seen.sheet.indexes, index))
            if one is None:
                # It moves time on by itself, so time is let come up to the one before it.
                memory.now_ms = max(memory.now_ms, self._reached_ms[index - 1] if index else 0)
                engine.take(batch.single[index], self._loud, self._found)
                stirred = True
            else:
                memory.now_ms = max(memory.now_ms, self._reached_ms[index])
                stirred = engine.take_row(one, row, batch.usual, self._found)
                one.left = max(one.left, row + 1)
            if stirred and engine.course.idle_until() < idle_ms:
                return index + 1
        for seen in together:
            self._keep(seen, seen.until)
        memory.now_ms = max(memory.now_ms, self._reached_ms[stop - 1])
        return stop

    def _odd(self, seen: Seen, begin: int, end: int) -> Sequence[int]:
        """Return which rows of a part of a sheet are looked at one by one."""
        every = range(begin, end)
        if seen.learning or end - begin < _FEW:
            return every
        good = seen.calm.next_of(seen.sheet, slice(begin, end), seen.numbers)
        odd: list[int] = (np.flatnonzero(~good) + begin).tolist()
        return every if len(odd) > _MOST_ODD * len(every) else odd

    def _keep(self, seen: Seen, until: int) -> None:
        """Keep the rows of a sheet that come before one, all of them next in every respect."""
        begin, end = seen.left, min(until, seen.until)
        if end - begin >= _FEW:
            seen.calm.keep(seen.sheet, slice(begin, end))
        else:
            for row in range(begin, end):
                _, place, at_ms, seq, received_ms = seen.rows[row]
                seen.calm.take(place, at_ms, seq, received_ms, seen.sheet.samples[row])
        seen.left = max(begin, end)


def _elsewhere(batch: Batch) -> set[str]:
    """Return the devices of which not all messages are in one sheet."""
    devices = {outcome.device for outcome in batch.single.values()}
    devices.update(reading.device for outcome in batch.single.values() for reading in outcome.readings)
    kinds = Counter(sheet.ways[0].kind for sheet in batch.sheets)
    for kind, count in kinds.items():
        if count > 1:
            names = Counter(name for sheet in batch.sheets if sheet.ways[0].kind == kind for name in {*sheet.devices})
            devices.update(name for name, sheets in names.items() if sheets > 1)
    return devices
