"""The grammar of native topics: ``city/v1/{district}/{kind}/{device_id}/{channel}``."""

import re
from dataclasses import dataclass
from functools import lru_cache

from devices.errors import Undecodable, shown

# No id is "." or "..": in an address of a page those mean another place.
DEVICE_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}")
_KIND_CHARS = 64
CHANNELS = frozenset({"telemetry", "event", "state", "status", "cmd", "cmd_ack"})


@dataclass(frozen=True, slots=True)
class Topic:
    """A parsed native topic."""

    district: str
    kind: str
    device: str
    channel: str

    def __str__(self) -> str:
        return f"city/v1/{self.district}/{self.kind}/{self.device}/{self.channel}"


# Of a device that is registered all that matters is kept elsewhere (devices.quick): these are the odd ones.
@lru_cache(maxsize=10_000)
def parse_topic(topic: str) -> Topic:
    """Parse a native topic.

    Raises:
        Undecodable: reason ``topic`` or ``device_id``, with what was found.
    """
    parts = topic.split("/")
    if len(parts) != 6 or parts[0] != "city" or parts[1] != "v1":
        raise Undecodable(
            "topic", f"topic {shown(topic)}: expected city/v1/district/kind/device/channel or a known foreign topic"
        )
    _, _, district, kind, device, channel = parts
    if len(kind) > _KIND_CHARS:
        # Refused before it is remembered below: a topic may have 64 KiB.
        raise Undecodable("unknown_kind", f"kind {shown(kind)}: expected at most {_KIND_CHARS} characters")
    if channel not in CHANNELS:
        raise Undecodable("topic", f"channel {shown(channel)}: expected one of {', '.join(sorted(CHANNELS))}")
    if not DEVICE_ID.fullmatch(device):
        raise Undecodable("device_id", f"device id {shown(device)}: expected 1 to 64 of A–Z a–z 0–9 . _ -")
    if not DEVICE_ID.fullmatch(district):
        raise Undecodable("topic", f"district {shown(district)}: expected 1 to 64 of A–Z a–z 0–9 . _ -")
    return Topic(district, kind, device, channel)


def topic_matches(pattern: str, topic: str) -> bool:
    """Tell whether an MQTT subscription pattern covers a topic."""
    wanted, found = pattern.split("/"), topic.split("/")
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(found) or level not in ("+", found[index]):
            return False
    return len(wanted) == len(found)
