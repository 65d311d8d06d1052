"""The absence of the watchdog: judged from the end of the alarm path, by whoever is the steward.

The engine cannot say that the engine stands still; so this is looked for in the alarm database, for every collector of
the site, and raised there.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from ingest.alarms.acts import newest_position
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.occurrences import keep_own
from ingest.alarms.own_kind import KIND, WATCHDOG, WATCHDOG_ABSENT, own_device
from ingest.alarms.tables import occurrence
from ingest.alarms.transitions import Transition, What

ABSENT_MS = 180_000
_LOOK_BACK_MS = 600_000
_VERSION = "1"


class Absence:
    """Knows since when each collector's watchdog has been absent."""

    def __init__(self, database: AlarmDatabase, shards: Sequence[str], started_ms: int) -> None:
        """Begin to watch; what was before ``started_ms`` is held against nobody."""
        self._database = database
        self._heard = dict.fromkeys(shards, started_ms)

    def listen(self, now_ms: int) -> None:
        """Look for alarms of the watchdogs.

        Raises:
            AlarmError: the database could not be read.
        """
        with self._database.read() as connection:
            self._listen(connection, now_ms)

    def since(self, now_ms: int) -> dict[str, int]:
        """Return the collectors whose watchdog is absent, and the instant of its last heard alarm (or of the start)."""
        return {shard: at_ms for shard, at_ms in self._heard.items() if now_ms - at_ms >= ABSENT_MS}

    def judge(self, now_ms: int) -> list[Transition]:
        """Raise or end the alarm on each absence, and return what that was.

        Raises:
            AlarmError: nothing was changed.
        """
        found = []
        with self._database.read() as connection:
            fresh = self._listen(connection, now_ms)
            position = newest_position(connection)
            active = self._active(connection)
        for shard, at_ms in self._heard.items():
            absent, raised = now_ms - at_ms >= ABSENT_MS, own_device(shard) in active
            if absent and not raised:
                found.append(self._transition("raise", shard, position, at_ms, now_ms))
            elif raised and not absent and shard in fresh:
                found.append(self._transition("return", shard, position, at_ms, now_ms))
        if found:
            keep_own(self._database, found)
        return found

    def _listen(self, connection: sa.Connection, now_ms: int) -> set[str]:
        query = sa.select(occurrence.c.device, occurrence.c.raised_at).where(
            occurrence.c.raised_at >= now_ms - _LOOK_BACK_MS, occurrence.c.rule == WATCHDOG
        )
        shards = {own_device(shard): shard for shard in self._heard}
        fresh = set()
        for device, at_ms in connection.execute(query):
            shard = shards.get(device)
            if shard is None:
                continue
            self._heard[shard] = max(self._heard[shard], int(at_ms))
            if now_ms - at_ms < ABSENT_MS:
                fresh.add(shard)
        return fresh

    def _active(self, connection: sa.Connection) -> set[str]:
        query = sa.select(occurrence.c.device).where(
            occurrence.c.closed_at.is_(None), occurrence.c.rule == WATCHDOG_ABSENT, occurrence.c.active.is_(True)
        )
        return set(connection.execute(query).scalars())

    def _transition(self, what: What, shard: str, position: int, since_ms: int, now_ms: int) -> Transition:
        device = own_device(shard)
        raised = what == "raise"
        # Its second in place of an ordinal: no record of the journal caused it, and the journal may stand still.
        return Transition(
            what, position, now_ms // 1000, f"{device}/watchdog", device, KIND, WATCHDOG_ABSENT, _VERSION, int(raised),
            "P1", since_ms if raised else now_ms, now_ms, field="watchdog", value=(now_ms - since_ms) / 1000, unit="s",
        )  # fmt: skip
