"""The exceptions of this package and the one sentence each must carry."""

from collections.abc import Sequence
from dataclasses import dataclass


class DeviceError(Exception):
    """Anything this package refuses."""


class KindFault(DeviceError):
    """A kind file contradicts itself; the message names the file, the place and the rule."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in a site file: where it stands, what was found and what was expected."""

    path: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}"


class RecordingError(DeviceError):
    """A recording cannot be written or read; nothing is left half done."""


class SiteFault(DeviceError):
    """A site file has mistakes; ``faults`` holds every one of them."""

    def __init__(self, source: str, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        noun = "fault" if len(self.faults) == 1 else "faults"
        super().__init__(f"{source}: {len(self.faults)} {noun}\n{lines}")


class Undecodable(DeviceError):
    """A message that cannot be read.

    ``reason`` is a short stable word by which quarantine groups; the message is the sentence for people.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


def shown(value: object) -> str:
    """Return foreign text for a sentence or a log line, quoted and cut to 200 characters."""
    if isinstance(value, str | bytes):
        # Of a megabyte that cannot be read only its beginning is looked at.
        value = value[:200]
    try:
        text = repr(value)
    except RecursionError:
        text = f"a deeply nested {type(value).__name__}"
    return text if len(text) <= 200 else text[:199] + "…"
