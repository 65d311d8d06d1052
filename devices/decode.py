"""Topic and bytes → readings: the one door through which every message becomes something the house understands."""

import math

from devices.errors import Undecodable, shown
from devices.formats import format_of
from devices.kind import Field, Measurement, Value
from devices.points import FUTURE_MS, KEY_LENGTH, derived, outside, own_ns, payload_digest, short_key
from devices.quick import quick
from devices.readings import Decoded, PartFault, Quality, Reading, Sample
from devices.site import Site

STATUS = "device_status"
# A message may have thousands; the sentence of each costs more than reading it.
_TOLD = 5


def decode(topic: str, payload: bytes, received_ms: int, position: int, site: Site) -> Decoded:
    """Decode one message.

    A field that cannot be read is left out and named in ``faults`` while the rest of the message counts: a gas alarm
    must not be missed because its thermometer sends a text.

    Args:
        topic: the MQTT topic, as received.
        payload: the bytes, as received.
        received_ms: when the platform received it, epoch ms UTC.
        position: its place in the journal.
        site: the site whose devices and kinds apply.

    Raises:
        Undecodable: nothing in the message can be used; reason and sentence say why.
    """
    read = quick(topic, payload, received_ms, position, site)
    if read is not None:
        return read
    format_ = format_of(topic)
    samples = format_.samples(topic, payload, site)
    parts: list[tuple[str, list[Reading]]] = []
    faults: list[PartFault] = []
    unknown = 0
    status: bool | None = None
    ahead_ms = 0
    digest = ""
    for index, sample in enumerate(samples):
        if isinstance(sample, PartFault):
            faults.append(sample)
            continue
        _check_registered(sample, site)
        faults.extend(sample.faults)
        if sample.at_ms is not None and sample.at_ms > received_ms + FUTURE_MS:
            ahead_ms = max(ahead_ms, sample.at_ms - received_ms)
        # Decided on what the device sent, before any clock correction.
        key = _identity(sample, format_.foreign)
        if key is None:
            # Once for all its samples: a message may have a hundred and a megabyte.
            digest = digest or payload_digest(topic, payload)
            key = f"{digest}:{index}"
        if sample.channel == "status":
            status = bool(sample.data["online"])
            at_ns = _received_ns(received_ms, position, index)
            parts.append((key, [_status_reading(sample, status, at_ns, received_ms, position, site)]))
            continue
        found, sample_unknown = _readings(sample, key, index, received_ms, position, site, faults)
        parts.append((key, found))
        unknown += sample_unknown
    if faults and not any(found for _, found in parts):
        raise Undecodable(faults[0].reason, "; ".join(fault.sentence for fault in faults[:_TOLD]))
    first = next((sample for sample in samples if isinstance(sample, Sample)), None)
    return Decoded(
        first.kind if first else "",
        first.device if first else "",
        parts,
        format_.foreign,
        status,
        tuple(faults),
        unknown,
        first.seq if first else None,
        ahead_ms,
    )


def _identity(sample: Sample, foreign: bool) -> str | None:
    """Return what identifies a sample, empty where nothing does, or None where the message as a whole must."""
    if sample.dedup is not None:
        # By channel, too: a device may number what it measures and what happens to it each from 1.
        key = f"{sample.device}|{sample.channel}|{sample.dedup}"
        return key if len(key) <= KEY_LENGTH else short_key(key)
    if sample.at_ms is None and not foreign:
        # Without a time or a number the same words may be true again: nothing tells a repeat from news.
        return ""
    # Of foreign formats the same bytes are a repeat for ten minutes, with a time or without.
    return None


def _check_registered(sample: Sample, site: Site) -> None:
    registered = site.devices.get(sample.device)
    if registered is not None and registered.kind != sample.kind:
        raise Undecodable(
            "mismatch", f"{sample.device} is registered as {registered.kind}, the topic says {sample.kind}"
        )


def _status_reading(sample: Sample, online: bool, at_ns: int, received_ms: int, position: int, site: Site) -> Reading:
    return Reading(
        sample.kind,
        STATUS,
        sample.device,
        _district(sample, site),
        at_ns,
        {"online": 1.0 if online else 0.0},
        {},
        Quality.GOOD,
        {},
        received_ms,
        position,
    )


def _district(sample: Sample, site: Site) -> str:
    device = site.devices.get(sample.device)
    if device is not None:
        return device.district
    return sample.district if sample.district is not None else site.district


