"""What a recount remembers; plain numbers, so that a night's end can be the next night's beginning."""

from typing import NamedTuple

import msgspec

from devices.kind import Value
from ingest.alarms.revisions.revision import Revision
from ingest.recount.levels import Flip


class Known(NamedTuple):
    """A value and the device time it is of."""

    value: Value
    at_ms: int


class Stays(msgspec.Struct):
    """An open alarm whose rule was changed: by which revision it is judged on, and the changed rule's memory."""

    revision: int
    flip: Flip | None = None


class Heard(msgspec.Struct):
    """A device. ``values`` are the newest by measurement and field, ``flips`` the limits that are not at rest."""

    kind: str
    armed_ms: int
    seen_ms: int = 0
    back_ms: int = 0
    online: bool = False
    silent: bool = False
    ahead: bool = False
    bad: set[str] = set()
    values: dict[str, dict[str, Known]] = {}
    flips: dict[str, Flip] = {}
    windows: dict[str, list[float]] = {}
    dates: dict[str, int] = {}
    stays: dict[str, Stays] = {}

    def newest(self, key: str) -> Known | None:
        """Return the newest of a field, whichever measurement brought it."""
        found: Known | None = None
        for values in self.values.values():
            known = values.get(key)
            if known is not None and (found is None or known.at_ms >= found.at_ms):
                found = known
        return found

    def number(self, key: str) -> float | None:
        """Return the newest number of a field."""
        known = self.newest(key)
        return known.value if known is not None and isinstance(known.value, float) else None


class Gathered(msgspec.Struct):
    """A circuit or street: its limits, its members under an alarm since when, the group alarms that stand."""

    flips: dict[str, Flip] = {}
    members: dict[str, dict[str, int]] = {}
    standing: list[str] = []
    stays: dict[str, Stays] = {}


class Memory(msgspec.Struct):
    """Everything, as it is behind a record of the journal."""

    position: int = 0
    now_ms: int = 0
    listening_ms: int = 0
    armed: bool = False
    devices: dict[str, Heard] = {}
    groups: dict[str, Gathered] = {}
    revision: int = 0
    revisions: dict[int, Revision] = {}


class Judged(NamedTuple):
    """The level before and now, that of a late sample or 0, and whether a changed rule has taken over."""

    before: int
    level: int
    late: int = 0
    taken_over: bool = False

    @property
    def what(self) -> str:
        """Return the word for what happened to the level, empty when nothing did."""
        if self.late:
            return "late"
        if self.before == self.level and not self.taken_over:
            return ""
        return "raise" if not self.before else "change" if self.level else "return"


class Happening(NamedTuple):
    """What must have been found: ``raise``, ``change``, ``return``, ``passage`` or ``late``.

    ``at_ms`` is the time of its cause, ``now_ms`` the instant by the journal.
    """

    position: int
    what: str
    device: str
    point: str
    rule: str
    version: str
    level: int
    at_ms: int
    now_ms: int
    latch: bool = False
