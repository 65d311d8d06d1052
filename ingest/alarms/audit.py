"""The audit: one row per act, chained by hashes, so that a changed or missing row shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.alarms import outbox
from ingest.alarms.areas import Area
from ingest.alarms.tables import audit, audit_head


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user with a role from an address, or the system."""

    user: str
    role: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, with all the roles they hold; the act is recorded under the one that allows it.

    ``area`` is where they may act, None stands for the whole city.
    """

    user: str
    roles: tuple[str, ...]
    address: str = ""
    area: Area | None = None

    def acting(self, role: str | None) -> Actor:
        """Return the person in one role; without a fitting one, in the first they hold."""
        return Actor(self.user, role or (self.roles[0] if self.roles else ""), self.address)


SYSTEM = Actor("system", "system")
# Columns that older rows were written without: part of the hash only where they say something.
_LATER_COLUMNS = ("case", "changes")
_BEGINNING = "0" * 64


class AuditWriter:
    """Appends rows to the chain inside one write transaction; holds the lock on its head until that ends.

    The lock makes writers of the alarm database take turns: what is read after it was taken stays true. Rows are kept
    back until :meth:`finish`; another writer in the same transaction may begin only after that.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._rows: list[dict[str, Any]] = []
        self._announced: list[dict[str, Any]] = []
        self.begin()

    def begin(self) -> None:
        """Take the head of the chain as it is now; needed again only after another writer has written."""
        head = self._connection.execute(sa.select(audit_head.c.seq, audit_head.c.hash).with_for_update()).one()
        self._seq, self._hash = int(head.seq), str(head.hash)

    def add(
        self,
        *,
        at_ms: int,
        position: int,
        actor: Actor,
        action: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
        states: tuple[str, str],
        reason: str = "",
        comment: str = "",
        idempotency_key: str | None = None,
        case: str | None = None,
    ) -> None:
        """Add one act on an occurrence, given its columns before (None at birth) and after."""
        if outbox.calls_for_people(before, after):
            self.announce(after, action, at_ms)
        row: dict[str, Any] = {
            "at": at_ms,
            "position": position,
            "actor": actor.user,
            "role": actor.role,
            "address": actor.address,
            "action": action,
            "point": after["point"],
            "occurrence": after["id"],
            "case": case,
            "version_before": before["version"] if before else None,
            "version_after": after["version"],
            "state_before": states[0],
            "state_after": states[1],
            "level": after["level_now"],
            "value": after["value"],
            "unit": after["unit"],
            "rule": after["rule"],
            "rule_version": after["rule_version"],
            "reason": reason,
            "comment": comment,
            "idempotency_key": idempotency_key,
            "changes": _changes(before, after),
        }
        self._append(row)

    def add_case(
        self,
        *,
        at_ms: int,
        actor: Actor,
        action: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
        reason: str = "",
        comment: str = "",
        idempotency_key: str | None = None,
    ) -> None:
        """Add one act on a case, given its columns before (None at birth) and after (None when nothing came of it)."""
        known = after or before or {}
        row: dict[str, Any] = {
            "at": at_ms,
            "position": 0,
            "actor": actor.user,
            "role": actor.role,
            "address": actor.address,
            "action": action,
            "point": "",
            "occurrence": None,
            "case": known.get("id"),
            "version_before": before["version"] if before else None,
            "version_after": after["version"] if after else None,
            "state_before": before["state"] if before else "",
            "state_after": after["state"] if after else "",
            "level": None,
            "value": None,
            "unit": "",
            "rule": known.get("sub_class", ""),
            "rule_version": known.get("limit_version", ""),
            "reason": reason,
            "comment": comment,
            "idempotency_key": idempotency_key,
            "changes": None if after is None else _changes(before, after),
        }
        self._append(row)

    def add_other(
        self,
        *,
        at_ms: int,
        position: int,
        actor: Actor,
        action: str,
        subject: str = "",
        states: tuple[str, str] = ("", ""),
        reason: str = "",
        comment: str = "",
        idempotency_key: str | None = None,
    ) -> None:
        """Add one act that is on no occurrence; ``subject`` is the alarm point or the device it is on."""
        row: dict[str, Any] = {
            "at": at_ms,
            "position": position,
            "actor": actor.user,
            "role": actor.role,
            "address": actor.address,
            "action": action,
            "point": subject,
            "occurrence": None,
            "case": None,
            "version_before": None,
            "version_after": None,
            "state_before": states[0],
            "state_after": states[1],
            "level": None,
            "value": None,
            "unit": "",
            "rule": "",
            "rule_version": "",
            "reason": reason,
            "comment": comment,
            "idempotency_key": idempotency_key,
            "changes": None,
        }
        self._append(row)

    def _append(self, row: dict[str, Any]) -> None:
        self._seq += 1
        # As a database gives it back: 60 that is read again as 60.0 must have the same hash.
        row["value"] = None if row["value"] is None else float(row["value"])
        row.update(seq=self._seq, prev_hash=self._hash)
        row["hash"] = self._hash = row_hash(row)
        self._rows.append(row)

    def place(self) -> tuple[int, str, int, int]:
        """Return where the chain is, to come back to."""
        return self._seq, self._hash, len(self._rows), len(self._announced)

    def back_to(self, place: tuple[int, str, int, int]) -> None:
        """Forget the rows added since, and what was announced: what they were about is undone."""
        self._seq, self._hash, rows, announced = place
        del self._rows[rows:]
        del self._announced[announced:]

    def announce(self, occurrence: Mapping[str, Any], why: str, at_ms: int, step: int = 0) -> None:
        """Put an occurrence as it now is into the outbox; it is written with the audit rows."""
        self._announced.append(outbox.row_of(occurrence, why, at_ms, step))

    def finish(self) -> None:
        """Write the rows and what is announced, and move the head; call it before the transaction ends."""
        if self._announced:
            self._connection.execute(outbox.announcement.insert(), self._announced)
            self._announced = []
        if self._rows:
            self._connection.execute(audit.insert(), self._rows)
            self._connection.execute(audit_head.update().values(seq=self._seq, hash=self._hash))
            self._rows = []