def _readings(
    sample: Sample, key: str, index: int, received_ms: int, position: int, site: Site, faults: list[PartFault]
) -> tuple[list[Reading], int]:
    """Return the readings of a sample and how many of its keys are not known; add to the faults of the message."""
    plan = site.catalog.plan(sample.kind, sample.channel)
    registered = site.devices.get(sample.device)
    facts = registered.facts if registered is not None else {}
    at_ns, quality, flags = _stamped(sample, received_ms, _received_ns(received_ms, position, index))
    of_fields = any(flags)
    columns: list[_Column | None] = [None] * len(plan.measurements)
    if sample.at_ms is not None and sample.at_ms < 0:
        faults.append(PartFault("ts", f"time {sample.at_ms} ms: expected a time since 1970"))
    unknown = sum(name != "" and name not in plan.slots for name in flags)
    for name, raw in sample.data.items():
        slot = plan.slots.get(name)
        if slot is None:
            unknown += 1
        elif slot.numeric and (type(raw) is float or type(raw) is int) and slot.low <= raw <= slot.high:
            # Nearly every value comes this way; what is odd in any respect goes the long way round.
            value = float(raw)
            if value not in slot.field.sentinels:
                column = columns[slot.index]
                if column is None:
                    column = columns[slot.index] = _Column()
                column.values[name] = value
        elif raw is not None:
            try:
                found = _value(slot.field, raw)
                column = columns[slot.index]
                if column is None:
                    column = columns[slot.index] = _Column()
                column.take(slot.field, found)
            except _Unfit as unfit:
                if len(faults) < _TOLD:
                    where = plan.measurements[slot.index].key
                    faults.append(PartFault("type", f"{where}.{name}: expected {unfit}, found {shown(raw)}"))
    readings: list[Reading] = []
    for measurement, column in zip(plan.measurements, columns, strict=True):
        if column is None:
            continue
        values, own_flags = column.values, _own(flags, measurement) if of_fields else dict(flags)
        if values.get("lat") == 0.0 and values.get("lon") == 0.0:
            del values["lat"], values["lon"]
        if not values:
            continue
        if measurement.passage is not None and sample.identifier is not None:
            values.setdefault(measurement.passage, sample.identifier)
        at_own_ns = own_ns(at_ns, measurement, values, key)
        for name in column.outside:
            own_flags.setdefault(name, "range")
        if measurement.derive is not None:
            values, own_flags = derived(values, own_flags, measurement, facts, column.tags)
        readings.append(
            Reading(
                sample.kind,
                measurement.key,
                sample.device,
                _district(sample, site),
                at_own_ns,
                values,
                column.tags,
                quality,
                own_flags,
                received_ms,
                position,
                sample.history,
            )
        )
    return readings, unknown


def _own(flags: dict[str, str], measurement: Measurement) -> dict[str, str]:
    """Return the flags of a whole message, and of the fields of one measurement: no other can ever call them good."""
    keys = {"", *(field.key for field in measurement.fields)}
    return {key: code for key, code in flags.items() if key in keys}


class _Unfit(Exception):
    """A value that its field cannot take; the words say what was expected."""


class _Column:
    """What a sample says for one measurement, while its keys are gone through."""

    __slots__ = ("outside", "tags", "values")

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}
        self.tags: dict[str, str] = {}
        self.outside: list[str] = []

    def take(self, field: Field, value: Value | None) -> None:
        if value is None:
            return
        if field.tag:
            self.tags[field.key] = str(value)
            return
        self.values[field.key] = value
        if outside(field, value):
            self.outside.append(field.key)


def _received_ns(received_ms: int, position: int, index: int) -> int:
    # A batch has one receive time; without nanoseconds of their own its readings would overwrite each other.
    return received_ms * 1_000_000 + (position * 100 + index) % 1_000_000


def _stamped(sample: Sample, received_ms: int, received_ns: int) -> tuple[int, Quality, dict[str, str]]:
    quality = sample.quality
    flags = dict(sample.flags)
    if sample.at_ms is None or sample.at_ms < 0:
        flags.setdefault("", "no_ts")
        return received_ns, max(quality, Quality.UNCERTAIN), flags
    if sample.at_ms > received_ms + FUTURE_MS:
        flags.setdefault("", "clock_skew")
        return received_ns, max(quality, Quality.UNCERTAIN), flags
    return sample.at_ns if sample.at_ns is not None else sample.at_ms * 1_000_000, quality, flags


def _value(field: Field, raw: object) -> Value | None:
    if field.type == "text":
        if isinstance(raw, str):
            # PostgreSQL holds every character but this one.
            return raw.replace("\0", "")[:128] or None
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            return str(int(raw)) if isinstance(raw, float) and raw.is_integer() else str(raw)
        raise _Unfit("a text")
    if field.type == "flag" and isinstance(raw, bool):
        return 1.0 if raw else 0.0
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise _Unfit(_expected(field))
    try:
        value = float(raw)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise _Unfit("a finite number")
    if value in field.sentinels:
        return None
    if field.type == "flag" and value not in (0.0, 1.0):
        raise _Unfit("true, false, 1 or 0")
    return value


def _expected(field: Field) -> str:
    if field.type == "flag":
        return "true, false, 1 or 0"
    return f"a number in {field.unit}" if field.unit != "1" else "a number"
