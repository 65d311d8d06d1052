"""The quick way: what a topic says is remembered, and the common payload is read in one pass (devices.envelope).

The same message read the long way gives the same readings; a test holds both to that.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from devices.envelope import NO_FLAGS, NO_TAGS
from devices.errors import Undecodable
from devices.kind import Measurement
from devices.lanes import Lanes
from devices.points import (
    FUTURE_MS,
    KEY_LENGTH,
    MAX_BYTES,
    MOST_SEQ,
    counting,
    derived,
    own_ns,
    payload_identity,
    short_key,
)
from devices.readings import Decoded, Quality, Reading
from devices.site import Site, Way
from devices.topics import parse_topic

_CHANNELS = frozenset({"telemetry", "event", "state"})
_WAYS_KEPT = 200_000
_NO_LANES = Lanes("")
_NO_FACTS: Mapping[str, float] = MappingProxyType({})
_GOOD = Quality.GOOD
# What a payload is worth that is not the common case.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

Plain = tuple[str, list[Reading], int | None]
"""What identifies a message, its readings, and its device's own number of it where messages can be counted by that."""


def quick(topic: str, payload: bytes, received_ms: int, position: int, site: Site) -> Decoded | None:
    """Decode one message, or return None when it needs the long way."""
    way = way_of(topic, site)
    found = None if way is None else common(way, payload, received_ms)
    if way is None or found is None:
        return None
    read = plain(way, topic, payload, found, received_ms, position)
    return None if read is None else whole(way, read)


def whole(way: Way, read: Plain) -> Decoded:
    """Return a message that was read the quick way as the long way would."""
    key, readings, seq = read
    return Decoded(way.kind, way.device, [(key, readings)], False, None, (), 0, seq)


def common(way: Way, payload: bytes, received_ms: int) -> Any | None:
    """Read the payload of a topic that is known as its envelope has it; None when it needs the long way."""
    if len(payload) > MAX_BYTES:
        return None
    try:
        found = way.envelope.decode(payload)
    except UNREADABLE:
        return None
    return None if found.ts > received_ms + FUTURE_MS else found


def plain(way: Way, topic: str, payload: bytes, found: Any, received_ms: int, position: int) -> Plain | None:
    """Return what such a payload holds, or None when it needs the long way all the same.

    Many messages of a city come through here, so it is one function and makes no more objects than it returns.
    """
    envelope = way.envelope
    at_ms = found.ts
    values = envelope.values(found.data)
    if envelope.may_be_odd and envelope.is_odd(values):
        return None
    identifier, seq = found.id, found.seq
    if type(seq) is not int or not 0 <= seq <= MOST_SEQ or identifier != "":
        key = _identity(way, topic, payload, at_ms, identifier, seq)
        seq = counting(seq)
    else:
        key = f"{way.lane}{at_ms}:{seq}"
    at_ns = at_ms * 1_000_000
    if way.simple and envelope.simple.issuperset(values):
        if not values:
            return key, [], seq
        reading = Reading(
            way.kind, way.simple, way.device, way.district, at_ns, values, NO_TAGS, _GOOD, NO_FLAGS,
            received_ms, position, found.hist,
        )  # fmt: skip
        return key, [reading], seq
    readings: list[Reading] = []
    for index, kept, tags in envelope.columns(values):
        if not kept:
            continue
        measurement = way.measurements[index]
        at_own_ns, flags = at_ns, NO_FLAGS
        if measurement.passage is not None:
            if identifier != "":
                kept.setdefault(measurement.passage, str(identifier)[:128])
            at_own_ns = own_ns(at_ns, measurement, kept, key)
        if measurement.derive is not None:
            kept, flags = derived(kept, NO_FLAGS, measurement, way.facts, tags)
        readings.append(
            Reading(
                way.kind, measurement.key, way.device, way.district, at_own_ns, kept, tags, _GOOD, flags,
                received_ms, position, found.hist,
            )
        )  # fmt: skip
    return key, readings, seq


def _identity(way: Way, topic: str, payload: bytes, at_ms: int, identifier: str | int, seq: int | str | None) -> str:
    if identifier != "":
        key = f"{way.lane}id:{identifier}"
    elif seq is not None:
        key = f"{way.lane}{at_ms}:{seq}"
    else:
        key = payload_identity(topic, payload, 0)
    return key if len(key) <= KEY_LENGTH else short_key(key)


def way_of(topic: str, site: Site) -> Way | None:
    """Return what a topic says by itself, and remember it; None when it has no quick way."""
    way = site.ways.get(topic)
    if way is not None:
        return way
    if not topic.startswith("city/v1/"):
        return None
    try:
        where = parse_topic(topic)
    except Undecodable:
        return None
    registered = site.devices.get(where.device)
    if where.channel not in _CHANNELS or where.kind not in site.catalog.kinds:
        return None
    if registered is not None and registered.kind != where.kind:
        return None
    if len(site.ways) >= _WAYS_KEPT:
        site.ways.clear()
    kind, device, district = where.kind, where.device, where.district
    if registered is not None:
        # The very same names that all else is kept by: then no text has to be compared.
        kind, device, district = registered.kind, registered.id, registered.district
    measurements = site.catalog.plan(where.kind, where.channel).measurements
    envelope = site.catalog.envelope(where.kind, where.channel)
    simple = measurements[0].key if measurements and _is_simple(measurements[0]) else ""
    usual = bool(simple) and registered is not None and bool(envelope.numbers) and not envelope.may_be_odd
    lanes = site.lanes.setdefault((kind, where.channel), Lanes(where.channel)) if usual else _NO_LANES
    way = Way(
        topic, kind, device, district, where.channel, envelope,
        measurements,
        (registered and registered.facts) or _NO_FACTS,
        f"{where.device}|{where.channel}|",
        registered is not None,
        simple,
        lanes,
        lanes.place(device) if usual else 0,
        usual,
    )  # fmt: skip
    site.ways[topic] = way
    return way


def _is_simple(measurement: Measurement) -> bool:
    return measurement.passage is None and measurement.derive is None
