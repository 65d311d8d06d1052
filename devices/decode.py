"""Topic and bytes → readings: the one door through which every message becomes something the house understands."""

import math
from collections.abc import Mapping
from hashlib import blake2b

from devices.errors import Undecodable, shown
from devices.formats import format_of
from devices.kind import Derive, Field, Measurement, Value
from devices.readings import Decoded, PartFault, Quality, Reading, Sample
from devices.site import Site

FUTURE_MS = 5 * 60_000
STATUS = "device_status"


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
    format_ = format_of(topic)
    samples = format_.samples(topic, payload, site)
    parts: list[tuple[str, list[Reading]]] = []
    faults: list[PartFault] = []
    unknown = 0
    status: bool | None = None
    for index, sample in enumerate(samples):
        if isinstance(sample, PartFault):
            faults.append(sample)
            continue
        _check_registered(sample, site)
        # Decided on what the device sent, before any clock correction.
        key = _identity(sample, topic, payload, index)
        if sample.channel == "status":
            status = bool(sample.data["online"])
            parts.append((key, [_status_reading(sample, status, received_ms, position, site)]))
            continue
        found, sample_faults, sample_unknown = _readings(sample, received_ms, position, site)
        parts.append((key, found))
        faults.extend(sample_faults)
        unknown += sample_unknown
    if faults and not any(found for _, found in parts):
        raise Undecodable(faults[0].reason, "; ".join(fault.sentence for fault in faults[:5]))
    first = next((sample for sample in samples if isinstance(sample, Sample)), None)
    return Decoded(
        first.kind if first else "",
        first.device if first else "",
        parts,
        format_.foreign,
        status,
        tuple(faults),
        unknown,
    )


def _identity(sample: Sample, topic: str, payload: bytes, index: int) -> str:
    if sample.dedup is not None:
        key = f"{sample.device}|{sample.channel}|{sample.dedup}"
        # Identities are remembered; a device must not make them as long as it likes.
        return key if len(key) <= 200 else blake2b(key.encode(), digest_size=24).hexdigest()
    if sample.at_ms is None:
        # Without a time or a number the same words may be true again: nothing tells a repeat from news.
        return ""
    return f"{blake2b(payload, digest_size=12, key=topic.encode()[:64]).hexdigest()}:{index}"


def _check_registered(sample: Sample, site: Site) -> None:
    registered = site.devices.get(sample.device)
    if registered is not None and registered.kind != sample.kind:
        raise Undecodable(
            "mismatch", f"{sample.device} is registered as {registered.kind}, the topic says {sample.kind}"
        )


def _status_reading(sample: Sample, online: bool, received_ms: int, position: int, site: Site) -> Reading:
    return Reading(
        sample.kind,
        STATUS,
        sample.device,
        _district(sample, site),
        received_ms * 1_000_000,
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
    sample: Sample, received_ms: int, position: int, site: Site
) -> tuple[list[Reading], list[PartFault], int]:
    if sample.at_ms is not None and sample.at_ms < 0:
        return [], [PartFault("ts", f"time {sample.at_ms} ms: expected a time since 1970")], 0
    kind = site.catalog.kinds[sample.kind]
    registered = site.devices.get(sample.device)
    facts = registered.facts if registered is not None else {}
    at_ns, quality, flags = _stamped(sample, received_ms)
    readings: list[Reading] = []
    faults: list[PartFault] = []
    known: set[str] = set()
    for measurement in kind.measurements_on(sample.channel):
        values: dict[str, Value] = {}
        tags: dict[str, str] = {}
        own_flags = dict(flags)
        outside: list[str] = []
        for field in measurement.fields:
            known.add(field.key)
            raw = sample.data.get(field.key)
            if raw is None:
                continue
            try:
                value = _value(field, raw)
            except Undecodable as error:
                faults.append(PartFault(error.reason, f"{measurement.key}.{field.key}: {error}"))
                continue
            if value is None:
                continue
            if field.tag:
                tags[field.key] = str(value)
                continue
            values[field.key] = value
            if _outside(field, value):
                outside.append(field.key)
        if values.get("lat") == 0.0 and values.get("lon") == 0.0:
            del values["lat"], values["lon"]
        if not values:
            continue
        if measurement.derive is not None:
            values, own_flags = _completed(values, own_flags, measurement.derive, facts)
            outside = [field.key for field in measurement.fields if _outside(field, values.get(field.key))]
        for key in outside:
            own_flags.setdefault(key, "range")
        readings.append(
            Reading(
                sample.kind,
                measurement.key,
                sample.device,
                _district(sample, site),
                _unique(at_ns, measurement, values),
                values,
                tags,
                quality,
                own_flags,
                received_ms,
                position,
                sample.history,
            )
        )
    return readings, faults, sum(1 for key in sample.data if key not in known)


def _completed(
    values: dict[str, Value], flags: dict[str, str], derive: Derive, facts: Mapping[str, float]
) -> tuple[dict[str, Value], dict[str, str]]:
    found = derive(values, facts)
    # Absurd but finite inputs may overflow; what the device itself flagged outweighs what was computed from it.
    finite = {key: value for key, value in values.items() if isinstance(value, str) or math.isfinite(value)}
    return finite, {**found, **flags}


def _stamped(sample: Sample, received_ms: int) -> tuple[int, Quality, dict[str, str]]:
    quality = sample.quality
    flags = dict(sample.flags)
    if sample.at_ms is None:
        flags.setdefault("", "no_ts")
        return received_ms * 1_000_000, max(quality, Quality.UNCERTAIN), flags
    if sample.at_ms > received_ms + FUTURE_MS:
        flags.setdefault("", "clock_skew")
        return received_ms * 1_000_000, max(quality, Quality.UNCERTAIN), flags
    return sample.at_ns if sample.at_ns is not None else sample.at_ms * 1_000_000, quality, flags


def _unique(at_ns: int, measurement: Measurement, values: dict[str, Value]) -> int:
    # Two passages in one lane within a second are real: without its own nanoseconds one would overwrite the other.
    identity = values.get(measurement.passage) if measurement.passage is not None else None
    if identity is None:
        return at_ns
    spread = int.from_bytes(blake2b(str(identity).encode(), digest_size=8).digest()) % 1_000_000
    return at_ns // 1_000_000 * 1_000_000 + spread


def _outside(field: Field, value: Value | None) -> bool:
    if not isinstance(value, float):
        return False
    return (field.low is not None and value < field.low) or (field.high is not None and value > field.high)


def _value(field: Field, raw: object) -> Value | None:
    if field.type == "text":
        if isinstance(raw, str):
            return raw[:128] or None
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            return f"{raw:g}" if isinstance(raw, float) else str(raw)
        raise Undecodable("type", f"expected a text, found {shown(raw)}")
    if field.type == "flag" and isinstance(raw, bool):
        return 1.0 if raw else 0.0
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise Undecodable("type", f"expected {_expected(field)}, found {shown(raw)}")
    try:
        value = float(raw)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise Undecodable("type", f"expected a finite number, found {shown(raw)}")
    if value in field.sentinels:
        return None
    if field.type == "flag" and value not in (0.0, 1.0):
        raise Undecodable("type", f"expected true, false, 1 or 0, found {shown(raw)}")
    return value


def _expected(field: Field) -> str:
    if field.type == "flag":
        return "true, false, 1 or 0"
    return f"a number in {field.unit}" if field.unit != "1" else "a number"
