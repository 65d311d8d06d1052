"""Escalation: what nobody acknowledges in time goes to the next person, from stored instants.

Each call is one transaction: the audit row, the announcement, the case if one is opened, and the next instant.
"""

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from ingest.alarms.acts import Acts, newest_position
from ingest.alarms.audit import SYSTEM, AuditWriter
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.outbox import announcement
from ingest.alarms.tables import audit, occurrence
from ingest.notices.ladder import next_step, rung
from ingest.notices.tables import escalation

# Opens a case about an occurrence inside the transaction and returns its identifier.
OpenCase = Callable[[sa.Connection, AuditWriter, dict[str, Any], int], str]

_AT_ONCE = 200
# What the city does to an alarm, in contrast to what people do or do not.
_BY_ITSELF = ("raise", "change", "late")
_UNANSWERED = ("UNACK", "RTN_UNACK")


def begin(connection: sa.Connection, announced: Mapping[str, Any]) -> None:
    """Start the ladder of an occurrence for one of its announcements, inside the caller's transaction.

    A ladder that runs goes on where an alarm that nobody answered returns and comes back: one that chatters would
    else never climb. Being more urgent than before begins it anew.
    """
    name, at_ms = announced["occurrence"], announced["at"]
    since = connection.execute(sa.select(escalation.c.since).where(escalation.c.occurrence == name)).scalar()
    if since is not None:
        if _goes_on(connection, announced, int(since)):
            return
        connection.execute(escalation.delete().where(escalation.c.occurrence == name))
    first = next_step(announced["priority"], 0, at_ms, at_ms)
    if first is not None:
        step, due_ms = first
        row = {"occurrence": name, "since": at_ms, "step": step, "round": 0, "due_at": due_ms}
        connection.execute(escalation.insert().values(**row))


def _goes_on(connection: sa.Connection, announced: Mapping[str, Any], since_ms: int) -> bool:
    if announced["why"] not in _BY_ITSELF:
        return False
    name, version = announced["occurrence"], announced["version"]
    before = sa.select(audit.c.state_before).where(
        audit.c.occurrence == name, audit.c.version_after == version, audit.c.action == announced["why"]
    )
    if connection.execute(before).scalar() not in _UNANSWERED:
        return False
    earlier = (announcement.c.occurrence == name, announcement.c.version < version, announcement.c.at >= since_ms)
    worst = connection.execute(sa.select(sa.func.min(announcement.c.priority)).where(*earlier)).scalar()
    return worst is not None and bool(worst <= announced["priority"])


def escalate(database: AlarmDatabase, now_ms: int, open_case: OpenCase | None = None) -> int:
    """Call the next person for everything that is due; return how many calls that were.

    Raises:
        AlarmError: nothing was changed; what is due stays due.
    """
    due = sa.select(escalation).where(escalation.c.due_at <= now_ms).order_by(escalation.c.due_at).limit(_AT_ONCE)
    with database.read() as connection:
        if connection.execute(due.limit(1)).first() is None:
            return 0
    calls = 0
    with database.write() as connection:
        chain = AuditWriter(connection)
        acts = Acts(connection, chain, SYSTEM, now_ms, newest_position(connection))
        for row in connection.execute(due).mappings().all():
            own = escalation.c.occurrence == row["occurrence"]
            query = sa.select(occurrence).where(occurrence.c.id == row["occurrence"]).with_for_update()
            found = connection.execute(query).mappings().one_or_none()
            if found is None or found["acked"] or found["closed_at"] is not None or found["suppression"] != "none":
                # Somebody has it, or it is hidden: it begins anew when it is announced again.
                connection.execute(escalation.delete().where(own))
                continue
            alarm = dict(found)
            called = rung(alarm["priority"], row["step"])
            if called is not None:
                alarm = _called(acts, chain, alarm, row, called.role, open_case if called.opens_case else None)
                calls += 1
            after = next_step(alarm["priority"], row["step"], row["since"], now_ms)
            if called is None or after is None:
                connection.execute(escalation.delete().where(own))
            else:
                place = {"step": after[0], "due_at": after[1], "round": row["round"] + 1}
                connection.execute(escalation.update().where(own).values(**place))
        chain.finish()
    return calls


def _called(
    acts: Acts, chain: AuditWriter, alarm: dict[str, Any], row: Any, role: str, open_case: OpenCase | None
) -> dict[str, Any]:
    reason = f"step {row['step']}: {role}"
    if open_case is not None and not alarm["case"]:
        case = open_case(acts.connection, chain, alarm, acts.now_ms)
        decided = {"case": case, "decision": "case", "decided_at": acts.now_ms, "decided_by": acts.actor.user}
        alarm = acts.change(alarm, "escalated", decided, f"{reason}, case {case}")
    else:
        alarm = acts.change(alarm, "escalated", {}, reason)
    chain.announce(alarm, "escalated", acts.now_ms, row["step"])
    return alarm
