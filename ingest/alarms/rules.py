"""Rules in force at a site: the limits of its kinds, each with a stable identifier and a version."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from devices.catalog import Catalog
from devices.kind import Kind, Label, Limit, NoData, Priority
from ingest.alarms.own_kind import COLLECTOR

# The rule about a device's own clock, part of every kind.
CLOCK = "clock"
CLOCK_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Rule:
    """One limit in force. ``id`` is ``{kind}.{field}.{limit key}``; ``version`` changes with any of its numbers.

    A field key may stand in two measurements of a kind (the net mass of a lift, the load of a truck), so a rule is
    bound to its ``measurement``.
    """

    id: str
    version: str
    kind: str
    measurement: str
    field: str
    unit: str
    limit: Limit
    stale_after_ms: int
    passage: str | None = None

    def priority(self, level: int) -> Priority:
        """Return the priority of a level; level 0 has that of the mildest."""
        return self.limit.levels[max(level, 1) - 1].priority


@dataclass(frozen=True, slots=True)
class Watch:
    """A rule with the quick test that lets quiet values pass: inside (low, high), or none of ``states``."""

    rule: Rule
    low: float
    high: float
    states: frozenset[float] | None = None

    def quiet(self, value: float) -> bool:
        """Tell whether a value reaches no level."""
        return self.low < value < self.high if self.states is None else value not in self.states


def watch(rule: Rule) -> Watch:
    """Return a rule with its quick test."""
    limit = rule.limit
    if limit.sense == "state":
        return Watch(rule, 0.0, 0.0, frozenset(level.value for level in limit.levels))
    if limit.sense == "above":
        return Watch(rule, -math.inf, min(level.value for level in limit.levels))
    return Watch(rule, max(level.value for level in limit.levels), math.inf)


@dataclass(frozen=True, slots=True)
class SilenceRule:
    """The no-data rule of a kind."""

    id: str
    version: str
    kind: str
    no_data: NoData

    def armed(self, latest: float | str | None) -> bool:
        """Tell whether silence counts now, by the latest value of the field that decides it."""
        return self.no_data.while_field is None or latest in self.no_data.while_values


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules of a site: by measurement for readings, by kind for silence."""

    by_measurement: Mapping[str, tuple[Rule, ...]]
    silence: Mapping[str, SilenceRule]

    def watches(self) -> dict[str, dict[str, tuple[Watch, ...]]]:
        """Return the rules by measurement and field, ready for the message path."""
        found: dict[str, dict[str, tuple[Watch, ...]]] = {}
        for measurement, rules in self.by_measurement.items():
            fields = found.setdefault(measurement, {})
            for rule in rules:
                fields[rule.field] = (*fields.get(rule.field, ()), watch(rule))
        return found

    @property
    def by_id(self) -> Mapping[str, Rule | SilenceRule]:
        """Return every rule by its identifier."""
        found: dict[str, Rule | SilenceRule] = {
            rule.id: rule for rules in self.by_measurement.values() for rule in rules
        }
        found.update({rule.id: rule for rule in self.silence.values()})
        return found


def rule_book(catalog: Catalog) -> RuleBook:
    """Compile the limits of a catalog (with the site's thresholds already in place)."""
    by_measurement: dict[str, tuple[Rule, ...]] = {}
    silence: dict[str, SilenceRule] = {}
    for kind in (*catalog.kinds.values(), COLLECTOR):
        for measurement in kind.measurements:
            rules = tuple(
                Rule(
                    f"{kind.key}.{field.key}.{limit.key}",
                    _version(limit),
                    kind.key,
                    measurement.key,
                    field.key,
                    field.unit,
                    limit,
                    round(kind.stale_after_s * 1000),
                    measurement.passage if limit.passage else None,
                )
                for field in measurement.fields
                for limit in field.limits
            )
            if rules:
                by_measurement[measurement.key] = rules
        if kind.no_data is not None:
            silence[kind.key] = SilenceRule(f"{kind.key}.no_data", _version(kind.no_data), kind.key, kind.no_data)
    return RuleBook(by_measurement, silence)


def rule_label(rule_id: str, catalog: Catalog) -> Label:
    """Return the name of a rule for people, also of one that is no longer in force."""
    kind_key, _, rest = rule_id.partition(".")
    kind: Kind | None = COLLECTOR if kind_key == COLLECTOR.key else catalog.kinds.get(kind_key)
    if kind is None:
        return Label(rule_id, rule_id)
    if rest == "no_data":
        return Label("数据中断", "no data")
    if rest == CLOCK:
        return Label("设备时钟超前", "clock ahead")
    field_key, _, limit_key = rest.partition(".")
    for measurement in kind.measurements:
        for field in measurement.fields:
            for limit in field.limits:
                if field.key == field_key and limit.key == limit_key:
                    return Label(limit.zh, limit.en)
    return Label(rule_id, rule_id)


def _version(definition: Limit | NoData) -> str:
    return blake2b(repr(definition).encode(), digest_size=4).hexdigest()
