"""What the alarm database holds of an alarm: its row, the acts on it, its case, the notices, the head of the audit."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ingest.alarms.outbox import announcement
from ingest.alarms.tables import audit, audit_head, occurrence
from ingest.cases.tables import cases, evidence
from ingest.errors import Refused
from ingest.notices.tables import delivery

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Records:
    """Rows as they stood at one instant."""

    alarm: Row
    acts: list[Row]
    head: tuple[int, str]
    case: Row | None
    case_acts: list[Row]
    case_pictures: list[Row]
    announcements: list[Row]
    deliveries: list[Row]


def records_of(connection: sa.Connection, alarm: str) -> Records:
    """Return the rows of an alarm.

    Raises:
        Refused: not_found.
    """
    row = connection.execute(sa.select(occurrence).where(occurrence.c.id == alarm)).mappings().one_or_none()
    if row is None:
        raise Refused("not_found", f"There is no alarm {alarm!r}.", code="unknown_alarm", values={"alarm": alarm})
    found = dict(row)
    head = connection.execute(sa.select(audit_head.c.seq, audit_head.c.hash)).one()
    acts = _rows(connection, sa.select(audit).where(_about(found)).order_by(audit.c.seq))
    case = found["case"]
    announced = _rows(
        connection,
        sa.select(announcement)
        .where(announcement.c.occurrence == alarm)
        .order_by(announcement.c.at, announcement.c.id),
    )
    sent = sa.select(announcement.c.id).where(announcement.c.occurrence == alarm)
    return Records(
        found,
        acts,
        (int(head.seq), str(head.hash)),
        next(iter(_rows(connection, sa.select(cases).where(cases.c.id == case))), None) if case else None,
        _rows(connection, sa.select(audit).where(audit.c.case == case).order_by(audit.c.seq)) if case else [],
        _rows(connection, sa.select(evidence).where(evidence.c.case == case).order_by(evidence.c.number))
        if case
        else [],
        announced,
        _rows(
            connection,
            sa.select(delivery).where(delivery.c.announcement.in_(sent)).order_by(delivery.c.made_at, delivery.c.key),
        ),
    )


def _about(alarm: Row) -> sa.ColumnElement[bool]:
    """Return the condition of acts on an alarm itself, and on its point or device while it stood."""
    meanwhile = sa.and_(
        audit.c.occurrence.is_(None),
        audit.c.point.in_([alarm["point"], alarm["device"]]),
        audit.c.at >= min(alarm["raised_at"], alarm["noticed_at"]),
        *([audit.c.at <= alarm["closed_at"]] if alarm["closed_at"] is not None else []),
    )
    return sa.or_(audit.c.occurrence == alarm["id"], meanwhile)


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> list[Row]:
    return [dict(row) for row in connection.execute(query).mappings()]
