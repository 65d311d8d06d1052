"""Out of service: a device or alarm point hidden for planned work, with a permit, until an instant, by two persons."""

from dataclasses import dataclass
from typing import Literal

import msgspec
import sqlalchemy as sa

from ingest.alarms.acts import Acts, Row
from ingest.alarms.audit import Person
from ingest.alarms.commands import joint
from ingest.alarms.commands.carrying import Command, Done, carry_out
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.suppressions import OUT_OF_SERVICE_MOST_MS, Hiding, Standing, begin, end
from ingest.alarms.tables import suppression
from ingest.errors import Refused

ASKERS = ("maintenance",)
_ENDERS = {"out_of_service": ("leader", "maintenance"), "shelved": ("leader", "officer")}
ENDERS = tuple(sorted({role for roles in _ENDERS.values() for role in roles}))


@dataclass(frozen=True, slots=True)
class OutOfService:
    """Take a device, or one alarm point, out of service until an instant (epoch ms)."""

    scope: Literal["device", "point"]
    subject: str
    permit: str
    reason: str
    until: int
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Ending:
    """End a suppression before its time."""

    suppression: str
    idempotency_key: str
    reason: str = ""


def ask(database: AlarmDatabase, wish: OutOfService, person: Person, now_ms: int) -> Done:
    """Ask for it (maintenance); a leader, another person, has to agree (result ``asked``)."""

    def work(acts: Acts) -> Done:
        acts.require_within(_device_of(wish.subject))
        _check(wish, now_ms)
        row = joint.ask(acts, "out_of_service", _subject(wish), wish.reason, body=wish)
        return Done("asked", person.user, now_ms, None, row)

    command = Command("out_of_service", wish, wish.idempotency_key, ASKERS)
    return carry_out(database, command, person, now_ms, work, Done)


def device_of(asked: Row) -> str:
    """Return the device that shall go out of service, with all of it or with one alarm point."""
    return _device_of(msgspec.json.decode(asked["body"], type=OutOfService).subject)


def perform(acts: Acts, asked: Row) -> Row:
    """Take out of service what was asked for, and return the suppression."""
    wish = msgspec.json.decode(asked["body"], type=OutOfService)
    _check(wish, acts.now_ms)
    hiding = Hiding(
        "out_of_service",
        wish.scope,
        wish.subject,
        wish.until,
        asked["asked_by"],
        wish.reason,
        approved_by=acts.actor.user,
        permit=wish.permit,
    )
    return begin(acts, Standing(acts.connection), hiding, "out_of_service")


def end_early(database: AlarmDatabase, wish: Ending, person: Person, now_ms: int) -> Done:
    """End a shelf or an out-of-service before its time; the safe way, so one person is enough."""
    with database.read() as connection:
        kind = connection.execute(sa.select(suppression.c.kind).where(suppression.c.id == wish.suppression)).scalar()
    if kind is None:
        raise Refused(
            "not_found",
            f"There is no suppression {wish.suppression}.",
            code="unknown_suppression",
            values={"suppression": wish.suppression},
        )

    def work(acts: Acts) -> Done:
        query = sa.select(suppression).where(suppression.c.id == wish.suppression).with_for_update()
        row = dict(acts.connection.execute(query).mappings().one())
        acts.require_within(_device_of(row["subject"]))
        if row["ended_at"] is not None:
            raise Refused(
                "state",
                f"It ended already, by {row['ended_by']}: {row['ended_reason']}.",
                code="suppression_ended",
                values={"by": row["ended_by"]},
            )
        action = "unshelve" if row["kind"] == "shelved" else "out_of_service_ended"
        end(acts, Standing(acts.connection), row, action, wish.reason)
        return Done("ended", person.user, now_ms)

    command = Command("end_suppression", wish, wish.idempotency_key, _ENDERS[kind])
    return carry_out(database, command, person, now_ms, work, Done)


def _check(wish: OutOfService, now_ms: int) -> None:
    if not wish.permit.strip() or not wish.reason.strip():
        raise Refused(
            "not_allowed", "Taking out of service needs the number of the permit and a reason.", code="permit_missing"
        )
    if not now_ms < wish.until <= now_ms + OUT_OF_SERVICE_MOST_MS:
        days = OUT_OF_SERVICE_MOST_MS // 86_400_000
        raise Refused(
            "not_allowed",
            f"until: expected an instant from now on, at most {days} days ahead.",
            code="service_until",
            values={"days": days},
        )


def _device_of(subject: str) -> str:
    return subject.partition("/")[0]


def _subject(wish: OutOfService) -> str:
    return f"{wish.scope} {wish.subject}"[:300]
