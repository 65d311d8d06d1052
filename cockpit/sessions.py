"""Who is at the keyboard: log-in and sessions, kept in the alarm database, so that they outlive a restart.

Within two seconds every cockpit on the database knows that a session began or ended, a user was disabled or a screen
revoked. While the database is away what was read last stands, and sessions still grow old.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Mapping

import sqlalchemy as sa
from argon2.exceptions import VerificationError

from cockpit.accounts import passwords, picture, tokens, users
from cockpit.accounts.picture import IDLE_MS, LONGEST_MS, Picture, Session, User
from cockpit.accounts.tables import login_session, screen
from cockpit.accounts.users import Account
from ingest.alarms.audit import Actor, AuditWriter
from ingest.alarms.database import AlarmDatabase
from ingest.errors import AlarmError

__all__ = ["COOKIE", "LOOK_S", "SCREEN_COOKIE", "SESSION_S", "Sessions", "User"]

log = logging.getLogger(__name__)

COOKIE = "citydeck_session"
SCREEN_COOKIE = "citydeck_screen"
SESSION_S = LONGEST_MS // 1_000
LOOK_S = 2.0
# How exactly the database knows when a session was used last.
_NOTED_MS = 300_000
# Further looks between two regular ones: strangers with made-up tokens cause no more.
_UNKNOWN_KEPT = 20


class Sessions:
    """Who may come in, and who is in. Calls that write or read the database block; let a thread do them."""

    def __init__(self, database: AlarmDatabase, demo: Mapping[str, Account]) -> None:
        """Keep where users are, and the demo's own, of which a real site has none."""
        self._database = database
        self._demo = demo
        self._picture = Picture(demo, {}, {})
        self._seen: dict[str, int] = {}
        self._unknown: dict[str, int] = {}
        # A picture that was read before a session began must not replace one that shows it.
        self._turn = threading.Lock()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.look, time.time_ns() // 1_000_000)
            except AlarmError as error:
                log.debug("%s", error)
            await asyncio.sleep(LOOK_S)

    def look(self, now_ms: int) -> None:
        """Read who may come in, and note which sessions were used.

        Raises:
            AlarmError: the database does not answer.
        """
        with self._turn:
            with self._database.read() as connection:
                self._picture = picture.read(connection, self._demo)
            self._unknown.clear()
            self._note_seen(now_ms)

    def user_of(self, token: str | None, now_ms: int) -> User | None:
        """Return whose session a token is, as far as is known; that keeps it from growing idle."""
        if token is None:
            return None
        digest = tokens.digest(token)
        user = self._picture.user(digest, self._seen.get(digest, 0), now_ms)
        if user is not None:
            self._seen[digest] = now_ms
        return user

    def screen_of(self, token: str | None, now_ms: int) -> User | None:
        """Return which screen a token is of, as far as is known."""
        if token is None:
            return None
        digest = tokens.digest(token)
        found = self._picture.screen(digest)
        if found is not None:
            self._seen[digest] = now_ms
        return found

    def unheard_of(self, token: str | None, now_ms: int) -> bool:
        """Tell whether a token may be one that another cockpit gave since the last look: worth one look more."""
        if not tokens.plausible(token):
            return False
        digest = tokens.digest(str(token))
        known = digest in self._picture.sessions or digest in self._picture.screens or digest in self._unknown
        if not known and len(self._unknown) < _UNKNOWN_KEPT:
            self._unknown[digest] = now_ms
            return True
        return False

    def log_in(self, name: str, password: str, address: str, now_ms: int) -> str | None:
        """Return the token of a new session, or None when user or password is wrong; both are on record.

        Raises:
            AlarmError: the database or this machine cannot tell now.
        """
        with self._database.read() as connection:
            account = self._account(connection, name)
        try:
            right = passwords.fits(account.password if account else None, password)
        except VerificationError as error:
            raise AlarmError(f"the password could not be checked: {error}") from error
        if account is None or not right or account.disabled_at is not None:
            # What is typed for a name is now and then a password: an unknown one is not written down.
            actor = Actor(account.name if account else "unknown", "", address)
            reason = "" if account is None or account.disabled_at is None else "disabled"
            with self._database.write() as connection:
                _note(AuditWriter(connection), actor, "log_in_refused", now_ms, reason)
            return None
        return self.begin(account, address, now_ms)

    def begin(self, account: Account, address: str, now_ms: int) -> str | None:
        """Begin a session for somebody whose identity is proved, and return its token.

        This is the one door: who they are was proved by a password here; an outside identity (OIDC) would be mapped to
        an account by name and enter here too. None when the account was disabled or given another password meanwhile.

        Raises:
            AlarmError: the database does not answer.
        """
        token = tokens.new_token()
        digest = tokens.digest(token)
        with self._turn:
            with self._database.write() as connection:
                chain = AuditWriter(connection)
                now = self._account(connection, account.name)
                if now is None or now.disabled_at is not None or now.mark != account.mark:
                    return None
                over = (login_session.c.begun_at <= now_ms - LONGEST_MS) | (login_session.c.seen_at <= now_ms - IDLE_MS)
                connection.execute(login_session.delete().where(over))
                row = {
                    "token": digest, "account": now.name, "mark": now.mark, "address": address[:64],
                    "begun_at": now_ms, "seen_at": now_ms,
                }  # fmt: skip
                connection.execute(login_session.insert(), row)
                _note(chain, Actor(now.name, " ".join(now.roles[:1]), address), "log_in", now_ms)
            known = self._picture
            session = Session(now.name, now.mark, now_ms, now_ms)
            self._picture = Picture(
                {**known.accounts, now.name: now}, {**known.sessions, digest: session}, known.screens
            )
        return token

    def log_out(self, token: str, user: User, address: str, now_ms: int) -> None:
        """End a session.

        Raises:
            AlarmError: the database does not answer; the session goes on.
        """
        digest = tokens.digest(token)
        with self._turn:
            with self._database.write() as connection:
                chain = AuditWriter(connection)
                connection.execute(login_session.delete().where(login_session.c.token == digest))
                _note(chain, Actor(user.name, " ".join(user.roles[:1]), address), "log_out", now_ms)
            known = self._picture
            left = {key: session for key, session in known.sessions.items() if key != digest}
            self._picture = Picture(known.accounts, left, known.screens)

    def note_refused_write(self, user: User, address: str, what: str, now_ms: int) -> None:
        """Put on record that a screen tried to write.

        Raises:
            AlarmError: the database does not answer.
        """
        with self._database.write() as connection:
            chain = AuditWriter(connection)
            _note(chain, Actor(user.name, "viewer", address), "write_refused", now_ms, subject=what[:300])

    def _account(self, connection: sa.Connection, name: str) -> Account | None:
        return users.one(connection, name) or self._demo.get(name)

    def _note_seen(self, now_ms: int) -> None:
        """Write down what was used, seldom enough that a page's requests cost no write each."""
        known = self._picture
        due: list[tuple[sa.Table, str, int]] = []
        for digest, seen in list(self._seen.items()):
            session, of_screen = known.sessions.get(digest), known.screens.get(digest)
            noted = session.seen_at if session else of_screen.seen_at or 0 if of_screen else None
            if noted is None or now_ms - seen > IDLE_MS:
                self._seen.pop(digest, None)
            elif seen - noted >= _NOTED_MS:
                due.append((login_session if session else screen, digest, seen))
        if due:
            with self._database.write() as connection:
                for table, digest, seen in due:
                    connection.execute(table.update().where(table.c.token == digest).values(seen_at=seen))


def _note(chain: AuditWriter, actor: Actor, action: str, now_ms: int, reason: str = "", subject: str = "") -> None:
    found = Actor(actor.user[:64], actor.role, actor.address[:64])
    chain.add_other(at_ms=now_ms, position=0, actor=found, action=action, subject=subject, reason=reason)
    chain.finish()
