"""The readings around an alarm: the field that was judged, the device's other fields, the same field of neighbours."""

from collections.abc import Iterator
from dataclasses import dataclass

from devices.kind import Field, Kind, Measurement
from devices.signals import Share, Together, Total
from devices.site import Device, Site
from ingest.alarms.rules import GroupRule
from ingest.cases.places import metres_apart
from ingest.evidence.gathered import Curve, Row
from ingest.evidence.span import Span
from ingest.store import Store

OWN, OTHER, NEIGHBOUR, MEMBER = "own", "other", "neighbour", "member"
# How many stand beside it, how far at most, and of how many of a group the readings are kept.
_NEIGHBOURS, _NEAR_M, _MEMBERS = 5, 300.0, 40
# Beyond it the fields that were not judged are told by a minimum and a maximum a step.
_RAW_MS = 2 * 3_600_000
_STEPS = 1_440


@dataclass(frozen=True, slots=True)
class Wanted:
    """One curve to be read."""

    device: str
    measurement: str
    field: Field
    of: str
    away_m: float | None = None


def wanted(site: Site, alarm: Row, group: GroupRule | None) -> list[Wanted]:
    """Return the curves of an alarm; none where a kind is not the city's, as of a collector."""
    kind = site.catalog.kinds.get(alarm["kind"])
    if kind is None:
        return []
    found = _judged(kind, _group_field(group) if group is not None else alarm["field"])
    if found is None:
        return []
    measurement, field = found
    if ":" in alarm["device"]:
        members = members_of(site, alarm["device"], alarm["kind"])
        return [Wanted(device.id, measurement.key, field, MEMBER) for device in members[:_MEMBERS]]
    own = Wanted(alarm["device"], measurement.key, field, OWN)
    others = [
        Wanted(alarm["device"], measurement.key, each, OTHER)
        for each in measurement.fields
        if each.key != field.key and not each.tag
    ]
    return [own, *others, *_neighbours(site, alarm["device"], measurement, field)]


def read(store: Store, curves: list[Wanted], span: Span) -> Iterator[Curve]:
    """Yield the curves that have readings, and the one that was judged in any case.

    Raises:
        StoreError: the store is away.
    """
    long = span.to_ms - span.from_ms > _RAW_MS
    step_ms = max(1_000, -(-(span.to_ms - span.from_ms) // _STEPS // 1_000) * 1_000)
    for each in curves:
        step = step_ms if long and each.of not in (OWN, MEMBER) and each.field.type != "text" else 0
        series = store.series(each.measurement, each.device, each.field.key, span.from_ms, span.to_ms, step)
        if each.of == OWN or any(value is not None for _, value, _ in series.points):
            yield Curve(each.device, each.measurement, each.field.key, each.field.unit, each.of, series, each.away_m)


def members_of(site: Site, group: str, kind: str) -> list[Device]:
    """Return the devices of a kind in a ``circuit:…`` or ``street:…``."""
    by, _, name = group.partition(":")
    return [device for device in site.devices.values() if device.kind == kind and getattr(device, by, None) == name]


def _judged(kind: Kind, key: str) -> tuple[Measurement, Field] | None:
    """Return a field of a kind; of what judges no field, as silence, the one the kind is known by."""
    fields = [(m, field) for m in kind.measurements for field in m.fields if not field.tag]
    for wish in (key, kind.headline):
        for found in fields:
            if found[1].key == wish:
                return found
    return next(iter(fields), None)


def _group_field(rule: GroupRule) -> str:
    match rule.group.of:
        case Total():
            return rule.group.of.field
        case Together():
            return rule.group.of.rule.partition(".")[0]
        case Share():
            return rule.group.of.of[0].field


def _neighbours(site: Site, name: str, measurement: Measurement, field: Field) -> list[Wanted]:
    middle = site.devices.get(name)
    if middle is None or middle.lat is None or middle.lon is None or field.type == "text":
        return []
    near = []
    for device in site.devices.values():
        if device.kind != middle.kind or device is middle or device.lat is None or device.lon is None:
            continue
        away_m = metres_apart(middle.lat, middle.lon, device.lat, device.lon)
        if away_m <= _NEAR_M:
            near.append((away_m, device.id))
    return [Wanted(device, measurement.key, field, NEIGHBOUR, away_m) for away_m, device in sorted(near)[:_NEIGHBOURS]]
