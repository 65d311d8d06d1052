"""Calling the next person within an exercise: the ladder goes its way there, and nobody outside hears of it."""

import sqlalchemy as sa

from devices.site import Site
from ingest.alarms.audit import SYSTEM, AuditWriter
from ingest.alarms.database import AlarmDatabase
from ingest.cases.opening import register_from_alarm
from ingest.cases.records import CaseRules, Row
from ingest.errors import ReplayError
from ingest.notices.deliveries import take_out
from ingest.notices.escalating import escalate


class Calling:
    """Escalation of a sandbox, which has no steward; to be driven by its clock."""

    def __init__(self, site: Site, database: AlarmDatabase) -> None:
        """Keep what is needed.

        Raises:
            ReplayError: the site has channels, so somebody real could be told.
        """
        if site.channels:
            raise ReplayError("an exercise must have no channel for notices")
        self._site = site
        self._database = database
        self._rules = CaseRules(site)

    def look(self, now_ms: int) -> None:
        """Call whoever is due.

        Raises:
            AlarmError: the database of the sandbox does not answer.
        """
        take_out(self._database, self._site, now_ms)
        escalate(self._database, now_ms, self._open_case)

    def _open_case(self, connection: sa.Connection, chain: AuditWriter, alarm: Row, now_ms: int) -> str:
        return register_from_alarm(connection, chain, self._rules, alarm, SYSTEM, now_ms)
