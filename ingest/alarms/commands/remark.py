"""A comment on an alarm: added to its history, never changed."""

from dataclasses import dataclass

from ingest.alarms.acts import Acts
from ingest.alarms.audit import Person
from ingest.alarms.commands.carrying import OFFICERS, Command, Done, carry_out
from ingest.alarms.database import AlarmDatabase
from ingest.errors import Refused


@dataclass(frozen=True, slots=True)
class Remark:
    """What somebody has to say about an occurrence."""

    occurrence: str
    comment: str
    idempotency_key: str


def remark(database: AlarmDatabase, wish: Remark, person: Person, now_ms: int) -> Done:
    """Add a comment to an open alarm."""

    def work(acts: Acts) -> Done:
        row = acts.still_open(wish.occurrence)
        if not wish.comment.strip():
            raise Refused("not_allowed", "The comment is empty.", code="comment_empty")
        acts.note(row, "comment")
        return Done("commented", person.user, now_ms, row)

    command = Command("comment", wish, wish.idempotency_key, OFFICERS, wish.occurrence, wish.comment)
    return carry_out(database, command, person, now_ms, work, Done)
