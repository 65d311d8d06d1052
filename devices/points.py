"""What makes a point of values, whichever way they were read: identity, an instant of its own, derived values."""

import math
from collections.abc import Mapping
from hashlib import blake2b

from devices.kind import Field, Given, Measurement, Value

FUTURE_MS = 5 * 60_000
MAX_BYTES = 1_048_576
# A larger number of its own tells a device's messages apart like any other, but nothing is counted by it.
MOST_SEQ = 2**53
KEY_LENGTH = 200
# The longest key that blake2b takes.
_KEY_BYTES = 64


def payload_identity(topic: str, payload: bytes, index: int) -> str:
    """Return what identifies a sample when only the message as a whole can be recognised."""
    return f"{payload_digest(topic, payload)}:{index}"


def payload_digest(topic: str, payload: bytes) -> str:
    """Return what identifies a message as a whole."""
    name = topic.encode()
    if len(name) > _KEY_BYTES:
        # Cut off, the topics of two devices with long names would be one.
        name = blake2b(name, digest_size=_KEY_BYTES).digest()
    return blake2b(payload, digest_size=12, key=name).hexdigest()


def short_key(key: str) -> str:
    """Return a short key for a long one: keys are remembered, and a device must not make them as long as it likes."""
    return blake2b(key.encode(), digest_size=24).hexdigest()


def derived(
    values: dict[str, Value],
    flags: dict[str, str],
    measurement: Measurement,
    facts: Mapping[str, float],
    tags: Mapping[str, str],
) -> tuple[dict[str, Value], dict[str, str]]:
    """Complete the values of a measurement; what the device itself flagged outweighs what is computed from it."""
    assert measurement.derive is not None
    sent = len(values)
    computed = measurement.derive(values, Given(facts, tags, flags))
    if len(values) == sent and not computed:
        return values, flags
    # Absurd but finite inputs may overflow.
    finite = {key: value for key, value in values.items() if isinstance(value, str) or math.isfinite(value)}
    ranges = {field.key: "range" for field in measurement.fields if outside(field, finite.get(field.key))}
    return finite, {**ranges, **computed, **flags}


def own_ns(at_ns: int, measurement: Measurement, values: dict[str, Value], key: str) -> int:
    """Return the instant of a point: two passages in one lane within a second are real, and must not be one point."""
    if measurement.passage is None:
        return at_ns
    identity = values.get(measurement.passage) or key
    if not identity:
        return at_ns
    spread = int.from_bytes(blake2b(str(identity).encode(), digest_size=8).digest()) % 1_000_000
    return at_ns // 1_000_000 * 1_000_000 + spread


def outside(field: Field, value: Value | None) -> bool:
    """Tell whether a value lies outside of what is plausible."""
    if not isinstance(value, float):
        return False
    return (field.low is not None and value < field.low) or (field.high is not None and value > field.high)


def counting(seq: object) -> int | None:
    """Return a device's own number of a message if its messages can be counted by it."""
    return seq if type(seq) is int and 0 <= seq <= MOST_SEQ else None
