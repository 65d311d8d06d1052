"""What the evidence of an alarm is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingest.evidence.span import Span
from ingest.records import Record
from ingest.store import Series

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Curve:
    """One field of one device over the span; ``away_m`` is how far a neighbour stands from the alarm's device."""

    device: str
    measurement: str
    field: str
    unit: str
    of: str
    series: Series
    away_m: float | None = None


@dataclass(frozen=True, slots=True)
class LimitLine:
    """One level of a limit that was in force for a device when the alarm was raised."""

    device: str
    field: str
    rule: str
    version: str
    level: int
    priority: str
    sense: str
    value: float
    unit: str
    deadband: float


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A version of a rule that judged the alarm.

    ``revision`` is 0 for the site file; ``numbers`` is None where no rule of this version is known any more, and empty
    for a rule that is part of every kind and has none.
    """

    rule: str
    version: str
    revision: int | None = None
    author: str = ""
    approved_by: str = ""
    effective_at: int | None = None
    edition: str = ""
    reason: str = ""
    numbers: Row | None = None


@dataclass(frozen=True, slots=True)
class RawMessages:
    """What the journal holds of the devices in the span, by collector; ``kept_from`` is where each journal begins."""

    records: Sequence[tuple[str, Record]] = ()
    kept_from: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gone:
    """Something that is not in the pack, by a word that texts explain, with what that needs."""

    word: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of it. Rows are those of the alarm database, instants epoch ms."""

    made_ms: int
    span: Span
    alarm: Row
    acts: Sequence[Row]
    head: tuple[int, str]
    case: Row | None = None
    case_acts: Sequence[Row] = ()
    case_pictures: Sequence[Row] = ()
    announcements: Sequence[Row] = ()
    deliveries: Sequence[Row] = ()
    rules: Sequence[RuleVersion] = ()
    curves: Sequence[Curve] = ()
    limits: Sequence[LimitLine] = ()
    raw: RawMessages = field(default_factory=RawMessages)
    gone: Sequence[Gone] = ()

    @property
    def chain(self) -> list[Row]:
        """All rows of the audit that the pack holds, each once, in their order."""
        return [row for _, row in sorted({row["seq"]: row for row in (*self.acts, *self.case_acts)}.items())]
