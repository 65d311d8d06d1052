"""The grammar of a kind: what one table in ``devices/kinds/`` may say about a kind of device.

A kind file holds a single ``KIND``; everything else (decoding, storage, alarms, pages, simulators, tests) reads it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from devices.signals import Arming, Mean, Share, Signal, Together, Total

Priority = Literal["P1", "P2", "P3", "P4", "health"]
PRIORITIES: tuple[Priority, ...] = ("P1", "P2", "P3", "P4", "health")
Value = float | str


def worst_priority(given: Iterable[str]) -> str:
    """Return the most urgent of some priorities."""
    known: Sequence[str] = PRIORITIES
    return min(given, key=known.index)


class Given(NamedTuple):
    """What else is known where a sample's values are completed.

    ``facts`` are the numbers a site registers of the device, such as ``posted_limit_kg``; ``tags`` and ``flags`` are
    those of the sample.
    """

    facts: Mapping[str, float]
    tags: Mapping[str, str]
    flags: Mapping[str, str]


Derive = Callable[[dict[str, Value], Given], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Label:
    """A name in both languages of the product."""

    zh: str
    en: str


def in_both(source: "str | Label") -> Label:
    """Return where something comes from in both languages; plain words, as of a standard's number, are the same."""
    return source if isinstance(source, Label) else Label(source, source)


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a limit. ``level`` counts from 1 (mildest); ``value`` is in the field's unit."""

    level: int
    value: float
    priority: Priority


@dataclass(frozen=True, slots=True)
class Limit:
    """An alarm rule on one field.

    ``above`` raises at value ≥ T and leaves at value < T − deadband; ``below`` mirrors it; ``state`` raises when the
    field equals a level's value. ``passage`` marks a rule on something that happened once (a truck on a bridge): each
    passage is an occurrence of its own, born returned and unacknowledged. Delays are seconds of device time.
    ``clears`` are the states that end a ``state`` alarm, all others when None: a muted detector is not a safe one.
    ``cap`` marks what protects people: a site may make it stricter, never looser. It is the highest value (for
    ``below``: the lowest) of the first level; of a ``state`` limit it is the first state, and the states stay.
    ``source`` is where the numbers come from, plain words or a text in each language.
    ``signal`` is judged in place of the value, in ``unit`` where that is not the field's. The limit is armed while all
    of ``armed`` hold; while it is not, a sample counts as one that reaches no level.
    """

    key: str
    zh: str
    en: str
    levels: tuple[Level, ...]
    source: str | Label
    grade: Literal["A", "B", "C"]
    sense: Literal["above", "below", "state"] = "above"
    deadband: float = 0.0
    on_s: float = 0.0
    off_s: float = 0.0
    latch: bool = False
    passage: bool = False
    cap: float | None = None
    clears: tuple[float, ...] | None = None
    signal: Signal | None = None
    unit: str | None = None
    armed: tuple[Arming, ...] = ()

    @property
    def of_values(self) -> bool:
        """Tell whether its levels are values of the field: a line to be drawn across its curve."""
        return self.signal is None or (isinstance(self.signal, Mean) and self.signal.over is None)


