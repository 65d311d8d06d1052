"""What of the happenings must stand on record: the occurrences they make, with what people did in between.

The facts of ALARMS §2 and nothing else: an alarm point has an open occurrence or none; a happening opens one, changes
it, or says nothing new. Who acknowledged and reset comes from the command log.
"""

from typing import NamedTuple

import msgspec

from ingest.alarms.occurrences import point_name
from ingest.alarms.own_kind import WATCHDOG
from ingest.recount.state import Happening


class Standing(msgspec.Struct):
    """The facts of an open occurrence."""

    active: bool
    acked: bool
    latched: bool
    level: int
    level_acked: int
    peak: int


class Deed(NamedTuple):
    """What was done about an alarm point behind a record: ``acked``, ``announced`` again, or ``reset``."""

    seq: int
    position: int
    point: str
    what: str


class Entry(NamedTuple):
    """A line of the record: at which position what was written of which alarm point.

    ``raised_at`` is the time of the cause where an occurrence is born, else None.
    """

    position: int
    point: str
    what: str
    level: int
    now_ms: int
    raised_at: int | None


class Expected:
    """The record as it must be."""

    def __init__(self, standing: dict[str, Standing], passed: set[str] | None = None) -> None:
        """Begin with what is open, and with the passages that stand on record."""
        self.standing = standing
        self._passed = passed if passed is not None else set()

    def happened(self, happening: Happening) -> Entry | None:
        """Return what must be written of a happening, None when nothing is."""
        point = point_name(happening.point)
        now = self.standing.get(point)
        if happening.what == "return":
            if now is None or not now.active:
                return None
            now.active, now.level = False, 0
            self._close(point, now)
            return _entry(happening, point, 0)
        if happening.what == "passage":
            # One vehicle is one alarm, however often its record comes.
            if point in self._passed:
                return None
            self._passed.add(point)
        if now is None:
            active, level = happening.what in ("raise", "change"), happening.level
            if happening.rule != WATCHDOG:
                # That one has shown that the path is whole, and is closed as it is born.
                self.standing[point] = Standing(active, False, happening.latch, level, 0, level)
            return _entry(happening, point, level, born=True)
        if happening.what in ("passage", "late"):
            if happening.level <= now.peak:
                return None
            now.peak, now.acked = happening.level, False
            return _entry(happening, point, now.level)
        if not now.active:
            now.active, now.acked, now.level_acked = True, False, 0
        elif happening.level > now.level_acked:
            now.acked = False
        now.level, now.peak = happening.level, max(now.peak, happening.level)
        return _entry(happening, point, happening.level)

    def done(self, deed: Deed) -> None:
        """Take in what was done."""
        now = self.standing.get(deed.point)
        if now is None:
            return
        if deed.what == "announced":
            now.acked = False
        elif deed.what == "acked":
            now.acked, now.level_acked = True, max(now.level, now.level_acked)
        else:
            now.latched = False
        self._close(deed.point, now)

    def _close(self, point: str, now: Standing) -> None:
        if now.acked and not now.active and not now.latched:
            del self.standing[point]


def _entry(happening: Happening, point: str, level: int, born: bool = False) -> Entry:
    raised_at = happening.at_ms if born else None
    return Entry(happening.position, point, happening.what, level, happening.now_ms, raised_at)
