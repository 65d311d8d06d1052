"""Tokens: made up here, known to their bearer alone, kept as digests."""

import hashlib
import secrets

SCREEN = "screen-"
_LONGEST = 100


def new_token(prefix: str = "") -> str:
    """Return a token of 256 bits that nobody can guess."""
    return prefix + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return what is kept of a token; it has too many bits for a slow hash to be of use."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def plausible(token: str | None) -> bool:
    """Tell whether a text may be a token at all."""
    return token is not None and 40 <= len(token) <= _LONGEST and token.isascii()
