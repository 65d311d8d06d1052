"""What a collector tells of itself to every cockpit, by the alarm database: ledger and quarantine.

A thread of its own with no part in the main flow: while the alarm database is away it owes, and tells later.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ingest.counts import Counts, Key
from ingest.ledger_tables import ledger_device, ledger_minute, quarantine_group, quarantine_sample
from ingest.quarantine import Group, GroupKey
from ingest.rounds import ShardParts, ShardRounds

KEPT_DAYS = 30
SAMPLES = 5
PAYLOAD_BYTES = 2_000
_MOST_SAMPLES = 2_000
_ROWS = 1_000
_GROUPS_A_LOOK = 500
_MINUTE_MS = 60_000
_DAY_MS = 86_400_000

Row = dict[str, Any]


class Bulletin(ShardRounds):
    """Copies ledger and quarantine of one collector into the alarm database; once more when it is stopped."""

    called = "bulletin"
    every_s = 2.0
    meanwhile = "ledger and quarantine are told later"

    def __init__(
        self, parts: ShardParts, ledger: Callable[[], Mapping[str, Any]], counts: tuple[Counts, Counts]
    ) -> None:
        """Prepare; ``ledger`` reads the ledger document, ``counts`` are those of messages and of stored readings."""
        super().__init__(parts)
        self._ledger = ledger
        self._messages, self._stored = counts
        self._minute = -1
        self._owed: set[Key] = set()
        self._groups: dict[GroupKey, Group] | None = None
        self._sampled: dict[GroupKey, tuple[int, ...]] = {}

    def run(self) -> None:
        """Work until stopped, and then once more."""
        super().run()
        self._try(lambda: self.look(self._clock_ms(), last=True), self.meanwhile)

    def round(self) -> None:
        """Tell what changed."""
        self.look(self._clock_ms())

    def look(self, now_ms: int, last: bool = False) -> None:
        """Tell what changed: quarantine at once, ledger and devices when a minute has passed (or at the last look).

        Raises:
            AlarmError: the rest is still owed.
            JournalError: the journal cannot be read.
        """
        self._tell_groups()
        minute = now_ms // _MINUTE_MS
        if minute != self._minute or last:
            self._tell_minute(minute * _MINUTE_MS)
            self._tell_devices(now_ms)
            self._checkpoint.forget_before(self._journal.first())
            self._minute = minute

    def _tell_minute(self, at_ms: int) -> None:
        document = self._ledger()
        stored = self._stored.kinds()
        kinds = {kind: [*numbers, *stored.get(kind, (0, 0))] for kind, numbers in self._messages.kinds().items()}
        readings = {key: count for key, count in document["readings"].items() if key != "waiting"}
        row: Row = {
            "shard": self._shard,
            "at": at_ms,
            **document["messages"],
            **readings,
            **{f"{key}_lag_s": lag for key, lag in document["lag_s"].items()},
            "kinds": json.dumps(kinds, ensure_ascii=False, separators=(",", ":")),
        }
        with self._database.write() as connection:
            upsert(connection, ledger_minute, [row])
            before = ledger_minute.c.at < at_ms - KEPT_DAYS * _DAY_MS
            connection.execute(ledger_minute.delete().where(ledger_minute.c.shard == self._shard, before))

    def _tell_devices(self, now_ms: int) -> None:
        self._owed |= self._messages.changed() | self._stored.changed()
        names = ("decoded", "quarantined", "duplicate", "produced", "late", "skewed", "stored", "refused")
        owed = sorted(self._owed)
        # In that order: nothing is stored that was not produced before.
        stored_of = self._stored.totals(owed)
        messages_of = self._messages.totals(owed)
        for start in range(0, len(owed), _ROWS):
            part = owed[start : start + _ROWS]
            rows: list[Row] = []
            for key in part:
                numbers = (*messages_of[key], *stored_of[key])
                whose = {"shard": self._shard, "kind": key[0], "device": _plain(key[1], 64)}
                rows.append({**whose, **dict(zip(names, numbers, strict=True)), "updated_at": now_ms})
            with self._database.write() as connection:
                upsert(connection, ledger_device, rows)
            self._owed.difference_update(part)

    def _tell_groups(self) -> None:
        if self._groups is None:
            self._groups = self._told()
        now = {(group.reason, group.device): group for group in self._checkpoint.quarantine_groups()}
        changed = [key for key, group in now.items() if self._groups.get(key) != group][:_GROUPS_A_LOOK]
        gone = [key for key in self._groups if key not in now]
        if not changed and not gone:
            return
        samples: dict[GroupKey, list[Row] | None] = {}
        room = _MOST_SAMPLES - sum(map(len, self._sampled.values()))
        for key in changed:
            samples[key] = self._samples_of(now[key], room)
            room -= len(samples[key] or ())
        with self._database.write() as connection:
            for key in gone:
                connection.execute(quarantine_group.delete().where(*self._of(quarantine_group, key)))
            for key in (*gone, *(key for key, rows in samples.items() if rows is not None)):
                connection.execute(quarantine_sample.delete().where(*self._of(quarantine_sample, key)))
            upsert(connection, quarantine_group, [self._group_row(now[key]) for key in changed])
            upsert(connection, quarantine_sample, [row for rows in samples.values() for row in rows or ()])
        for key in gone:
            del self._groups[key]
            self._sampled.pop(key, None)
        for key in changed:
            self._groups[key] = now[key]
            rows = samples[key]
            if rows is not None:
                self._sampled[key] = tuple(row["position"] for row in rows)

    def _told(self) -> dict[GroupKey, Group]:
        columns = [
            quarantine_group.c[name] for name in ("reason", "device", "count", "first_at", "last_at", "sentence")
        ]
        with self._database.read() as connection:
            rows = connection.execute(sa.select(*columns).where(quarantine_group.c.shard == self._shard)).all()
        return {(str(row[0]), str(row[1])): Group(*row) for row in rows}

    def _of(self, table: sa.Table, key: GroupKey) -> tuple[sa.ColumnElement[bool], ...]:
        reason, device = key
        return table.c.shard == self._shard, table.c.reason == reason, table.c.device == _plain(device, 64)

    def _group_row(self, group: Group) -> Row:
        return {
            "shard": self._shard,
            "reason": group.reason,
            "device": _plain(group.device, 64),
            "count": group.count,
            "first_at": group.first_ms,
            "last_at": group.last_ms,
            "sentence": _plain(group.sentence, 500),
        }

    def _samples_of(self, group: Group, room: int) -> list[Row] | None:
        """Return the samples to tell in place of those told, or None when they stay."""
        key = (group.reason, group.device)
        told = self._sampled.get(key, ())
        if len(told) == SAMPLES and self._groups is not None and group.count >= self._groups[key].count:
            return None
        if not told and room <= 0:
            return None
        found = self._checkpoint.quarantine_samples(group.reason, group.device)[:SAMPLES]
        if tuple(sample.position for sample in found) == told:
            return None
        rows: list[Row] = []
        for sample in found:
            payload = self._payload(sample.position)
            rows.append(
                {
                    "shard": self._shard,
                    "reason": sample.reason,
                    "position": sample.position,
                    "device": _plain(sample.device, 64),
                    "at": sample.at_ms,
                    "topic": _plain(sample.topic, 500),
                    "sentence": _plain(sample.sentence, 500),
                    "payload": escaped(payload[:PAYLOAD_BYTES]),
                    "bytes": len(payload),
                }
            )
        return rows

    def _payload(self, position: int) -> bytes:
        if position < self._journal.first():
            return b""
        records = self._journal.read(position - 1, 1)
        return records[0].payload if records else b""


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Write rows, each in place of the one with the same key."""
    if not rows:
        return
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
    keys = [column.name for column in table.primary_key]
    others = {name: insert.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=others), list(rows))


def escaped(payload: bytes) -> str:
    """Return bytes as text that any screen and any database takes; what is not printable is escaped."""
    text = payload.decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _plain(text: str, most: int) -> str:
    # PostgreSQL takes neither NUL nor half characters, which foreign names may hold.
    return text.replace("\0", "�").encode("utf-8", "replace").decode()[:most]
