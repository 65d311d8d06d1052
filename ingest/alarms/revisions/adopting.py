"""Putting a revision into force: at its instant each collector journals it, and judges by it from that record on.

The record holds the revision whole, so the journal alone gives the same alarms again. A collector that was down at the
instant does it when it is back, behind what the journal held before.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable

import sqlalchemy as sa

from ingest.alarms.audit import SYSTEM, AuditWriter
from ingest.alarms.books import in_force
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.revisions import records
from ingest.alarms.revisions.revision import packed
from ingest.alarms.revisions.tables import rule_adoption
from ingest.checkpoint import Checkpoint
from ingest.errors import IngestError
from ingest.journal import Journal
from ingest.records import RULES

log = logging.getLogger(__name__)

_LOOK_S = 1.0


class Adopter(threading.Thread):
    """Watches which revision is due, and journals it."""

    def __init__(
        self,
        shard: str,
        database: AlarmDatabase,
        checkpoint: Checkpoint,
        journal: Journal,
        clock_ms: Callable[[], int],
    ) -> None:
        """Prepare; ``checkpoint`` is the collector's, opened for this thread."""
        super().__init__(name="rules", daemon=True)
        self._shard = shard
        self._database = database
        self._checkpoint = checkpoint
        self._journal = journal
        self._clock_ms = clock_ms
        self._begin = journal.last
        self._number: int | None = None
        self._stopping = threading.Event()
        self._trouble = ""

    def stop(self) -> None:
        """End; what is due meanwhile is journaled by the next collector."""
        self._stopping.set()
        self.join()

    def run(self) -> None:
        """Work until stopped."""
        pause_s = 0.0
        while not self._stopping.wait(pause_s):
            pause_s = _LOOK_S
            try:
                pause_s = self.look(self._clock_ms())
                self._trouble = ""
            except (IngestError, sqlite3.Error) as error:
                if str(error) != self._trouble:
                    self._trouble = str(error)
                    log.warning("%s; a change of rules waits", error)

    def look(self, now_ms: int) -> float:
        """Journal what is due, and return how long to wait before the next look, in seconds.

        Raises:
            JournalError: it could not be journaled.
            AlarmError: the alarm database does not answer.
        """
        if self._number is None:
            # What an earlier run journaled must have been judged, or it would be journaled twice.
            if self._checkpoint.position() < self._begin:
                return _LOOK_S / 10
            self._begin_with(self._checkpoint.rules())
        with self._database.read() as connection:
            revision, next_ms = records.due(connection, now_ms)
        if revision.number != self._number:
            position = self._journal.append([(RULES, packed(revision))], now_ms)[0]
            self._number = revision.number
            log.info("rules of revision %d are in force from position %d", revision.number, position)
            self._note(revision.number, position, self._journal.read(position - 1, 1)[0].received_ms)
        return _LOOK_S if next_ms is None else min(_LOOK_S, max(0.0, (next_ms - now_ms) / 1000))

    def _begin_with(self, saved: bytes | None) -> None:
        number, position, at_ms = (0, 0, 0) if saved is None else in_force(saved)
        if number:
            self._note(number, position, at_ms)
        self._number = number

    def _note(self, number: int, position: int, at_ms: int) -> None:
        """Tell the alarm database from which record on it is judged so; once, whatever ends in between."""
        known = sa.select(rule_adoption.c.position).where(
            rule_adoption.c.shard == self._shard, rule_adoption.c.revision == number
        )
        with self._database.write() as connection:
            chain = AuditWriter(connection)
            if connection.execute(known).first() is not None:
                return
            row = {"shard": self._shard, "revision": number, "position": position, "at": at_ms}
            connection.execute(rule_adoption.insert().values(**row))
            chain.add_other(
                at_ms=at_ms,
                position=position,
                actor=SYSTEM,
                action="rule_in_force",
                subject=f"rules/{number}",
                reason=f"collector {self._shard}",
            )
            chain.finish()
