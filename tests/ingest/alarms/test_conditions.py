"""Levels, deadband and delays, as tables of (second, value) against the level that must be on."""

from dataclasses import replace

import pytest

from devices.kind import Level, Limit
from ingest.alarms.conditions import judge, level_of, new_condition
from ingest.alarms.rules import Rule, watch

HIGH = Limit("high", "高", "high", (Level(1, 25, "P2"), Level(2, 50, "P1")), "test", "C", deadband=5, off_s=60)
SLOW = Limit("slow", "慢", "slow", (Level(1, 10, "P3"),), "test", "C", deadband=2, on_s=30, off_s=20)
LOW = Limit("low", "低", "low", (Level(1, 30, "P3"), Level(2, 20, "P2")), "test", "C", "below", deadband=3)
STATE = Limit("state", "态", "state", (Level(1, 1, "P2"), Level(2, 2, "P1")), "test", "C", "state", off_s=10)

DETECTOR = replace(STATE, clears=(0.0,))

TABLES: dict[str, tuple[Limit, list[tuple[float, float, int]]]] = {
    "equality raises": (HIGH, [(0, 24.9, 0), (1, 25.0, 1)]),
    "straight to the worst": (HIGH, [(0, 60, 2)]),
    "equality at the clear line does not clear": (HIGH, [(0, 25, 1), (10, 20.0, 1), (200, 20.0, 1)]),
    "leaves beyond the deadband after the off-delay": (HIGH, [(0, 25, 1), (10, 19.9, 1), (69, 19.9, 1), (70, 19.9, 0)]),
    "one sample on the other side resets the off-delay": (
        HIGH,
        [(0, 25, 1), (10, 19, 1), (60, 21, 1), (61, 19, 1), (120, 19, 1), (121, 19, 0)],
    ),
    "levels fall one by one": (HIGH, [(0, 60, 2), (10, 44, 2), (70, 44, 1), (80, 10, 1), (140, 10, 0)]),
    "on-delay counts device time": (SLOW, [(0, 10, 0), (29, 11, 0), (30, 11, 1)]),
    "on-delay is reset by a quiet sample": (SLOW, [(0, 10, 0), (20, 9, 0), (21, 10, 0), (50, 10, 0), (51, 10, 1)]),
    "a gap longer than stale-after does not count": (
        SLOW,
        [(0, 10, 0), (10, 10, 0), (200, 10, 0), (219, 10, 0), (220, 10, 1)],
    ),
    "below mirrors above": (
        LOW,
        [(0, 31, 0), (1, 30, 1), (2, 20, 2), (3, 23, 2), (4, 23.1, 1), (5, 33, 1), (6, 33.1, 0)],
    ),
    "a state is entered and left at once or after its delay": (
        STATE,
        [(0, 0, 0), (1, 2, 2), (2, 1, 2), (12, 1, 1), (13, 0, 1), (23, 0, 0)],
    ),
}

TABLES["a muted or faulty detector is not a safe one"] = (
    DETECTOR,
    [(0, 2, 2), (5, 5, 2), (100, 3, 2), (200, 1, 2), (211, 1, 1), (300, 0, 1), (311, 0, 0)],
)


@pytest.mark.parametrize("name", TABLES)
def test_level(name: str) -> None:
    """Each sample of the table leaves the condition at the level beside it."""
    limit, samples = TABLES[name]
    condition = new_condition(limit)
    found = []
    for at_s, value, _ in samples:
        judge(condition, limit, value, 1 + round(at_s * 1000), 100_000)
        found.append((at_s, value, condition.level))
    assert found == samples


def test_late_sample_may_raise_but_never_clear() -> None:
    """A sample older than the newest changes nothing; it only tells the level it would have raised."""
    condition = new_condition(HIGH)
    assert judge(condition, HIGH, 10, 100_000, 100_000) is None
    assert judge(condition, HIGH, 60, 50_000, 100_000) == 2
    assert condition.level == 0
    judge(condition, HIGH, 60, 110_000, 100_000)
    assert judge(condition, HIGH, 1, 40_000, 100_000) is None
    assert condition.level == 2


@pytest.mark.parametrize(("limit", "quiet", "loud"), [(HIGH, 24.99, 25), (LOW, 30.01, 30), (STATE, 3, 1)])
def test_quick_test(limit: Limit, quiet: float, loud: float) -> None:
    """The quick test lets through exactly the values by which no level is reached."""
    quick = watch(Rule("k.f.l", "v", "k", "m", "f", "1", limit, 1000))
    assert quick.quiet(quiet)
    assert level_of(limit, quiet) == 0
    assert not quick.quiet(loud)
    assert level_of(limit, loud) == 1
