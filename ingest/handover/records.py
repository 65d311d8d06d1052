"""Handing the desk over: what one shift leaves open to the next, in its own words and in figures, and who took it."""

from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.alarms.load import load
from ingest.alarms.own_kind import WATCHDOG
from ingest.alarms.suppressions import HIDDEN
from ingest.alarms.tables import joint_act, metadata, occurrence
from ingest.cases.clock import colour
from ingest.cases.lifecycle import OPEN_STATES
from ingest.cases.tables import cases

Row = dict[str, Any]
# What a note names one by one; beyond it the counts tell how many there are.
_NAMED_MOST = 200
_URGENT = ("P1", "P2", "P3")

# ``facts`` is the JSON of :class:`Facts` as they were when the note was written.
handover = sa.Table(
    "handover",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("shift_from", sa.BigInteger, nullable=False),
    sa.Column("shift_to", sa.BigInteger, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("written_by", sa.String(64), nullable=False),
    sa.Column("written_at", sa.BigInteger, nullable=False, index=True),
    sa.Column("accepted_by", sa.String(64)),
    sa.Column("accepted_at", sa.BigInteger),
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What stood open at an instant (epoch ms), and what the shift up to then had to do.

    ``open`` counts open alarms by priority, ``hidden`` those among them that are hidden, by what hides them; ``alarms``
    are the identifiers of the urgent ones. ``cases`` counts open cases by colour. Times of answering in seconds.
    """

    at_ms: int
    open: dict[str, int]
    unacked: int
    hidden: dict[str, int]
    waiting: int
    alarms: list[str]
    cases: dict[str, int]
    activations: int
    answered: int
    median_s: float | None
    p95_s: float | None


def facts(connection: sa.Connection, shift_from_ms: int, now_ms: int) -> Facts:
    """Reckon what is open now and what a shift had to do since it began."""
    standing = (occurrence.c.closed_at.is_(None), occurrence.c.rule != WATCHDOG)
    rows = connection.execute(
        sa.select(occurrence.c.id, occurrence.c.priority, occurrence.c.acked, occurrence.c.suppression)
        .where(*standing)
        .order_by(occurrence.c.priority, occurrence.c.raised_at)
    ).all()
    counts: dict[str, int] = {}
    hidden = dict.fromkeys(HIDDEN, 0)
    for row in rows:
        counts[row.priority] = counts.get(row.priority, 0) + 1
        if row.suppression in hidden:
            hidden[row.suppression] += 1
    waiting = connection.execute(
        sa.select(sa.func.count()).where(joint_act.c.outcome.is_(None), joint_act.c.expires_at > now_ms)
    ).scalar_one()
    names = ("state", "deadline_at", "amber_at", "overdue_at", "suspended_at")
    colours = dict.fromkeys(("green", "amber", "red", "reported"), 0)
    query = sa.select(*(cases.c[name] for name in names)).where(cases.c.state.in_(OPEN_STATES))
    for case in connection.execute(query).mappings():
        colours[colour(dict(case), now_ms) or "reported"] += 1
    done = load(connection, shift_from_ms, max(now_ms, shift_from_ms + 1), now_ms)
    return Facts(
        now_ms,
        counts,
        sum(not row.acked for row in rows),
        hidden,
        int(waiting),
        [row.id for row in rows if row.priority in _URGENT][:_NAMED_MOST],
        colours,
        done.activations,
        done.raise_to_ack.count,
        done.raise_to_ack.median_s,
        done.raise_to_ack.p95_s,
    )


def facts_of(row: Row) -> Facts:
    """Return the facts that a note was written with."""
    return msgspec.json.decode(row["facts"], type=Facts)


def newest(connection: sa.Connection, most: int, offset: int = 0) -> list[Row]:
    """Return notes, the newest first."""
    query = sa.select(handover).order_by(handover.c.written_at.desc(), handover.c.id).limit(most).offset(offset)
    return [dict(row) for row in connection.execute(query).mappings()]
