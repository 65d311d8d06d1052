"""The outbox: what people must be told of, written in the transaction that made it so.

An announcement names an occurrence, or a case whose time runs out, at one version. Who is told, and by which channel,
is decided when it is taken out (:mod:`ingest.notices`); here it is only made sure that none is missing.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from ingest.alarms.tables import metadata

announcement = sa.Table(
    "announcement",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("occurrence", sa.String(40), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("priority", sa.String(8), nullable=False),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("why", sa.String(32), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("taken_at", sa.BigInteger),
)
sa.Index(
    "waiting_announcements",
    announcement.c.at,
    sqlite_where=announcement.c.taken_at.is_(None),
    postgresql_where=announcement.c.taken_at.is_(None),
)


def calls_for_people(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> bool:
    """Tell whether an occurrence has come to ask for somebody: new, again, worse, or no longer hidden."""
    if after["acked"] or after["closed_at"] is not None or after["suppression"] != "none":
        return False
    if before is None:
        return True
    risen = after["level_now"] > before["level_now"] or after["level_peak"] > before["level_peak"]
    again = after["active"] and not before["active"]
    # What another device explained and is over by itself calls nobody; it only stays to be acknowledged.
    shown = before["suppression"] != "none" and (after["active"] or before["suppression"] != "by_design")
    return bool(before["acked"] or shown or risen or again)


# How urgent it is that the time of a case runs out, and which rung of that priority's ladder is called.
_MARKS: dict[str, tuple[str, int]] = {"remind": ("P4", 0), "amber": ("P3", 0), "overdue": ("P2", 2)}


def mark_row(case: Mapping[str, Any], mark: str, at_ms: int) -> dict[str, Any]:
    """Return the announcement of a mark that a case has passed: reminding, amber or overdue."""
    priority, step = _MARKS[mark]
    return {
        "id": f"{case['id']}-{mark}-{case['version']}",
        "occurrence": case["id"],
        "version": case["version"],
        "priority": priority,
        "level": 0,
        "step": step,
        "why": mark,
        "at": at_ms,
        "taken_at": None,
    }


def row_of(after: Mapping[str, Any], why: str, at_ms: int, step: int = 0) -> dict[str, Any]:
    """Return the announcement of an occurrence as it now is."""
    return {
        "id": f"{after['id']}-{after['version']}-{step}",
        "occurrence": after["id"],
        "version": after["version"],
        "priority": after["priority"],
        "level": max(after["level_now"], after["level_peak"] if not after["active"] else 0),
        "step": step,
        "why": why[:32],
        "at": at_ms,
        "taken_at": None,
    }
