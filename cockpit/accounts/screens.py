"""Screens: a wall display has no person before it, so it brings a token; it may read, and nothing else."""

import re
from dataclasses import dataclass

import sqlalchemy as sa

from cockpit.accounts import tokens
from cockpit.accounts.tables import screen
from ingest.alarms.audit import Actor, AuditWriter
from ingest.alarms.database import AlarmDatabase
from ingest.errors import Refused

_NAME = re.compile(r"\w[\w.-]{0,55}")


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen as kept; ``digest`` is that of its token."""

    name: str
    digest: str
    created_at: int
    created_by: str
    seen_at: int | None
    revoked_at: int | None


def add(database: AlarmDatabase, name: str, actor: Actor, now_ms: int) -> str:
    """Add a screen and return its token, which is told this once.

    Raises:
        Refused: the name will not do, or a screen has it.
    """
    if not _NAME.fullmatch(name):
        raise Refused("unfit", f"{name!r} is no name of a screen: expected letters, digits, dot, dash, at most 56")
    token = tokens.new_token(tokens.SCREEN)
    with database.write() as connection:
        chain = AuditWriter(connection)
        if any(each.name == name and each.revoked_at is None for each in screens(connection)):
            raise Refused("state", f"there is a screen {name!r} already; revoke it first to give it another token")
        row = {
            "token": tokens.digest(token), "name": name, "created_at": now_ms, "created_by": actor.user,
            "seen_at": None, "revoked_at": None,
        }  # fmt: skip
        connection.execute(screen.insert(), row)
        _note(chain, actor, "screen_add", name, now_ms)
    return token


def revoke(database: AlarmDatabase, name: str, actor: Actor, now_ms: int) -> None:
    """End the token of a screen; its open pages are shut within seconds.

    Raises:
        Refused: there is no such screen.
    """
    with database.write() as connection:
        chain = AuditWriter(connection)
        living = (screen.c.name == name) & screen.c.revoked_at.is_(None)
        if connection.execute(screen.update().where(living).values(revoked_at=now_ms)).rowcount == 0:
            raise Refused("not_found", f"there is no screen {name!r}; `citydeck screen list` names them all")
        _note(chain, actor, "screen_revoke", name, now_ms)


def screens(connection: sa.Connection) -> list[Screen]:
    """Return all screens, revoked ones too, the oldest first."""
    rows = connection.execute(sa.select(screen).order_by(screen.c.created_at, screen.c.name))
    return [Screen(row.name, row.token, row.created_at, row.created_by, row.seen_at, row.revoked_at) for row in rows]


def _note(chain: AuditWriter, actor: Actor, action: str, name: str, now_ms: int) -> None:
    chain.add_other(at_ms=now_ms, position=0, actor=actor, action=action, subject=f"screen:{name}")
    chain.finish()
