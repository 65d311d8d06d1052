"""The journaller: what arrived is written to the journal, and only then acknowledged to the broker."""

import logging
import threading
import time
from collections.abc import Callable, Mapping

from ingest.errors import JournalError
from ingest.journal import TICK, Journal, tick_payload
from ingest.metrics import Meters
from ingest.subscriber import Subscriber

log = logging.getLogger(__name__)

_SECOND_MS = 1_000


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
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End after the batch at hand; what still waits in the inbox is delivered again."""
        self._stopping.set()
        self._subscriber.inbox.close()
        self.join()

    def run(self) -> None:
        """Work until stopped."""
        while not self._stopping.is_set():
            wait_s = max(0.0, (self._next_tick_ms - self._clock_ms()) / 1000)
            arrived = self._subscriber.inbox.take(wait_s)
            batch = [message[:2] for message in arrived]
            now_ms = self._clock_ms()
            if now_ms >= self._next_tick_ms:
                batch.append((TICK, tick_payload(self._subscriber.connected, self._own())))
                self._next_tick_ms = now_ms - now_ms % _SECOND_MS + _SECOND_MS
            if batch and self._written(batch):
                self._subscriber.acknowledge(arrived)
                if arrived:
                    self._meters.journaled(len(arrived), time.monotonic() - self._subscriber.inbox.taken_since_s)

    def _written(self, batch: list[tuple[str, bytes]]) -> bool:
        while True:
            try:
                with self._meters.append_seconds.time():
                    self._journal.append(batch, self._clock_ms())
                return True
            except JournalError as error:
                log.error("%s", error)
                if self._stopping.wait(1.0):
                    return False
