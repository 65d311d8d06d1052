"""Putting a revision into force: at its instant each collector journals it, and judges by it from that record on.

The record holds the revision whole, so the journal alone gives the same alarms again. A collector that was down at the
instant does it when it is back, behind what the journal held before.
"""

import logging

import sqlalchemy as sa

from ingest.alarms.audit import SYSTEM, AuditWriter
from ingest.alarms.books import in_force
from ingest.alarms.revisions import records
from ingest.alarms.revisions.revision import packed
from ingest.alarms.revisions.tables import rule_adoption
from ingest.records import RULES
from ingest.rounds import ShardRounds

log = logging.getLogger(__name__)


class Adopter(ShardRounds):
    """Watches which revision is due, and journals it; what is due while none runs is journaled by the next."""

    called = "rules"
    every_s = 1.0
    meanwhile = "a change of rules waits"
    _begin: int | None = None
    _number: int | None = None

    def round(self) -> None:
        """Journal what is due."""
        self._pause_s = self.look(self._clock_ms())

    def look(self, now_ms: int) -> float:
        """Journal what is due, and return how long to wait before the next look, in seconds.

        Raises:
            JournalError: it could not be journaled.
            AlarmError: the alarm database does not answer.
        """
        if self._number is None:
            # What an earlier run journaled must have been judged, or it would be journaled twice.
            if self._begin is None:
                # What a failing disk has all the same is found out first.
                self._journal.append_each([])
                self._begin = self._journal.last
            if self._checkpoint.position() < self._begin:
                return self.every_s / 10
            self._begin_with(self._checkpoint.rules())
        with self._database.read() as connection:
            revision, next_ms = records.due(connection, now_ms)
        if revision.number != self._number:
            # Whatever fails on the way: what stands in the journal then is found by beginning anew.
            self._number = self._begin = None
            position = self._journal.append([(RULES, packed(revision))], now_ms)[0]
            log.info("rules of revision %d are in force from position %d", revision.number, position)
            self._note(revision.number, position, self._journal.read(position - 1, 1)[0].received_ms)
            self._number = revision.number
        return self.every_s if next_ms is None else min(self.every_s, max(0.0, (next_ms - now_ms) / 1000))

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
