"""What falls due in a sandbox's alarm database by itself, looked at once a recorded second where there is reason to."""

import sqlite3
from pathlib import Path

from ingest.alarms import offenders
from ingest.alarms import timers as alarm_timers
from ingest.alarms.database import AlarmDatabase
from ingest.cases import timers as case_timers

_NEVER = 2**63


class Timing:
    """Fires what is due. While the database is as it was and its next instant has not come, nothing can be."""

    def __init__(self, database: AlarmDatabase, path: Path) -> None:
        """Take a migrated database and its file."""
        self._database = database
        # A connection that writes nothing: its number changes with every commit of any other.
        self._watching = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._version = -1
        self._next_ms = 0

    def look(self, now_ms: int) -> None:
        """Fire what is due at an instant.

        Raises:
            AlarmError: the database could not be used.
        """
        (version,) = self._watching.execute("PRAGMA data_version").fetchone()
        if version == self._version and now_ms < self._next_ms:
            return
        self._version = version
        alarm_timers.due(self._database, now_ms)
        case_timers.due(self._database, now_ms)
        offenders.look(self._database, now_ms)
        self._next_ms = min(
            _NEVER if due_ms is None else due_ms
            for due_ms in (alarm_timers.next_due(self._database), case_timers.next_due(self._database))
        )

    def close(self) -> None:
        """Close its connection."""
        self._watching.close()
