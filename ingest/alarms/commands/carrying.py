"""How every command is carried out: repeats answered as before, roles checked, refusals on record, one transaction.

A request is told from another one by its idempotency key. The same request again gets the identical reply, also when
that was a refusal on record, and leaves no trace; another request under a used key is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from ingest.alarms.acts import Acts, Row, newest_position
from ingest.alarms.audit import Actor, AuditWriter, Person
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import occurrence, reply
from ingest.errors import Refused, RefusedWhy

OFFICERS = ("leader", "officer")
# Refused for who asks or for what is forbidden: on record. All else is a slip, and the key may be used again.
_ON_RECORD = frozenset({"role", "area", "same_person", "not_allowed"})

Reply = TypeVar("Reply")


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a command: by whom and when (epoch ms), and the occurrence's columns as they are now.

    ``pending`` are the columns of the act that waits for a second person, where one does. ``decision_taken`` tells an
    acknowledge with a decision whether that now stands.
    """

    result: str
    by: str
    at_ms: int
    row: Row | None = None
    pending: Row | None = None
    decision_taken: bool | None = None


class _Refusal(msgspec.Struct, frozen=True):
    refused: RefusedWhy
    sentence: str
    occurrence: str | None = None
    code: str = ""
    values: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Command:
    """A command's name, what is wanted (encodable), its key, and the roles that may, the strongest first."""

    name: str
    wish: Any
    key: str
    roles: Sequence[str]
    occurrence: str | None = None
    comment: str = ""


def carry_out(
    database: AlarmDatabase,
    command: Command,
    person: Person,
    now_ms: int,
    work: Callable[[Acts], Reply],
    reply_type: type[Reply],
) -> Reply:
    """Carry out a command for a person, or answer a repeat of it as before.

    Raises:
        Refused: nothing was changed; a refusal for who asks or what is forbidden is on record.
        AlarmError: the database could not be written; nothing happened.
    """
    refused: Refused | None = None
    with database.write() as connection:
        chain = AuditWriter(connection)
        request = _fingerprint(command, person)
        earlier = _earlier(connection, command.key, request)
        if earlier is not None:
            return _answer(earlier, reply_type)
        role = next((role for role in command.roles if role in person.roles), None)
        actor = person.acting(role)
        position = newest_position(connection)
        acts = Acts(connection, chain, actor, now_ms, position, command.key, command.comment, person.area)
        body: Any = None
        place = chain.place()
        try:
            # What a refused command had begun is undone; the word about its refusal is not.
            with connection.begin_nested():
                _check_role(actor, role, command.roles)
                _check_area(acts, command)
                done = body = work(acts)
        except Refused as error:
            refused = error
            chain.back_to(place)
            if error.why in _ON_RECORD:
                _note_refusal(acts, command, error)
                body = _Refusal(error.why, str(error), error.occurrence, error.code, error.values)
        if body is not None:
            text = msgspec.json.encode(body).decode()
            connection.execute(reply.insert().values(key=command.key, request=request, body=text, at=now_ms))
        chain.finish()
    if refused is not None:
        raise refused
    return done


def _fingerprint(command: Command, person: Person) -> str:
    digest = sha256(msgspec.json.encode(command.wish)).hexdigest()
    return f"{command.name} {person.user} {digest}"


def _earlier(connection: sa.Connection, key: str, request: str) -> str | None:
    earlier = connection.execute(sa.select(reply.c.request, reply.c.body).where(reply.c.key == key)).one_or_none()
    if earlier is None:
        return None
    if earlier.request != request:
        raise Refused(
            "key_reused", "This idempotency key belongs to another request; send a fresh one.", code="key_reused"
        )
    return str(earlier.body)


def _answer(body: str, reply_type: type[Reply]) -> Reply:
    if body.startswith('{"refused":'):
        refusal = msgspec.json.decode(body, type=_Refusal)
        raise Refused(refusal.refused, refusal.sentence, refusal.occurrence, code=refusal.code, values=refusal.values)
    return msgspec.json.decode(body, type=reply_type)


def refuse_role(
    database: AlarmDatabase,
    command: Command,
    person: Person,
    subject: str,
    now_ms: int,
) -> Refused:
    """Note that somebody without the role asked for a command, and return the refusal.

    ``subject`` is what it was about where that is no alarm.

    Raises:
        AlarmError: the database could not be written.
    """
    with database.write() as connection:
        chain = AuditWriter(connection)
        acts = Acts(connection, chain, person.acting(None), now_ms, newest_position(connection))
        error = _role_missing(command.roles)
        _note_refusal(acts, command, error, subject)
        chain.finish()
    return error


def _check_role(actor: Actor, role: str | None, roles: Sequence[str]) -> None:
    if role is None:
        raise _role_missing(roles)


def _check_area(acts: Acts, command: Command) -> None:
    if command.occurrence is None:
        return
    query = sa.select(occurrence.c.device).where(occurrence.c.id == command.occurrence)
    device = acts.connection.execute(query).scalar()
    if device is not None:
        acts.require_within(device, command.occurrence)


def _role_missing(roles: Sequence[str]) -> Refused:
    return Refused(
        "role",
        f"This takes the role {' or '.join(sorted(roles, reverse=True))}.",
        code="role_missing",
        values={"roles": sorted(roles)},
    )


def _note_refusal(acts: Acts, command: Command, error: Refused, subject: str = "") -> None:
    reason = f"role {acts.actor.role}" if error.why == "role" else str(error)
    action = f"{command.name}_refused"
    found = None
    if command.occurrence is not None:
        query = sa.select(occurrence).where(occurrence.c.id == command.occurrence)
        found = acts.connection.execute(query).mappings().one_or_none()
    if found is None:
        acts.note_other(action, subject, reason)
    else:
        acts.note(dict(found), action, reason)
