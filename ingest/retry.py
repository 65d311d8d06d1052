"""Trying quarantined messages again, once the mapping is mended.

A request is a row of the alarm database. The collector takes it up, finds every message of the group that the journal
still holds, and journals each again as a record of its own (topic ``$retry``), in small batches between the live ones;
so the journal replays as it happened. What became of each is committed with the pipeline's position: a kill in the
middle goes on behind the last one that was tried.
"""

import json
import logging
import sqlite3
import threading
import uuid
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from ingest.alarms.audit import Actor
from ingest.alarms.database import AlarmDatabase
from ingest.checkpoint import Checkpoint
from ingest.decoding import packed
from ingest.errors import IngestError, JournalError, Refused
from ingest.journal import Journal
from ingest.ledger_tables import quarantine_group, quarantine_retry
from ingest.quarantine import Origin
from ingest.records import RETRY, Record

log = logging.getLogger(__name__)

RETRY_ROLES = ("engineer",)
LANDED = frozenset({"decoded", "duplicate"})
_LOOK_S = 1.0
_BATCH = 100
_BATCH_BYTES = 256 * 1024
_PAUSE_S = 0.05
# What may be journaled again before the checkpoint has caught up with it.
_AHEAD = 2_000
_SPAN = 500
_NOTE_MS = 1_000

Row = dict[str, Any]


def ask(
    database: AlarmDatabase, shards: Sequence[str], reason: str, device: str | None, actor: Actor, key: str, now_ms: int
) -> list[Row]:
    """Ask the collectors of some shards to try a group again.

    The same key again gives the same requests, whatever became of the group meanwhile; without shards none are made.

    Raises:
        Refused: ``role``, or ``key_reused`` when the key belongs to another request.
        AlarmError: the database cannot be written; nothing was asked.
    """
    if actor.role not in RETRY_ROLES:
        raise Refused("role", "Trying quarantined messages again takes the role engineer.", code="retry_role")
    with database.write() as connection:
        earlier = _rows(connection, quarantine_retry.c.idempotency_key == key)
        if earlier:
            if any((row["reason"], row["device"], row["asked_by"]) != (reason, device, actor.user) for row in earlier):
                raise Refused(
                    "key_reused",
                    "This idempotency key belongs to another request; send a fresh one.",
                    code="key_reused",
                )
            return earlier
        if not shards:
            return []
        rows = [
            {
                "id": uuid.uuid4().hex,
                "shard": shard,
                "reason": reason,
                "device": device,
                "asked_at": now_ms,
                "asked_by": actor.user,
                "role": actor.role,
                "address": actor.address,
                "idempotency_key": key,
                "state": "waiting",
                "total": 0,
                "landed": 0,
                "why": "{}",
                "sentence": "",
            }
            for shard in shards
        ]
        connection.execute(quarantine_retry.insert(), rows)
        return _rows(connection, quarantine_retry.c.idempotency_key == key)


def shards_of(database: AlarmDatabase, reason: str, device: str | None) -> list[str]:
    """Return the shards in which a group stands, as the collectors have told."""
    query = sa.select(quarantine_group.c.shard).where(quarantine_group.c.reason == reason).distinct()
    if device is not None:
        query = query.where(quarantine_group.c.device == device)
    with database.read() as connection:
        return sorted(connection.execute(query).scalars())


def requests(database: AlarmDatabase, key: str) -> list[Row]:
    """Return the requests asked under a key, as they stand."""
    with database.read() as connection:
        return _rows(connection, quarantine_retry.c.idempotency_key == key)


def _rows(connection: sa.Connection, where: sa.ColumnElement[bool]) -> list[Row]:
    query = sa.select(quarantine_retry).where(where).order_by(quarantine_retry.c.asked_at, quarantine_retry.c.shard)
    return [{**row, "why": json.loads(row["why"])} for row in connection.execute(query).mappings()]


def records_at(journal: Journal, positions: Sequence[int]) -> Iterator[Record]:
    """Return the records at ascending positions; those before the journal's first are passed over.

    Raises:
        JournalError: a file is damaged.
    """
    at = bisect_left(positions, journal.first())
    while at < len(positions):
        start = positions[at]
        # As far as one read reaches, what lies near comes with it.
        stop = bisect_left(positions, start + _SPAN, at)
        wanted = set(positions[at:stop])
        for record in journal.read(start - 1, positions[stop - 1] - start + 1):
            if record.position in wanted:
                yield record
        at = stop


