"""Keeping: journal files as long as the recording is wanted, readings and their minutes as long as the site says.

A thread of its own works in small steps with a rest as long as the step between them, so that the store's writer,
which shares file or server with it, always comes next.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from devices.site import Site
from ingest.clock_trust import ClockTrust
from ingest.errors import IngestError
from ingest.journal import Journal
from ingest.store import Store
from ingest.storing import StoreWriter

log = logging.getLogger(__name__)

_MINUTE_MS = 60_000
_DAY_MS = 86_400_000
_EXPIRE_EVERY_MS = 600_000
# Devices and gateways take a moment to send; a minute is made when this has passed since its end.
_GRACE_MS = 60_000
_FAR_BEHIND_MS = 600_000
_REST_S = 0.005
_LONGEST_REST_S = 2.0


class Keeper(threading.Thread):
    """Makes minutes and removes what is older than wanted; never a journal file that a cursor has not passed."""

    def __init__(
        self, site: Site, journal: Journal, store: Store, writer: StoreWriter, judged: Callable[[], int]
    ) -> None:
        """Prepare; ``judged`` tells up to which journal position the pipeline has saved what it made of it."""
        super().__init__(name="keeper", daemon=True)
        self._journal = journal
        self._store = store
        self._writer = writer
        self._judged = judged
        self._journal_ms = site.journal_days * _DAY_MS
        self._clock = ClockTrust(journal.received_ms)
        self._believed = False
        self._asked = threading.Event()
        self._stopping = threading.Event()
        self._now_ms = 0
        self._expired_ms = 0
        self._told_ms = 0
        self._trouble = ""
        self._told = False

    def look(self, now_ms: int, steady_ms: int) -> None:
        """Tell the time, and what counts it evenly; once a minute that starts a turn of work, in the thread."""
        self._believed = self._clock.look(now_ms, steady_ms)
        if now_ms // _MINUTE_MS == self._now_ms // _MINUTE_MS:
            return
        self._now_ms = now_ms
        self._asked.set()
        if not self.is_alive() and not self._stopping.is_set():
            self.start()

    def stop(self) -> None:
        """End after the step at hand."""
        self._stopping.set()
        self._asked.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        """Work whenever a minute has passed, until stopped."""
        while True:
            self._asked.wait()
            if self._stopping.is_set():
                return
            self._asked.clear()
            self.turn(self._now_ms, self._believed)

    def turn(self, now_ms: int, believed: bool = True) -> None:
        """Do everything that is due at an instant, step by step; what fails is tried again at the next turn.

        Nothing is removed by a clock that is not believed.
        It is told when it fails twice running: of a store that is away for a moment the writer has told already.
        """
        try:
            self._summarise(now_ms)
            if believed and abs(now_ms - self._expired_ms) >= _EXPIRE_EVERY_MS:
                self._remove_journal(now_ms)
                self._expire(now_ms)
                self._expired_ms = now_ms
            self._trouble, self._told = "", False
        except (IngestError, sqlite3.Error) as error:
            if str(error) != self._trouble:
                self._trouble, self._told = str(error), False
            elif not self._told and not self._writer.trouble:
                self._told = True
                log.warning("keeping: %s", error)

    def _summarise(self, now_ms: int) -> None:
        until_ms = now_ms - _GRACE_MS - int(self._writer.lag_s(now_ms) * 1000)
        steps = 0
        while not self._stopping.is_set():
            began_s = time.monotonic()
            reached_ms = self._store.summarise(until_ms)
            if reached_ms is None:
                break
            steps += 1
            # Only a turn that has much to do passes this often; else a line a minute would say nothing.
            if steps % 1_000 == 0 and until_ms - reached_ms > _FAR_BEHIND_MS:
                log.info("minutes steps=%d reached=%s", steps, _at(reached_ms))
            self._rest(began_s)
        if steps >= 1_000:
            log.info("minutes are made steps=%d up_to=%s", steps, _at(until_ms))

    def _remove_journal(self, now_ms: int) -> None:
        passed = min(self._writer.stored.position, self._judged())
        for name in self._journal.remove_before(passed, now_ms - self._journal_ms):
            log.info("journal file removed name=%s", name)

    def _expire(self, now_ms: int) -> None:
        dropped = 0
        while not self._stopping.is_set():
            began_s = time.monotonic()
            count = self._store.expire(now_ms)
            if not count:
                break
            dropped += count
            self._rest(began_s)
        if dropped:
            log.info("expired readings removed count=%d", dropped)

    def _rest(self, began_s: float) -> None:
        self._stopping.wait(min(_LONGEST_REST_S, max(_REST_S, time.monotonic() - began_s)))


def _at(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="minutes")
