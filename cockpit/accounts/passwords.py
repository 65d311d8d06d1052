"""Passwords: what is asked of one, and its argon2id hash."""

import hashlib
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from ingest.errors import AlarmError

SHORTEST, LONGEST = 10, 256
# One lane: four would start four threads for each log-in. 19 MiB twice is the least that OWASP recommends for it.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class PasswordUnfit(AlarmError):
    """A password that must not be used; the message says why."""


def require_fit(name: str, password: str) -> None:
    """Refuse a password that is too easy to guess.

    Raises:
        PasswordUnfit: with what is asked of one.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordUnfit(f"a password has {SHORTEST} to {LONGEST} characters, this one has {len(password)}")
    if name.casefold() in password.casefold():
        raise PasswordUnfit("the password holds the user's name")
    if len(set(password)) < 5:
        raise PasswordUnfit("the password has fewer than five different characters")
    try:
        password.encode()
    except UnicodeEncodeError:
        raise PasswordUnfit("the password holds characters that are none") from None


def hashed(password: str) -> str:
    """Return what is kept of a password."""
    return _HASHER.hash(password)


def fits(kept: str | None, password: str) -> bool:
    """Tell whether a password is the one kept; without one to compare it takes as long and is wrong.

    Raises:
        argon2.exceptions.VerificationError: the machine had not the memory to tell; this is no wrong password.
    """
    try:
        given = password.encode()
    except UnicodeEncodeError:
        return False
    try:
        _HASHER.verify(kept or _nobodys(), given)
    except VerifyMismatchError:
        return False
    return kept is not None


def mark(kept: str) -> str:
    """Return the mark by which sessions know that the password is still the one they began with."""
    return hashlib.sha256(kept.encode()).hexdigest()


@cache
def _nobodys() -> str:
    return hashed("nobody's")
