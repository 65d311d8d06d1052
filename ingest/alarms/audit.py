"""The audit: one row per act, chained by hashes, so that a changed or missing row shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.alarms.tables import audit, audit_head


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user with a role from an address, or the system."""

    user: str
    role: str
    address: str = ""


SYSTEM = Actor("system", "system")


class AuditWriter:
    """Appends rows to the chain inside one write transaction; holds the lock on its head until that ends."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        head = connection.execute(sa.select(audit_head.c.seq, audit_head.c.hash).with_for_update()).one()
        self._seq, self._hash = int(head.seq), str(head.hash)
        self._rows: list[dict[str, Any]] = []

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
    ) -> None:
        """Add one act on an occurrence, given its columns before (None at birth) and after."""
        self._seq += 1
        row: dict[str, Any] = {
            "seq": self._seq,
            "at": at_ms,
            "position": position,
            "actor": actor.user,
            "role": actor.role,
            "address": actor.address,
            "action": action,
            "point": after["point"],
            "occurrence": after["id"],
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
            "prev_hash": self._hash,
        }
        row["hash"] = self._hash = row_hash(row)
        self._rows.append(row)

    def finish(self) -> None:
        """Write the rows and move the head; call once, before the transaction ends."""
        if self._rows:
            self._connection.execute(audit.insert(), self._rows)
            self._connection.execute(audit_head.update().values(seq=self._seq, hash=self._hash))


def row_hash(row: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a row without its own hash; ``prev_hash`` is part of it, which makes the chain."""
    return sha256(msgspec.json.encode({key: row[key] for key in sorted(row) if key != "hash"})).hexdigest()


def first_broken(connection: sa.Connection) -> int | None:
    """Return the sequence number of the first row that does not fit the chain, or None when all is whole."""
    expected_seq, previous = 1, "0" * 64
    for found in connection.execute(sa.select(audit).order_by(audit.c.seq)).mappings():
        row = dict(found)
        if row["seq"] != expected_seq or row["prev_hash"] != previous or row["hash"] != row_hash(row):
            return expected_seq
        expected_seq, previous = expected_seq + 1, row["hash"]
    head = connection.execute(sa.select(audit_head.c.seq, audit_head.c.hash)).one()
    return None if (head.seq, head.hash) == (expected_seq - 1, previous) else expected_seq
