"""The laws every kind table must keep; the catalog refuses a table that breaks one, naming all that are broken."""

from collections.abc import Iterator

from devices.kind import PRIORITIES, Field, GroupLimit, Kind, Label, Limit, in_both
from devices.signals import Deviation, Drop, Learned, Mean, Outside, Rate, Share, Tagged, Together, Total, While
from devices.units import UNITS, promised_unit

RESERVED_NAMES = frozenset({"device_id", "district", "time", "quality", "flags"})
CHANNELS = frozenset({"telemetry", "event"})
# Each state of a device keeps three numbers, which are gone through with every message.
_STATES_MOST = 1_000


def contradictions(kind: Kind) -> list[str]:
    """Return one sentence per broken law, in the order of the table; empty when the kind is sound."""
    return list(_of_kind(kind))


def _of_kind(kind: Kind) -> Iterator[str]:
    if not kind.key.isidentifier():
        yield f"key {kind.key!r}: expected a lower-case identifier"
    if not (kind.zh and kind.en and _told(kind.source)):
        yield "label and source: expected Chinese, English and a source, found an empty text"
    if kind.period_s <= 0 or kind.stale_after_s < kind.period_s:
        yield f"stale_after_s {kind.stale_after_s}: expected at least the period of {kind.period_s} s"
    fields = [field for m in kind.measurements for field in m.fields]
    keys = {field.key for field in fields}
    if kind.headline not in keys:
        yield f"headline {kind.headline!r}: expected one of the fields"
    if kind.moving and not {"lat", "lon"} <= keys:
        yield "moving: expected the fields lat and lon"
    if kind.no_data and kind.no_data.while_field is not None and kind.no_data.while_field not in keys:
        yield f"no_data.while_field {kind.no_data.while_field!r}: expected one of the fields"
    if kind.no_data and not _told(kind.no_data.source):
        yield "no_data: expected a source, in both languages where it has any"
    if kind.no_data and kind.no_data.priority not in PRIORITIES:
        yield f"no_data.priority {kind.no_data.priority!r}: expected one of {', '.join(PRIORITIES)}"
    for measurement in kind.measurements:
        where = f"measurement {measurement.key}"
        for channel in measurement.channels:
            if channel not in CHANNELS:
                yield f"{where}: channel {channel!r}, expected one of {', '.join(sorted(CHANNELS))}"
        own = [field.key for field in measurement.fields]
        for key in sorted({key for key in own if own.count(key) > 1}):
            yield f"{where}: the field {key} stands twice"
        if measurement.passage is not None and measurement.passage not in own:
            yield f"{where}: passage {measurement.passage!r}, expected one of its fields"
        if measurement.vehicle is not None and measurement.vehicle not in own:
            yield f"{where}: vehicle {measurement.vehicle!r}, expected one of its fields"
        for field in measurement.fields:
            for sentence in _of_field(kind, field):
                yield f"{where}: field {field.key}: {sentence}"
            for limit in field.limits:
                for name in sorted(_named(limit) - keys):
                    yield f"{where}: field {field.key}: limit {limit.key}: {name!r} is not one of the fields"
                for sentence in _of_learning(limit, kind):
                    yield f"{where}: field {field.key}: limit {limit.key}: {sentence}"
                for sentence in _of_tag(limit, list(measurement.fields)):
                    yield f"{where}: field {field.key}: limit {limit.key}: {sentence}"
            if measurement.passage is None and any(limit.passage for limit in field.limits):
                yield f"{where}: field {field.key}: a passage limit, but the measurement names no passage"
    rules = {f"{field.key}.{limit.key}" for m in kind.measurements for field in m.fields for limit in field.limits}
    for group in kind.groups:
        for sentence in _of_group(group, keys, rules):
            yield f"group {group.limit.key}: {sentence}"
    for channel in CHANNELS:
        seen = [key for m in kind.measurements_on(channel) for key in {field.key for field in m.fields}]
        for key in sorted({key for key in seen if seen.count(key) > 1}):
            yield f"channel {channel}: the field {key} stands in two measurements"


def _of_field(kind: Kind, field: Field) -> Iterator[str]:
    if field.key in RESERVED_NAMES:
        yield "this name is taken by the store"
    if not (field.zh and field.en):
        yield "expected a label in Chinese and in English"
    if field.unit not in UNITS:
        yield f"unit {field.unit!r}, expected one of the list in devices/units.py"
    promised = promised_unit(field.key)
    if field.type == "number" and promised is not None and promised != field.unit:
        yield f"unit {field.unit!r}, but the name promises {promised!r}"
    if field.low is not None and field.high is not None and field.low >= field.high:
        yield f"low {field.low} must be below high {field.high}"
    if field.limits and field.type == "text":
        yield "a text cannot have limits"
    keys = [limit.key for limit in field.limits]
    if len(set(keys)) != len(keys):
        yield f"limit keys {keys} must differ"
    for limit in field.limits:
        for sentence in limit_contradictions(limit, field, kind.stale_after_s):
            yield f"limit {limit.key}: {sentence}"


def _named(limit: Limit) -> set[str]:
    """Return the other fields a limit asks about."""
    asked = [arming.field for arming in limit.armed if isinstance(arming, While)]
    if isinstance(limit.signal, Deviation):
        asked.append(limit.signal.other)
    if isinstance(limit.signal, Learned):
        asked += [limit.signal.by, *(each.field for each in (*limit.signal.judged, *limit.signal.normal))]
    if isinstance(limit.signal, Drop | Outside):
        asked += ["lat", "lon"]
    return set(asked)


