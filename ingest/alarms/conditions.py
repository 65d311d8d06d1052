"""One rule on one device: when its levels are entered and left, judged by the samples' own time (ALARMS §4).

Pure: sample in, level out. Each level is a flip-flop of its own: it enters at or beyond T held for ``on_s`` of device
time and leaves beyond the deadband held for ``off_s``. A sample on the other side resets the delay; a gap longer than
stale-after, or in which a bad sample came, does not count towards it. A late sample may raise, never clear.
"""

from typing import Literal

import msgspec

from devices.kind import Level, Limit


class Step(msgspec.Struct, array_like=True):
    """The flip-flop of one level: whether it is on, and for how long the opposite has been held (ms of device time)."""

    on: bool = False
    held_ms: int = -1


class Condition(msgspec.Struct, array_like=True):
    """The memory of one rule on one device; ``doubted`` while the newest sample is bad."""

    steps: list[Step]
    last_ms: int = 0
    doubted: bool = False

    @property
    def level(self) -> int:
        """Return the worst level that is on, 0 for none."""
        for index in range(len(self.steps), 0, -1):
            if self.steps[index - 1].on:
                return index
        return 0

    def doubt(self, at_ms: int) -> None:
        """Take in that a sample is bad: it says nothing, and what passed around it counts towards no delay."""
        self.doubted = self.doubted or at_ms >= self.last_ms

    @property
    def idle(self) -> bool:
        """Tell whether nothing is on and nothing is pending."""
        return all(not step.on and step.held_ms < 0 for step in self.steps)


def new_condition(limit: Limit, last_ms: int = 0) -> Condition:
    """Return the memory of a rule that has seen nothing but quiet values, the last at ``last_ms`` (0: none)."""
    return Condition([Step() for _ in limit.levels], last_ms)


def level_of(limit: Limit, value: float) -> int:
    """Return the worst level a value reaches by itself, without delays."""
    return max((level.level for level in limit.levels if _side(limit, level, value) == "in"), default=0)


def judge(condition: Condition, limit: Limit, value: float | None, at_ms: int, stale_after_ms: int) -> int | None:
    """Feed one sample; change the condition in place. None stands for a sample while the rule is not armed.

    Returns:
        The level of a late sample that would have raised (the condition itself stays), else None: read
        ``condition.level``.
    """
    if condition.last_ms and at_ms < condition.last_ms:
        late = 0 if value is None else level_of(limit, value)
        return late if limit.on_s == 0 and late > condition.level else None
    gap_ms = at_ms - condition.last_ms if condition.last_ms else 0
    counted_ms = gap_ms if gap_ms <= stale_after_ms and not condition.doubted else 0
    condition.last_ms, condition.doubted = at_ms, False
    for level, step in zip(limit.levels, condition.steps, strict=True):
        side = _side(limit, level, value)
        leaving = step.on
        if side != ("out" if leaving else "in"):
            step.held_ms = -1
            continue
        step.held_ms = 0 if step.held_ms < 0 else step.held_ms + counted_ms
        if step.held_ms >= (limit.off_s if leaving else limit.on_s) * 1000:
            step.on = not leaving
            step.held_ms = -1
    return None


def _side(limit: Limit, level: Level, value: float | None) -> Literal["in", "out", "between"]:
    if value is None:
        return "out"
    if limit.sense == "state":
        if value == level.value:
            return "in"
        ended = limit.clears is None or value in limit.clears or any(value == other.value for other in limit.levels)
        return "out" if ended else "between"
    sign = 1.0 if limit.sense == "above" else -1.0
    if sign * value >= sign * level.value:
        return "in"
    return "out" if sign * value < sign * level.value - limit.deadband else "between"
