"""The common case of the native envelope, compiled from a kind's table: one JSON object, a clock, quiet numbers.

``decode`` reads what needs no second look, in one pass of msgspec over typed structures made from the table: every key
known, every number within its plausible range, time in milliseconds, quality good. Whatever is odd in any respect is
refused and read the long way (``devices.formats.native`` and ``devices.decode``), with the same result for what both
can read; a test says so for every kind.
"""

from collections.abc import Callable
from struct import Struct
from typing import Annotated, Any, Literal, Union

import msgspec

from devices.kind import Field, Value
from devices.plan import MOST, Plan, Slot
from devices.points import MOST_SEQ
from devices.shapes import ABSENT, Sample, Shapes, TagSet

_KEPT = r"\A[^\0]*\Z"
_TEXT_MOST = 128
_TAG_SETS_KEPT, _TAG_KEYS_KEPT = 10_000, 100
_held: Callable[[Any], tuple[Any, ...]] = msgspec.structs.astuple
_builtins: Callable[[Any], dict[str, Any]] = msgspec.to_builtins
_MS = Annotated[int, msgspec.Meta(ge=10**12, lt=10**13)]


class Envelope:
    """The quick way into one channel of one kind."""

    def __init__(self, plan: Plan) -> None:
        # What usual messages hold comes first: the numbers of the first measurement.
        slots = sorted(plan.slots.items(), key=lambda item: not _is_usual(item[1]))
        data = msgspec.defstruct(
            "Data",
            [(key, *_typed(slot.field)) for key, slot in slots],
            forbid_unknown_fields=True,
            omit_defaults=True,
            gc=False,
        )
        # Keys that change what the rest means are named with a type that refuses them.
        refused = [(key, Literal[None], None) for key in ("loc", "device", "device_id", "kind")]
        envelope = msgspec.defstruct(
            "Envelope",
            [
                ("ts", _MS),
                ("data", data),
                ("id", str | int, ""),
                ("seq", int | str | None, None),
                ("q", Literal["good"], "good"),
                ("qf", Annotated[list[Any], msgspec.Meta(max_length=0)] | None, None),
                ("hist", bool, False),
                *refused,
            ],
            gc=False,
        )
        self.decode: Callable[[bytes], Any] = msgspec.json.Decoder(envelope).decode
        """Read what stands around the data (``ts``, ``id``, ``seq``, ``hist``), and the ``data`` themselves."""
        self.numbers = tuple(key for key, slot in slots if _is_usual(slot))
        """The fields of usual messages: what is in a sample, in that order."""
        self.tag_keys = tuple(key for key, slot in slots if slot.index == 0 and slot.field.tag)
        """The tags beside them."""
        numbers = [(key, *_typed(slot.field)) for key, slot in slots if _is_usual(slot)]
        # Looked at when they are new: a pattern would cost as much as all the numbers.
        tags = [(key, str | msgspec.UnsetType, msgspec.UNSET) for key in self.tag_keys]
        self.usual = _usual(numbers, refused)
        """Read a usual message: numbered, not named, its data numbers alone; all others are refused."""
        self.usual_tagged = _usual([*numbers, *tags], refused)
        """Read the same with tags in the data, or without."""
        self._count = len(numbers)
        self._pack = Struct(f"{self._count}d").pack
        self._nothing = (ABSENT,) * self._count
        self.untagged = TagSet(NO_TAGS, Shapes(self.numbers))
        """The tags of messages without any."""
        self._shapes: dict[tuple[str, ...], Shapes] = {(): self.untagged.shapes}
        self._tag_sets: dict[tuple[str | msgspec.UnsetType, ...], TagSet] = {}
        self._slots = plan.slots
        self._flags = frozenset(key for key, slot in plan.slots.items() if slot.field.type == "flag")
        self._sentinels = {
            key: slot.field.sentinels
            for key, slot in plan.slots.items()
            if any(slot.low <= sentinel <= slot.high for sentinel in slot.field.sentinels)
        }
        self._has_position = "lat" in plan.slots and "lon" in plan.slots
        self.may_be_odd = bool(self._sentinels) or self._has_position
        # Messages of one measurement, as nearly all are, need no sorting: without tags, and with them.
        self._usual = frozenset(key for key, slot in plan.slots.items() if slot.index == 0)
        self.simple = self._usual.difference(self.tag_keys)

    def sample(self, said: Any) -> Sample | None:
        """Return the numbers of what ``usual`` read; None when there is none."""
        numbers = _held(said.data)
        return None if numbers == self._nothing else self._pack(*numbers)

    def tagged_sample(self, said: Any) -> tuple[Sample | None, TagSet]:
        """Return the numbers and tags of what ``usual_tagged`` read; no numbers when it needs the long way."""
        held = _held(said.data)
        numbers, given = held[: self._count], held[self._count :]
        tags = self._tag_sets.get(given) or self._tag_set(given)
        if tags is None or numbers == self._nothing:
            return None, self.untagged
        return self._pack(*numbers), tags

    def _tag_set(self, given: tuple[str | msgspec.UnsetType, ...]) -> TagSet | None:
        values = {key: value for key, value in zip(self.tag_keys, given, strict=True) if isinstance(value, str)}
        if not all(0 < len(value) <= _TEXT_MOST and "\0" not in value for value in values.values()):
            return None
        if len(self._tag_sets) >= _TAG_SETS_KEPT:
            # Tags are few and never change; whoever makes them up must not fill the memory.
            self._tag_sets.clear()
        if len(self._shapes) >= _TAG_KEYS_KEPT:
            self._shapes = {(): self.untagged.shapes}
        keys = tuple(values)
        shapes = self._shapes.setdefault(keys, Shapes(self.numbers, keys))
        tags = self._tag_sets[given] = TagSet(values, shapes) if values else self.untagged
        return tags

    def values(self, data: Any) -> dict[str, Value]:
        """Return what the data hold, flags as numbers."""
        values = _builtins(data)
        if not self._flags.isdisjoint(values):
            for name in self._flags.intersection(values):
                values[name] = 1.0 if values[name] else 0.0
        return values

    def is_odd(self, values: dict[str, Any]) -> bool:
        """Tell whether some values stand for none: then they are read the long way."""
        for key, sentinels in self._sentinels.items():
            if values.get(key) in sentinels:
                return True
        return self._has_position and values.get("lat") == 0.0 and values.get("lon") == 0.0

    def columns(self, values: dict[str, Any]) -> list[tuple[int, dict[str, Value], dict[str, str]]]:
        """Return values and tags by measurement (its place in the plan), in the plan's order."""
        if self.simple.issuperset(values):
            return [(0, values, NO_TAGS)]
        if self._usual.issuperset(values):
            tags = {key: values.pop(key) for key in self.tag_keys if key in values}
            return [(0, values, tags)]
        columns: dict[int, tuple[int, dict[str, Value], dict[str, str]]] = {}
        for key, value in values.items():
            slot = self._slots[key]
            column = columns.get(slot.index)
            if column is None:
                column = columns[slot.index] = (slot.index, {}, {})
            if slot.field.tag:
                column[2][key] = value
            else:
                column[1][key] = value
        return sorted(columns.values(), key=_first)


