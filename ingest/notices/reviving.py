"""Trying messages again that were given up: a command of an officer, on record."""

from dataclasses import dataclass

import sqlalchemy as sa

from ingest.alarms.acts import Acts
from ingest.alarms.audit import Person
from ingest.alarms.commands.carrying import Command, carry_out
from ingest.alarms.database import AlarmDatabase
from ingest.errors import Refused
from ingest.notices.tables import delivery

ROLES = ("leader", "officer", "engineer", "maintenance")
MOST = 200


@dataclass(frozen=True, slots=True)
class Revival:
    """Try exactly these messages again."""

    keys: tuple[str, ...]
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Revived:
    """Which of them are tried again; the others are no dead letters (any more)."""

    keys: tuple[str, ...]
    by: str
    at_ms: int


def revive(database: AlarmDatabase, wish: Revival, person: Person, now_ms: int) -> Revived:
    """Try messages again that were given up; their day begins anew.

    Raises:
        Refused: with ``why`` one of role, not_found (none of them is a dead letter), key_reused.
        AlarmError: the database could not be written; nothing happened.
    """

    def work(acts: Acts) -> Revived:
        dead = sa.and_(delivery.c.key.in_(wish.keys), delivery.c.dead_at.is_not(None))
        query = sa.select(delivery.c.key).where(dead).order_by(delivery.c.key).with_for_update()
        found = tuple(str(key) for key in acts.connection.execute(query).scalars())
        if not found:
            raise Refused("not_found", "None of these is a message that was given up.", code="no_given_up")
        again = {"dead_at": None, "made_at": now_ms, "due_at": now_ms, "attempts": 0}
        acts.connection.execute(delivery.update().where(delivery.c.key.in_(found)).values(**again))
        for key in found:
            acts.note_other("notice_revived", key)
        return Revived(found, person.user, now_ms)

    command = Command("revive_notices", wish, wish.idempotency_key, ROLES)
    return carry_out(database, command, person, now_ms, work, Revived)
