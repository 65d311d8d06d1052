"""Rules in force beside a draft, over recorded data: the same outcomes through two engines, and what differs.

Only alarms of rules that the draft changes can differ; the second engine is given the devices of their kinds alone. All
other alarms are the same under both, and counted so.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from devices.kind import PRIORITIES, worst_priority
from devices.site import Site
from ingest.alarms.books import changed_rules, rule_of
from ingest.alarms.engine import Engine
from ingest.alarms.load import burden
from ingest.alarms.own_kind import WATCHDOG
from ingest.alarms.revisions.episodes import Episode, Episodes
from ingest.alarms.revisions.revision import Revision
from ingest.alarms.rules import GroupRule, rule_book
from ingest.outcomes import AnyOutcome, Batch

Document = dict[str, Any]
_NAMED = 500


class Compared(Protocol):
    """Alarms under the rules in force and under a draft, whatever they were judged on."""

    before: Episodes
    after: Episodes

    @property
    def rules(self) -> Set[str]:
        """The rules that the draft changes."""

    def touches(self, rule: str, device: str) -> bool:
        """Tell whether alarms of a rule on a device can differ."""


class Comparison:
    """Two engines on one recording of one collector."""

    def __init__(self, site: Site, shard: str, base: Revision, draft: Revision) -> None:
        """Begin with engines that remember nothing."""
        self._books = rule_book(base.over(site)), rule_book(draft.over(site))
        self._rules = changed_rules(*self._books)
        self._kinds = {rule.partition(".")[0] for rule in self.rules}
        devices = {name: device for name, device in site.devices.items() if device.kind in self._kinds}
        self._base = Engine(site, shard, base)
        self._draft = Engine(replace(site, devices=devices, ways={}), shard, draft)
        self.before, self.after = Episodes(), Episodes()

    @property
    def rules(self) -> Set[str]:
        """See :class:`Compared`."""
        return self._rules

    def touches(self, rule: str, device: str) -> bool:
        """See :class:`Compared`."""
        if rule not in self._rules:
            return False
        before, after = (rule_of(book, device, rule) for book in self._books)
        # One on a group may count alarms of a rule that differs, and be the same itself.
        return isinstance(before, GroupRule) or getattr(before, "version", "") != getattr(after, "version", "")

    def feed(self, outcomes: Sequence[AnyOutcome]) -> None:
        """Judge outcomes by both."""
        self.before.take(self._base.feed(outcomes))
        if isinstance(outcomes, Batch):
            mine: Sequence[AnyOutcome] = outcomes.of(self._kinds)
        else:
            mine = [each for each in outcomes if each.fate == "tick" or each.kind in self._kinds]
        told = self._draft.feed(mine)
        self.after.take(each for each in told if each.rule in self.rules)

    def finish(self) -> None:
        """Count the alarms that the draft does not touch under both."""
        for point, episodes in self.before.by_point.items():
            if episodes and episodes[0].rule not in self.rules:
                self.after.by_point[point] = episodes


def result(
    comparisons: Sequence[Compared], recorded: Iterable[Mapping[str, Any]], from_ms: int, to_ms: int, site: Site
) -> Document:
    """Return what came of it, for people.

    Args:
        comparisons: finished, one for each part of the site.
        recorded: occurrences of the span as they stand in the alarm database, with verdict and case.
        from_ms: first instant of the span.
        to_ms: its end.
        site: for the days of its own calendar.
    """
    rules = set().union(*(each.rules for each in comparisons))

    def touched(rule: str, device: str) -> bool:
        return any(each.touches(rule, device) for each in comparisons)

    before = Episodes({point: found for each in comparisons for point, found in each.before.by_point.items()})
    after = Episodes({point: found for each in comparisons for point, found in each.after.by_point.items()})
    # The path of alarms tries itself each minute; that is nobody's work.
    was, would = ([e for e in side.within(from_ms, to_ms) if e.rule != WATCHDOG] for side in (before, after))
    vanish = [each for each in was if touched(each.rule, each.device) and after.meeting(each) is None]
    appear = [each for each in would if touched(each.rule, each.device) and before.meeting(each) is None]
    moved = []
    for each in was:
        met = after.meeting(each) if touched(each.rule, each.device) else None
        if met is not None and met.priority != each.priority:
            moved.append({**_named(each), "was": each.priority, "priority": met.priority, "level": met.level,
                          "milder": worst_priority((each.priority, met.priority)) == each.priority})  # fmt: skip
    return {
        "rules": sorted(rules),
        "days": (to_ms - from_ms) / 86_400_000,
        "before": _figures(was, from_ms, to_ms),
        "after": _figures(would, from_ms, to_ms),
        "by_day": _by_day(was, would, site),
        "vanish": _list(map(_named, vanish), len(vanish)),
        "appear": _list(map(_named, appear), len(appear)),
        "moved": _list(moved, len(moved)),
        "verdicts": _verdicts([row for row in recorded if touched(row["rule"], row["device"])], before, after),
    }


def _figures(episodes: Sequence[Episode], from_ms: int, to_ms: int) -> Document:
    announced = [(each.noticed_ms, each.point) for each in episodes if not each.hidden]
    found = asdict(burden(announced, from_ms, to_ms))
    counts = Counter(each.priority for each in episodes if not each.hidden)
    days = (to_ms - from_ms) / 86_400_000
    alarms = sum(counts[priority] for priority in PRIORITIES if priority != "health")
    return {
        **found,
        "activations": len(announced),
        "hidden": len(episodes) - len(announced),
        "per_day": len(announced) / days if days else None,
        "priorities": {priority: counts[priority] for priority in PRIORITIES},
        "mix": {each: counts[each] / alarms for each in ("P1", "P2", "P3", "P4")} if alarms else None,
    }


def _by_day(was: Iterable[Episode], would: Iterable[Episode], site: Site) -> list[Document]:
    found: dict[str, tuple[Counter[str], Counter[str]]] = {}
    for side, episodes in enumerate((was, would)):
        for each in episodes:
            if not each.hidden:
                day = datetime.fromtimestamp(each.noticed_ms / 1000, UTC).astimezone(site.timezone).date().isoformat()
                found.setdefault(day, (Counter(), Counter()))[side][each.priority] += 1
    return [{"day": day, "before": dict(one), "after": dict(other)} for day, (one, other) in sorted(found.items())]


def _named(episode: Episode) -> Document:
    return {
        "point": episode.point,
        "rule": episode.rule,
        "device": episode.device,
        "at": episode.begin_ms,
        "until": episode.end_ms,
        "value": episode.value,
        "unit": episode.unit,
        "level": episode.level,
        "priority": episode.priority,
        "hidden": episode.hidden,
    }


def _list(items: Iterable[Document], count: int) -> Document:
    # Every one is counted; so many are named.
    return {"count": count, "items": [item for _, item in zip(range(_NAMED), items, strict=False)]}


def _verdicts(recorded: Sequence[Mapping[str, Any]], before: Episodes, after: Episodes) -> Document:
    """Count what people have found of the alarms of the span: those found false, and those that became a case.

    Of an alarm that the rules in force do not raise here either, nothing can be said: it is ``absent``.
    """
    found = {"false_alarms": 0, "spared": 0, "confirmed": 0, "missed": 0, "absent": 0}
    missed: list[Document] = []
    for row in recorded:
        false, confirmed = row["verdict"] == "false_alarm", row["case"] is not None and row["verdict"] is None
        if not (false or confirmed):
            continue
        end_ms = row["returned_at"] if row["returned_at"] is not None else row["closed_at"]
        episode = Episode(
            row["point"], row["rule"], row["device"], row["kind"], row["raised_at"], row["noticed_at"], end_ms,
            row["level_peak"], row["priority"], row["value"], row["unit"], False,
        )  # fmt: skip
        if before.meeting(episode) is None:
            found["absent"] += 1
            continue
        found["false_alarms" if false else "confirmed"] += 1
        if after.meeting(episode) is None:
            found["spared" if false else "missed"] += 1
            if confirmed:
                missed.append({**_named(episode), "alarm": row["id"], "case": row["case"]})
    return {**found, "missed_items": missed[:_NAMED]}
