"""The desk at which an alarm becomes a case, inside the transaction of the officer's own act."""

from typing import Any

import sqlalchemy as sa

from ingest.alarms.areas import Area
from ingest.alarms.audit import Actor, AuditWriter
from ingest.cases.opening import merge_alarm, register_from_alarm
from ingest.cases.records import CaseRules

Row = dict[str, Any]


class Desk:
    """Opens cases by the rules of a site, for somebody who may act in an area (None: everywhere)."""

    def __init__(self, rules: CaseRules, area: Area | None = None) -> None:
        self._rules = rules
        self._area = area

    def register(
        self, connection: sa.Connection, chain: AuditWriter, alarm: Row, actor: Actor, now_ms: int, comment: str
    ) -> str:
        """Register a case about an alarm and return its identifier."""
        return register_from_alarm(connection, chain, self._rules, alarm, actor, now_ms, comment)

    def merge(
        self,
        connection: sa.Connection,
        chain: AuditWriter,
        alarm: Row,
        actor: Actor,
        now_ms: int,
        case: str | None,
        comment: str,
    ) -> str:
        """Link an alarm to an open case, without ``case`` to the one at its place, and return its identifier."""
        return merge_alarm(connection, chain, self._rules, alarm, actor, now_ms, case, comment, self._area)
