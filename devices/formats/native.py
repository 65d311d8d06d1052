"""CityDeck's own envelope: JSON, one object or an array of up to 100 for backfill (PAYLOADS §2)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from devices.errors import Undecodable, shown
from devices.points import MAX_BYTES, counting
from devices.readings import PartFault, Quality, Sample
from devices.site import Site
from devices.topics import Topic, parse_topic

MAX_SAMPLES = 100
_DIGITS_TO_NS = {10: 1_000_000_000, 13: 1_000_000, 16: 1_000, 19: 1}
_QUALITIES = {"good": Quality.GOOD, "uncertain": Quality.UNCERTAIN, "bad": Quality.BAD}
_ONLINE = {b"online": True, b"offline": False}
_decode = msgspec.json.Decoder().decode


def owns(topic: str) -> bool:
    """Tell whether a topic is native."""
    return topic.startswith("city/")


def samples(topic: str, payload: bytes, site: Site) -> Sequence[Sample | PartFault]:
    """Read a native message; an entry of an array that cannot be read does not cost the others.

    Raises:
        Undecodable: the topic or the payload does not keep the contract; nothing in it can be used.
    """
    where = parse_topic(topic)
    if where.kind not in site.catalog.kinds:
        raise Undecodable("unknown_kind", f"kind {shown(where.kind)} is not known{site.catalog.suggestion(where.kind)}")
    if where.channel == "status":
        return [_status(where, payload)]
    document = parse_json(payload)
    if where.channel in ("cmd", "cmd_ack"):
        return []
    if not isinstance(document, list):
        return [_sample(where, document)]
    if not 1 <= len(document) <= MAX_SAMPLES:
        raise Undecodable("envelope", f"an array of {len(document)} samples, expected 1 to {MAX_SAMPLES}")
    return [_entry(where, entry, number) for number, entry in enumerate(document, 1)]


def parse_json(payload: bytes) -> Any:
    """Parse JSON strictly: NaN, infinities and broken text are refused with where and why.

    Raises:
        Undecodable: reason ``json`` or ``too_large``.
    """
    if len(payload) > MAX_BYTES:
        raise Undecodable("too_large", f"payload of {len(payload)} bytes, expected at most {MAX_BYTES}")
    try:
        return _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if not payload:
            raise Undecodable("json", "the message is empty, as one that clears a retained message") from error
        raise Undecodable("json", f"not JSON ({error}): {shown(payload[:60])}") from error


def _status(where: Topic, payload: bytes) -> Sample:
    word = payload.strip().strip(b'"').lower()
    if word not in _ONLINE:
        if not payload:
            raise Undecodable("status", "the status is empty, as a message that clears a retained one")
        raise Undecodable("status", f"status {shown(payload[:60])}: expected online or offline")
    return Sample(where.kind, where.device, where.district, "status", None, {"online": _ONLINE[word]})


def _entry(where: Topic, entry: object, number: int) -> Sample | PartFault:
    try:
        return _sample(where, entry)
    except Undecodable as error:
        return PartFault(error.reason, f"sample {number}: {error}")


def _sample(where: Topic, entry: object) -> Sample:
    if not isinstance(entry, dict):
        raise Undecodable("envelope", f"expected a JSON object with ts and data, found {shown(entry)}")
    data = entry.get("data")
    if not isinstance(data, dict):
        raise Undecodable("envelope", f"data: expected an object of fields, found {shown(data)}")
    for key, level in (("device", where.device), ("device_id", where.device), ("kind", where.kind)):
        if key in entry and entry[key] != level:
            raise Undecodable("mismatch", f"{key} {shown(entry[key])} in the payload, but the topic says {level!r}")
    at_ns: int | None = None
    faults: tuple[PartFault, ...] = ()
    try:
        at_ns = _at_ns(entry.get("ts"))
    except Undecodable as error:
        # A clock that was never set must not silence an alarm: the receipt counts, and quarantine knows why.
        faults = (PartFault(error.reason, str(error)),)
    word = entry.get("q", "good")
    if not isinstance(word, str) or word not in _QUALITIES:
        raise Undecodable("envelope", f"q {shown(word)}: expected good, uncertain or bad")
    loc = entry.get("loc")
    if isinstance(loc, dict):
        data = {**{key: loc[key] for key in ("lat", "lon") if key in loc}, **data}
    return Sample(
        where.kind,
        where.device,
        where.district,
        where.channel,
        None if at_ns is None else at_ns // 1_000_000,
        data,
        _dedup(entry),
        _QUALITIES[word],
        _flags(entry.get("qf")),
        entry.get("hist") is True,
        entry["gw"] if isinstance(entry.get("gw"), str) else None,
        at_ns,
        str(entry["id"])[:128] if _named(entry.get("id")) else None,
        counting(entry.get("seq")),
        faults,
    )


def _dedup(entry: Mapping[str, object]) -> str | None:
    identifier, seq = entry.get("id"), entry.get("seq")
    if _named(identifier):
        return f"id:{identifier}"
    return f"{entry['ts']}:{seq}" if isinstance(seq, str | int) and entry.get("ts") is not None else None


def _named(identifier: object) -> bool:
    """Tell whether an id is one: an empty text or a truth value names nothing."""
    return isinstance(identifier, str | int) and not isinstance(identifier, bool) and identifier != ""


def _flags(found: object) -> dict[str, str]:
    """Return the flags of an envelope: codes for the whole reading, or ``field:code`` for one field."""
    flags: dict[str, str] = {}
    if isinstance(found, list):
        for word in found:
            if isinstance(word, str):
                field, colon, code = word.rpartition(":")
                flags[field if colon else ""] = code[:32]
    return flags


def _at_ns(found: object) -> int | None:
    if found is None:
        return None
    if (isinstance(found, float) and found.is_integer()) or (
        isinstance(found, str) and found.isascii() and found.isdigit() and len(found) <= 19
    ):
        found = int(found)
    if isinstance(found, int) and not isinstance(found, bool):
        scale = _DIGITS_TO_NS.get(len(str(abs(found))))
        if scale is None or found < 0:
            raise Undecodable("ts", f"ts {shown(found)}: expected epoch s, ms, µs or ns (10, 13, 16 or 19 digits)")
        return found * scale
    if isinstance(found, str):
        try:
            at = datetime.fromisoformat(found)
        except ValueError:
            at = None
        if at is not None and at.tzinfo is not None:
            return round(at.timestamp() * 1000) * 1_000_000
    raise Undecodable("ts", f"ts {shown(found)}: expected epoch milliseconds or RFC 3339 with an offset")
