"""The journaller: what arrived is written to the journal, and only then acknowledged to the broker."""

import logging
import threading
import time
from collections.abc import Callable, Mapping

from ingest.errors import JournalError
from ingest.journal import Journal
from ingest.metrics import Meters
from ingest.patience import patiently
from ingest.records import TICK, tick_payload
from ingest.subscriber import Subscriber

log = logging.getLogger(__name__)

_SECOND_MS = 1_000
_BEHIND_S = 5


class Journaller(threading.Thread):
    """Writes what arrived to the journal, then acknowledges it; a tick each second."""

    def __init__(
        self,
        subscriber: Subscriber,
        journal: Journal,
        clock_ms: Callable[[], int],
        meters: Meters | None = None,
        own: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        """Prepare the thread; ``own`` is asked each second for figures of the collector itself."""
        super().__init__(name="journaller", daemon=True)
        self._subscriber = subscriber
        self._journal = journal
        self._clock_ms = clock_ms
        self._meters = meters or Meters(clock_ms)
        self._own = own
        self._next_tick_ms = 0
        self._told_behind = False
        self._stopping = threading.Event()
        self.failed: BaseException | None = None

    def stop(self) -> None:
        """End after the batch at hand; what still waits in the inbox is delivered again."""
        self._stopping.set()
        self._subscriber.inbox.close()
        self.join()

    def run(self) -> None:
        """Work until stopped; a failure that cannot be waited out ends the thread and is kept in ``failed``."""
        try:
            self._work()
        except Exception as error:
            self.failed = error
            log.exception("the journaller stopped")

    def _work(self) -> None:
        while not self._stopping.is_set():
            # More than a second ahead it stands when the clock was set back; the next tick does not wait for that.
            wait_s = max(0.0, (self._next_tick_ms - self._clock_ms()) / 1000)
            arrived = self._subscriber.inbox.take(min(wait_s, _SECOND_MS / 1000))
            batch = [message[:2] for message in arrived]
            if self._subscriber.inbox.closed and not arrived:
                # The subscriber is leaving and lets nobody wait any more.
                self._stopping.wait(wait_s)
            now_ms = self._clock_ms()
            if now_ms >= self._next_tick_ms or now_ms < self._next_tick_ms - _SECOND_MS:
                self._tell_behind(now_ms)
                batch.append((TICK, tick_payload(self._subscriber.connected, self._figures())))
                self._next_tick_ms = now_ms - now_ms % _SECOND_MS + _SECOND_MS
            if batch and self._written(batch):
                self._subscriber.acknowledge(arrived)
                if arrived:
                    self._meters.journaled(len(arrived), time.monotonic() - self._subscriber.inbox.taken_since_s)

    def _figures(self) -> Mapping[str, float]:
        try:
            return self._own()
        except OSError:
            # The journal's disk is gone, and the append that follows says so.
            return {}

    def _tell_behind(self, now_ms: int) -> None:
        behind_s = (self._journal.received_ms - now_ms) // 1000
        behind = behind_s >= _BEHIND_S
        if behind and not self._told_behind:
            log.warning(
                "the clock of this machine is %d s behind the journal: receive times stand still until it caught up",
                behind_s,
            )
        self._told_behind = behind

    def _written(self, batch: list[tuple[str, bytes]]) -> bool:
        def write() -> None:
            with self._meters.append_seconds.time():
                self._journal.append(batch, self._clock_ms())

        try:
            patiently(write, self._stopping)
        except JournalError:
            return False
        return True
