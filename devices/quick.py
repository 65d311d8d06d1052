"""The quick way: what a topic says is remembered, and the common payload is read in one pass (devices.envelope).

The same message read the long way gives the same readings; a test holds both to that.
"""

from devices.envelope import Found
from devices.errors import Undecodable
from devices.points import FUTURE_MS, KEY_LENGTH, derived, own_ns, payload_identity, short_key
from devices.readings import Decoded, Quality, Reading
from devices.site import Site, Way
from devices.topics import parse_topic

_CHANNELS = frozenset({"telemetry", "event", "state"})
_WAYS_KEPT = 200_000


def quick(topic: str, payload: bytes, received_ms: int, position: int, site: Site) -> Decoded | None:
    """Decode one message, or return None when it needs the long way."""
    way = site.ways.get(topic) or _way(topic, site)
    if way is None:
        return None
    found = way.envelope.quick(payload)
    if found is None or found.at_ms > received_ms + FUTURE_MS:
        return None
    return _decoded(way, found, topic, payload, received_ms, position)


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
    )  # fmt: skip
    site.ways[topic] = way
    return way


def _decoded(way: Way, found: Found, topic: str, payload: bytes, received_ms: int, position: int) -> Decoded:
    if found.dedup is None:
        key = payload_identity(topic, payload, 0)
    else:
        key = f"{way.device}|{way.channel}|{found.dedup}"
        if len(key) > KEY_LENGTH:
            key = short_key(key)
    readings: list[Reading] = []
    for index, values, tags in found.columns:
        if not values:
            continue
        measurement = way.measurements[index]
        at_ns = found.at_ms * 1_000_000
        flags: dict[str, str] = {}
        if measurement.passage is not None:
            if found.identifier is not None:
                values.setdefault(measurement.passage, found.identifier)
            at_ns = own_ns(at_ns, measurement, values, key)
        if measurement.derive is not None:
            values, flags = derived(values, flags, measurement, way.facts)
        readings.append(
            Reading(
                way.kind,
                measurement.key,
                way.device,
                way.district,
                at_ns,
                values,
                tags,
                Quality.GOOD,
                flags,
                received_ms,
                position,
                found.history,
            )
        )
    return Decoded(way.kind, way.device, [(key, readings)], False, seq=found.seq)