def _of_learning(limit: Limit, kind: Kind) -> Iterator[str]:
    if not isinstance(limit.signal, Learned):
        return
    for field in (field for m in kind.measurements for field in m.fields if field.key == limit.signal.by):
        if field.low is None or field.high is None:
            yield f"{field.key!r} needs a plausible range, which bounds the states that something is learned for"
        elif field.high - field.low > _STATES_MOST * limit.signal.step:
            yield f"{field.key!r} has more than {_STATES_MOST:,} steps of {limit.signal.step:g} to learn something for"


def _of_tag(limit: Limit, fields: list[Field]) -> Iterator[str]:
    tags = {field.key for field in fields if field.tag}
    for arming in limit.armed:
        if isinstance(arming, Tagged):
            if arming.tag not in tags:
                yield f"{arming.tag!r} is not one of the tags"
            if any(name != name.strip().casefold() for name in arming.names):
                yield f"tag {arming.tag!r}: names are compared in lower case"


def _of_group(group: GroupLimit, keys: set[str], rules: set[str]) -> Iterator[str]:
    yield from limit_contradictions(group.limit, None, None)
    if group.unit not in UNITS:
        yield f"unit {group.unit!r}, expected one of the list in devices/units.py"
    if isinstance(group.of, Share):
        asked = {each.field for each in (*group.of.among, *group.of.of)}
        if group.of.least < 1:
            yield f"least {group.of.least}: expected 1 or more"
    else:
        asked = {group.of.field} if isinstance(group.of, Total) else set()
    for name in sorted(asked - keys):
        yield f"{name!r} is not one of the fields"
    if isinstance(group.of, Together) and (
        group.of.rule not in rules
        or group.of.within_s <= 0
        or [level.value >= 2 for level in group.limit.levels] != [True]
    ):
        yield "expected a rule of the kind, a span, and one level of 2 or more devices"


def limit_contradictions(limit: Limit, field: Field | None, stale_after_s: float | None) -> Iterator[str]:
    """Yield what is wrong with one limit, after ALARMS §4 "Refused when saved"; also used for a site's overrides.

    A limit on a group has neither a field nor a staleness of its own.
    """
    if not limit.levels:
        yield "expected at least one level"
    if [level.level for level in limit.levels] != list(range(1, len(limit.levels) + 1)):
        yield "levels must count 1, 2, 3 … in this order"
    if not _told(limit.source):
        yield "expected a source"
    if not (limit.zh and limit.en):
        yield "expected a label in Chinese and in English"
    for level in limit.levels:
        if level.priority not in PRIORITIES:
            yield f"priority {level.priority!r}, expected one of {', '.join(PRIORITIES)}"
        if limit.sense == "state" and field is not None and field.codes and int(level.value) not in field.codes:
            yield f"state {level.value:g} is not among the codes"
    if limit.deadband < 0 or limit.on_s < 0 or limit.off_s < 0:
        yield "deadband and delays must not be negative"
    if stale_after_s is not None and limit.on_s >= stale_after_s:
        yield f"on_s {limit.on_s:g} must be shorter than stale_after_s {stale_after_s:g}, else it never fires"
    if limit.unit is not None and limit.unit not in UNITS:
        yield f"unit {limit.unit!r}, expected one of the list in devices/units.py"
    if limit.signal is not None:
        yield from _of_signal(limit)
    if limit.sense == "state":
        return
    sign = 1.0 if limit.sense == "above" else -1.0
    # A level is left at T − deadband; with one deadband for all, the order of the clear lines is that of the levels.
    ordered = [sign * level.value for level in limit.levels]
    for milder, worse, value in zip(ordered, ordered[1:], limit.levels[1:], strict=False):
        if worse <= milder:
            yield f"level {value.level}: {value.value:g} must be worse than the level before it"
    yield from _never_left(limit, field)
    if limit.cap is not None and limit.levels and sign * limit.levels[0].value > sign * limit.cap:
        yield f"level 1: {limit.levels[0].value:g} is looser than the cap of {limit.cap:g}"


def _never_left(limit: Limit, field: Field | None) -> Iterator[str]:
    """Yield that no value lies beyond the first level's clear line; a signal and a group's figure have 0 as lowest."""
    if limit.passage or not limit.levels or limit.deadband <= 0:
        return
    plain = field if limit.signal is None else None
    if plain is not None and plain.low is not None and plain.high is not None and plain.low >= plain.high:
        return
    value = limit.levels[0].value
    if limit.sense == "above":
        bound = 0.0 if plain is None else plain.low
        never = bound is not None and value - limit.deadband <= bound
    else:
        bound = None if plain is None else plain.high
        never = bound is not None and value + limit.deadband >= bound
    if never:
        yield f"deadband {limit.deadband:g}: level 1 of {value:g} is never left, for no value lies beyond {bound:g}"


def _of_signal(limit: Limit) -> Iterator[str]:
    signal = limit.signal
    if limit.passage or limit.sense == "state":
        yield "a signal is judged by its size, neither as a passage nor as a state"
    if isinstance(signal, Rate | Drop | Mean) and signal.window_s <= 0:
        yield f"window_s {signal.window_s:g} must be above 0"
    if isinstance(signal, Mean) and not (
        0 < signal.steps <= 120 and 0 < signal.share <= 1 and 1 <= signal.in_a_row <= 12
    ):
        yield "a mean has 1 to 120 steps, a share above 0 and up to 1, and 1 to 12 windows in a row"
    if isinstance(signal, Learned) and (signal.samples < 1 or signal.step <= 0):
        yield "a learned value needs at least one sample and a step above 0"


def _told(source: str | Label) -> bool:
    found = in_both(source)
    return bool(found.zh and found.en)
