"""Who may come in, as it was read last: every request asks this, none asks the database."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from cockpit.accounts.screens import Screen, screens
from cockpit.accounts.tables import login_session
from cockpit.accounts.users import Account, accounts

# A shift and the change of shift; nobody has to log in again in the middle of a night on duty.
LONGEST_MS = 12 * 3_600_000
IDLE_MS = 4 * 3_600_000


@dataclass(frozen=True, slots=True)
class User:
    """Who is asking, with all roles they hold (CONTRACTS, Roles); a screen is no person and may only read.

    ``areas`` are keys of the streets and districts they may act in, empty stands for the whole city.
    """

    name: str
    roles: tuple[str, ...]
    screen: bool = False
    areas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """A session as kept."""

    account: str
    mark: str
    begun_at: int
    seen_at: int


@dataclass(frozen=True, slots=True)
class Picture:
    """Users by name, sessions and screens by the digest of their token."""

    accounts: Mapping[str, Account]
    sessions: Mapping[str, Session]
    screens: Mapping[str, Screen]

    def user(self, digest: str, seen_ms: int, now_ms: int) -> User | None:
        """Return whose a session is, or None when it is over: idle, too old, or begun with another password.

        Args:
            digest: of the token.
            seen_ms: when it was used last, as far as is known here.
            now_ms: the instant.
        """
        session = self.sessions.get(digest)
        if session is None or now_ms >= session.begun_at + LONGEST_MS:
            return None
        if now_ms >= max(session.seen_at, seen_ms) + IDLE_MS:
            return None
        account = self.accounts.get(session.account)
        if account is None or account.disabled_at is not None or account.mark != session.mark:
            return None
        return User(account.name, account.roles, areas=account.areas)

    def screen(self, digest: str) -> User | None:
        """Return which screen a token is of, or None when it is unknown or revoked."""
        found = self.screens.get(digest)
        if found is None or found.revoked_at is not None:
            return None
        return User(f"screen:{found.name}", ("viewer",), screen=True)


def read(connection: sa.Connection, demo: Mapping[str, Account]) -> Picture:
    """Read everything; a user who was added goes before the demo's of the same name."""
    sessions = {
        row.token: Session(row.account, row.mark, row.begun_at, row.seen_at)
        for row in connection.execute(sa.select(login_session))
    }
    known = {each.digest: each for each in screens(connection)}
    return Picture({**demo, **accounts(connection)}, sessions, known)
