"""The quick way: what a topic says is remembered, and the common payload is read in one pass (devices.envelope).

The same message read the long way gives the same readings; a test holds both to that.
"""

from devices.envelope import NO_FLAGS
from devices.errors import Undecodable
from devices.points import (
    FUTURE_MS,
    KEY_LENGTH,
    MAX_BYTES,
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


def quick(topic: str, payload: bytes, received_ms: int, position: int, site: Site) -> Decoded | None:
    """Decode one message, or return None when it needs the long way."""
    way = site.ways.get(topic) or _way(topic, site)
    if way is None or len(payload) > MAX_BYTES:
        return None
    read = way.envelope.quick(payload)
    if read is None:
        return None
    found, values = read
    at_ms = found.ts
    if at_ms > received_ms + FUTURE_MS:
        return None
    identifier, seq = found.id, found.seq
    if identifier != "":
        key = f"{way.lane}id:{identifier}"
    elif seq is not None:
        key = f"{way.lane}{at_ms}:{seq}"
    else:
        key = payload_identity(topic, payload, 0)
    if len(key) > KEY_LENGTH:
        key = short_key(key)
    readings: list[Reading] = []
    for index, kept, tags in way.envelope.columns(values):
        if not kept:
            continue
        measurement = way.measurements[index]
        at_ns = at_ms * 1_000_000
        flags = NO_FLAGS
        if measurement.passage is not None:
            if identifier != "":
                kept.setdefault(measurement.passage, str(identifier)[:128])
            at_ns = own_ns(at_ns, measurement, kept, key)
        if measurement.derive is not None:
            kept, flags = derived(kept, NO_FLAGS, measurement, way.facts, tags)
        readings.append(
            Reading(
                way.kind, measurement.key, way.device, way.district, at_ns, kept, tags, Quality.GOOD, flags,
                received_ms, position, found.hist,
            )
        )  # fmt: skip
    return Decoded(way.kind, way.device, [(key, readings)], False, None, (), 0, counting(seq))


def _way(topic: str, site: Site) -> Way | None:
    """Remember what a topic says by itself; None when it has no quick way."""
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
    district = where.district if registered is None else registered.district
    facts = {} if registered is None else registered.facts
    way = Way(
        where.kind, where.device, district, where.channel,
        site.catalog.envelope(where.kind, where.channel),
        site.catalog.plan(where.kind, where.channel).measurements,
        facts,
        f"{where.device}|{where.channel}|",
    )  # fmt: skip
    site.ways[topic] = way
    return way
