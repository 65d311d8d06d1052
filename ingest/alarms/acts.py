"""What one actor does at one instant inside a write transaction: no change of an occurrence without its audit row."""

from typing import Any

import sqlalchemy as sa

from ingest.alarms.areas import Area
from ingest.alarms.audit import Actor, AuditWriter
from ingest.alarms.states import row_state
from ingest.alarms.tables import collector, occurrence
from ingest.errors import AlarmError, Refused

Row = dict[str, Any]


class Acts:
    """Acts of one actor. The audit's head is locked from the beginning, so what is read here stays true."""

    def __init__(
        self,
        connection: sa.Connection,
        chain: AuditWriter,
        actor: Actor,
        now_ms: int,
        position: int,
        key: str | None = None,
        comment: str = "",
        area: Area | None = None,
    ) -> None:
        self.connection = connection
        self.chain = chain
        self.actor = actor
        self.now_ms = now_ms
        self.position = position
        self.touched: dict[str, int] = {}
        self._key = key
        self._comment = comment
        self._area = area

    def within(self, device: str) -> bool:
        """Tell whether the actor may act about a device."""
        return self._area is None or self._area.holds(device)

    def require_within(self, device: str, occurrence: str | None = None) -> None:
        """Refuse what the actor does about a device outside their area.

        Raises:
            Refused: area.
        """
        if self._area is not None:
            self._area.require_device(device, occurrence)

    def locked(self, identifier: str) -> Row:
        """Return an occurrence, locked until the transaction ends.

        Raises:
            Refused: not_found.
        """
        query = sa.select(occurrence).where(occurrence.c.id == identifier).with_for_update()
        found = self.connection.execute(query).mappings().one_or_none()
        if found is None:
            raise Refused(
                "not_found", f"There is no alarm {identifier}.", code="unknown_alarm", values={"alarm": identifier}
            )
        return dict(found)

    def still_open(self, identifier: str) -> Row:
        """Return an open occurrence, locked until the transaction ends.

        Raises:
            Refused: not_found, or closed, which names the newer one of the same point if there is one.
        """
        row = self.locked(identifier)
        if row["closed_at"] is not None:
            newer = self.connection.execute(
                sa.select(occurrence.c.id).where(occurrence.c.point == row["point"], occurrence.c.closed_at.is_(None))
            ).scalar()
            hint = f" A newer one is open: {newer}." if newer else ""
            raise Refused(
                "closed", f"This alarm is closed already; nothing was done.{hint}", newer, code="alarm_closed"
            )
        return row

    def open_of(self, scope: str, subject: str) -> list[Row]:
        """Return the open occurrences of an alarm point or of a device, locked until the transaction ends."""
        column = occurrence.c.point if scope == "point" else occurrence.c.device
        query = sa.select(occurrence).where(column == subject, occurrence.c.closed_at.is_(None))
        found = self.connection.execute(query.order_by(occurrence.c.id).with_for_update()).mappings().all()
        return [dict(row) for row in found]

    def change(self, before: Row, action: str, changes: Row, reason: str = "") -> Row:
        """Change columns of an occurrence and return it as it then is.

        Raises:
            AlarmError: another writer was faster; nothing of the transaction may stand.
        """
        after = {**before, **changes, "version": before["version"] + 1}
        result = self.connection.execute(
            occurrence.update()
            .where(
                occurrence.c.id == before["id"],
                occurrence.c.version == before["version"],
                occurrence.c.closed_at.is_(None),
            )
            .values(**changes, version=after["version"])
        )
        if result.rowcount != 1:
            raise AlarmError(f"occurrence {before['id']} changed under the writer")
        self.note(after, action, reason, before=before)
        return after

    def note(self, row: Row, action: str, reason: str = "", *, before: Row | None = None, born: bool = False) -> None:
        """Add an audit row about an occurrence; without ``before`` it is the same before and after."""
        before = None if born else before or row
        self.touched[row["id"]] = row["version"]
        self.chain.add(
            at_ms=self.now_ms,
            position=self.position,
            actor=self.actor,
            action=action,
            before=before,
            after=row,
            states=(row_state(before) if before else "NORM", row_state(row)),
            reason=reason,
            comment=self._comment,
            idempotency_key=self._key,
            case=row["case"],
        )

    def note_other(self, action: str, subject: str, reason: str = "") -> None:
        """Add an audit row about something that is no occurrence."""
        self.chain.add_other(
            at_ms=self.now_ms,
            position=self.position,
            actor=self.actor,
            action=action,
            subject=subject,
            reason=reason,
            comment=self._comment,
            idempotency_key=self._key,
        )


def newest_position(connection: sa.Connection) -> int:
    """Return how far the collectors are, for acts that no journal record caused."""
    return int(connection.execute(sa.select(sa.func.max(collector.c.position))).scalar() or 0)


def announced_again(row: Row) -> Row:
    """Return the changes that ask for another acknowledge: what was decided about it falls, unless a case has begun."""
    kept = {} if row["case"] else {"decision": None, "decided_at": None, "decided_by": None}
    return {"acked": False, "decision_due_at": None, "observed_until": None, **kept}
