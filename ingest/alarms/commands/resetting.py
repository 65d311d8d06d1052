"""The reset of a latched alarm. It closes our record only; the field device is reset by hand, where it stands."""

from dataclasses import dataclass

from ingest.alarms.acts import Acts, Row
from ingest.alarms.audit import Person
from ingest.alarms.commands import joint
from ingest.alarms.commands.carrying import OFFICERS, Command, Done, carry_out
from ingest.alarms.commands.shelving import is_high_gas
from ingest.alarms.database import AlarmDatabase
from ingest.errors import Refused


@dataclass(frozen=True, slots=True)
class Reset:
    """Close this latched alarm, because."""

    occurrence: str
    reason: str
    idempotency_key: str


def reset(database: AlarmDatabase, wish: Reset, person: Person, now_ms: int) -> Done:
    """Reset a latched alarm: officers level 1, leaders level 2; gas at level 2 asks a second one (``asked``)."""

    def work(acts: Acts) -> Done:
        row = acts.still_open(wish.occurrence)
        if not wish.reason.strip():
            raise Refused("not_allowed", "Say why: a reset needs a reason.", row["id"], code="reason_missing")
        check(row)
        if is_high_gas(row):
            return Done("asked", person.user, now_ms, row, joint.ask(acts, "reset", row["point"], wish.reason, row))
        if row["level_peak"] >= 2 and acts.actor.role != "leader":
            raise Refused(
                "role", "Resetting an alarm of level 2 takes the role leader.", row["id"], code="leader_resets"
            )
        return Done("reset", person.user, now_ms, perform(acts, row, wish.reason))

    command = Command("reset", wish, wish.idempotency_key, OFFICERS, wish.occurrence)
    return carry_out(database, command, person, now_ms, work, Done)


def check(row: Row) -> None:
    """Refuse to reset what is not over, not seen, not latched or not known for sure.

    Raises:
        Refused: state.
    """
    faults = [
        (row["active"], "reset_active", "is still active"),
        (not row["acked"], "reset_unacked", "is not acknowledged"),
        (not row["latched"], "reset_unlatched", "is not latched"),
        (
            row["quality"] != "good",
            "reset_unsure",
            f"has readings of quality {row['quality']}: nobody knows whether it is over",
        ),
    ]
    for fault, code, wrong in faults:
        if fault:
            raise Refused("state", f"This alarm {wrong}; it cannot be reset.", row["id"], code=code)


def perform(acts: Acts, row: Row, reason: str) -> Row:
    """Write the reset, which closes the alarm."""
    changes = {"reset_at": acts.now_ms, "reset_by": acts.actor.user, "closed_at": acts.now_ms}
    return acts.change(row, "reset", changes, reason)