class Retrier(threading.Thread):
    """Carries out the requests of one collector, one after the other."""

    def __init__(
        self,
        shard: str,
        database: AlarmDatabase,
        checkpoint: Checkpoint,
        journal: Journal,
        clock_ms: Callable[[], int],
    ) -> None:
        """Prepare; ``checkpoint`` is the collector's, opened for this thread."""
        super().__init__(name="retry", daemon=True)
        self._shard = shard
        self._database = database
        self._checkpoint = checkpoint
        self._journal = journal
        self._clock_ms = clock_ms
        self._stopping = threading.Event()
        self._trouble = ""
        self._noted_ms = 0

    def stop(self) -> None:
        """End after the batch at hand; the next collector goes on there."""
        self._stopping.set()
        self.join()

    def run(self) -> None:
        """Work until stopped."""
        while not self._stopping.wait(_LOOK_S):
            try:
                self._look()
                self._trouble = ""
            except (IngestError, sqlite3.Error) as error:
                if str(error) != self._trouble:
                    self._trouble = str(error)
                    log.warning("%s; trying again waits", error)

    def _look(self) -> None:
        mine = sa.and_(quarantine_retry.c.shard == self._shard, quarantine_retry.c.state.in_(("waiting", "running")))
        with self._database.read() as connection:
            found = _rows(connection, mine)
        for request in found:
            if not self._carried_out(request):
                return

    def _carried_out(self, request: Row) -> bool:
        if request["reason"] == "refused":
            sentence = "readings that the store refused are not tried again; their messages were read"
            self._note(request["id"], state="failed", sentence=sentence, finished_at=self._clock_ms())
            return True
        # What an earlier run journaled again must have been judged, or it would be tried twice.
        if not self._saved_up_to(self._journal.last):
            return False
        places = self._checkpoint.quarantined_positions(request["reason"], request["device"])
        reached, _ = self._checkpoint.tries(request["id"])
        positions = [position for position in places if position > reached]
        first = self._journal.first()
        if request["state"] == "waiting":
            total = len(positions) - bisect_left(positions, first)
            gone = len(positions) - total
            sentence = f"{gone} more are older than the journal" if gone else ""
            log.info("quarantine is tried again reason=%s device=%s messages=%d by=%s", request["reason"],
                     request["device"], total, request["asked_by"])  # fmt: skip
            self._note(request["id"], state="running", total=total, sentence=sentence, taken_at=self._clock_ms())
        batch: list[tuple[str, bytes]] = []
        size = 0
        for record in records_at(self._journal, positions):
            origin = Origin(request["id"], *places[record.position], record.position, record.received_ms)
            batch.append((RETRY, packed(origin, record.topic, record.payload)))
            size += len(record.payload)
            if len(batch) >= _BATCH or size >= _BATCH_BYTES:
                if not self._journaled(batch):
                    return False
                batch, size = [], 0
                if self._clock_ms() - self._noted_ms >= _NOTE_MS:
                    self._note_progress(request["id"])
        if (batch and not self._journaled(batch)) or not self._saved_up_to(self._journal.last):
            return False
        self._note_progress(request["id"], state="done", finished_at=self._clock_ms())
        return True

    def _journaled(self, batch: list[tuple[str, bytes]]) -> bool:
        while True:
            try:
                last = self._journal.append(batch, self._clock_ms())[-1]
                break
            except JournalError as error:
                log.warning("%s", error)
                if self._stopping.wait(_LOOK_S):
                    return False
        return not self._stopping.wait(_PAUSE_S) and self._saved_up_to(last - _AHEAD)

    def _saved_up_to(self, position: int) -> bool:
        while self._checkpoint.position() < position:
            if self._stopping.wait(_PAUSE_S):
                return False
        return True

    def _note_progress(self, identifier: str, **more: Any) -> None:
        self._noted_ms = self._clock_ms()
        _, fates = self._checkpoint.tries(identifier)
        landed = sum(count for fate, (count, _) in fates.items() if fate in LANDED)
        why = {fate: {"count": count, "sentence": text} for fate, (count, text) in fates.items() if fate not in LANDED}
        self._note(identifier, landed=landed, why=json.dumps(why, ensure_ascii=False), **more)

    def _note(self, identifier: str, **values: Any) -> None:
        with self._database.write() as connection:
            connection.execute(quarantine_retry.update().where(quarantine_retry.c.id == identifier).values(**values))
