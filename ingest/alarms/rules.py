"""Rules in force at a site: the limits of its kinds, each with a stable identifier and a version.

For one device a rule stands once: the site's limit for the device itself comes before that of its circuit, its street
and its kind. The version tells them apart: ``{hash}`` or ``{hash}@{scope}``.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from devices.catalog import Catalog
from devices.kind import GroupLimit, Kind, Label, Limit, NoData, Priority
from devices.signals import Deviation
from devices.site import Device, ScopedLimit, Site
from ingest.alarms.own_kind import COLLECTOR

# The rules that are part of every kind, and the one on vehicles that come again and again.
CLOCK = "clock"
BAD_DATA = "bad_data"
EXPIRES, VERIFY_DUE = "expires", "verify_due"
REPEAT_OFFENDER = "bridge_wim.repeat_offender"
CLOCK_VERSION = BAD_DATA_VERSION = "1"
_LABELS = {
    "no_data": Label("数据中断", "no data"),
    CLOCK: Label("设备时钟超前", "clock ahead"),
    BAD_DATA: Label("数据异常", "readings of bad quality"),
    "watchdog": Label("报警链路中断", "alarm path interrupted"),
    EXPIRES: Label("使用期限将到或已过", "end of life near or past"),
    VERIFY_DUE: Label("检定期限将到或已过", "verification due or overdue"),
    "repeat_offender": Label("多次超限车辆", "vehicle overloaded again and again"),
}
_SCOPES = ("device", "circuit", "street")


@dataclass(frozen=True, slots=True)
class Rule:
    """One limit in force. ``id`` is ``{kind}.{field}.{limit key}``; ``version`` changes with any of its numbers.

    A field key may stand in two measurements of a kind (the net mass of a lift, the load of a truck), so a rule is
    bound to its ``measurement``. ``low`` and ``high`` bound what is plausible of the field.
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
    vehicle: str | None = None
    low: float = -math.inf
    high: float = math.inf

    def priority(self, level: int) -> Priority:
        """Return the priority of a level; level 0 has that of the mildest."""
        return self.limit.levels[max(level, 1) - 1].priority


@dataclass(frozen=True, slots=True)
class Watch:
    """A rule with the quick test that lets quiet figures pass: inside (low, high), or none of ``states``."""

    rule: Rule
    low: float
    high: float
    states: frozenset[float] | None = None

    def quiet(self, figure: float) -> bool:
        """Tell whether a figure reaches no level."""
        return self.low < figure < self.high if self.states is None else figure not in self.states

    @property
    def other(self) -> str | None:
        """Return the field from which the deviation is judged, None where it is not a deviation."""
        signal = self.rule.limit.signal
        return signal.other if isinstance(signal, Deviation) else None

    @property
    def instant(self) -> bool:
        """Tell whether one sample says all: neither a window nor a place is asked for."""
        return self.rule.limit.signal is None or isinstance(self.rule.limit.signal, Deviation)


