"""How often somebody may be wrong: by user and address, by address, and by user.

A whole duty room may sit behind one address, so one person's mistakes hold up that person there and nobody else. The
looser limits, on an address and on a user, are against guessing in breadth; whoever logged in from an address lately
is beyond them, so that a stranger cannot shut out who is on duty.
"""

from collections import deque
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from math import inf

PAIR, ADDRESS, USER = 5, 60, 60
WINDOW_S = 60.0
_TRUSTED_S = 24 * 3600.0
_LISTS_CLEARED_AT = 1_000


@dataclass(slots=True)
class Throttle:
    """Counts failures in memory, for the last minute. Every call takes ``now_s``, epoch seconds."""

    _failures: dict[tuple[str, str], deque[float]] = field(default_factory=dict)
    _trusted: dict[tuple[str, str], float] = field(default_factory=dict)

    def refuses(self, user: str, address: str, now_s: float) -> bool:
        """Tell whether a log-in is not even looked at."""
        user, address = user.casefold(), network(address)
        if self._count((user, address), now_s) >= PAIR:
            return True
        if self._trusted.get((user, address), -inf) > now_s - _TRUSTED_S:
            return False
        return self._count(("", address), now_s) >= ADDRESS or self._count((user, ""), now_s) >= USER

    def failed(self, user: str, address: str, now_s: float) -> None:
        """Count a wrong log-in."""
        user, address = user.casefold(), network(address)
        if len(self._failures) > _LISTS_CLEARED_AT:
            self._failures = {key: times for key, times in self._failures.items() if times[-1] > now_s - WINDOW_S}
        for key in ((user, address), ("", address), (user, "")):
            self._failures.setdefault(key, deque(maxlen=max(PAIR, ADDRESS, USER))).append(now_s)

    def came_in(self, user: str, address: str, now_s: float) -> None:
        """Forgive a user at an address, and trust them there for a day."""
        pair = (user.casefold(), network(address))
        self._failures.pop(pair, None)
        self._trusted = {key: at for key, at in self._trusted.items() if at > now_s - _TRUSTED_S}
        self._trusted[pair] = now_s

    def _count(self, key: tuple[str, str], now_s: float) -> int:
        return sum(at > now_s - WINDOW_S for at in self._failures.get(key, ()))


def network(address: str) -> str:
    """Return what counts as one address: of IPv6 the network of 64 bits, in which anybody has as many as they like."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
    return str(found)
