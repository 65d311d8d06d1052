"""What a limit may judge in place of the value itself, and when it is armed: words of a kind's table, no arithmetic."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class While:
    """True while a field (of the same sample, else the newest known) lies in [low, high] or is one of ``values``.

    ``unknown`` is the answer when the field was never heard.
    """

    field: str
    low: float | None = None
    high: float | None = None
    values: tuple[float, ...] = ()
    unknown: bool = False

    def holds(self, value: float | None) -> bool:
        """Tell whether a value fits."""
        if value is None:
            return self.unknown
        if self.values:
            return value in self.values
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True, slots=True)
class Weekly:
    """True in a window of the local day on given weekdays (0 Monday), from ``start_min`` to before ``stop_min``.

    A window whose end lies before its start runs over midnight and belongs to the day it begins on. ``holidays``: a
    day the site names is one of these days too (True), none of them (False), or its weekday counts (None).
    """

    start_min: int
    stop_min: int
    days: frozenset[int] = frozenset(range(7))
    holidays: bool | None = None


@dataclass(frozen=True, slots=True)
class Night:
    """True from ``after_min`` past sunset to ``before_min`` ahead of sunrise, where the device stands."""

    after_min: float = 0.0
    before_min: float = 0.0


@dataclass(frozen=True, slots=True)
class Daylight:
    """True from ``after_min`` past sunrise to ``before_min`` ahead of sunset, where the device stands."""

    after_min: float = 0.0
    before_min: float = 0.0


@dataclass(frozen=True, slots=True)
class Registered:
    """True for devices whose registered attribute is one of ``values``; with ``but`` for all the others."""

    attribute: Literal["premises"]
    values: tuple[str, ...]
    but: bool = False

    def holds(self, value: str) -> bool:
        """Tell whether what is registered fits; an empty text is none of the values."""
        return (value in self.values) != self.but


@dataclass(frozen=True, slots=True)
class Tagged:
    """True for samples whose tag is one of ``names``, in any spelling of case; with ``but`` for all the others.

    ``said`` is what these names have in common, in one word.
    """

    tag: str
    said: str
    names: tuple[str, ...]
    but: bool = False

    def holds(self, value: str) -> bool:
        """Tell whether what the sample says fits; an absent tag is none of the names."""
        return (value.strip().casefold() in self.names) != self.but


Schedule = Weekly | Night | Daylight
Arming = While | Registered | Tagged | Schedule


@dataclass(frozen=True, slots=True)
class Deviation:
    """How far the value is from another field, the commanded one; judged where both are known."""

    other: str


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast the value rises, per minute: the least-squares slope over the newest ``window_s`` of device time."""

    window_s: float


@dataclass(frozen=True, slots=True)
class Permitted:
    """What is allowed by a class the site registers of the device, by day and by night (local minutes of the day)."""

    attribute: Literal["noise_class"]
    table: Mapping[str, tuple[float, float]]
    day_from_min: int
    day_to_min: int


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of a window, judged as each of its steps ends; every step heard weighs the same.

    ``share`` of the steps must have been heard. With ``in_a_row`` windows one behind the other the best of them counts.
    ``energy`` averages levels in decibels by their energy; ``over`` judges the excess over what is permitted.
    """

    window_s: float
    steps: int
    share: float
    in_a_row: int = 1
    energy: bool = False
    over: Permitted | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """The value in per cent of what this device usually shows in the same state.

    Learned from ``samples`` samples for each ``step`` of the field ``by`` while all of ``normal`` hold, then followed
    slowly; frozen while one of its limits is on or pending. Judged only while all of ``judged`` hold, and neither
    learned nor judged outside of the plausible range of ``by``.
    """

    by: str
    step: float
    samples: int
    judged: tuple[While, ...]
    normal: tuple[While, ...]


@dataclass(frozen=True, slots=True)
class Drop:
    """How far the value fell within ``window_s``, anywhere but in the site's areas of one ``use``."""

    window_s: float
    elsewhere_than: str


@dataclass(frozen=True, slots=True)
class Outside:
    """1 while the device is outside of every area of one ``use`` or inside of one of another, else 0."""

    of: str
    inside: str


Signal = Deviation | Rate | Mean | Learned | Drop | Outside
AREA_USES = ("flight", "no_fly", "unloading")


@dataclass(frozen=True, slots=True)
class Share:
    """How many per cent of a group's devices that meet ``among`` meet ``of`` too; silent when fewer than ``least``."""

    among: tuple[While, ...]
    of: tuple[While, ...]
    least: int


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of the newest values of a field over a group's devices that are heard."""

    field: str


@dataclass(frozen=True, slots=True)
class Together:
    """How many devices of a group stand under one alarm; raised when the level's number came within ``within_s``.

    ``rule`` is ``{field}.{limit key}``; its alarms are folded under the group's until fewer than that number are left.
    """

    rule: str
    within_s: float
