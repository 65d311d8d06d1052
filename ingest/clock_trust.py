"""Whether the machine's clock may be believed where that cannot be undone: when something is removed for its age."""

import logging

log = logging.getLogger(__name__)

_LEAP_MS = 3_600_000
_DAY_MS = 86_400_000


class ClockTrust:
    """Compares the clock with the time that passes: a leap ahead is believed a day later, if nobody takes it back."""

    def __init__(self, known_ms: int) -> None:
        """Begin; ``known_ms`` is the newest instant on record (0: there is none), before which it cannot be now."""
        self._known_ms = known_ms
        self._before: tuple[int, int] | None = None
        self._leapt_at_ms: int | None = None

    def look(self, now_ms: int, steady_ms: int) -> bool:
        """Return whether to believe ``now_ms``, the clock; ``steady_ms`` counts on evenly from anywhere."""
        if self._before is None:
            # Switched off for a day or ahead by one: nobody can tell, and to wait a day costs little.
            ahead_ms = now_ms - self._known_ms - _DAY_MS if self._known_ms else 0
        else:
            ahead_ms = (now_ms - self._before[0]) - (steady_ms - self._before[1])
        self._before = now_ms, steady_ms
        if ahead_ms >= _LEAP_MS:
            self._leapt_at_ms = steady_ms
            log.warning("the clock of this machine leapt ahead; nothing is removed for its age until a day has passed")
        elif ahead_ms <= -_LEAP_MS or (self._leapt_at_ms is not None and steady_ms - self._leapt_at_ms >= _DAY_MS):
            self._leapt_at_ms = None
        return self._leapt_at_ms is None
