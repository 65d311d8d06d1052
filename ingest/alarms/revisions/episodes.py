"""Alarms as they would have been: each from its raise to its return, made of the engine's transitions alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from devices.kind import PRIORITIES, worst_priority
from ingest.alarms.transitions import Transition


@dataclass(slots=True)
class Episode:
    """One alarm: its worst level and priority, the value that raised it; ``end_ms`` is None while it is active."""

    point: str
    rule: str
    device: str
    kind: str
    begin_ms: int
    noticed_ms: int
    end_ms: int | None
    level: int
    priority: str
    value: float | None
    unit: str
    hidden: bool

    def overlaps(self, other: "Episode") -> bool:
        """Tell whether both were active at one instant."""
        return not (_before(self.end_ms, other.begin_ms) or _before(other.end_ms, self.begin_ms))


def _before(end_ms: int | None, begin_ms: int) -> bool:
    return end_ms is not None and end_ms < begin_ms


@dataclass(slots=True)
class Episodes:
    """What a run of the engine gives, by alarm point in order of time."""

    by_point: dict[str, list[Episode]] = field(default_factory=dict)

    def take(self, transitions: Iterable[Transition]) -> None:
        """Take in what the engine told."""
        for told in transitions:
            if told.what in ("raise", "passage", "late", "change"):
                self._raised(told)
            elif told.what == "return":
                open_one = self._open(told.point)
                if open_one is not None:
                    open_one.end_ms = told.at_ms

    def _raised(self, told: Transition) -> None:
        open_one = self._open(told.point)
        if open_one is not None:
            if told.level > open_one.level:
                open_one.level = told.level
            open_one.priority = worst_priority((open_one.priority, told.priority))
            return
        end_ms = None if told.what in ("raise", "change") else told.at_ms
        self.by_point.setdefault(told.point, []).append(
            Episode(
                told.point, told.rule, told.device, told.kind, told.at_ms, told.now_ms, end_ms, told.level,
                told.priority, told.value, told.unit, told.suppression != "none",
            )
        )  # fmt: skip

    def _open(self, point: str) -> Episode | None:
        found = self.by_point.get(point)
        return found[-1] if found and found[-1].end_ms is None else None

    def within(self, from_ms: int, to_ms: int) -> list[Episode]:
        """Return those that were noticed in [from, to), in order of time."""
        found = [each for some in self.by_point.values() for each in some if from_ms <= each.noticed_ms < to_ms]
        return sorted(found, key=lambda each: (each.noticed_ms, each.point))

    def meeting(self, episode: Episode) -> Episode | None:
        """Return the worst one of the same point that overlaps an episode, None where there is none."""
        return worst([each for each in self.by_point.get(episode.point, ()) if each.overlaps(episode)])


def worst(episodes: Iterable[Episode]) -> Episode | None:
    """Return the episode with the worst priority."""
    known: Sequence[str] = PRIORITIES
    return min(episodes, key=lambda each: known.index(each.priority), default=None)
