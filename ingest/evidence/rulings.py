"""The versions of rules that judged an alarm, and the limits in force when it was raised."""

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from devices.kind import Label, Limit, in_both
from devices.site import Site
from ingest.alarms.books import rule_of
from ingest.alarms.revisions import records
from ingest.alarms.revisions.revision import SITE_FILE, Revision
from ingest.alarms.revisions.tables import rule_revision
from ingest.alarms.rules import (
    BAD_DATA,
    CLOCK,
    EXPIRES,
    REPEAT_OFFENDER,
    VERIFY_DUE,
    GroupRule,
    Rule,
    RuleBook,
    SilenceRule,
    rule_book,
)
from ingest.evidence.gathered import LimitLine, RuleVersion

AnyRule = Rule | SilenceRule | GroupRule
_FIXED = (CLOCK, BAD_DATA, EXPIRES, VERIFY_DUE, "watchdog", REPEAT_OFFENDER.rpartition(".")[2])


class Rulings:
    """The rules of a site through its revisions."""

    def __init__(self, connection: sa.Connection, site: Site) -> None:
        """Read the approved revisions; each is laid over the site when it is looked into."""
        query = sa.select(rule_revision).where(rule_revision.c.sequence.is_not(None))
        rows = connection.execute(query.order_by(rule_revision.c.sequence)).mappings()
        self._site = site
        self._revisions: list[tuple[Revision, dict[str, Any] | None]] = [(SITE_FILE, None)]
        self._revisions += [(records.published(dict(row)), dict(row)) for row in rows]
        self._books: dict[int, RuleBook] = {}

    def version(self, device: str, rule_id: str, version: str) -> RuleVersion:
        """Return the first revision that said so, with its numbers."""
        for revision, row in self._revisions:
            found = rule_of(self._book(revision), device, rule_id)
            if found is not None and found.version == version:
                return _told(found, revision.number, row)
        fixed = rule_id.rpartition(".")[2] in _FIXED
        return RuleVersion(rule_id, version, numbers={} if fixed else None)

    def in_force(self, at_ms: int) -> RuleBook:
        """Return the rules in force at an instant."""
        standing = [found for found, row in self._revisions if row is None or row["effective_at"] <= at_ms]
        return self._book(standing[-1])

    def _book(self, revision: Revision) -> RuleBook:
        if revision.number not in self._books:
            self._books[revision.number] = rule_book(revision.over(self._site))
        return self._books[revision.number]


def limit_lines(book: RuleBook, curves: Iterable[tuple[str, str]]) -> Iterator[LimitLine]:
    """Yield the levels that are lines across the curves, given as devices and fields."""
    usual = [rule for rule in book.by_id.values() if isinstance(rule, Rule)]
    for device, field in curves:
        for rule_id in (each.id for each in usual if each.field == field):
            rule = rule_of(book, device, rule_id)
            if isinstance(rule, Rule) and rule.limit.of_values:
                for level in rule.limit.levels:
                    yield LimitLine(
                        device, field, rule.id, rule.version, level.level, level.priority, rule.limit.sense,
                        level.value, rule.unit, rule.limit.deadband,
                    )  # fmt: skip


def _told(rule: AnyRule, number: int, row: dict[str, Any] | None) -> RuleVersion:
    numbers = _silence(rule) if isinstance(rule, SilenceRule) else _limit(rule)
    if row is None:
        return RuleVersion(rule.id, rule.version, number, numbers=numbers)
    return RuleVersion(
        rule.id, rule.version, number, row["author"], row["approved_by"] or "", row["effective_at"], row["edition"],
        row["reason"], numbers,
    )  # fmt: skip


def _silence(rule: SilenceRule) -> dict[str, Any]:
    return {
        "sense": "silence", "unit": "s",
        "levels": [{"level": 1, "value": rule.no_data.after_s, "priority": rule.no_data.priority}],
        "deadband": 0.0, "on_s": 0.0, "off_s": 0.0, "latch": False,
        "source": _both(rule.no_data.source), "grade": rule.no_data.grade,
    }  # fmt: skip


def _limit(rule: Rule | GroupRule) -> dict[str, Any]:
    limit: Limit = rule.limit if isinstance(rule, Rule) else rule.group.limit
    unit = rule.unit if isinstance(rule, Rule) else rule.group.unit
    return {
        "sense": limit.sense, "unit": unit,
        "levels": [{"level": each.level, "value": each.value, "priority": each.priority} for each in limit.levels],
        "deadband": limit.deadband, "on_s": limit.on_s, "off_s": limit.off_s, "latch": limit.latch,
        "source": _both(limit.source), "grade": limit.grade,
    }  # fmt: skip


def _both(source: str | Label) -> dict[str, str]:
    found = in_both(source)
    return {"zh": found.zh, "en": found.en}
