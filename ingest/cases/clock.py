"""The clock of a case: when it reminds, turns amber and is overdue. Pure functions of a case's columns and an instant.

The clock starts at registering and stops at closing. Being suspended moves everything later by the time suspended; an
extension lengthens the limit itself. Once a case is overdue nothing moves any more.
"""

from collections.abc import Mapping
from typing import Any, Literal

Colour = Literal["green", "amber", "red"]
Mark = Literal["remind", "amber", "overdue"]
REMIND_SHARE, AMBER_SHARE = 0.5, 0.8
# Each mark: when it falls due, and the column that says it has been written.
MARKS: tuple[tuple[Mark, str, str], ...] = (
    ("remind", "remind_at", "reminded_at"),
    ("amber", "amber_at", "ambered_at"),
    ("overdue", "deadline_at", "overdue_at"),
)
RUNNING = ("REGISTERED", "DISPATCHED", "HANDLING", "VERIFYING")
Row = Mapping[str, Any]


def marks(row: Row) -> dict[str, int]:
    """Return the instants at which a registered case reminds, turns amber and is overdue."""
    start_ms = row["registered_at"] + row["suspended_ms"]
    limit_ms = row["limit_ms"] + row["extended_ms"]
    return {
        "remind_at": start_ms + round(limit_ms * REMIND_SHARE),
        "amber_at": start_ms + round(limit_ms * AMBER_SHARE),
        "deadline_at": start_ms + limit_ms,
    }


def fallen_due(row: Row, now_ms: int) -> dict[Mark, dict[str, int]]:
    """Return the marks that have fallen due and are not written yet, in order, each with the column to write.

    Overdue is written as the instant of the deadline, whenever somebody came to look.
    """
    if row["state"] not in RUNNING or row["suspended_at"] is not None:
        return {}
    return {
        mark: {written: row[at] if mark == "overdue" else now_ms}
        for mark, at, written in MARKS
        if row[written] is None and row[at] <= now_ms
    }


def is_overdue(row: Row, now_ms: int) -> bool:
    """Tell whether the deadline has passed; at the very instant it has."""
    return row["overdue_at"] is not None or bool(fallen_due(row, now_ms).get("overdue"))


def remaining_ms(row: Row, now_ms: int) -> int | None:
    """Return the time left, negative when overdue; it stands still while suspended. None when no clock is running."""
    if row["state"] not in RUNNING:
        return None
    standing = row["suspended_at"]
    return int(row["deadline_at"] - (now_ms if standing is None else standing))


def colour(row: Row, now_ms: int) -> Colour | None:
    """Return green, amber from 80 % of the time, red from the deadline on; None when no clock is running."""
    left_ms = remaining_ms(row, now_ms)
    if left_ms is None:
        return None
    if left_ms <= 0 or row["overdue_at"] is not None:
        return "red"
    return "amber" if left_ms <= row["deadline_at"] - row["amber_at"] else "green"
