"""Keeping: journal files as long as the recording is wanted, readings and their minutes as long as the site says.

A thread of its own works in small steps with a rest as long as the step between them, so that the store's writer,
which shares file or server with it, always comes next.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from devices.site import Site
from ingest.clock_trust import ClockTrust
from ingest.journal import Journal
from ingest.rounds import Rounds
from ingest.store import Store
from ingest.storing import StoreWriter

log = logging.getLogger(__name__)

_MINUTE_MS = 60_000
_DAY_MS = 86_400_000
_EXPIRE_EVERY_MS = 600_000
# Devices and gateways take a moment to send; a minute is made when this has passed since its end.
_GRACE_MS = 60_000
_LASTS_MS = 30_000
_FAR_BEHIND_MS = 600_000
_REST_S = 0.005
_LONGEST_REST_S = 2.0
_FILES = "journal files stay"


class Keeper(Rounds):
    """Makes minutes and removes what is older than wanted; never a journal file that a cursor has not passed."""

    called = "keeper"
    every_s = 0.5
    meanwhile = "what is older than wanted stays"

    def __init__(
        self, site: Site, journal: Journal, store: Store, writer: StoreWriter, judged: Callable[[], int]
    ) -> None:
        """Prepare; ``judged`` tells up to which journal position the pipeline has saved what it made of it."""
        super().__init__()
        self._journal = journal
        self._store = store
        self._writer = writer
        self._judged = judged
        self._journal_ms = site.journal_days * _DAY_MS
        self._clock = ClockTrust(journal.received_ms)
        self._believed = False
        self._asked = threading.Event()
        self._now_ms = 0
        self._removed_ms = 0
        self._expired_ms = 0
        # Since when fails what failed at the turn before, and at this one.
        self._met: tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]] = {}, {}
        self._turn_ms = 0

    def look(self, now_ms: int, steady_ms: int) -> None:
        """Tell the time, and what counts it evenly; once a minute that asks for a turn of work."""
        self._believed = self._clock.look(now_ms, steady_ms)
        if now_ms // _MINUTE_MS == self._now_ms // _MINUTE_MS:
            return
        self._now_ms = now_ms
        self._asked.set()

    def round(self) -> None:
        """Do a turn if a minute has passed."""
        if self._asked.is_set():
            self._asked.clear()
            self.turn(self._now_ms, self._believed)

    def turn(self, now_ms: int, believed: bool = True) -> None:
        """Do everything that is due at an instant, step by step; what fails is tried again at the next turn.

        Nothing is removed for its age by a clock that is not believed. One duty that fails keeps the others from
        nothing.
        """
        self._met = self._met[1], {}
        self._turn_ms = now_ms
        self._try(lambda: self._remove_journal(now_ms, believed), _FILES)
        self._try(lambda: self._summarise(now_ms), "minutes are made later")
        if believed and abs(now_ms - self._expired_ms) >= _EXPIRE_EVERY_MS:
            self._try(lambda: self._expire(now_ms), "expired readings stay")

    def _tell(self, trouble: str, meanwhile: str) -> None:
        """Tell what failed twice running: of a store that is away for a moment the writer has told already."""
        before, now = self._met
        met = trouble, meanwhile
        now[met] = before.get(met, self._turn_ms)
        # The first turn and the second may lie within a second: the one is at the start, the other at a full minute.
        lasts = abs(self._turn_ms - now[met]) >= _LASTS_MS
        if lasts and (meanwhile == _FILES or not self._writer.trouble):
            super()._tell(trouble, meanwhile)

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

    def _remove_journal(self, now_ms: int, believed: bool) -> None:
        lacks = self._journal.lacks_bytes
        due = believed and abs(now_ms - self._removed_ms) >= _EXPIRE_EVERY_MS
        if not lacks and not due:
            return
        judged = self._judged()
        if lacks and (early := self._journal.remove_for_room(min(self._writer.stored.position, judged), lacks)):
            # Without room nothing more would be received: what is judged and stored is worth less than that. Nor could
            # it be saved how far the store is.
            log.warning(
                "the disk is nearly full: journal files removed before their time count=%d from=%s to=%s",
                len(early), early[0], early[-1],
            )  # fmt: skip
        if due:
            # A restart reads again what lies behind what was saved: it would take it for lost.
            for name in self._journal.remove_before(min(self._writer.saved_to, judged), now_ms - self._journal_ms):
                log.info("journal file removed name=%s", name)
            self._removed_ms = now_ms

    def _expire(self, now_ms: int) -> None:
        dropped = 0
        while not self._stopping.is_set():
            began_s = time.monotonic()
            count = self._store.expire(now_ms)
            if not count:
                break
            dropped += count
            self._rest(began_s)
        self._expired_ms = now_ms
        if dropped:
            log.info("expired readings removed count=%d", dropped)

    def _rest(self, began_s: float) -> None:
        self._stopping.wait(min(_LONGEST_REST_S, max(_REST_S, time.monotonic() - began_s)))


def _at(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="minutes")
