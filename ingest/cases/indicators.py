"""The indicators of the closed loop, each with its numerator and denominator; an empty denominator gives no value."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ingest.alarms.database import AlarmDatabase
from ingest.cases.opening import INTELLIGENT
from ingest.cases.tables import cases

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ratio:
    """A share as it was counted."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """Return the share, or None when there was nothing to count: never a full score for no work."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class Counted:
    """The cases that a share is of, and those of them that count."""

    of: list[Row]
    hits: list[Row]


def indicators(rows: Iterable[Row], from_ms: int, to_ms: int, now_ms: int) -> dict[str, Ratio]:
    """Return the indicators of a period; see :func:`counted`."""
    return {key: Ratio(len(each.hits), len(each.of)) for key, each in counted(rows, from_ms, to_ms, now_ms).items()}


def counted(rows: Iterable[Row], from_ms: int, to_ms: int, now_ms: int) -> dict[str, Counted]:
    """Return the cases behind the indicators of a period ``from_ms`` ≤ instant < ``to_ms``.

    Due (应处置, 应结案) is a registered case whose deadline falls in the period and has come; one that is suspended is
    not due. Handled in time: reported done by its deadline. Closed in time: closed before it was overdue.
    """
    found = list(rows)
    reported = [row for row in found if from_ms <= row["reported_at"] < to_ms]
    registered = [row for row in found if row["registered_at"] is not None and from_ms <= row["registered_at"] < to_ms]
    end_ms = min(to_ms, now_ms)
    due = [
        row
        for row in found
        if row["deadline_at"] is not None and from_ms <= row["deadline_at"] < end_ms and row["suspended_at"] is None
    ]

    def share(of: list[Row], counts: Callable[[Row], bool]) -> Counted:
        return Counted(of, [row for row in of if counts(row)])

    return {
        "registered": share(reported, lambda row: row["registered_at"] is not None),
        "handled": share(due, lambda row: row["done_at"] is not None),
        "handled_in_time": share(due, _handled_in_time),
        "closed": share(due, lambda row: row["state"] == "CLOSED"),
        "closed_in_time": share(due, _closed_in_time),
        "reworked": share(due, lambda row: row["reworks"] > 0),
        "recurred": share(registered, lambda row: row["recurrence_of"] is not None),
        "intelligent": share(registered, lambda row: row["source"] in INTELLIGENT),
    }


def period_rows(database: AlarmDatabase, from_ms: int, to_ms: int, street: str | None = None) -> list[Row]:
    """Return the cases that a period's indicators look at."""
    instants = (cases.c.reported_at, cases.c.registered_at, cases.c.deadline_at)
    query = sa.select(cases).where(sa.or_(*(sa.and_(at >= from_ms, at < to_ms) for at in instants)))
    if street is not None:
        query = query.where(cases.c.street == street)
    with database.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def _handled_in_time(row: Row) -> bool:
    return row["done_at"] is not None and row["done_at"] < row["deadline_at"]


def _closed_in_time(row: Row) -> bool:
    return row["state"] == "CLOSED" and row["overdue_at"] is None
