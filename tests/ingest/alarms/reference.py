"""A small reference of one alarm point, written from ALARMS §2 alone: what its open occurrence must look like.

It knows no database and no engine; times are seconds. Where an act must be refused, it says by which word.
"""

from dataclasses import dataclass

MINUTE = 60
DECIDE = {"P1": 15 * MINUTE, "P2": 15 * MINUTE, "P3": 120 * MINUTE}


@dataclass
class Alarm:
    """The facts of an open occurrence."""

    level: int
    peak: int
    priority: str
    latched: bool
    active: bool = True
    acked: bool = False
    level_acked: int = 0
    quality: str = "good"
    decision: str | None = None
    due: int | None = None
    observed: int | None = None
    cause: str | None = None
    verdict: str | None = None
    version: str = "v1"

    def announce(self) -> None:
        self.acked, self.decision, self.due, self.observed = False, None, None, None


@dataclass
class Point:
    """An alarm point: gas latches and is urgent, the other kind does not and is not."""

    gas: bool
    alarm: Alarm | None = None
    shelf: tuple[int, int] | None = None
    out_until: int | None = None

    def priority(self, level: int) -> str:
        return ("P2" if level == 1 else "P1") if self.gas else ("P4" if level == 1 else "P3")

    @property
    def suppression(self) -> str:
        if self.out_until is not None:
            return "out_of_service"
        folded = self.alarm is not None and self.alarm.cause is not None
        return "shelved" if self.shelf is not None else "by_design" if folded else "none"

    def on(self, level: int, version: str = "v1") -> None:
        """Its condition holds at a level, judged by a version of its rule."""
        priority = self._lifted(level)
        alarm = self.alarm
        if alarm is None:
            self.alarm = Alarm(level, level, priority, self.gas, version=version)
            return
        alarm.version = version
        alarm.priority = min(priority, alarm.priority) if alarm.active else priority
        if not alarm.active:
            alarm.active, alarm.level_acked = True, 0
            alarm.announce()
        elif level > alarm.level_acked:
            alarm.announce()
        alarm.level, alarm.peak, alarm.quality = level, max(level, alarm.peak), "good"

    def was(self, level: int, version: str) -> None:
        """It becomes known late that its condition held at a level."""
        priority = self._lifted(level)
        alarm = self.alarm
        if alarm is None:
            self.alarm = Alarm(level, level, priority, self.gas, active=False, version=version)
        elif level > alarm.peak:
            alarm.peak, alarm.priority = level, priority
            alarm.announce()

    def folded(self, cause: str | None) -> None:
        """Another device explains it, or no longer does."""
        if self.alarm is not None and self.alarm.cause != cause:
            self.alarm.cause = cause
            if cause is None:
                self._shown_again()

    def off(self) -> None:
        """Its condition is over."""
        alarm = self.alarm
        if alarm is None or not alarm.active:
            return
        alarm.active, alarm.level, alarm.due, alarm.observed, alarm.quality = False, 0, None, None, "good"
        if alarm.acked and not alarm.latched:
            self.alarm = None

    def heard(self, quality: str) -> None:
        """Its device fell silent or is back."""
        if self.alarm is not None and (self.alarm.active or self.alarm.latched):
            self.alarm.quality = quality

    def ack(self, seen: int, now: int) -> str:
        alarm = self.alarm
        if alarm is None:
            return "closed"
        if seen < alarm.level:
            return "level_changed"
        if seen > alarm.peak:
            return "level_unknown"
        if alarm.acked:
            return "already_acked"
        alarm.acked, alarm.level_acked = True, max(alarm.level, alarm.level_acked)
        within = DECIDE.get(alarm.priority)
        alarm.due = now + within if within is not None and alarm.active and alarm.decision is None else None
        if not alarm.active and not alarm.latched:
            self.alarm = None
        return "acked"

    def decide(self, decision: str, now: int) -> str:
        alarm = self.alarm
        if alarm is None:
            return "closed"
        if not alarm.acked:
            return "state"
        alarm.decision, alarm.due = decision, None
        alarm.observed = now + 30 * MINUTE if decision == "observe" and alarm.active else None
        return "decided"

    def judge_false(self) -> str:
        alarm = self.alarm
        if alarm is None:
            return "closed"
        if alarm.verdict is not None:
            return "state"
        if alarm.priority in ("P1", "P2"):
            return "asked"
        self.judged_false()
        return "false_alarm"

    def judged_false(self) -> None:
        alarm = self.alarm
        assert alarm is not None
        alarm.verdict = "false_alarm"
        if alarm.decision is None:
            alarm.decision, alarm.due = "false_alarm", None

    def shelve(self, leader: bool, minutes: int, now: int) -> str:
        alarm = self.alarm
        if alarm is None:
            return "closed"
        if alarm.priority == "P1" or (self.gas and alarm.peak >= 2):
            return "not_allowed"
        if alarm.priority == "P2" and not leader:
            return "role"
        self.shelf = (now + minutes * MINUTE, alarm.level if alarm.active else alarm.peak)
        return "shelved"

    def unshelve(self) -> str:
        if self.shelf is None:
            return "state"
        self.shelf = None
        self._shown_again()
        return "unshelved"

    def back_in_service(self) -> None:
        self.out_until = None
        self._shown_again()

    def reset(self, leader: bool) -> str:
        alarm = self.alarm
        if alarm is None:
            return "closed"
        if alarm.active or not alarm.acked or not alarm.latched or alarm.quality != "good":
            return "state"
        if self.gas and alarm.peak >= 2:
            return "asked"
        if alarm.peak >= 2 and not leader:
            return "role"
        self.alarm = None
        return "reset"

    def passed(self, now: int) -> None:
        """Time has passed."""
        if self.shelf is not None and self.shelf[0] <= now:
            self.unshelve()
        if self.out_until is not None and self.out_until <= now:
            self.back_in_service()
        alarm = self.alarm
        if alarm is not None and alarm.due is not None and alarm.due <= now:
            alarm.announce()
        if alarm is not None and alarm.observed is not None and alarm.observed <= now:
            alarm.announce()

    def _lifted(self, level: int) -> str:
        """Take it off its shelf when it is worse than what was shelved; return the priority of the level."""
        priority = self.priority(level)
        if self.shelf is not None and (level > self.shelf[1] or priority == "P1"):
            self.shelf = None
            self._shown_again()
        return priority

    def _shown_again(self) -> None:
        if self.alarm is not None and self.suppression == "none" and self.alarm.active and self.alarm.acked:
            self.alarm.announce()
