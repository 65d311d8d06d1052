"""Rows of cases inside one write transaction: reading them under a lock, changing them, and noting it in the audit."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec
import sqlalchemy as sa

from devices.site import Site
from ingest.alarms.audit import SYSTEM, Actor, AuditWriter
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.outbox import announcement, mark_row
from ingest.alarms.tables import reply
from ingest.cases.clock import Mark, fallen_due
from ingest.cases.limits import Limits, load_limits
from ingest.cases.tables import cases, evidence
from ingest.errors import AlarmError, Refused

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CaseRules:
    """What cases go by at a site: its places and units, and the table of sub-classes."""

    site: Site
    limits: Limits = field(default_factory=load_limits)


@dataclass(frozen=True, slots=True)
class Picture:
    """A piece of evidence: a picture's reference, and for a drone's finding the route, class and confidence (0…1)."""

    reference: str
    route: str = ""
    finding: str = ""
    confidence: float | None = None


class Ledger:
    """Cases within one write transaction. The audit's head is locked from the beginning: acts never overtake."""

    def __init__(self, connection: sa.Connection, chain: AuditWriter) -> None:
        self.connection = connection
        self.chain = chain

    def locked(self, case: str) -> Row:
        """Return a case, locked until the transaction ends.

        Raises:
            Refused: not_found.
        """
        query = sa.select(cases).where(cases.c.id == case).with_for_update()
        found = self.connection.execute(query).mappings().one_or_none()
        if found is None:
            raise Refused("not_found", f"There is no case {case}.", code="unknown_case", values={"case": case})
        return dict(found)

    def settle(self, row: Row, now_ms: int) -> tuple[Row, list[Mark]]:
        """Write the marks that have fallen due and return the case as it then is, and which they were."""
        fallen = fallen_due(row, now_ms)
        for mark, written in fallen.items():
            row = self.change(row, written, mark, SYSTEM, now_ms)
            self.connection.execute(announcement.insert().values(**mark_row(row, mark, now_ms)))
        return row, list(fallen)

    def born(
        self, row: Row, action: str, actor: Actor, now_ms: int, *, key: str | None = None, comment: str = ""
    ) -> None:
        """Write a new case."""
        self.connection.execute(cases.insert().values(**row))
        self.chain.add_case(
            at_ms=now_ms, actor=actor, action=action, before=None, after=row, comment=comment, idempotency_key=key
        )

    def change(
        self,
        before: Row,
        changes: Row,
        action: str,
        actor: Actor,
        now_ms: int,
        *,
        key: str | None = None,
        reason: str = "",
        comment: str = "",
    ) -> Row:
        """Change columns of a case, with its audit row, and return it as it then is; without changes only note."""
        after = before
        if changes:
            after = {**before, **changes, "version": before["version"] + 1}
            result = self.connection.execute(
                cases.update()
                .where(cases.c.id == before["id"], cases.c.version == before["version"])
                .values(**changes, version=after["version"])
            )
            if result.rowcount != 1:
                raise AlarmError(f"case {before['id']} changed under the writer")
        self.chain.add_case(
            at_ms=now_ms,
            actor=actor,
            action=action,
            before=before,
            after=after,
            reason=reason,
            comment=comment,
            idempotency_key=key,
        )
        return after

    def attach(self, case: str, pictures: Iterable[Picture], act: str, by: str, now_ms: int) -> None:
        """Add pictures to a case."""
        query = sa.select(sa.func.max(evidence.c.number)).where(evidence.c.case == case)
        last = int(self.connection.execute(query).scalar() or 0)
        for number, picture in enumerate(pictures, last + 1):
            self.connection.execute(
                evidence.insert().values(
                    case=case,
                    number=number,
                    kind="finding" if picture.finding else "picture",
                    reference=picture.reference,
                    act=act,
                    route=picture.route,
                    finding=picture.finding,
                    confidence=picture.confidence,
                    at=now_ms,
                    by=by,
                )
            )

    def earlier_reply(self, key: str, request: str) -> Row | None:
        """Return the case as an earlier, identical request was answered.

        Raises:
            Refused: key_reused, the key belongs to another request.
        """
        found = self.connection.execute(
            sa.select(reply.c.request, reply.c.body).where(reply.c.key == key)
        ).one_or_none()
        if found is None:
            return None
        if found.request != request:
            raise Refused(
                "key_reused", "This idempotency key belongs to another request; send a fresh one.", code="key_reused"
            )
        row: Row = msgspec.json.decode(found.body)
        return row

    def remember(self, key: str, request: str, row: Row, now_ms: int) -> Row:
        """Keep the answer to a request and return it."""
        body = msgspec.json.encode(row).decode()
        self.connection.execute(reply.insert().values(key=key, request=request, body=body, at=now_ms))
        return row


@contextmanager
def ledger(database: AlarmDatabase) -> Iterator[Ledger]:
    """Give the cases within one write transaction.

    A refusal inside does not undo what was written before it: an audit row about the refusal, a mark that fell due.

    Raises:
        Refused: as inside.
        AlarmError: the database could not be written; nothing happened.
    """
    refused: Refused | None = None
    with database.write() as connection:
        chain = AuditWriter(connection)
        try:
            yield Ledger(connection, chain)
        except Refused as error:
            refused = error
        chain.finish()
    if refused is not None:
        raise refused


def fingerprint(what: str, user: str, wish: object) -> str:
    """Return what tells one request from another under the same idempotency key."""
    return f"case {what} {user} {sha256(msgspec.json.encode(wish)).hexdigest()}"
