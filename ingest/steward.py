"""The steward: what only one process of a site may do, whoever holds the lease at the moment.

Every collector has one; the lease in the alarm database says which of them works. Each duty works from stored instants,
so a steward that dies in the middle is simply followed by another.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ingest.alarms.database import AlarmDatabase
from ingest.errors import IngestError
from ingest.lease import give_back, take

log = logging.getLogger(__name__)

LEASE = "steward"
_LEASE_MS = 15_000
_RENEW_MS = 5_000
LOOK_S = 0.5


@dataclass(slots=True)
class Duty:
    """Something to be done again and again; ``act`` is given the instant, epoch ms."""

    name: str
    every_ms: int
    act: Callable[[int], object]
    next_ms: int = field(default=0)


class Steward(threading.Thread):
    """Does its duties while it holds the lease."""

    def __init__(
        self, database: AlarmDatabase, holder: str, clock_ms: Callable[[], int], duties: Sequence[Duty]
    ) -> None:
        """Prepare; ``holder`` is a name that no other process has."""
        super().__init__(name="steward", daemon=True)
        self._database = database
        self._holder = holder
        self._clock_ms = clock_ms
        self._duties = duties
        self._stopping = threading.Event()
        self._renew_ms = 0
        self._troubles: dict[str, str] = {}
        self._held_until_ms = 0

    @property
    def holds(self) -> bool:
        """Tell whether this process may work now: it holds the lease, and the lease has not run out meanwhile."""
        return self._clock_ms() < self._held_until_ms

    def stop(self) -> None:
        """End after the duty at hand, and let another process begin at once."""
        self._stopping.set()
        self.join(10.0)

    def run(self) -> None:
        """Work until stopped."""
        while not self._stopping.wait(LOOK_S):
            self.look(self._clock_ms())
        if self.holds:
            try:
                give_back(self._database, LEASE, self._holder)
            except IngestError as error:
                log.warning("the lease of the steward runs out by itself: %s", error)

    def look(self, now_ms: int) -> None:
        """Renew the lease when it is time, and do what is due."""
        try:
            # A clock that was set back must not put off what others wait for.
            if not self._renew_ms - _RENEW_MS <= now_ms < self._renew_ms:
                held = take(self._database, LEASE, self._holder, now_ms, _LEASE_MS)
                self._held_until_ms = now_ms + _LEASE_MS if held else 0
                self._renew_ms = now_ms + _RENEW_MS
        except IngestError as error:
            self._held_until_ms = 0
            self._tell("the steward", error)
            return
        if now_ms >= self._held_until_ms:
            return
        for duty in self._duties:
            if not duty.next_ms - duty.every_ms <= now_ms < duty.next_ms:
                duty.next_ms = now_ms + duty.every_ms
                self._do(duty, now_ms)

    def _do(self, duty: Duty, now_ms: int) -> None:
        try:
            duty.act(now_ms)
        except IngestError as error:
            self._tell(duty.name, error)
        except Exception:
            # One duty that fails must not keep the others from being done.
            log.exception("%s failed; it is tried again", duty.name)
        else:
            self._troubles.pop(duty.name, None)

    def _tell(self, who: str, error: IngestError) -> None:
        # The same trouble is told once for as long as it lasts.
        if self._troubles.get(who) != str(error):
            self._troubles[who] = str(error)
            log.warning("%s waits: %s", who, error)
