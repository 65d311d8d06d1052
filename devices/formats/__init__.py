"""Formats: how bytes on a topic become samples. One module per format, each with ``owns`` and ``samples``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from devices.formats import dji, hj212, native
from devices.readings import PartFault, Sample
from devices.site import Site


@dataclass(frozen=True, slots=True)
class Format:
    """A wire format: which topics are its own, and how their payloads are read.

    ``foreign`` formats have no identifier of ours, so their repeats are recognised within ten minutes only.
    """

    name: str
    owns: Callable[[str], bool]
    samples: Callable[[str, bytes, Site], Sequence[Sample | PartFault]]
    foreign: bool


FORMATS: tuple[Format, ...] = (
    Format("dji", dji.owns, dji.samples, foreign=True),
    Format("hj212", hj212.owns, hj212.samples, foreign=True),
    Format("native", native.owns, native.samples, foreign=False),
)


def format_of(topic: str) -> Format:
    """Return the format that owns a topic; the native format takes what no other does and refuses it by name."""
    for candidate in FORMATS:
        if candidate.owns(topic):
            return candidate
    return FORMATS[-1]
