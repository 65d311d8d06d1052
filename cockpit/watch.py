"""What must not fail unnoticed on the way from an alarm to a person: the watchdog and the notices."""

import asyncio
import logging
import time
from typing import Any

from cockpit.times import rfc3339
from devices.site import Site
from ingest.alarms.absence import Absence
from ingest.alarms.database import AlarmDatabase
from ingest.errors import AlarmError
from ingest.notices import deliveries

log = logging.getLogger(__name__)

Document = dict[str, Any]
_LOOK_S = 5.0
# Dead letters stay in the list; trouble they are for a day.
_TROUBLE_MS = 86_400_000


class Watch:
    """Looks into the alarm database every few seconds, on its own account."""

    def __init__(self, database: AlarmDatabase, site: Site, now_ms: int) -> None:
        self._database = database
        self._zone = site.timezone
        self._absence = Absence(database, tuple(site.shards) or ("main",), now_ms)
        self._absent: dict[str, int] = {}
        self._counts: dict[str, dict[str, int]] = {}
        self._fresh: dict[str, dict[str, int]] = {}

    async def run(self) -> None:
        """Look until cancelled; while the database is away no watchdog is heard through it, and the notices stand."""
        while True:
            try:
                await asyncio.to_thread(self.look, time.time_ns() // 1_000_000)
            except AlarmError as error:
                log.debug("%s", error)
            await asyncio.sleep(_LOOK_S)

    def look(self, now_ms: int) -> None:
        """Look once.

        Raises:
            AlarmError: the database could not be read.
        """
        try:
            self._absence.listen(now_ms)
        finally:
            self._absent = self._absence.since(now_ms)
        with self._database.read() as connection:
            counts, fresh = deliveries.counts(connection), deliveries.counts(connection, now_ms - _TROUBLE_MS)
        # All at once, as whoever asks meanwhile sees it.
        self._counts, self._fresh = counts, fresh

    def summary(self) -> Document:
        """Return since when the alarm path is interrupted (null: it is not), and how many notices wait or are dead."""
        since = min(self._absent.values(), default=None)
        return {
            "watchdog": None
            if since is None
            else {"since": rfc3339(since, self._zone), "shards": sorted(self._absent)},
            "notices": {state: sum(each[state] for each in self._counts.values()) for state in ("waiting", "dead")},
        }

    def parts(self) -> dict[str, str]:
        """Return the health of both: ``ok`` or a sentence."""
        told = {"watchdog": "ok", "notices": "ok"}
        if self._absent:
            since = rfc3339(min(self._absent.values()), self._zone)
            shards = ", ".join(sorted(self._absent))
            told["watchdog"] = f"no alarm of the watchdog came through since {since} ({shards}): alarms may be missing"
        dead = {channel: each["dead"] for channel, each in sorted(self._fresh.items()) if each["dead"]}
        if dead:
            listed = ", ".join(f"{channel} {count}" for channel, count in dead.items())
            told["notices"] = f"messages nobody took for a day were given up lately: {listed}"
        return told
