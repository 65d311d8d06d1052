"""Why alarms of a point or a device are hidden: shelved, suppressed by design, out of service (ALARMS §1.2).

An axis of its own: hiding never changes whether an alarm is active, acknowledged or latched, and judging and recording
go on underneath. Where it ends and nothing else hides the alarm, an active one is announced again.
"""

import secrets
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from ingest.alarms.acts import Acts, announced_again
from ingest.alarms.tables import suppression

Row = dict[str, Any]
Kind = Literal["shelved", "out_of_service"]
Scope = Literal["point", "device"]

HIDDEN = ("shelved", "by_design", "out_of_service")
# What is shown where both stand at once; what is hidden by design (``cause``) comes last.
_RANK = {"out_of_service": 0, "shelved": 1}
SHELF_MOST_MS = 8 * 3_600_000
OUT_OF_SERVICE_MOST_MS = 30 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Hiding:
    """What shall be hidden, by whom, why and until when (epoch ms)."""

    kind: Kind
    scope: Scope
    subject: str
    until: int
    by: str
    reason: str
    level: int = 0
    approved_by: str | None = None
    permit: str = ""


class Standing:
    """The suppressions that stand, as read inside a write transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._rows: dict[tuple[str, str], dict[str, Row]] = {}
        for found in connection.execute(sa.select(suppression).where(suppression.c.ended_at.is_(None))).mappings():
            self.put(dict(found))

    def put(self, row: Row) -> None:
        """Count one in."""
        self._rows.setdefault((row["scope"], row["subject"]), {})[row["kind"]] = row

    def take(self, row: Row) -> None:
        """Count one out."""
        self._rows.get((row["scope"], row["subject"]), {}).pop(row["kind"], None)

    def one(self, kind: Kind, scope: Scope, subject: str) -> Row | None:
        """Return the one of a kind on a point or device."""
        return self._rows.get((scope, subject), {}).get(kind)

    def columns(self, point: str, device: str, cause: str | None) -> Row:
        """Return the columns of an occurrence that say what hides it: the weightiest where there are several."""
        found = [*self._rows.get(("point", point), {}).values(), *self._rows.get(("device", device), {}).values()]
        row = min(found, key=lambda row: _RANK[row["kind"]], default=None)
        kind = row["kind"] if row is not None else "by_design" if cause else "none"
        return {
            "suppression": kind,
            "suppressed_until": row["until"] if row is not None else None,
            "suppressed_by": row["by"] if row is not None else "system" if cause else None,
            "suppressed_reason": row["reason"] if row is not None else cause,
        }

    def columns_of(self, row: Row) -> Row:
        """Return the same for an occurrence that there is."""
        return self.columns(row["point"], row["device"], row["cause"])


def lifts(shelf: Row, level: int, priority: str) -> bool:
    """Tell whether an alarm is worse than what was shelved; the worst of all is never hidden by a shelf."""
    return level > shelf["level"] or priority == "P1"


def begin(acts: Acts, standing: Standing, hiding: Hiding, action: str) -> Row:
    """Hide, from now on; the same kind on the same subject is replaced and counted as renewed."""
    earlier = standing.one(hiding.kind, hiding.scope, hiding.subject)
    if earlier is not None:
        _end_row(acts, standing, earlier, "renewed")
    row: Row = {
        "id": secrets.token_hex(10),
        "kind": hiding.kind,
        "scope": hiding.scope,
        "subject": hiding.subject,
        "level": hiding.level,
        "since": acts.now_ms,
        "until": hiding.until,
        "by": hiding.by,
        "approved_by": hiding.approved_by,
        "permit": hiding.permit,
        "reason": hiding.reason,
        "renewals": 0 if earlier is None else earlier["renewals"] + 1,
        "ended_at": None,
        "ended_by": None,
        "ended_reason": None,
    }
    acts.connection.execute(suppression.insert().values(**row))
    standing.put(row)
    hidden = acts.open_of(hiding.scope, hiding.subject)
    for found in hidden:
        acts.change(found, action, standing.columns_of(found), hiding.reason)
    if not hidden or hiding.scope == "device":
        acts.note_other(action, hiding.subject, hiding.reason)
    return row


def end(acts: Acts, standing: Standing, row: Row, action: str, reason: str) -> list[Row]:
    """End a suppression; what it hid is shown again, and announced again where it is active.

    Returns:
        The open occurrences it concerned, as they then are.
    """
    _end_row(acts, standing, row, reason)
    changed: list[Row] = []
    for found in acts.open_of(row["scope"], row["subject"]):
        changed.append(acts.change(found, action, shown_again(standing, found), reason))
    if not changed or row["scope"] == "device":
        acts.note_other(action, row["subject"], reason)
    return changed


def shown_again(standing: Standing, row: Row) -> Row:
    """Return the changes to an occurrence from which one thing less is hiding."""
    left = standing.columns_of(row)
    again = announced_again(row) if left["suppression"] == "none" and row["active"] and row["acked"] else {}
    return {**left, **again}


def unreadable(row: Row) -> bool:
    """Tell whether a row cannot say when it ends, or says something that no officer may have asked for."""
    since, until = row["since"], row["until"]
    if not isinstance(since, int) or not isinstance(until, int):
        return True
    most = SHELF_MOST_MS if row["kind"] == "shelved" else OUT_OF_SERVICE_MOST_MS
    return not since < until <= since + most


def _end_row(acts: Acts, standing: Standing, row: Row, reason: str) -> None:
    ended = {"ended_at": acts.now_ms, "ended_by": acts.actor.user, "ended_reason": reason}
    acts.connection.execute(suppression.update().where(suppression.c.id == row["id"]).values(**ended))
    standing.take(row)
