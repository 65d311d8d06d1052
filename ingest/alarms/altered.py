"""Every occurrence held against its audit rows: changed by hand, invented, or gone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any, Literal

import sqlalchemy as sa

from devices.kind import Limit
from devices.site import Site
from ingest.alarms.dates import DATES_VERSION
from ingest.alarms.offenders import REPEATED
from ingest.alarms.own_kind import COLLECTOR, WATCHDOG_ABSENT
from ingest.alarms.retelling import AuditRow, Rank, Ranks, Told
from ingest.alarms.revisions import records
from ingest.alarms.revisions.revision import SITE_FILE, Revision
from ingest.alarms.revisions.tables import rule_revision
from ingest.alarms.rules import (
    BAD_DATA,
    BAD_DATA_VERSION,
    CLOCK,
    CLOCK_VERSION,
    EXPIRES,
    REPEAT_OFFENDER,
    VERIFY_DUE,
    GroupRule,
    Rule,
    SilenceRule,
    rule_book,
)
from ingest.alarms.suppressions import Standing
from ingest.alarms.tables import audit, occurrence

_AT_ONCE = 500
_COLUMNS = [audit.c[name] for name in AuditRow._fields]
_FIXED_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Altered:
    """An occurrence that is not what the record says; ``phantom`` when the record says nothing of it."""

    verdict: Literal["phantom", "changed"]
    occurrence: str
    device: str
    rule: str
    sentence: str


@dataclass(slots=True)
class Comparison:
    """What came of it; of ``unranked`` occurrences the priority is not judged, because their rule is not known."""

    occurrences: int = 0
    altered: list[Altered] = field(default_factory=list)
    unranked: int = 0


def compare(connection: sa.Connection, site: Site) -> Comparison:
    """Compare all occurrences with the record, which is assumed to be whole; see :func:`ingest.alarms.audit.check`."""
    known, standing = ranks(connection, site), Standing(connection)
    found = Comparison()
    waiting: dict[str, Told] = {}
    for told in _told(connection):
        waiting[told.last.occurrence] = told
        if len(waiting) == _AT_ONCE:
            _compare(connection, found, waiting, known, standing)
            waiting = {}
    _compare(connection, found, waiting, known, standing)
    unheard = ~sa.exists().where(audit.c.occurrence == occurrence.c.id)
    for row in connection.execute(sa.select(occurrence).where(unheard).order_by(occurrence.c.id)).mappings():
        found.occurrences += 1
        sentence = f"occurrence {row['id']} of {row['point']}: it stands, the record has no row of it"
        found.altered.append(Altered("phantom", row["id"], row["device"], row["rule"], sentence))
    return found


def ranks(connection: sa.Connection, site: Site) -> dict[tuple[str, str], Rank]:
    """Return what every version of every rule gives, of the site file and of each revision that was approved."""
    found = {
        (WATCHDOG_ABSENT, _FIXED_VERSION): Rank(("P1",), False),
        (REPEAT_OFFENDER, _FIXED_VERSION): _rank(REPEATED),
    }
    for kind in (*site.catalog.kinds, COLLECTOR.key):
        for key, version in (
            (CLOCK, CLOCK_VERSION), (BAD_DATA, BAD_DATA_VERSION), (EXPIRES, DATES_VERSION), (VERIFY_DUE, DATES_VERSION),
        ):  # fmt: skip
            found[f"{kind}.{key}", version] = Rank(("health", "health"), False)
    query = sa.select(rule_revision).where(rule_revision.c.sequence.is_not(None))
    approved = [records.published(dict(row)) for row in connection.execute(query).mappings()]
    for revision in (SITE_FILE, *approved):
        found.update({(rule.id, rule.version): _rank_of(rule) for rule in _rules(site, revision)})
    return found


def _rules(site: Site, revision: Revision) -> Iterator[Rule | SilenceRule | GroupRule]:
    book = rule_book(revision.over(site))
    yield from book.by_id.values()
    yield from book.own_groups.values()
    for own in (book.own or {}).values():
        yield from own.values()


def _rank_of(rule: Rule | SilenceRule | GroupRule) -> Rank:
    if isinstance(rule, SilenceRule):
        return Rank((rule.no_data.priority,), False)
    return _rank(rule.limit if isinstance(rule, Rule) else rule.group.limit)


def _rank(limit: Limit) -> Rank:
    return Rank(tuple(level.priority for level in limit.levels), limit.latch)


def _told(connection: sa.Connection) -> Iterator[Told]:
    query = sa.select(*_COLUMNS).where(audit.c.occurrence.is_not(None)).order_by(audit.c.occurrence, audit.c.seq)
    with connection.execute(query, execution_options={"yield_per": 2_000}) as rows:
        for _, group in groupby(map(AuditRow._make, rows), attrgetter("occurrence")):
            told = None
            for row in group:
                told = told or Told(row)
                told.take(row)
            if told is not None:
                yield told


def _compare(
    connection: sa.Connection, found: Comparison, waiting: dict[str, Told], known: Ranks, standing: Standing
) -> None:
    query = sa.select(occurrence).where(occurrence.c.id.in_(waiting))
    rows = {row["id"]: dict(row) for row in connection.execute(query).mappings()}
    for name, told in waiting.items():
        row = rows.get(name)
        about = f"occurrence {name} of {told.last.point}"
        if row is None:
            sentence = (
                f"{about}: it does not stand, the record has {told.rows} rows of it, up to {told.last.state_after}"
            )
            device = told.last.point.partition("/")[0]
            found.altered.append(Altered("changed", name, device, told.last.rule, sentence))
            continue
        found.occurrences += 1
        found.unranked += not told.ranked(known)
        differences = [*told.differences(row, known), *_hidden(row, standing)]
        if differences:
            sentence = f"{about}: {'; '.join(differences)}"
            found.altered.append(Altered("changed", name, row["device"], row["rule"], sentence))


def _hidden(row: Any, standing: Standing) -> Iterator[str]:
    if row["closed_at"] is None:
        told = standing.columns_of(row)["suppression"]
        if row["suppression"] != told:
            yield f"suppression is {row['suppression']}, what hides it on record is {told}"
