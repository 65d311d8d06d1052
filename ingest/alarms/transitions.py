"""What the engine says has happened; the only thing that passes from judging readings to keeping occurrences."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

What = Literal["raise", "change", "return", "passage", "late", "stale", "fresh", "doubt", "fold", "unfold", "health"]
Suppression = Literal["none", "by_design"]


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of one alarm point.

    ``raise`` 0 → level, ``change`` from one level to another, ``return`` level → 0, ``passage`` something that happened
    once, ``late`` a raise that was over when it became known; ``stale`` and ``fresh`` concern every open occurrence of
    the device, ``doubt`` those on one of its fields (or all), whose values are bad or good again; ``fold`` and
    ``unfold`` say that a silence is explained by another device (``cause``), or no longer is; ``health`` is a figure of
    the device itself (``field``, ``value``). ``at_ms`` is the time of the cause (device time), ``now_ms`` the engine's
    now, ``position`` the journal record that caused it and ``ordinal`` its place among the transitions of that record.
    ``who`` is the vehicle of a passage, as its station names it: never to be kept. ``value`` stays of the type it came
    with, also through a checkpoint: the audit's hash is over its digits.
    """

    what: What
    position: int
    ordinal: int
    point: str
    device: str
    kind: str
    rule: str
    rule_version: str
    level: int
    priority: str
    at_ms: int
    now_ms: int
    field: str = ""
    value: int | float | None = None
    unit: str = "1"
    latch: bool = False
    quality: str = "good"
    suppression: Suppression = "none"
    cause: str = ""
    who: str = ""

    @property
    def occurrence_id(self) -> str:
        """Return the id an occurrence born of this transition gets: the same journal always gives the same id."""
        born = f"{self.point}|{self.position}|{self.ordinal}"
        return blake2b(born.encode(), digest_size=10).hexdigest()