Watches = Mapping[str, Mapping[str, tuple[Watch, ...]]]
"""Rules with their quick tests, by measurement and field."""


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
class GroupRule:
    """A rule on the devices of one kind in one circuit or street."""

    id: str
    version: str
    kind: str
    group: GroupLimit


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules of a site: by measurement for readings, by kind for silence, for groups.

    ``own`` are those of one device, ``own_groups`` those of one group by rule and name, in place of the usual ones.
    """

    by_measurement: Mapping[str, tuple[Rule, ...]]
    silence: Mapping[str, SilenceRule]
    groups: tuple[GroupRule, ...] = ()
    own_groups: Mapping[tuple[str, str], GroupRule] = field(default_factory=dict)
    own: Mapping[str, Mapping[str, Rule]] | None = None

    def watches(self, own: Mapping[str, Rule] | None = None) -> Watches:
        """Return the rules by measurement and field; ``own`` are those of a device that stand in place of others."""
        found: dict[str, dict[str, tuple[Watch, ...]]] = {}
        for measurement, rules in self.by_measurement.items():
            fields = found.setdefault(measurement, {})
            for rule in rules:
                if own is not None:
                    rule = own.get(rule.id, rule)
                fields[rule.field] = (*fields.get(rule.field, ()), watch(rule))
        return found

    def watches_of_devices(self) -> dict[str, Watches]:
        """Return the rules of each device that has some of its own; devices with the same rules share them."""
        made: dict[tuple[str, ...], Watches] = {}
        found: dict[str, Watches] = {}
        for device, own in (self.own or {}).items():
            key = tuple(sorted(f"{rule.id} {rule.version}" for rule in own.values()))
            if key not in made:
                made[key] = self.watches(own)
            found[device] = made[key]
        return found

    @property
    def by_id(self) -> Mapping[str, Rule | SilenceRule | GroupRule]:
        """Return every rule by its identifier."""
        found: dict[str, Rule | SilenceRule | GroupRule] = {
            rule.id: rule for rules in self.by_measurement.values() for rule in rules
        }
        found.update({rule.id: rule for rule in self.silence.values()})
        found.update({rule.id: rule for rule in self.groups})
        return found


def rule_book(site: Site) -> RuleBook:
    """Compile the rules of a site."""
    book = kind_book(site.catalog)
    if not site.scoped:
        return book
    return replace(book, own=_own_rules(site, book.by_measurement), own_groups=_own_groups(site, book.groups))


def kind_book(catalog: Catalog) -> RuleBook:
    """Compile the limits of a catalog (with the site's thresholds for whole kinds already in place)."""
    by_measurement: dict[str, tuple[Rule, ...]] = {}
    silence: dict[str, SilenceRule] = {}
    groups: list[GroupRule] = []
    for kind in (*catalog.kinds.values(), COLLECTOR):
        for measurement in kind.measurements:
            rules = tuple(
                Rule(
                    f"{kind.key}.{field.key}.{limit.key}",
                    _version(limit),
                    kind.key,
                    measurement.key,
                    field.key,
                    limit.unit or field.unit,
                    limit,
                    round(kind.stale_after_s * 1000),
                    measurement.passage if limit.passage else None,
                    measurement.vehicle if limit.passage else None,
                    -math.inf if field.low is None else field.low,
                    math.inf if field.high is None else field.high,
                )
                for field in measurement.fields
                for limit in field.limits
            )
            if rules:
                by_measurement[measurement.key] = rules
        if kind.no_data is not None:
            silence[kind.key] = SilenceRule(f"{kind.key}.no_data", _version(kind.no_data), kind.key, kind.no_data)
        groups += [GroupRule(f"{kind.key}.{g.limit.key}", _version(g), kind.key, g) for g in kind.groups]
    return RuleBook(by_measurement, silence, tuple(groups))


def _own_rules(site: Site, by_measurement: Mapping[str, Iterable[Rule]]) -> dict[str, dict[str, Rule]]:
    usual = {rule.id: rule for rules in by_measurement.values() for rule in rules}
    by_scope: dict[tuple[str, str], list[ScopedLimit]] = {}
    for scoped in site.scoped:
        by_scope.setdefault((scoped.scope, scoped.name), []).append(scoped)
    found: dict[str, dict[str, Rule]] = {}
    for device in site.devices.values():
        for scope in _SCOPES:
            for scoped in by_scope.get((scope, _name(device, scope)), ()):
                rule_id = f"{scoped.kind}.{scoped.field}.{scoped.limit.key}"
                if scoped.kind == device.kind and rule_id in usual:
                    version = f"{_version(scoped)}@{scope}"
                    rule = replace(usual[rule_id], version=version, limit=scoped.limit)
                    found.setdefault(device.id, {}).setdefault(rule_id, rule)
    return found


def _own_groups(site: Site, groups: Iterable[GroupRule]) -> dict[tuple[str, str], GroupRule]:
    by_key = {(rule.kind, rule.group.limit.key): rule for rule in groups}
    found: dict[tuple[str, str], GroupRule] = {}
    for scoped in site.scoped:
        rule = by_key.get((scoped.kind, scoped.field))
        if rule is not None:
            version = f"{_version(scoped)}@{scoped.scope}"
            name = f"{scoped.scope}:{scoped.name}"
            found[rule.id, name] = replace(rule, version=version, group=replace(rule.group, limit=scoped.limit))
    return found


def _name(device: Device, scope: str) -> str:
    return {"device": device.id, "circuit": device.circuit, "street": device.street}[scope]


def rule_label(rule_id: str, catalog: Catalog) -> Label:
    """Return the name of a rule for people, also of one that is no longer in force."""
    kind_key, _, rest = rule_id.partition(".")
    kind: Kind | None = COLLECTOR if kind_key == COLLECTOR.key else catalog.kinds.get(kind_key)
    if kind is None:
        return Label(rule_id, rule_id)
    if rest in _LABELS:
        return _LABELS[rest]
    field_key, _, limit_key = rest.partition(".")
    limits = [limit for m in kind.measurements for f in m.fields if f.key == field_key for limit in f.limits]
    wanted = limit_key or field_key
    for limit in (*limits, *(group.limit for group in kind.groups if not limit_key)):
        if limit.key == wanted:
            return Label(limit.zh, limit.en)
    return Label(rule_id, rule_id)


def _version(definition: Limit | NoData | GroupLimit | ScopedLimit) -> str:
    return blake2b(repr(definition).encode(), digest_size=4).hexdigest()
