"""The desk at which an alarm becomes a case, inside the transaction of the officer's own act."""

from typing import Any

import sqlalchemy as sa

from ingest.alarms.audit import Actor, AuditWriter
from ingest.cases.opening import merge_alarm, register_from_alarm
from ingest.cases.records import CaseRules

Row = dict[str, Any]


class Desk:
    """Opens cases by the rules of a site."""

    def __init__(self, rules: CaseRules) -> None:
        self._rules = rules

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
        return merge_alarm(connection, chain, self._rules, alarm, actor, now_ms, case, comment)
