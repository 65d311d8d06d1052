"""What has to be judged on history: the rules that a draft changes, for the devices for which it changes them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from devices.signals import Tagged, While
from devices.site import Site
from ingest.alarms.books import changed_rules, rule_of
from ingest.alarms.revisions.revision import Revision
from ingest.alarms.rules import GroupRule, Rule, SilenceRule, rule_book
from ingest.backtest.figures import judged_by_figures
from ingest.errors import Refused

AnyRule = Rule | SilenceRule | GroupRule


@dataclass(frozen=True, slots=True)
class Pair:
    """One rule as it is and as it would be."""

    before: Rule
    after: Rule


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One field with the rules on it that change: the usual pair of each, and those of single devices."""

    kind: str
    measurement: str
    key: str
    tag: str
    usual: tuple[Pair, ...]
    own: dict[str, tuple[Pair, ...]] = field(default_factory=dict)

    def of(self, device: str) -> tuple[Pair, ...]:
        """Return the pairs that count for a device; none where nothing would differ for it."""
        return self.own.get(device, self.usual)

    @property
    def rules(self) -> Iterator[Rule]:
        """Yield every rule of it."""
        for pairs in (self.usual, *self.own.values()):
            for pair in pairs:
                yield from (pair.before, pair.after)


@dataclass(frozen=True, slots=True)
class Plan:
    """All fields that have to be read, the rules that are judged on them, and those that history cannot judge."""

    fields: tuple[FieldPlan, ...]
    rules: frozenset[str]
    unfit: tuple[str, ...] = ()

    def touches(self, rule: str, device: str) -> bool:
        """Tell whether a rule is judged for a device."""
        return rule in self.rules and any(
            pair.before.id == rule for each in self.fields for pair in each.of(device) if each.kind == pair.before.kind
        )


def plan(site: Site, base: Revision, draft: Revision) -> Plan:
    """Return what a draft changes, field by field.

    Raises:
        Refused: ``unfit``, history alone can judge none of its rules.
    """
    before, after = rule_book(base.over(site)), rule_book(draft.over(site))
    changed = sorted(changed_rules(before, after))
    pairs: dict[str, dict[str, Pair]] = {}
    # Alarms that a rule on a group counts are folded under the group's, which history does not know.
    gathered = {f"{rule.kind}.{getattr(rule.group.of, 'rule', '')}" for rule in before.groups}
    unfit = []
    for rule_id in changed:
        usual = Pair(*(_rule(book.by_id.get(rule_id)) for book in (before, after)))  # type: ignore[arg-type]
        own = {
            device: Pair(*(_rule(rule_of(book, device, rule_id)) for book in (before, after)))  # type: ignore[arg-type]
            for device in {*(before.own or {}), *(after.own or {})}
            if rule_id in (before.own or {}).get(device, {}) or rule_id in (after.own or {}).get(device, {})
        }
        if rule_id not in gathered and all(
            _in_columns(rule, site) for pair in (usual, *own.values()) for rule in (pair.before, pair.after)
        ):
            pairs[rule_id] = {"": usual, **own}
        else:
            unfit.append(rule_id)
    if unfit and not pairs:
        raise Refused("unfit", cannot(unfit), code="not_on_history", values={"rules": ", ".join(unfit)})
    return Plan(tuple(_fields(pairs)), frozenset(pairs), tuple(unfit))


def cannot(rules: Sequence[str]) -> str:
    """Return the sentence for rules that are not judged on history."""
    named = f"the rule {rules[0]} needs" if len(rules) == 1 else f"the rules {', '.join(rules)} need"
    return (
        f"History holds one field at a time, and {named} more than that (other fields, the order of arrival, or other "
        "devices); test this draft on the recording: --source journal."
    )


def _rule(rule: AnyRule | None) -> Rule | None:
    return rule if isinstance(rule, Rule) else None


def _in_columns(rule: Rule | None, site: Site) -> bool:
    """Tell whether the samples of the field alone say all that a rule asks for."""
    if rule is None or rule.kind not in site.catalog.kinds:
        return False
    limit = rule.limit
    if limit.signal is not None and not judged_by_figures(rule):
        return False
    if limit.passage or any(isinstance(each, While) for each in limit.armed):
        return False
    return len(_tags(rule)) < 2


def _tags(rule: Rule) -> set[str]:
    return {arming.tag for arming in rule.limit.armed if isinstance(arming, Tagged)}


def _fields(pairs: dict[str, dict[str, Pair]]) -> Iterator[FieldPlan]:
    by_field: dict[tuple[str, str, str, str], list[dict[str, Pair]]] = {}
    for found in pairs.values():
        rule = found[""].before
        tags = {tag for pair in found.values() for each in (pair.before, pair.after) for tag in _tags(each)}
        by_field.setdefault((rule.kind, rule.measurement, rule.field, min(tags, default="")), []).append(found)
    for (kind, measurement, key, tag), rules in by_field.items():
        devices = {device for found in rules for device in found if device}
        yield FieldPlan(
            kind, measurement, key, tag,
            _different(found[""] for found in rules),
            {device: _different(found.get(device, found[""]) for found in rules) for device in devices},
        )  # fmt: skip


def _different(pairs: Iterator[Pair]) -> tuple[Pair, ...]:
    return tuple(pair for pair in pairs if pair.before.version != pair.after.version)
