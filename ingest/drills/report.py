"""What the report on an exercise holds. Instants are epoch ms by the clock of the city that was played."""

import msgspec


class AlarmLine(msgspec.Struct, kw_only=True):
    """One alarm, or (``id`` empty) one that the scenario states and that was not raised.

    ``goal_s`` is counted from the raise and is the first step of the ladder of the priority it had as it was answered:
    an alarm that became more urgent gets that step anew. ``in_time``, ``decided_in_time`` and ``right`` are None where
    nothing can be said.
    """

    rule: str
    device: str
    stated: bool
    stated_level: int = 0
    id: str = ""
    level: int = 0
    priority: str = ""
    raised_at: int | None = None
    goal_s: float | None = None
    acked_at: int | None = None
    acked_by: str = ""
    ack_s: float | None = None
    level_seen: int | None = None
    in_time: bool | None = None
    decision: str = ""
    decided_by: str = ""
    decide_s: float | None = None
    decide_goal_s: float | None = None
    decided_in_time: bool | None = None
    right: bool | None = None
    escalations: int = 0
    hidden: str = ""
    case: str = ""


class Call(msgspec.Struct):
    """Somebody who was called because nobody had acknowledged."""

    at: int
    alarm: str
    step: str


class CaseLine(msgspec.Struct, kw_only=True):
    """A case that was opened, and how far it came."""

    id: str
    sub_class: str
    state: str
    opened_by: str
    opened_at: int | None
    closed_at: int | None = None


class OfficerLine(msgspec.Struct):
    """What one person did; seconds from raise to acknowledgement."""

    name: str
    acked: int
    median_s: float | None
    worst_s: float | None
    decided: int


class Part(msgspec.Struct):
    """One part of the score: ``good`` of ``of``, for ``weight`` points at most; of nothing it counts nothing."""

    key: str
    weight: int
    good: int
    of: int


class Report(msgspec.Struct, kw_only=True):
    """Everything; ``points`` are of a hundred, shared out among the parts that have something to count."""

    from_at: int
    to_at: int
    alarms: list[AlarmLine]
    calls: list[Call]
    cases: list[CaseLine]
    officers: list[OfficerLine]
    parts: list[Part]
    points: float | None
    never_acked: int
