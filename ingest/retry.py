"""Trying quarantined messages again, once the mapping is mended.

A request is a row of the alarm database. The collector takes it up, finds every message of the group that the journal
still holds, and journals each again as a record of its own (topic ``$retry``), in small batches between the live ones;
so the journal replays as it happened. What became of each is committed with the pipeline's position: a kill in the
middle goes on behind the last one that was tried. Readings that the store refused are only written again (see
ingest.refused).
"""

import json
import logging
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from devices.site import Site
from ingest.alarms.audit import Actor
from ingest.alarms.database import AlarmDatabase
from ingest.decoding import packed
from ingest.errors import Refused
from ingest.journal import Journal
from ingest.ledger_tables import quarantine_group, quarantine_retry
from ingest.positions import Stand
from ingest.quarantine import Origin
from ingest.records import RETRY, Record
from ingest.refused import REASON, trials
from ingest.rounds import ShardParts, ShardRounds
from ingest.storing import StoreWriter

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
Found = Iterable[tuple[Record, list[Stand]]]


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


def records_at(journal: Journal, stands: Iterable[Stand]) -> Iterator[tuple[Record, list[Stand]]]:
    """Yield the records at which something stands, ascending; those before the journal's first are passed over.

    Raises:
        JournalError: a file is damaged.
    """
    first = journal.first()
    near: dict[int, list[Stand]] = {}
    for stand in stands:
        if stand.position < first:
            continue
        # As far as one read reaches, what lies near comes with it.
        if near and stand.position >= next(iter(near)) + _SPAN:
            yield from _read(journal, near)
            near = {}
        near.setdefault(stand.position, []).append(stand)
    yield from _read(journal, near)


def _read(journal: Journal, near: Mapping[int, list[Stand]]) -> Iterator[tuple[Record, list[Stand]]]:
    if near:
        after, last = min(near) - 1, max(near)
        # What was written since the journal was opened is not read.
        while after < last and (records := journal.read(after, last - after)):
            for record in records:
                after = record.position
                if after in near:
                    yield record, near[after]


class _Never(Exception):
    """A request that cannot be carried out; the words say why."""


class Retrier(ShardRounds):
    """Carries out the requests of one collector, one after the other; the next collector goes on where it stopped."""

    called = "retry"
    every_s = _LOOK_S
    meanwhile = "trying again waits"
    _noted_ms = 0

    def __init__(self, parts: ShardParts, site: Site, writer: StoreWriter) -> None:
        """Prepare; ``writer`` is asked to write again what its store refused."""
        super().__init__(parts)
        self._site = site
        self._writer = writer

    def round(self) -> None:
        """Carry out what was asked."""
        mine = sa.and_(quarantine_retry.c.shard == self._shard, quarantine_retry.c.state.in_(("waiting", "running")))
        with self._database.read() as connection:
            found = _rows(connection, mine)
        for request in found:
            if not self._carried_out(request):
                return

    def _carried_out(self, request: Row) -> bool:
        # What was journaled again, also by a write that failed and stands, must be judged, or it would be tried twice.
        self._journal.append_each([])
        if not self._saved_up_to(self._journal.last):
            return False
        group = (request["reason"], request["device"])
        reached, _ = self._checkpoint.tries(request["id"])
        if request["state"] == "waiting":
            total, gone = self._held(group, self._journal.first())
            sentence = f"{gone} more are older than the journal" if gone else ""
            log.info("quarantine is tried again reason=%s device=%s messages=%d by=%s", request["reason"],
                     request["device"], total, request["asked_by"])  # fmt: skip
            self._note(request["id"], state="running", total=total, sentence=sentence, taken_at=self._clock_ms())
        found = records_at(self._journal, self._checkpoint.walk(*group, reached))
        try:
            act = self._written_again if group[0] == REASON else self._read_again
            carried_out = act(request["id"], found)
        except _Never as error:
            self._note(request["id"], state="failed", sentence=str(error), finished_at=self._clock_ms())
            return True
        if carried_out:
            self._note_progress(request["id"], state="done", finished_at=self._clock_ms())
        return carried_out

    def _written_again(self, request: str, found: Found) -> bool:
        """Let the store's writer write refused readings again; return whether all was done."""
        for trial in trials(self._site, request, found):
            if not self._writer.write_again(trial):
                raise _Never("what the embedded store refused it cannot hold; nothing was tried")
            while not trial.done.wait(_PAUSE_S):
                if self._stopping.is_set():
                    return False
            if self._stopping.wait(_PAUSE_S):
                return False
            self._note_now_and_then(request)
        return True

    def _read_again(self, request: str, found: Found) -> bool:
        """Journal messages again, to be read anew; return whether all was done."""
        batch: list[tuple[str, bytes]] = []
        size = 0
        for record, (stand, *_) in found:
            origin = Origin(request, *stand.place, record.position, record.received_ms)
            batch.append((RETRY, packed(origin, record.topic, record.payload)))
            size += len(record.payload)
            if len(batch) >= _BATCH or size >= _BATCH_BYTES:
                if not self._journaled(batch):
                    return False
                batch, size = [], 0
                self._note_now_and_then(request)
        return (not batch or self._journaled(batch)) and self._saved_up_to(self._journal.last)

    def _held(self, group: tuple[str, str | None], first: int) -> tuple[int, int]:
        """Return how many of a group the journal still holds, and how many not."""
        counts = [0, 0]
        for stand in self._checkpoint.walk(*group):
            counts[stand.position < first] += stand.times
        return counts[0], counts[1]

    def _journaled(self, batch: list[tuple[str, bytes]]) -> bool:
        last = self._journal.append(batch, self._clock_ms())[-1]
        return not self._stopping.wait(_PAUSE_S) and self._saved_up_to(last - _AHEAD)

    def _saved_up_to(self, position: int) -> bool:
        while self._checkpoint.position() < position:
            if self._stopping.wait(_PAUSE_S):
                return False
        return True

    def _note_now_and_then(self, identifier: str) -> None:
        if self._clock_ms() - self._noted_ms >= _NOTE_MS:
            self._note_progress(identifier)

    def _note_progress(self, identifier: str, **more: Any) -> None:
        self._noted_ms = self._clock_ms()
        _, fates = self._checkpoint.tries(identifier)
        landed = sum(count for fate, (count, _) in fates.items() if fate in LANDED)
        why = {fate: {"count": count, "sentence": text} for fate, (count, text) in fates.items() if fate not in LANDED}
        self._note(identifier, landed=landed, why=json.dumps(why, ensure_ascii=False), **more)

    def _note(self, identifier: str, **values: Any) -> None:
        with self._database.write() as connection:
            connection.execute(quarantine_retry.update().where(quarantine_retry.c.id == identifier).values(**values))
