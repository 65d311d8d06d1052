"""The desk changes hands: one officer writes what the next has to know, the next one takes it over."""

import secrets
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from ingest.alarms.acts import Acts
from ingest.alarms.audit import Person
from ingest.alarms.commands.carrying import OFFICERS, Command, Done, carry_out
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.shifts import shift_end_ms, shift_start_ms
from ingest.errors import Refused
from ingest.handover.records import facts, handover


@dataclass(frozen=True, slots=True)
class HandingOver:
    """What an officer leaves to the next shift, in words."""

    note: str
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class TakingOver:
    """A note that somebody has read and taken over."""

    handover: str
    idempotency_key: str
    comment: str = ""


def hand_over(database: AlarmDatabase, wish: HandingOver, person: Person, now_ms: int, zone: ZoneInfo) -> Done:
    """Write a note of the running shift, with what is open at this moment."""

    def work(acts: Acts) -> Done:
        if not wish.note.strip():
            raise Refused(
                "not_allowed", "The note is empty; write what the next shift has to know.", code="handover_empty"
            )
        start_ms = shift_start_ms(now_ms, zone)
        row = {
            "id": secrets.token_hex(10),
            "shift_from": start_ms,
            "shift_to": shift_end_ms(now_ms, zone),
            "note": wish.note.strip(),
            "facts": msgspec.json.encode(facts(acts.connection, start_ms, now_ms)).decode(),
            "written_by": acts.actor.user,
            "written_at": now_ms,
            "accepted_by": None,
            "accepted_at": None,
        }
        acts.connection.execute(handover.insert().values(**row))
        acts.note_other("hand_over", str(row["id"]), wish.note)
        return Done("written", person.user, now_ms, pending=row)

    command = Command("hand_over", wish, wish.idempotency_key, OFFICERS)
    return carry_out(database, command, person, now_ms, work, Done)


def take_over(database: AlarmDatabase, wish: TakingOver, person: Person, now_ms: int) -> Done:
    """Take a note over: by another person than its writer, and once."""

    def work(acts: Acts) -> Done:
        query = sa.select(handover).where(handover.c.id == wish.handover).with_for_update()
        found = acts.connection.execute(query).mappings().one_or_none()
        if found is None:
            raise Refused(
                "not_found",
                f"There is no hand-over {wish.handover!r}.",
                code="unknown_handover",
                values={"handover": wish.handover},
            )
        if found["accepted_by"] is not None:
            raise Refused(
                "state",
                f"{found['accepted_by']} has taken this over already.",
                code="handover_taken",
                values={"by": found["accepted_by"]},
            )
        if found["written_by"] == acts.actor.user:
            raise Refused(
                "same_person",
                "This takes two persons: whoever hands over cannot take over.",
                code="two_persons_handover",
            )
        taken = {"accepted_by": acts.actor.user, "accepted_at": now_ms}
        acts.connection.execute(handover.update().where(handover.c.id == wish.handover).values(**taken))
        acts.note_other("take_over", wish.handover)
        return Done("taken", person.user, now_ms, pending={**found, **taken})

    command = Command("take_over", wish, wish.idempotency_key, OFFICERS, comment=wish.comment)
    return carry_out(database, command, person, now_ms, work, Done)
