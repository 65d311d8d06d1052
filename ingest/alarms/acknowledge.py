"""The exact acknowledge of ALARMS §3: never the wrong occurrence, never a level nobody saw, never twice."""

from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from ingest.alarms.audit import Actor, AuditWriter
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.occurrences import row_state
from ingest.alarms.tables import audit, collector, occurrence, reply
from ingest.errors import Refused

ACK_ROLES = frozenset({"officer", "leader"})
DECISIONS = frozenset({"false_alarm", "observe", "device_fault"})


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What an officer asks for: this occurrence, as bad as it was displayed."""

    occurrence: str
    seen_level: int
    idempotency_key: str
    decision: str | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The reply: who acknowledged first and when (epoch ms), and the occurrence's columns as they are now."""

    result: Literal["acked", "already_acked"]
    by: str
    at_ms: int
    row: dict[str, Any]


def acknowledge(database: AlarmDatabase, request: Acknowledgement, actor: Actor, now_ms: int) -> Acknowledged:
    """Acknowledge an occurrence for an officer.

    Raises:
        Refused: with ``why`` one of role, not_found, closed, level_changed, level_unknown, key_reused, not_allowed.
        AlarmError: the database could not be written; nothing happened.
    """
    refused: Refused | None = None
    with database.write() as connection:
        try:
            return _acknowledge(connection, request, actor, now_ms)
        except Refused as error:
            # The refusal's own audit row must be committed, so it leaves the transaction as a value.
            refused = error
    raise refused


def _acknowledge(connection: sa.Connection, request: Acknowledgement, actor: Actor, now_ms: int) -> Acknowledged:
    chain = AuditWriter(connection)
    found = connection.execute(
        sa.select(occurrence).where(occurrence.c.id == request.occurrence).with_for_update()
    ).mappings()
    row = found.one_or_none()
    if row is None:
        raise Refused("not_found", f"There is no alarm {request.occurrence}.")
    before = dict(row)
    position = int(connection.execute(sa.select(sa.func.max(collector.c.position))).scalar() or 0)

    def note(action: str, after: dict[str, Any], reason: str = "") -> None:
        chain.add(
            at_ms=now_ms,
            position=position,
            actor=actor,
            action=action,
            before=before,
            after=after,
            states=(row_state(before), row_state(after)),
            reason=reason,
            comment=request.comment,
            idempotency_key=request.idempotency_key,
        )
        chain.finish()

    if actor.role not in ACK_ROLES:
        note("ack_refused", before, f"role {actor.role}")
        raise Refused("role", "Acknowledging takes the role officer or leader.")
    earlier = _earlier_reply(connection, request, actor)
    if earlier is not None:
        return earlier
    if request.decision is not None and request.decision not in DECISIONS:
        raise Refused("not_allowed", f"The decision {request.decision!r} is not one of {', '.join(sorted(DECISIONS))}.")
    _check(connection, before, request)
    if before["acked"]:
        note("co_witness", before)
        by, at_ms = _standing(connection, before)
        answer = Acknowledged("already_acked", by, at_ms, before)
    else:
        changes = _changes(before, request, actor, now_ms)
        after = {**before, **changes}
        connection.execute(occurrence.update().where(occurrence.c.id == before["id"]).values(**changes))
        note("ack", after)
        answer = Acknowledged("acked", actor.user, now_ms, after)
    body = msgspec.json.encode(answer).decode()
    values = {"key": request.idempotency_key, "request": _fingerprint(request, actor), "body": body, "at": now_ms}
    connection.execute(reply.insert().values(**values))
    return answer


def _earlier_reply(connection: sa.Connection, request: Acknowledgement, actor: Actor) -> Acknowledged | None:
    earlier = connection.execute(
        sa.select(reply.c.request, reply.c.body).where(reply.c.key == request.idempotency_key)
    ).one_or_none()
    if earlier is None:
        return None
    if earlier.request != _fingerprint(request, actor):
        raise Refused("key_reused", "This idempotency key belongs to another request; send a fresh one.")
    return msgspec.json.decode(earlier.body, type=Acknowledged)


def _standing(connection: sa.Connection, before: dict[str, Any]) -> tuple[str, int]:
    # The row keeps the very first acknowledgement; after a worse level the one that stands is a later one.
    latest = connection.execute(
        sa.select(audit.c.actor, audit.c.at)
        .where(audit.c.occurrence == before["id"], audit.c.action == "ack")
        .order_by(audit.c.seq.desc())
        .limit(1)
    ).one_or_none()
    return (before["acked_by"], before["acked_at"]) if latest is None else (str(latest.actor), int(latest.at))


def _fingerprint(request: Acknowledgement, actor: Actor) -> str:
    return f"ack {request.occurrence} {request.seen_level} {actor.user}"


def _check(connection: sa.Connection, before: dict[str, Any], request: Acknowledgement) -> None:
    if before["closed_at"] is not None:
        newer = connection.execute(
            sa.select(occurrence.c.id).where(occurrence.c.point == before["point"], occurrence.c.closed_at.is_(None))
        ).scalar()
        hint = f" A newer one is open: {newer}." if newer else ""
        raise Refused("closed", f"This alarm is closed already; nothing was acknowledged.{hint}", newer)
    if request.seen_level < before["level_now"]:
        raise Refused(
            "level_changed",
            f"The alarm rose to level {before['level_now']} since you saw level {request.seen_level}; look again.",
            before["id"],
        )
    if request.seen_level > max(before["level_peak"], before["level_now"]):
        raise Refused(
            "level_unknown", f"Level {request.seen_level} is above the alarm's own level {before['level_now']}."
        )


def _changes(before: dict[str, Any], request: Acknowledgement, actor: Actor, now_ms: int) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "acked": True,
        "level_acked": max(before["level_now"], before["level_acked"]),
        "version": before["version"] + 1,
    }
    if request.decision is not None:
        changes["decision"] = request.decision
    if before["acked_by"] is None:
        # The first acknowledgement is kept for ever, also when a worse level asks for another one.
        changes.update(acked_by=actor.user, acked_at=now_ms)
    if not before["active"] and not before["latched"]:
        changes["closed_at"] = now_ms
    return changes
