"""Who is at the keyboard: users, log-in and sessions, kept on the server so that one can be ended at once."""

import secrets
from collections import deque
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

COOKIE = "citydeck_session"
SESSION_S = 12 * 3600
_TRIES = 5
_TRY_WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class User:
    """A person and the roles they hold (CONTRACTS, Roles)."""

    name: str
    roles: tuple[str, ...]


DEMO_USERS: tuple[User, ...] = (
    User("viewer", ("viewer",)),
    User("officer", ("officer",)),
    User("officer2", ("officer", "handler")),
    User("leader", ("leader", "dispatcher", "verifier", "director")),
    User("engineer", ("engineer", "maintenance")),
)


@dataclass(slots=True)
class _Session:
    user: User
    until_s: float


@dataclass(slots=True)
class Sessions:
    """Users of one cockpit and who of them is logged in. Every call takes ``now_s``, epoch seconds."""

    password: str
    users: dict[str, User] = field(default_factory=lambda: {user.name: user for user in DEMO_USERS})
    _hash: str = ""
    _hasher: PasswordHasher = field(default_factory=PasswordHasher)
    _sessions: dict[str, _Session] = field(default_factory=dict)
    _failures: dict[str, deque[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Keep the hash of the password, not the password."""
        self._hash = self._hasher.hash(self.password)
        self.password = ""

    def too_many(self, key: str, now_s: float) -> bool:
        """Tell whether this user or address has failed too often in the last minute."""
        failures = self._failures.get(key)
        while failures and failures[0] < now_s - _TRY_WINDOW_S:
            failures.popleft()
        return failures is not None and len(failures) >= _TRIES

    def log_in(self, name: str, password: str, key: str, now_s: float) -> str | None:
        """Return the token of a new session, or None when user or password is wrong (counted under ``key``)."""
        try:
            # Verified for unknown users too, so that the time taken does not tell which names exist.
            self._hasher.verify(self._hash, password)
            user = self.users.get(name)
        except (VerificationError, UnicodeError):
            user = None
        if user is None:
            self._failures.setdefault(key, deque(maxlen=_TRIES)).append(now_s)
            return None
        self._failures.pop(key, None)
        self._sessions = {token: s for token, s in self._sessions.items() if s.until_s > now_s}
        token = secrets.token_urlsafe(32)
        self._sessions[token] = _Session(user, now_s + SESSION_S)
        return token

    def user_of(self, token: str | None, now_s: float) -> User | None:
        """Return who a token belongs to, or None when it is unknown, ended or too old."""
        session = self._sessions.get(token) if token else None
        return session.user if session is not None and session.until_s > now_s else None

    def log_out(self, token: str | None) -> None:
        """End a session."""
        self._sessions.pop(token or "", None)
