"""The exact acknowledge of ALARMS §3: never the wrong occurrence, never a level nobody saw, never twice."""

from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from ingest.alarms.acts import Acts, Row
from ingest.alarms.audit import Person
from ingest.alarms.commands.carrying import OFFICERS, Command, Done, carry_out
from ingest.alarms.commands.deciding import CaseDesk, Deciding, decided, due_at
from ingest.alarms.commands.verdict import takes_two
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import audit, occurrence
from ingest.errors import Refused

BULK_MOST = 50


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What an officer asks for: this occurrence, as bad as it was displayed, and perhaps what is decided about it."""

    occurrence: str
    seen_level: int
    idempotency_key: str
    decision: str | None = None
    comment: str = ""
    observe_s: int | None = None
    case: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One line of a list that is acknowledged at once."""

    occurrence: str
    seen_level: int


@dataclass(frozen=True, slots=True)
class ListAcknowledgement:
    """What an officer asks for: exactly these occurrences, each as bad as it was displayed."""

    items: tuple[Seen, ...]
    idempotency_key: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class ListItem:
    """What became of one line: as for one alone, or why it was refused."""

    occurrence: str
    result: Literal["acked", "already_acked", "refused"]
    by: str | None = None
    at_ms: int | None = None
    row: Row | None = None
    why: str | None = None
    sentence: str | None = None
    code: str | None = None
    values: dict[str, Any] | None = None


def acknowledge(
    database: AlarmDatabase,
    wish: Acknowledgement,
    person: Person,
    now_ms: int,
    desk: CaseDesk | None = None,
    causes: frozenset[str] = frozenset(),
) -> Done:
    """Acknowledge an occurrence for an officer: ``acked``, or ``already_acked`` with who was first and when.

    A decision of an officer who comes later counts where none stands; ``decision_taken`` of the reply says so.
    ``causes`` are the rules that fold alarms of others: with such an alarm those folded under it are acknowledged.

    Raises:
        Refused: with ``why`` one of role, area, not_found, closed, level_changed, level_unknown, key_reused,
            not_allowed, pending, state.
        AlarmError: the database could not be written; nothing happened.
    """
    command = Command("ack", wish, wish.idempotency_key, OFFICERS, wish.occurrence, wish.comment)
    return carry_out(database, command, person, now_ms, lambda acts: _acknowledge(acts, wish, desk, causes), Done)


def acknowledge_list(
    database: AlarmDatabase,
    wish: ListAcknowledgement,
    person: Person,
    now_ms: int,
    causes: frozenset[str] = frozenset(),
) -> list[ListItem]:
    """Acknowledge a list in one transaction, each line for itself; the most urgent (P1) are left out.

    Raises:
        Refused: role, key_reused, not_allowed for a list that is empty, too long or names an alarm twice.
        AlarmError: the database could not be written; nothing happened.
    """

    def work(acts: Acts) -> list[ListItem]:
        names = [item.occurrence for item in wish.items]
        if not 0 < len(names) <= BULK_MOST:
            raise Refused(
                "not_allowed",
                f"A list has 1 to {BULK_MOST} alarms, not {len(names)}.",
                code="list_length",
                values={"most": BULK_MOST, "count": len(names)},
            )
        if len(set(names)) < len(names):
            raise Refused("not_allowed", "The list names an alarm twice.", code="list_twice")
        return [_line(acts, wish, item, causes) for item in wish.items]

    command = Command("ack_list", wish, wish.idempotency_key, OFFICERS, None, wish.comment)
    return carry_out(database, command, person, now_ms, work, list[ListItem])


def _line(acts: Acts, wish: ListAcknowledgement, item: Seen, causes: frozenset[str]) -> ListItem:
    try:
        row = acts.locked(item.occurrence)
        acts.require_within(row["device"], row["id"])
        if row["priority"] == "P1":
            raise Refused(
                "not_allowed", "An alarm of priority P1 is acknowledged by itself, never in a list.", code="p1_alone"
            )
        one = Acknowledgement(item.occurrence, item.seen_level, wish.idempotency_key, comment=wish.comment)
        done = _acknowledge(acts, one, None, causes)
    except Refused as error:
        if error.why == "area":
            acts.note(row, "ack_refused", str(error))
        return ListItem(
            item.occurrence, "refused", why=error.why, sentence=str(error), code=error.code, values=error.values
        )
    result: Literal["acked", "already_acked"] = "acked" if done.result == "acked" else "already_acked"
    return ListItem(item.occurrence, result, done.by, done.at_ms, done.row)