def _changes(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> str | None:
    """Return the columns that an act changed as JSON, at birth all that say something; None when it changed nothing."""
    known: Mapping[str, Any] = {} if before is None else before
    found = {key: value for key, value in after.items() if value != known.get(key) and key != "version"}
    return msgspec.json.encode(found).decode() if found else None


def row_hash(row: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a row without its own hash; ``prev_hash`` is part of it, which makes the chain."""
    counted = (key for key in sorted(row) if key != "hash" and (key not in _LATER_COLUMNS or row[key] is not None))
    return sha256(msgspec.json.encode({key: row[key] for key in counted})).hexdigest()


@dataclass(frozen=True, slots=True)
class Check:
    """How far the chain is whole: its rows, the hash of the last of them, and what breaks it behind them, if any."""

    rows: int
    hash: str
    broken: str | None = None


def check(connection: sa.Connection) -> Check:
    """Check the whole chain, from the first row to the head."""
    seq, previous = 0, _BEGINNING
    query = sa.select(audit).order_by(audit.c.seq)
    with connection.execute(query, execution_options={"yield_per": 2_000}) as rows:
        for found in rows.mappings():
            row = dict(found)
            wrong = _wrong(row, seq + 1, previous)
            if wrong is not None:
                return Check(seq, previous, wrong)
            seq, previous = row["seq"], row["hash"]
    head = connection.execute(sa.select(audit_head.c.seq, audit_head.c.hash)).one()
    if (head.seq, head.hash) == (seq, previous):
        return Check(seq, previous)
    return Check(seq, previous, f"row {seq + 1} is missing; the chain was written up to row {head.seq}")


def _wrong(row: Mapping[str, Any], expected: int, previous: str) -> str | None:
    if row["seq"] != expected:
        return f"row {expected} is missing; the next one is {row['seq']}"
    if row["prev_hash"] != previous:
        return f"row {expected} does not follow the row before it"
    if row["hash"] != row_hash(row):
        return f"row {expected} was changed after it was written"
    return None


def first_broken(connection: sa.Connection) -> int | None:
    """Return the sequence number of the first row that does not fit the chain, or None when all is whole."""
    found = check(connection)
    return None if found.broken is None else found.rows + 1
