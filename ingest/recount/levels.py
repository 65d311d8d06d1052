"""When a level is entered and left, read from ALARMS §4 once more and shared with nobody who judges by day."""

import msgspec

from devices.kind import Level, Limit


class Flip(msgspec.Struct, array_like=True):
    """A limit on one device: which levels are on, for how long (ms) the turn of each is pending (-1: it is not).

    ``in_doubt``: a bad sample came after the last one that counted.
    """

    on: list[bool]
    pending_ms: list[int]
    last_ms: int = 0
    in_doubt: bool = False

    @property
    def level(self) -> int:
        """Return the worst level that is on."""
        return max((place + 1 for place, on in enumerate(self.on) if on), default=0)

    @property
    def at_rest(self) -> bool:
        """Tell whether nothing is on or about to be."""
        return not any(self.on) and all(pending < 0 for pending in self.pending_ms)


def at_rest(limit: Limit, last_ms: int = 0) -> Flip:
    """Return a limit of which nothing is on."""
    return Flip([False] * len(limit.levels), [-1] * len(limit.levels), last_ms)


def reached(limit: Limit, figure: float) -> int:
    """Return the worst level a figure reaches by itself."""
    return max((level.level for level in limit.levels if _enters(limit, level, figure)), default=0)


def feed(limit: Limit, flip: Flip, figure: float | None, at_ms: int, stale_after_ms: int) -> int:
    """Let one sample count; None is a sample while the limit is not armed.

    Returns:
        The level that a late sample raises although it is over, else 0.
    """
    if flip.last_ms and at_ms < flip.last_ms:
        if figure is None or limit.on_s > 0:
            return 0
        late = reached(limit, figure)
        return late if late > flip.level else 0
    passed_ms = at_ms - flip.last_ms if flip.last_ms else 0
    if flip.in_doubt or passed_ms > stale_after_ms:
        passed_ms = 0
    flip.last_ms, flip.in_doubt = at_ms, False
    for place, level in enumerate(limit.levels):
        on = flip.on[place]
        turns = _leaves(limit, level, figure) if on else figure is not None and _enters(limit, level, figure)
        if not turns:
            flip.pending_ms[place] = -1
            continue
        pending_ms = 0 if flip.pending_ms[place] < 0 else flip.pending_ms[place] + passed_ms
        delay_s = limit.off_s if on else limit.on_s
        if pending_ms >= delay_s * 1000:
            flip.on[place], flip.pending_ms[place] = not on, -1
        else:
            flip.pending_ms[place] = pending_ms
    return 0


def _enters(limit: Limit, level: Level, figure: float) -> bool:
    if limit.sense == "above":
        return figure >= level.value
    if limit.sense == "below":
        return figure <= level.value
    return figure == level.value


def _leaves(limit: Limit, level: Level, figure: float | None) -> bool:
    if figure is None:
        return True
    if limit.sense == "above":
        return figure < level.value - limit.deadband
    if limit.sense == "below":
        return figure > level.value + limit.deadband
    if figure == level.value:
        return False
    return limit.clears is None or figure in limit.clears or any(figure == other.value for other in limit.levels)
