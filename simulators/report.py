"""What a simulated device says, before and after it becomes bytes."""

from dataclasses import dataclass

from devices.kind import Value
from devices.site import Device

Data = dict[str, Value | bool]


@dataclass(slots=True)
class Report:
    """One thing a device says at one instant, in fields of its kind.

    ``passage`` identifies something that happened once; ``part`` names the measurement where a device sends several
    apart from each other; ``direct`` means: on a connection of its own, past the gateway.
    """

    at_ms: int
    device: Device
    channel: str
    data: Data
    passage: str = ""
    part: str = ""
    direct: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One publication: ``via`` names the connection, by the device that owns it."""

    at_ms: int
    via: str
    topic: str
    payload: bytes
    retain: bool = False
