"""Users: added, disabled, given another password; each is one transaction with its row in the audit."""

import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from cockpit.accounts import passwords
from cockpit.accounts.tables import account, login_session
from ingest.alarms.audit import Actor, AuditWriter
from ingest.alarms.database import AlarmDatabase
from ingest.errors import Refused

ROLES = (
    "viewer", "officer", "leader", "dispatcher", "handler", "verifier", "maintenance", "engineer",
    "director", "auditor",
)  # fmt: skip
_NAME = re.compile(r"\w[\w.-]{0,63}")
_RESERVED = frozenset({"system", "unknown", "nobody"})


@dataclass(frozen=True, slots=True)
class Account:
    """A user as kept; ``password`` is its hash and ``mark`` changes with it.

    ``areas`` are the streets and districts they may act in, empty stands for the whole city.
    """

    name: str
    roles: tuple[str, ...]
    password: str
    mark: str
    disabled_at: int | None = None
    created_at: int = 0
    password_at: int = 0
    areas: tuple[str, ...] = ()


def add(
    database: AlarmDatabase,
    name: str,
    roles: tuple[str, ...],
    password: str,
    actor: Actor,
    now_ms: int,
    areas: tuple[str, ...] = (),
) -> None:
    """Add a user; without ``areas`` (keys of streets and districts) they may act in the whole city.

    Raises:
        Refused: the name, a role or the password will not do, or there is such a user.
    """
    if not _NAME.fullmatch(name) or name.casefold() in _RESERVED:
        raise Refused("unfit", f"{name!r} is no name of a user: expected letters, digits, dot, dash, at most 64")
    wanted = _known(roles)
    passwords.require_fit(name, password)
    kept = passwords.hashed(password)
    with database.write() as connection:
        chain = AuditWriter(connection)
        if any(each.name.casefold() == name.casefold() for each in accounts(connection).values()):
            raise Refused("state", f"there is a user {name!r} already")
        row = {
            "name": name, "roles": " ".join(wanted), "password": kept, "password_at": now_ms,
            "created_at": now_ms, "created_by": actor.user, "disabled_at": None, "areas": ",".join(areas),
        }  # fmt: skip
        connection.execute(account.insert(), row)
        said = " ".join(wanted) + (f" in {', '.join(areas)}" if areas else "")
        _note(chain, actor, "user_add", name, now_ms, reason=said)


def set_password(database: AlarmDatabase, name: str, password: str, actor: Actor, now_ms: int) -> None:
    """Give a user another password; whoever is logged in with the old one is out.

    Raises:
        Refused: there is no such user, or the password will not do.
    """
    passwords.require_fit(name, password)
    kept = passwords.hashed(password)
    with database.write() as connection:
        chain = AuditWriter(connection)
        _change(connection, name, {"password": kept, "password_at": now_ms})
        _note(chain, actor, "user_password", name, now_ms)


def set_roles(database: AlarmDatabase, name: str, roles: tuple[str, ...], actor: Actor, now_ms: int) -> None:
    """Give a user other roles; they count from their next log-in.

    Raises:
        Refused: there is no such user, or no such role.
    """
    wanted = _known(roles)
    with database.write() as connection:
        chain = AuditWriter(connection)
        _change(connection, name, {"roles": " ".join(wanted)})
        _note(chain, actor, "user_roles", name, now_ms, reason=" ".join(wanted))


def set_areas(database: AlarmDatabase, name: str, areas: tuple[str, ...], actor: Actor, now_ms: int) -> None:
    """Let a user act in these streets and districts alone, without any in the whole city; from their next log-in.

    Raises:
        Refused: there is no such user.
    """
    with database.write() as connection:
        chain = AuditWriter(connection)
        _change(connection, name, {"areas": ",".join(areas)})
        _note(chain, actor, "user_areas", name, now_ms, reason=", ".join(areas) or "the whole city")


def disable(database: AlarmDatabase, name: str, actor: Actor, now_ms: int) -> None:
    """Shut a user out, now and until enabled again; the name stays, for the audit.

    Raises:
        Refused: there is no such user.
    """
    with database.write() as connection:
        chain = AuditWriter(connection)
        _change(connection, name, {"disabled_at": now_ms})
        _note(chain, actor, "user_disable", name, now_ms)


def enable(database: AlarmDatabase, name: str, actor: Actor, now_ms: int) -> None:
    """Let a disabled user log in again.

    Raises:
        Refused: there is no such user.
    """
    with database.write() as connection:
        chain = AuditWriter(connection)
        _change(connection, name, {"disabled_at": None})
        _note(chain, actor, "user_enable", name, now_ms)


def accounts(connection: sa.Connection) -> dict[str, Account]:
    """Return all users by name."""
    rows = connection.execute(sa.select(account).order_by(account.c.name)).mappings()
    return {row["name"]: _account(row) for row in rows}


def one(connection: sa.Connection, name: str) -> Account | None:
    """Return a user."""
    row = connection.execute(sa.select(account).where(account.c.name == name)).mappings().first()
    return None if row is None else _account(row)


def _account(row: Any) -> Account:
    return Account(
        row["name"],
        tuple(row["roles"].split()),
        row["password"],
        passwords.mark(row["password"]),
        row["disabled_at"],
        row["created_at"],
        row["password_at"],
        tuple(each for each in row["areas"].split(",") if each),
    )


def _known(roles: tuple[str, ...]) -> list[str]:
    unknown = sorted(set(roles) - set(ROLES))
    if unknown or not roles:
        found = ", ".join(unknown) if unknown else "none"
        raise Refused("unfit", f"roles: found {found}, expected one or more of {', '.join(ROLES)}")
    return [role for role in ROLES if role in roles]


def _change(connection: sa.Connection, name: str, values: dict[str, Any]) -> None:
    """Change a user and end their sessions, which were begun under what was true before."""
    if connection.execute(account.update().where(account.c.name == name).values(**values)).rowcount == 0:
        raise Refused("not_found", f"there is no user {name!r}; `citydeck user list` names them all")
    connection.execute(login_session.delete().where(login_session.c.account == name))


def _note(chain: AuditWriter, actor: Actor, action: str, name: str, now_ms: int, reason: str = "") -> None:
    chain.add_other(at_ms=now_ms, position=0, actor=actor, action=action, subject=f"user:{name}", reason=reason)
    chain.finish()
