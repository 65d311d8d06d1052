"""Chance without a memory: what is drawn depends only on the seed and on what it is drawn for."""

import math
from functools import lru_cache
from hashlib import blake2b
from struct import Struct

_SIXTEEN = Struct("<16I")
_SPAN = float(2**32)


def draws(seed: int, *key: object) -> tuple[float, ...]:
    """Return sixteen numbers from 0 to below 1 for a key."""
    digest = blake2b(f"{seed}|{'|'.join(map(str, key))}".encode(), digest_size=64).digest()
    return tuple(number / _SPAN for number in _SIXTEEN.unpack(digest))


def word(seed: int, *key: object) -> str:
    """Return sixteen hexadecimal digits for a key, as hashes and serial numbers have."""
    return blake2b(f"{seed}|{'|'.join(map(str, key))}".encode(), digest_size=8).hexdigest()


@lru_cache(maxsize=65536)
def _knot(seed: int, name: str, index: int) -> float:
    return 2 * draws(seed, name, index)[0] - 1


def wander(seed: int, name: str, at_s: float, period_s: float) -> float:
    """Return a value from −1 to 1 that drifts smoothly, turning about once in a period."""
    index = math.floor(at_s / period_s)
    share = at_s / period_s - index
    eased = share * share * (3 - 2 * share)
    before, after = _knot(seed, name, index), _knot(seed, name, index + 1)
    return before + (after - before) * eased