# Shared by readings without tags or flags; nobody writes into those of a reading.
NO_TAGS: dict[str, str] = {}
NO_FLAGS: dict[str, str] = {}


def _first(column: tuple[int, dict[str, Value], dict[str, str]]) -> int:
    return column[0]


def _usual(fields: list[tuple[Any, ...]], refused: list[tuple[str, Any, None]]) -> Callable[[bytes], Any]:
    """Return what reads usual messages whose data are some fields."""
    usual = msgspec.defstruct(
        "Usual",
        [
            ("ts", _MS),
            ("seq", Annotated[int, msgspec.Meta(ge=0, le=MOST_SEQ)]),
            ("data", msgspec.defstruct("Numbers", fields, forbid_unknown_fields=True, gc=False)),
            ("hist", bool, False),
            ("q", Literal["good"], "good"),
            *refused,
            *((key, Literal[None], None) for key in ("id", "qf")),
        ],
        gc=False,
    )
    return msgspec.json.Decoder(usual).decode


def _is_usual(slot: Slot) -> bool:
    return slot.index == 0 and not _is_text(slot.field)


def _is_text(field: Field) -> bool:
    return field.tag or field.type == "text"


def _typed(field: Field) -> tuple[Any, Any]:
    """Return the type of a field, and what stands for it where it is absent."""
    if _is_text(field):
        text = Annotated[str, msgspec.Meta(min_length=1, max_length=_TEXT_MOST, pattern=_KEPT)]
        return Union[text, msgspec.UnsetType], msgspec.UNSET  # noqa: UP007
    if field.type == "flag":
        return bool | Literal[0, 1], ABSENT
    low = -MOST if field.low is None else field.low
    high = MOST if field.high is None else field.high
    return Annotated[float, msgspec.Meta(ge=float(low), le=float(high))], ABSENT
