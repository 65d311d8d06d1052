"""What waits for the store: batches handed over by the pipeline, what must be read from the journal, and its age.

Bounded: when too much waits, what was handed is dropped, for the journal has it. All of it belongs to one lock, so that
the age of the oldest reading is right at every instant, whichever way that reading takes.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from devices.readings import Reading
from ingest.journal import Journal
from ingest.store.usual import UsualReadings, in_order

_LIMIT = 100_000
# Readings wait a little for company. Where many come they wait longer: a write then holds several of each device.
_LINGER_S = 0.2
_BUSY = 2_000
_BUSY_LINGER_S, _COMES_S = 1.2, 0.1
# Of so many, those that follow had better wait: what is dropped must be decoded a second time.
_ENOUGH = 50_000
# A store that took nothing for so long, for each so many that it has in hand, is no reason to.
_MOVES_S, _IN_HAND = 2.0, 20_000


@dataclass(frozen=True, slots=True)
class Handed:
    """Readings of the journal from behind ``after`` up to ``position``; ``received_ms`` is that of the oldest."""

    after: int
    position: int
    received_ms: int
    readings: Sequence[Reading]
    usual: Sequence[UsualReadings] = ()

    def __len__(self) -> int:
        """Return how many readings there are."""
        return len(self.readings) + sum([len(each.devices) for each in self.usual])

    def behind(self, position: int) -> "Handed":
        """Return what lies behind a position."""
        left = [reading for reading in in_order(self.readings, self.usual) if reading.position > position]
        return Handed(max(self.after, position), self.position, self.received_ms, left)


class Waiting:
    """The line before the store; ``changed`` guards it, and whoever asks several things at once holds that lock."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.decoded_to = 0
        """How far the pipeline has handed over."""
        self._decoded_ms = 0
        self._handed: deque[Handed] = deque()
        self.readings = 0
        """How many readings were handed over and wait."""
        self._stored_to = 0
        # Since when waits what the writer has in hand, and what is neither there nor handed over but in the journal.
        self._taken_ms: int | None = None
        self._behind_ms: int | None = None
        # How far what was taken reaches, how much it is, and since when.
        self._taken_to, self._taken, self._taken_s = 0, 0, time.monotonic()

    def resume(self, position: int, at_ms: int) -> None:
        """Note how far the pipeline was when it was saved: what lies before is in the journal, and nobody hands it."""
        with self.changed:
            self.decoded_to, self._decoded_ms = position, at_ms

    def hand(self, handed: Handed) -> None:
        """Add decoded readings; when too many wait, those of before are dropped."""
        with self.changed:
            self.decoded_to, self._decoded_ms = handed.position, handed.received_ms
            if self.readings > _LIMIT:
                if self._behind_ms is None:
                    self._behind_ms = self._handed_ms()
                self._handed.clear()
                self.readings = 0
            last = self._handed[-1] if self._handed else None
            if last is not None and not len(handed) and last.position == handed.after:
                # A flood that nobody can read makes batches without end, and no readings.
                self._handed[-1] = replace(last, position=handed.position)
            else:
                self._handed.append(handed)
                self.readings += len(handed)
            self._settle()
            self.changed.notify_all()

    def begin(self, stored_to: int, behind_ms: int | None) -> None:
        """Note how far the store is at a start, and since when waits what is in the journal behind that."""
        with self.changed:
            self._stored_to, self._behind_ms = stored_to, behind_ms
            self._taken_s = time.monotonic()
            self._settle()

    @property
    def follows(self) -> bool:
        """Tell whether what was handed over goes on where the store is."""
        return bool(self._handed) and self._handed[0].after <= self._stored_to

    def holds(self, count: int) -> bool:
        """Tell whether so many readings were handed over."""
        return self.readings >= count

    def take(self, most: int) -> Handed:
        """Return what follows, joined into a batch of about so many readings."""
        first = last = self._handed.popleft()
        readings, usual = list(first.readings), list(first.usual)
        count, received_ms = len(first), first.received_ms
        while self._handed and count < most:
            last = self._handed.popleft()
            if not count:
                received_ms = last.received_ms
            count += len(last)
            readings += last.readings
            usual += last.usual
        self.readings = sum(map(len, self._handed))
        batch = Handed(first.after, last.position, received_ms, readings, usual)
        if first.after < self._stored_to:
            batch = batch.behind(self._stored_to)
        self._taken_ms = received_ms if len(batch) else None
        self._taken_to, self._taken, self._taken_s = last.position, count, time.monotonic()
        with self.changed:
            self.changed.notify_all()
        return batch

    def await_company(self, enough: Callable[[], bool], journal: Journal) -> None:
        """Wait for further readings, the longer the more come; where the journal holds no more none may come."""
        begun_s = time.monotonic()
        count, lingers = self.readings, True
        while lingers and not self.changed.wait_for(enough, _COMES_S):
            before, count = count, self.readings
            busy = self.holds(_BUSY)
            lingers = time.monotonic() - begun_s < (_BUSY_LINGER_S if busy else _LINGER_S)
            lingers = lingers and not (busy and count == before and self.decoded_to >= journal.last)

    def await_room(self, timeout_s: float) -> None:
        """Wait while enough is handed over, of which the store takes piece by piece."""

        def room() -> bool:
            reached = max(self._stored_to, self._taken_to)
            cut = not self._handed or self._handed[0].after > reached
            stands = time.monotonic() - self._taken_s > _MOVES_S * max(1.0, self._taken / _IN_HAND)
            return self.readings <= _ENOUGH or cut or stands

        with self.changed:
            self.changed.wait_for(room, timeout_s)

    def reading(self, received_ms: int) -> None:
        """Note when the oldest of what is read from the journal now was received."""
        with self.changed:
            if self._behind_ms is not None:
                self._behind_ms = max(self._behind_ms, received_ms)

    def read(self, batch: Handed, until_ms: int) -> None:
        """Note that a batch was read from the journal; what waits behind it was received at an instant or later."""
        with self.changed:
            self._taken_ms = batch.received_ms if len(batch) else None
            if self._behind_ms is not None:
                self._behind_ms = max(self._behind_ms, until_ms)

    def stored(self, position: int) -> None:
        """Note that the store has everything up to a position."""
        with self.changed:
            self._stored_to, self._taken_ms = position, None
            self._settle()

    def oldest_ms(self, journaled_to: int) -> int | None:
        """Return when the oldest that waits was received; None when the store has all of a journal that ends there.

        It may be a little earlier where that is not known exactly, never later.
        """
        with self.changed:
            if self._taken_ms is not None:
                return self._taken_ms
            if self._behind_ms is not None:
                return self._behind_ms
            handed_ms = self._handed_ms()
            if handed_ms is None and 0 < self.decoded_to < journaled_to:
                return self._decoded_ms
            return handed_ms

    def _handed_ms(self) -> int | None:
        return next((handed.received_ms for handed in self._handed if len(handed)), None)

    def _settle(self) -> None:
        """Drop what is stored; where what was handed over follows, nothing has to be read from the journal."""
        while self._handed and self._handed[0].position <= self._stored_to:
            self.readings -= len(self._handed.popleft())
        if self.follows or (not self._handed and 0 < self.decoded_to <= self._stored_to):
            self._behind_ms = None
