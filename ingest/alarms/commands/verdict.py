"""The verdict on an alarm: false, with a reason; for the urgent ones (P1, P2) a second person has to agree."""

from dataclasses import dataclass

from ingest.alarms.acts import Acts, Row
from ingest.alarms.audit import Person
from ingest.alarms.commands import joint
from ingest.alarms.commands.carrying import OFFICERS, Command, Done, carry_out
from ingest.alarms.database import AlarmDatabase
from ingest.errors import Refused

FALSE_ALARM = "false_alarm"
_TWO_PERSONS = frozenset({"P1", "P2"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """This alarm was false, because."""

    occurrence: str
    reason: str
    idempotency_key: str


def judge_false(database: AlarmDatabase, wish: Verdict, person: Person, now_ms: int) -> Done:
    """Record that an alarm was false; of the urgent ones ask a second person (result ``asked``)."""

    def work(acts: Acts) -> Done:
        row = acts.still_open(wish.occurrence)
        if row["verdict"] is not None:
            raise Refused(
                "state",
                f"{row['verdict_by']} has judged this alarm already.",
                row["id"],
                code="judged_already",
                values={"by": row["verdict_by"]},
            )
        waiting = ask_or_none(acts, row, wish.reason)
        if waiting is not None:
            return Done("asked", person.user, now_ms, row, waiting)
        return Done(FALSE_ALARM, person.user, now_ms, perform(acts, row, wish.reason))

    command = Command("verdict", wish, wish.idempotency_key, OFFICERS, wish.occurrence)
    return carry_out(database, command, person, now_ms, work, Done)


def ask_or_none(acts: Acts, row: Row, reason: str) -> Row | None:
    """Ask a second person where the alarm is urgent, else return None: one person is enough."""
    check_reason(reason)
    if not takes_two(row):
        return None
    return joint.ask(acts, "verdict", row["point"], reason, row)


def takes_two(row: Row) -> bool:
    """Tell whether a verdict on this alarm takes two persons."""
    return row["priority"] in _TWO_PERSONS


def check_reason(reason: str) -> None:
    """Refuse an empty reason.

    Raises:
        Refused: not_allowed.
    """
    if not reason.strip():
        raise Refused("not_allowed", "Say why: a false alarm needs a reason.", code="reason_missing")


def changes(acts: Acts) -> Row:
    """Return the columns that say so."""
    return {"verdict": FALSE_ALARM, "verdict_by": acts.actor.user, "verdict_at": acts.now_ms}


def perform(acts: Acts, row: Row, reason: str) -> Row:
    """Write the verdict, and with it the decision of an alarm on which there is none."""
    decided: Row = {}
    if row["decision"] is None:
        decided = {"decision": FALSE_ALARM, "decided_at": acts.now_ms, "decided_by": acts.actor.user}
        decided["decision_due_at"] = None
    return acts.change(row, "verdict", {**changes(acts), **decided}, reason)
