"""The alarm database's writer: what the engine says and what drones found, in journal order, with a cursor of its own.

While the database takes it, each step is kept at once, by whoever judges. Where it does not, steps wait, in memory and
in the checkpoint, and a thread keeps one after another as soon as it can: receiving, storing and live values go on.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final

import msgspec

from ingest.alarms.transitions import Transition
from ingest.cases.opening import Report
from ingest.errors import AlarmError
from ingest.patience import patiently

log = logging.getLogger(__name__)

# Some 50 MB; hours of a city's alarms.
_MOST = 50_000
_ROOM_S = 0.5


@dataclass(frozen=True, slots=True)
class Step:
    """What some records of the journal brought, up to ``position``; ``reports`` are findings, each with its drone."""

    position: int
    now_ms: int
    transitions: Sequence[Transition] = ()
    reports: Sequence[tuple[str, Report]] = ()

    def __len__(self) -> int:
        """Return how much there is to keep."""
        return len(self.transitions) + len(self.reports)

    @property
    def since_ms(self) -> int:
        """Return the engine's now of the first there is."""
        return self.transitions[0].now_ms if self.transitions else self.now_ms


@dataclass(frozen=True, slots=True)
class Unkept:
    """What a checkpoint is to remember: steps that began to wait, by their number, and up to which number none does."""

    fresh: Mapping[int, bytes]
    kept_to: int


NOTHING: Final = Unkept({}, 0)
Keep = Callable[[Step], list[tuple[str, int]]]
"""Keeps a step and returns (occurrence id, version) of what it changed; AlarmError when nothing was."""
_encode = msgspec.msgpack.Encoder().encode
_step = msgspec.msgpack.Decoder(Step).decode


def kept_to(position: int, unkept: Mapping[int, bytes]) -> int:
    """Return up to which position a checkpoint's collector has kept all alarms for sure; it judged up to the given."""
    steps = [_step(body) for _, body in sorted(unkept.items())]
    return min([position, *(step.transitions[0].position - 1 for step in steps if step.transitions)])


class AlarmWriter:
    """Keeps steps, in order."""

    def __init__(self, keep: Keep, unkept: Mapping[int, bytes]) -> None:
        """Prepare; ``unkept`` is what waited when the checkpoint was saved."""
        self._keep = keep
        self._lock = threading.Condition()
        self._steps = deque(_step(body) for _, body in sorted(unkept.items()))
        self._size = sum(map(len, self._steps))
        # Steps are numbered as they begin to wait.
        self._kept_to = min(unkept, default=1) - 1
        self._saved_to = max(unkept, default=0)
        self._touched: list[tuple[str, int]] = []
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed: BaseException | None = None
        self.trouble = ""
        """Why steps wait, in a sentence; empty when none does."""

    def start(self) -> None:
        """Begin with what waited before the restart."""
        if self._steps:
            self._begin()

    def hand(self, step: Step) -> None:
        """Keep a step, or let it wait behind others.

        Raises:
            IngestError: it can never be kept.
        """
        with self._lock:
            self._check()
            if self._steps:
                self._wait(step)
                return
        try:
            self._touched += self._tried(step)
        except AlarmError:
            self._wait(step)
            self._begin()

    def touched(self) -> list[tuple[str, int]]:
        """Return what was changed since this was asked last, as (occurrence id, version)."""
        with self._lock:
            touched, self._touched = self._touched, []
        return touched

    def oldest_ms(self) -> int | None:
        """Return since when the oldest of what waits does, None when nothing waits."""
        with self._lock:
            return self._steps[0].since_ms if self._steps else None

    @property
    def full(self) -> bool:
        """Whether so much waits that what follows had better stay in the journal alone."""
        return self._size > _MOST

    def await_room(self) -> None:
        """Wait a moment for room.

        Raises:
            IngestError: there will never be any.
        """
        with self._lock:
            self._lock.wait_for(lambda: not self.full, _ROOM_S)
            self._check()

    def unkept(self) -> Unkept:
        """Return what a checkpoint that is saved now has to remember beside what it does; after this it does."""
        with self._lock:
            first = max(self._saved_to, self._kept_to) + 1
            waiting = islice(self._steps, first - self._kept_to - 1, None)
            fresh = {number: _encode(step) for number, step in enumerate(waiting, first)}
            self._saved_to = max(self._saved_to, self._kept_to + len(self._steps))
            return Unkept(fresh, self._kept_to)

    def stop(self) -> None:
        """End; what still waits is in the checkpoint, once that is saved."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _check(self) -> None:
        if self._failed is not None:
            raise self._failed

    def _tried(self, step: Step) -> list[tuple[str, int]]:
        try:
            return self._keep(step)
        except AlarmError as error:
            self.trouble = str(error)
            raise

    def _wait(self, step: Step) -> None:
        self._steps.append(step)
        self._size += len(step)

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            step = self._steps[0]
            while True:
                touched = patiently(partial(self._tried, step), self._stopping, "alarms wait")
                with self._lock:
                    self._steps.popleft()
                    self._size -= len(step)
                    self._kept_to += 1
                    self._touched += touched
                    self._lock.notify_all()
                    if not self._steps:
                        # In one breath with the last step: the next that has to wait begins a thread of its own.
                        self.trouble = ""
                        return
                    step = self._steps[0]
        except AlarmError:
            # Stopped before: it waits in the checkpoint.
            return
        except Exception as error:
            self._failed = error
            log.exception("the alarms' writer stopped")
