"""What decoding yields: samples as a format found them, and readings after the kind's table has judged them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import msgspec

from devices.kind import Value


class Quality(IntEnum):
    """How far a reading may be trusted; the order is from best to worst, so ``max`` is the worst of several."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2

    @property
    def word(self) -> str:
        """Return the word used on the wire and in the API."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class PartFault:
    """A part of a message that could not be read while the rest could."""

    reason: str
    sentence: str


@dataclass(slots=True)
class Sample:
    """One instant of one device as a format read it: field keys of the kind, values not yet judged.

    ``at_ms`` is None when the device sent no time. ``dedup`` identifies the sample among those of its device; it is
    None when only the message as a whole can be identified. ``identifier`` is the name the device itself gave it.
    ``flags`` maps a field (or ``""`` for all) to a code.
    """

    kind: str
    device: str
    district: str | None
    channel: str
    at_ms: int | None
    data: Mapping[str, object]
    dedup: str | None = None
    quality: Quality = Quality.GOOD
    flags: dict[str, str] = field(default_factory=dict)
    history: bool = False
    gateway: str | None = None
    at_ns: int | None = None
    identifier: str | None = None
    seq: int | None = None
    faults: tuple[PartFault, ...] = ()


class Reading(msgspec.Struct, gc=False):
    """One measurement of one device at one instant: a point in the store, a row of values for the rules.

    ``at_ns`` is device time in nanoseconds since 1970 UTC. ``values`` holds floats (numbers, flags as 1.0/0.0, codes)
    and texts; absent fields are absent. ``flags`` maps a field to why it is not good; ``""`` stands for all of them.
    """

    kind: str
    measurement: str
    device: str
    district: str
    at_ns: int
    values: dict[str, Value]
    tags: dict[str, str]
    quality: Quality
    flags: dict[str, str]
    received_ms: int
    position: int
    history: bool = False

    def quality_of(self, key: str) -> Quality:
        """Return the quality of one field: that of its own flag when it has one, else the reading's."""
        code = self.flags.get(key) if self.flags else None
        return max(self.quality, flag_quality(code)) if code is not None else self.quality


# A code that does not stand here makes a value uncertain: shown and judged, but marked.
_BAD_CODES = frozenset({"sensor_fault", "comm"})


def flag_quality(code: str) -> Quality:
    """Return the quality that a flag code implies for its field."""
    return Quality.BAD if code in _BAD_CODES else Quality.UNCERTAIN


class Decoded(msgspec.Struct, gc=False):
    """Everything one message says.

    ``parts`` holds one pair per sample: the key that identifies it, empty where a repeat cannot be told from news, and
    its readings. ``status`` is True/False for online/offline messages; ``faults`` are pieces that could not be read
    (the message then also goes to quarantine); ``unknown`` counts undecoded keys; ``seq`` is the device's own number of
    the message, where it counts them; ``ahead_ms`` how far its clock is ahead, if so far that the receipt counts.
    """

    kind: str
    device: str
    parts: list[tuple[str, list[Reading]]]
    foreign: bool
    status: bool | None = None
    faults: tuple[PartFault, ...] = ()
    unknown: int = 0
    seq: int | None = None
    ahead_ms: int = 0
