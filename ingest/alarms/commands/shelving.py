"""Shelving: an alarm point kept out of sight for a while, by a person, for a reason; and taken down again."""

from dataclasses import dataclass

from ingest.alarms.acts import Acts, Row
from ingest.alarms.audit import Person
from ingest.alarms.commands.carrying import OFFICERS, Command, Done, carry_out
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.suppressions import SHELF_MOST_MS, Hiding, Standing, begin, end
from ingest.errors import Refused

GAS = "gas_alarm"
_LEADERS = ("leader",)
_SHORTEST_MS = 60_000


@dataclass(frozen=True, slots=True)
class Shelving:
    """Hide the alarm point of this occurrence for a while; without a duration as long as it is allowed."""

    occurrence: str
    reason: str
    idempotency_key: str
    duration_s: int | None = None


@dataclass(frozen=True, slots=True)
class Unshelving:
    """Show the alarm point of this occurrence again."""

    occurrence: str
    idempotency_key: str
    reason: str = ""


def shelve(database: AlarmDatabase, wish: Shelving, person: Person, now_ms: int, shift_end: int) -> Done:
    """Shelve the point of an open alarm: never P1, never gas at level 2, at most 8 hours and up to the shift's end.

    Officers shelve P3 and P4, leaders P2, too. ``shift_end`` is epoch ms.
    """

    def work(acts: Acts) -> Done:
        row = acts.still_open(wish.occurrence)
        _check(acts, row, wish)
        standing = Standing(acts.connection)
        # What has returned was as bad as its worst; what is active may have become milder.
        seen = row["level_now"] if row["active"] else row["level_peak"]
        until = _until(wish, now_ms, shift_end)
        begin(acts, standing, Hiding("shelved", "point", row["point"], until, person.user, wish.reason, seen), "shelve")
        return Done("shelved", person.user, now_ms, acts.locked(row["id"]))

    command = Command("shelve", wish, wish.idempotency_key, OFFICERS, wish.occurrence)
    return carry_out(database, command, person, now_ms, work, Done)


def unshelve(database: AlarmDatabase, wish: Unshelving, person: Person, now_ms: int) -> Done:
    """Take an alarm point off the shelf; an alarm of it that is still active is announced again."""

    def work(acts: Acts) -> Done:
        row = acts.locked(wish.occurrence)
        standing = Standing(acts.connection)
        shelf = standing.one("shelved", "point", row["point"])
        if shelf is None:
            raise Refused("state", "This alarm is not shelved.", row["id"], code="not_shelved")
        end(acts, standing, shelf, "unshelve", wish.reason)
        return Done("unshelved", person.user, now_ms, acts.locked(row["id"]))

    command = Command("unshelve", wish, wish.idempotency_key, OFFICERS, wish.occurrence)
    return carry_out(database, command, person, now_ms, work, Done)


def is_high_gas(row: Row) -> bool:
    """Tell whether an alarm is about gas at its second level."""
    level = max(row["level_now"], row["level_peak"])
    return bool(row["kind"] == GAS and row["priority"] != "health" and level >= 2)


def _check(acts: Acts, row: Row, wish: Shelving) -> None:
    if row["priority"] == "P1" or is_high_gas(row):
        raise Refused(
            "not_allowed",
            "An alarm of priority P1 or of gas at level 2 is never shelved.",
            row["id"],
            code="never_shelved",
        )
    if row["priority"] == "P2" and acts.actor.role not in _LEADERS:
        raise Refused(
            "role", "Shelving an alarm of priority P2 takes the role leader.", row["id"], code="leader_shelves"
        )
    if not wish.reason.strip():
        raise Refused("not_allowed", "Say why: shelving needs a reason.", row["id"], code="reason_missing")


def _until(wish: Shelving, now_ms: int, shift_end: int) -> int:
    latest = min(now_ms + SHELF_MOST_MS, shift_end)
    if wish.duration_s is None:
        return latest
    if latest - now_ms < _SHORTEST_MS:
        raise Refused(
            "not_allowed",
            "The shift ends within a minute; the next one shelves anew, with all in sight.",
            code="shift_ending",
        )
    until = now_ms + wish.duration_s * 1000
    if not now_ms + _SHORTEST_MS <= until <= latest:
        minutes = (latest - now_ms) // 60_000
        raise Refused(
            "not_allowed",
            f"Shelving now takes 1 to {minutes} minutes: 8 hours and the shift's end bound it.",
            code="shelve_span",
            values={"minutes": minutes},
        )
    return until
