"""The rules in force and those of before: an open alarm whose rule was changed stays with the rules it was raised by.

While it is open both are judged. It is as bad as its own rule says; the changed rule takes over when it says worse, or
when the own rule returns. So no change of a rule returns an alarm to normal, and none hides a worse one.
"""

from collections.abc import Mapping, Sequence

import msgspec

from devices.kind import Limit
from devices.site import Site
from ingest.alarms.conditions import Condition, judge, new_condition
from ingest.alarms.memory import Bound, DeviceState, GroupState
from ingest.alarms.revisions.revision import SITE_FILE, Revision
from ingest.alarms.rules import GroupRule, Rule, RuleBook, SilenceRule, rule_book


class _Saved(msgspec.Struct, array_like=True):
    """What a checkpoint keeps: which revision is in force since which record, and those that open alarms stay with."""

    number: int
    position: int
    at_ms: int
    revisions: list[Revision]


class Books:
    """The rule books of a site, by revision."""

    def __init__(self, site: Site, revision: Revision = SITE_FILE) -> None:
        """Begin with a revision."""
        self._site = site
        self._revisions: dict[int, Revision] = {}
        self._compiled: dict[int, RuleBook] = {}
        self.position = self.at_ms = 0
        self._take(revision)

    def _take(self, revision: Revision) -> None:
        self.number = revision.number
        self._revisions[revision.number] = revision
        self.site = revision.over(self._site)
        self.book = self._compiled[revision.number] = rule_book(self.site)

    def of(self, number: int) -> RuleBook:
        """Return the rules of a revision that something stays with."""
        if number not in self._compiled:
            self._compiled[number] = rule_book(self._revisions.get(number, SITE_FILE).over(self._site))
        return self._compiled[number]

    def rule(self, number: int, device: str, rule: Rule) -> Rule:
        """Return what a rule of a device was in a revision; itself, where that did not have it."""
        found = rule_of(self.of(number), device, rule.id)
        return found if isinstance(found, Rule) else rule

    def group(self, number: int, name: str, rule: GroupRule) -> GroupRule:
        """Return what a rule on a group was in a revision; itself, where that did not have it."""
        found = rule_of(self.of(number), name, rule.id)
        return found if isinstance(found, GroupRule) else rule

    def adopt(
        self, revision: Revision, position: int, at_ms: int, states: Mapping[str, DeviceState | GroupState]
    ) -> list[str]:
        """Take a revision into force and let open alarms stay with their rules; return the names of changed states."""
        before, number = self.book, self.number
        self._take(revision)
        self.position, self.at_ms = position, at_ms
        changed = []
        for name, state in states.items():
            held = state.conditions or (isinstance(state, GroupState) and state.open)
            if held and self._settle(name, state, before, number):
                changed.append(name)
        kept = {bound.revision for state in states.values() for bound in state.bound.values()} | {revision.number}
        self._revisions = {each: found for each, found in self._revisions.items() if each in kept}
        self._compiled = {each: found for each, found in self._compiled.items() if each in kept}
        return changed

    def _settle(self, name: str, state: DeviceState | GroupState, before: RuleBook, number: int) -> bool:
        changed = False
        opened = [rule_id for rule_id, condition in state.conditions.items() if condition.level]
        opened += state.open if isinstance(state, GroupState) else ()
        for rule_id in opened:
            now = rule_of(self.book, name, rule_id)
            bound = state.bound.get(rule_id)
            old = rule_of(before if bound is None else self.of(bound.revision), name, rule_id)
            if now is None or old is None:
                continue
            if now.version == old.version:
                changed |= state.bound.pop(rule_id, None) is not None
            elif bound is None:
                condition = state.conditions.get(rule_id)
                fresh = None if condition is None else new_condition(_limit(now), condition.last_ms)
                state.bound[rule_id] = Bound(number, fresh)
                changed = True
        return changed

    def saved(self) -> bytes:
        """Return what a checkpoint keeps."""
        return msgspec.msgpack.encode(_Saved(self.number, self.position, self.at_ms, [*self._revisions.values()]))

    def restore(self, saved: bytes) -> None:
        """Take over what a checkpoint kept."""
        found = msgspec.msgpack.decode(saved, type=_Saved)
        self._revisions = {revision.number: revision for revision in found.revisions}
        self._compiled = {}
        self._take(self._revisions.get(found.number, SITE_FILE))
        self.position, self.at_ms = found.position, found.at_ms


def in_force(saved: bytes) -> tuple[int, int, int]:
    """Return the number of the revision a checkpoint has in force, and since which record and instant."""
    found = msgspec.msgpack.decode(saved, type=_Saved)
    return found.number, found.position, found.at_ms


def rule_of(book: RuleBook, name: str, rule_id: str) -> Rule | SilenceRule | GroupRule | None:
    """Return the rule that stands for a device or group."""
    own = (book.own or {}).get(name, {}).get(rule_id) or book.own_groups.get((rule_id, name))
    return own or book.by_id.get(rule_id)


def changed_rules(before: RuleBook, after: RuleBook) -> set[str]:
    """Return the identifiers of the rules that differ for anybody, and of those on groups that count their alarms."""
    found = {
        rule_id
        for rule_id in before.by_id.keys() | after.by_id.keys()
        if _version(before.by_id, rule_id) != _version(after.by_id, rule_id)
    }
    one, other = before.own or {}, after.own or {}
    for device in one.keys() | other.keys():
        mine, yours = one.get(device, {}), other.get(device, {})
        found |= {key for key in mine.keys() | yours.keys() if _version(mine, key) != _version(yours, key)}
    mine_of, yours_of = before.own_groups, after.own_groups
    found |= {
        rule_id
        for rule_id, name in mine_of.keys() | yours_of.keys()
        if getattr(mine_of.get((rule_id, name)), "version", "") != getattr(yours_of.get((rule_id, name)), "version", "")
    }
    counted = {f"{rule.kind}.{getattr(rule.group.of, 'rule', '')}": rule.id for rule in before.groups}
    return found | {group for member, group in counted.items() if member in found}


def judge_bound(
    condition: Condition,
    bound: Bound,
    old: Limit,
    new: Limit,
    values: Sequence[float | None],
    at_ms: int,
    stale_after_ms: int,
) -> tuple[bool, int | None]:
    """Judge one sample by the rule an alarm stays with and by the changed one.

    Args:
        condition: of the rule it stays with.
        bound: with the memory of the changed rule.
        old: the limit it stays with.
        new: the changed limit.
        values: the sample for each, None where that limit is not armed.
        at_ms: device time.
        stale_after_ms: a longer gap does not count towards delays.

    Returns:
        Whether the changed rule takes over, and the level of a late sample that would have raised.
    """
    successor = bound.successor = bound.successor or new_condition(new, condition.last_ms)
    late = [
        judge(condition, old, values[0], at_ms, stale_after_ms),
        judge(successor, new, values[1], at_ms, stale_after_ms),
    ]
    over = condition.level == 0 or successor.level > condition.level
    return over, max((level for level in late if level is not None and level > condition.level), default=None)


def _version(rules: Mapping[str, Rule | SilenceRule | GroupRule], rule_id: str) -> str:
    rule = rules.get(rule_id)
    return "" if rule is None else rule.version


def _limit(rule: Rule | SilenceRule | GroupRule) -> Limit:
    assert not isinstance(rule, SilenceRule)
    return rule.limit if isinstance(rule, Rule) else rule.group.limit
