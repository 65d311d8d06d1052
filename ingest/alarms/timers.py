"""What falls due in the alarm database by itself: from stored absolute instants, so that no restart loses one."""

from typing import Any

import sqlalchemy as sa

from ingest.alarms.acts import Acts, announced_again, newest_position
from ingest.alarms.audit import SYSTEM, AuditWriter
from ingest.alarms.commands import joint
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.suppressions import Standing, end, unreadable
from ingest.alarms.tables import joint_act, occurrence, suppression

Row = dict[str, Any]


def due(database: AlarmDatabase, now_ms: int) -> list[tuple[str, int]]:
    """Fire what is due, once, however often and from wherever it is called; nothing is written when nothing is due.

    Due are: shelves and out-of-service that run out, acknowledged alarms that nobody decided on in time, observations
    that end, requests that no second person answered.

    Returns:
        (occurrence id, version) of every occurrence that changed or was noted.

    Raises:
        AlarmError: the database could not be used; what was due stays due.
    """
    with database.read() as connection:
        if not any(_found(connection, now_ms)):
            return []
    with database.write() as connection:
        chain = AuditWriter(connection)
        acts = Acts(connection, chain, SYSTEM, now_ms, newest_position(connection))
        suppressions, undecided, observed, asked = _found(connection, now_ms)
        standing = Standing(connection)
        for row in suppressions:
            reason = "its end cannot be read" if unreadable(row) else "its time is over"
            end(acts, standing, row, "shelf_expired" if row["kind"] == "shelved" else "out_of_service_expired", reason)
        for row in map(acts.locked, undecided):
            # The end of a shelf may have announced it again a moment ago.
            if row["acked"] and row["decision_due_at"] is not None:
                acts.change(row, "undecided", announced_again(row), "no decision in time")
        for row in map(acts.locked, observed):
            if row["observed_until"] is not None:
                again = announced_again(row) if row["active"] else {"observed_until": None}
                acts.change(row, "observe_ended", again, "the time to observe is over")
        for row in asked:
            joint.settle(acts, row, "expired")
        chain.finish()
    return list(acts.touched.items())


def next_due(database: AlarmDatabase) -> int | None:
    """Return when something falls due next as things stand, or None when nothing does.

    Raises:
        AlarmError: the database could not be used.
    """
    ends = (
        (suppression.c.until, suppression.c.ended_at.is_(None)),
        (occurrence.c.decision_due_at, occurrence.c.closed_at.is_(None)),
        (occurrence.c.observed_until, occurrence.c.closed_at.is_(None)),
        (joint_act.c.expires_at, joint_act.c.outcome.is_(None)),
    )
    with database.read() as connection:
        found = [connection.scalar(sa.select(sa.func.min(at)).where(waits)) for at, waits in ends]
    # What cannot be read ends the next time it is looked at.
    return min((at for at in found if isinstance(at, int)), default=None)


def _found(connection: sa.Connection, now_ms: int) -> tuple[list[Row], list[str], list[str], list[Row]]:
    # Whatever cannot say that it ends later ends now: an alarm too many in sight, never one too few.
    standing = map(dict, connection.execute(sa.select(suppression).where(suppression.c.ended_at.is_(None))).mappings())
    still_open = sa.select(occurrence.c.id).where(occurrence.c.closed_at.is_(None)).order_by(occurrence.c.id)
    asked = sa.select(joint_act).where(joint_act.c.outcome.is_(None), joint_act.c.expires_at <= now_ms)
    return (
        [row for row in standing if unreadable(row) or row["until"] <= now_ms],
        [str(each) for each in connection.scalars(still_open.where(occurrence.c.decision_due_at <= now_ms))],
        [str(each) for each in connection.scalars(still_open.where(occurrence.c.observed_until <= now_ms))],
        [dict(row) for row in connection.execute(asked).mappings()],
    )
