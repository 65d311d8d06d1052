"""What an officer decides about an acknowledged alarm: a case, a merge into one, false, observe, a device fault."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import sqlalchemy as sa

from ingest.alarms.acts import Acts
from ingest.alarms.audit import Actor, AuditWriter, Person
from ingest.alarms.commands import verdict
from ingest.alarms.commands.carrying import OFFICERS, Command, Done, carry_out
from ingest.alarms.database import AlarmDatabase
from ingest.errors import Refused

Row = dict[str, Any]
Decision = Literal["case", "merge", "false_alarm", "observe", "device_fault"]
DECISIONS: tuple[Decision, ...] = ("case", "merge", "false_alarm", "observe", "device_fault")
OBSERVE_MOST_S = 30 * 60
_MINUTE_MS = 60_000
# In this time an acknowledged alarm wants a decision, or it is announced again.
DECIDE_WITHIN_MS = {"P1": 15 * _MINUTE_MS, "P2": 15 * _MINUTE_MS, "P3": 120 * _MINUTE_MS}


class CaseDesk(Protocol):
    """Where cases are opened, inside the transaction of the alarm's act and on its audit chain."""

    def register(
        self, connection: sa.Connection, chain: AuditWriter, alarm: Row, actor: Actor, now_ms: int, comment: str
    ) -> str:
        """Register a case about an alarm and return its identifier."""
        ...

    def merge(
        self,
        connection: sa.Connection,
        chain: AuditWriter,
        alarm: Row,
        actor: Actor,
        now_ms: int,
        case: str | None,
        comment: str,
    ) -> str:
        """Link an alarm to an open case (without ``case`` the one at its place) and return its identifier."""
        ...


@dataclass(frozen=True, slots=True)
class Deciding:
    """What is decided about an occurrence; ``observe_s`` and ``case`` belong to observe and merge."""

    occurrence: str
    decision: str
    idempotency_key: str
    comment: str = ""
    observe_s: int | None = None
    case: str | None = None


def decide(database: AlarmDatabase, wish: Deciding, person: Person, now_ms: int, desk: CaseDesk | None = None) -> Done:
    """Decide about an acknowledged alarm; a false one that is urgent waits for a second person (result ``asked``)."""

    def work(acts: Acts) -> Done:
        row = acts.still_open(wish.occurrence)
        if not row["acked"]:
            raise Refused(
                "state", "Acknowledge the alarm first; then it is decided about.", row["id"], code="ack_first"
            )
        columns, waiting = decided(acts, row, wish, desk)
        if not columns:
            return Done("asked", person.user, now_ms, row, waiting)
        return Done("decided", person.user, now_ms, acts.change(row, "decide", columns, wish.decision))

    command = Command("decide", wish, wish.idempotency_key, OFFICERS, wish.occurrence, wish.comment)
    return carry_out(database, command, person, now_ms, work, Done)


def decided(acts: Acts, row: Row, wish: Deciding, desk: CaseDesk | None) -> tuple[Row, Row | None]:
    """Return the columns that a decision changes and, instead of them, the act that waits for a second person.

    Raises:
        Refused: not_allowed, pending, state, or as the desk does.
    """
    kind = wish.decision
    if kind not in DECISIONS:
        raise Refused(
            "not_allowed",
            f"The decision {kind!r} is not one of {', '.join(DECISIONS)}.",
            code="bad_choice",
            values={"value": kind, "expected": ", ".join(DECISIONS), "name": "decision"},
        )
    columns: Row = {
        "decision": kind,
        "decided_at": acts.now_ms,
        "decided_by": acts.actor.user,
        "decision_due_at": None,
        "observed_until": None,
    }
    if kind == "false_alarm":
        waiting = verdict.ask_or_none(acts, row, wish.comment)
        return ({}, waiting) if waiting is not None else ({**columns, **verdict.changes(acts)}, None)
    if kind == "observe":
        seconds = OBSERVE_MOST_S if wish.observe_s is None else wish.observe_s
        if not 0 < seconds <= OBSERVE_MOST_S:
            raise Refused(
                "not_allowed",
                f"An alarm is observed for at most {OBSERVE_MOST_S // 60} minutes.",
                code="observe_most",
                values={"minutes": OBSERVE_MOST_S // 60},
            )
        # Where nothing is active there is nothing to look at again.
        columns["observed_until"] = acts.now_ms + seconds * 1000 if row["active"] else None
    if kind in ("case", "merge"):
        columns["case"] = _case(acts, row, wish, desk)
    return columns, None


def due_at(row: Row, now_ms: int) -> int | None:
    """Return until when an alarm that is acknowledged now wants a decision, None where it wants none."""
    within_ms = DECIDE_WITHIN_MS.get(row["priority"])
    return now_ms + within_ms if within_ms is not None and row["active"] and row["decision"] is None else None


def _case(acts: Acts, row: Row, wish: Deciding, desk: CaseDesk | None) -> str:
    if desk is None:
        raise Refused("not_allowed", "This cockpit keeps no cases.", code="no_cases")
    if row["case"] is not None:
        raise Refused(
            "state",
            f"The alarm belongs to case {row['case']} already.",
            row["id"],
            row["case"],
            code="alarm_has_case",
            values={"case": row["case"]},
        )
    if wish.decision == "case":
        return desk.register(acts.connection, acts.chain, row, acts.actor, acts.now_ms, wish.comment)
    return desk.merge(acts.connection, acts.chain, row, acts.actor, acts.now_ms, wish.case, wish.comment)