def _acknowledge(acts: Acts, wish: Acknowledgement, desk: CaseDesk | None, causes: frozenset[str]) -> Done:
    before = acts.still_open(wish.occurrence)
    _check_level(before, wish.seen_level)
    if before["acked"]:
        acts.note(before, "co_witness")
        return _decided_late(acts, before, wish, desk)
    changes, waiting = _changes(acts, before, wish, desk)
    after = acts.change(before, "ack", changes, wish.decision or "")
    if before["rule"] in causes:
        # Whoever knows the cause need not answer for each of what hangs on it.
        for member in _folded_under(acts, before):
            acts.change(member, "ack", _acked(acts, member), f"with its cause {before['id']}")
    taken = None if wish.decision is None else waiting is None
    return Done("acked", acts.actor.user, acts.now_ms, after, waiting, taken)


def _decided_late(acts: Acts, before: Row, wish: Acknowledgement, desk: CaseDesk | None) -> Done:
    """Tell who was first; what the later one decides counts where nothing is decided yet."""
    by, at_ms = _standing(acts.connection, before)
    if wish.decision is None:
        return Done("already_acked", by, at_ms, before)
    if before["decision"] is not None:
        return Done("already_acked", by, at_ms, before, decision_taken=False)
    columns, waiting = decided(acts, before, _deciding(wish, wish.decision), desk)
    if not columns:
        return Done("already_acked", by, at_ms, before, waiting, decision_taken=False)
    after = acts.change(before, "decide", columns, wish.decision)
    return Done("already_acked", by, at_ms, after, decision_taken=True)


def _folded_under(acts: Acts, cause: Row) -> list[Row]:
    query = (
        sa.select(occurrence)
        .where(occurrence.c.cause == cause["device"], occurrence.c.closed_at.is_(None), ~occurrence.c.acked)
        .order_by(occurrence.c.id)
        .with_for_update()
    )
    found = [dict(row) for row in acts.connection.execute(query).mappings()]
    return [row for row in found if acts.within(row["device"])]


def _standing(connection: sa.Connection, before: Row) -> tuple[str, int]:
    # The row keeps the very first acknowledgement; after a worse level the one that stands is a later one.
    latest = connection.execute(
        sa.select(audit.c.actor, audit.c.at)
        .where(audit.c.occurrence == before["id"], audit.c.action == "ack")
        .order_by(audit.c.seq.desc())
        .limit(1)
    ).one_or_none()
    return (before["acked_by"], before["acked_at"]) if latest is None else (str(latest.actor), int(latest.at))


def _check_level(before: Row, seen_level: int) -> None:
    if seen_level < before["level_now"]:
        raise Refused(
            "level_changed",
            f"The alarm rose to level {before['level_now']} since you saw level {seen_level}; look again.",
            before["id"],
            code="level_rose",
            values={"level": before["level_now"], "seen": seen_level},
        )
    if seen_level > max(before["level_peak"], before["level_now"]):
        raise Refused(
            "level_unknown",
            f"Level {seen_level} is above the alarm's own level {before['level_now']}.",
            code="level_above",
            values={"seen": seen_level, "level": before["level_now"]},
        )


def _acked(acts: Acts, before: Row) -> Row:
    changes: Row = {"acked": True, "level_acked": max(before["level_now"], before["level_acked"])}
    changes["decision_due_at"] = due_at(before, acts.now_ms)
    if before["acked_by"] is None:
        # The first acknowledgement is kept for ever, also when a worse level asks for another one.
        changes.update(acked_by=acts.actor.user, acked_at=acts.now_ms)
    if not before["active"] and not before["latched"]:
        changes["closed_at"] = acts.now_ms
    return changes


def _changes(acts: Acts, before: Row, wish: Acknowledgement, desk: CaseDesk | None) -> tuple[Row, Row | None]:
    changes = _acked(acts, before)
    if wish.decision is None:
        return changes, None
    closing = "closed_at" in changes
    if closing and wish.decision == "false_alarm" and takes_two(before):
        raise Refused(
            "state",
            "Ask for the verdict first: this acknowledge would close the alarm.",
            before["id"],
            code="verdict_first",
        )
    columns, waiting = decided(acts, before, _deciding(wish, wish.decision), desk)
    return {**changes, **columns}, waiting


def _deciding(wish: Acknowledgement, decision: str) -> Deciding:
    return Deciding(wish.occurrence, decision, "", wish.comment, wish.observe_s, wish.case)
