"""The record: what the collector wrote of its alarms, and the command log; read from the audit, which nobody changes.

A command stands in the audit behind the last line its collector had written when it took effect. That line's position
is where it belongs in the journal, whatever the positions of other collectors are.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa

from ingest.alarms.own_kind import WATCHDOG_ABSENT
from ingest.alarms.revisions import records
from ingest.alarms.revisions.revision import SITE_FILE, Revision
from ingest.alarms.revisions.tables import rule_adoption, rule_revision
from ingest.alarms.rules import REPEAT_OFFENDER
from ingest.alarms.tables import audit, occurrence
from ingest.recount.expected import Deed, Entry, Standing

FOUND = frozenset({"raise", "change", "return", "passage", "late"})
ELSEWHERE = {
    WATCHDOG_ABSENT: "judged from the alarm database, because the journal may stand still",
    REPEAT_OFFENDER: "counted from the alarm database over all collectors",
}
"""Rules of which the journal of one collector does not decide."""
_SEEN = frozenset({"ACKED", "LATCHED", "CLOSED"})
_AT_ONCE = 500
Claim = Callable[[str], bool | None]
"""Tells whether a device is this collector's; None when nobody can tell."""


class Written(NamedTuple):
    """A line with what it is about; ``version`` is that of the rule where an occurrence was born, else empty."""

    seq: int
    entry: Entry
    device: str
    rule: str
    version: str


@dataclass
class Record:
    """What stands on record behind a position, in order; ``foreign`` counts lines of devices of no collector."""

    written: list[Written] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    foreign: int = 0
    elsewhere: Counter[str] = field(default_factory=Counter)
    last_seq: int = 0


def read(connection: sa.Connection, after_seq: int, after_position: int, claimed: Claim) -> Record:
    """Read the record of one collector.

    Args:
        connection: of the alarm database.
        after_seq: where in the audit to begin.
        after_position: lines up to here were counted before.
        claimed: whose devices are whose.
    """
    query = (
        sa.select(audit, occurrence.c.device, occurrence.c.raised_at)
        .join(occurrence, occurrence.c.id == audit.c.occurrence)
        .where(audit.c.seq > after_seq)
        .order_by(audit.c.seq)
    )
    record = Record(last_seq=after_seq)
    position = after_position
    with connection.execute(query, execution_options={"yield_per": 2_000}) as rows:
        for row in rows.mappings():
            ours = claimed(row["device"])
            record.last_seq = row["seq"]
            if row["rule"] in ELSEWHERE:
                record.elsewhere[row["rule"]] += 1
            elif row["actor"] == "system" and row["action"] in FOUND:
                if ours is None:
                    record.foreign += 1
                elif ours and row["position"] > after_position:
                    position = row["position"]
                    record.written.append(_written(row))
            elif ours:
                what = _done(row)
                if what is not None:
                    record.deeds.append(Deed(row["seq"], position, row["point"], what))
    return record


def begin_seq(connection: sa.Connection, at_ms: int) -> int:
    """Return the last line of the audit before everything written at an instant or later."""
    first = connection.execute(sa.select(sa.func.min(audit.c.seq)).where(audit.c.at >= at_ms)).scalar()
    if first is None:
        first = int(connection.execute(sa.select(sa.func.max(audit.c.seq))).scalar() or 0) + 1
    return int(first) - 1


def standing_at(
    connection: sa.Connection, seq: int, at_ms: int, claimed: Claim
) -> Iterator[tuple[str, str, str, Standing]]:
    """Yield (point, device, rule, facts) of what was open behind a line of the audit, as the record has it."""
    last = (
        sa.select(sa.func.max(audit.c.seq).label("seq"))
        .join(occurrence, occurrence.c.id == audit.c.occurrence)
        .where(audit.c.seq <= seq, sa.or_(occurrence.c.closed_at.is_(None), occurrence.c.closed_at >= at_ms))
        .group_by(audit.c.occurrence)
        .subquery()
    )
    query = (
        sa.select(audit, occurrence.c.device, occurrence.c.latched, occurrence.c.level_peak)
        .join(last, last.c.seq == audit.c.seq)
        .join(occurrence, occurrence.c.id == audit.c.occurrence)
    )
    for row in connection.execute(query).mappings():
        if row["state_after"] != "CLOSED" and claimed(row["device"]):
            active, acked = row["state_after"] in ("UNACK", "ACKED"), row["state_after"] in _SEEN
            level = int(row["level"] or 0)
            facts = Standing(active, acked, row["latched"], level, level if acked else 0, row["level_peak"])
            yield row["point"], row["device"], row["rule"], facts


def revision_at(connection: sa.Connection, shard: str, position: int) -> Revision:
    """Return the revision of the rules by which a collector judged behind a position."""
    query = (
        sa.select(rule_revision)
        .join(rule_adoption, rule_adoption.c.revision == rule_revision.c.number)
        .where(rule_adoption.c.shard == shard, rule_adoption.c.position <= position)
        .order_by(rule_adoption.c.position.desc())
        .limit(1)
    )
    found = connection.execute(query).mappings().one_or_none()
    return SITE_FILE if found is None else records.published(dict(found))


def passed_before(connection: sa.Connection, points: Iterable[str], position: int, seq: int) -> set[str]:
    """Return the passages among some points that stood on record before a position: one vehicle is one alarm."""
    waiting, found = iter(points), set[str]()
    while chunk := list(islice(waiting, _AT_ONCE)):
        query = (
            sa.select(audit.c.point)
            .where(audit.c.point.in_(chunk), audit.c.action == "passage", audit.c.seq <= seq)
            .where(audit.c.position <= position)
        )
        found.update(str(point) for point in connection.scalars(query))
    return found


def _written(row: Any) -> Written:
    born = row["version_before"] is None
    entry = Entry(
        row["position"], row["point"], row["action"], row["level"] or 0, row["at"], row["raised_at"] if born else None
    )
    return Written(row["seq"], entry, row["device"], row["rule"], row["rule_version"] if born else "")


def _done(row: Any) -> str | None:
    if row["action"] == "reset":
        return "reset"
    before, after = row["state_before"] in _SEEN, row["state_after"] in _SEEN
    return None if before == after else "acked" if after else "announced"