@dataclass(frozen=True, slots=True)
class GroupLimit:
    """An alarm rule on the devices of one circuit or street taken together.

    ``where`` narrows the group to devices with such an attribute in the site file. The group is looked at once a
    minute; delays count that time. Its rule is ``{kind}.{limit key}``, its device ``circuit:…`` or ``street:…``.
    """

    by: Literal["circuit", "street"]
    of: Share | Total | Together
    limit: Limit
    unit: str
    where: tuple[Literal["road"], str] | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One quantity a device reports.

    ``low``/``high`` bound what is plausible: a value outside is kept and flagged ``range``, never dropped.
    ``sentinels`` are the numbers a device sends for "no value"; they become absent. ``live`` fields travel to walls.
    """

    key: str
    zh: str
    en: str
    type: Literal["number", "flag", "code", "text"] = "number"
    unit: str = "1"
    low: float | None = None
    high: float | None = None
    resolution: float | None = None
    codes: Mapping[int, Label] = field(default_factory=dict)
    sentinels: tuple[float, ...] = ()
    tag: bool = False
    live: bool = False
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class Measurement:
    """Fields stored together in one InfluxDB measurement, and the channels that bring them.

    ``passage`` names the text field that identifies a passage; its points get a time made unique by that identifier.
    ``vehicle`` names the one that says, by a digest of the plate, which vehicle it was.
    ``derive`` completes a sample's values in place (pure; it may add fields and must not remove any) and returns flags.
    """

    key: str
    zh: str
    en: str
    channels: tuple[str, ...]
    fields: tuple[Field, ...]
    passage: str | None = None
    vehicle: str | None = None
    derive: Derive | None = None

    @property
    def sampled(self) -> bool:
        """Tell whether these are samples of quantities that minutes can sum up, and no records of what happened."""
        return self.passage is None and "telemetry" in self.channels and bool(self.quantities)

    @property
    def quantities(self) -> tuple[Field, ...]:
        """Return the fields that are numbers."""
        return tuple(f for f in self.fields if not f.tag and f.type != "text")


@dataclass(frozen=True, slots=True)
class NoData:
    """Silence that is an alarm of its own; it never clears another one.

    With ``while_field`` the rule is armed only while that field's last value is one of ``while_values``.
    """

    after_s: float
    priority: Priority
    source: str | Label
    grade: Literal["A", "B", "C"]
    while_field: str | None = None
    while_values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A message from a capture, data sheet or public document, and what it must decode to.

    ``expect`` maps measurement → field → value; ``absent`` lists fields that must not appear; ``flags`` field → code.
    """

    source: str
    topic: str
    payload: bytes
    expect: Mapping[str, Mapping[str, Value]]
    at_ms: int | None = None
    absent: tuple[str, ...] = ()
    flags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of device. ``key`` equals the file's name and the topic level.

    ``period_s`` is how often a healthy device reports, ``stale_after_s`` when its values are shown as stale.
    ``headline`` names the field a tile or a map label shows first; ``shape`` is the map symbol.
    """

    key: str
    zh: str
    en: str
    source: str | Label
    period_s: float
    stale_after_s: float
    measurements: tuple[Measurement, ...]
    examples: tuple[Example, ...]
    headline: str
    shape: Literal["triangle", "square", "diamond", "circle", "bar", "ring", "hexagon"] = "circle"
    moving: bool = False
    no_data: NoData | None = None
    groups: tuple[GroupLimit, ...] = ()

    def measurements_on(self, channel: str) -> tuple[Measurement, ...]:
        """Return the measurements a channel feeds; ``state`` is a retained telemetry."""
        wanted = "telemetry" if channel == "state" else channel
        return tuple(m for m in self.measurements if wanted in m.channels)

    def field(self, key: str) -> Field:
        """Return a field by key.

        Raises:
            KeyError: no measurement of this kind has it.
        """
        for measurement in self.measurements:
            for candidate in measurement.fields:
                if candidate.key == key:
                    return candidate
        raise KeyError(key)


def number(
    key: str,
    zh: str,
    en: str,
    unit: str,
    low: float | None = None,
    high: float | None = None,
    resolution: float | None = None,
    *,
    sentinels: tuple[float, ...] = (),
    live: bool = False,
    limits: tuple[Limit, ...] = (),
) -> Field:
    """Describe a quantity that is always stored as a float, whatever token the device sends."""
    return Field(key, zh, en, "number", unit, low, high, resolution, sentinels=sentinels, live=live, limits=limits)


def flag(key: str, zh: str, en: str, *, live: bool = False, limits: tuple[Limit, ...] = ()) -> Field:
    """Describe a yes/no, stored as 1.0 or 0.0."""
    codes = {0: Label("否", "no"), 1: Label("是", "yes")}
    return Field(key, zh, en, "flag", "1", 0, 1, 1, codes=codes, live=live, limits=limits)


def code(
    key: str,
    zh: str,
    en: str,
    codes: Mapping[int, tuple[str, str]],
    *,
    live: bool = False,
    limits: tuple[Limit, ...] = (),
) -> Field:
    """Describe a small enumeration, stored as the code; the table gives each code its name in both languages."""
    labels = {number_: Label(*names) for number_, names in codes.items()}
    return Field(key, zh, en, "code", "1", min(codes), max(codes), 1, codes=labels, live=live, limits=limits)


def text(key: str, zh: str, en: str, *, live: bool = False) -> Field:
    """Describe an identifier or other short text, stored as a string field."""
    return Field(key, zh, en, "text", live=live)


def tag(key: str, zh: str, en: str) -> Field:
    """Describe a small, never-changing property of a device, stored as a tag."""
    return Field(key, zh, en, "text", tag=True)
