"""Column-wise judging is the engine's judging: the same level at the same sample, whatever the series."""

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest

from devices.kind import Level, Limit
from ingest.alarms.conditions import judge, new_condition
from ingest.backtest.columns import Samples, changes
from tests.ingest.backtest.series import T0, instants, limits, values

STALE_MS = 120_000
Told = list[tuple[int, int]]
Doubts = frozenset[int]


def one_by_one(
    limit: Limit, series: Sequence[Sequence[tuple[int, float | None]]], doubted: Doubts = frozenset()
) -> Told:
    """Return (index, level) of every change, as the engine's own condition tells; None is a sample while not armed.

    A bad sample comes before those whose index is in ``doubted``.
    """
    found, index = [], 0
    for samples in series:
        condition = new_condition(limit)
        for at_ms, value in samples:
            before = condition.level
            if index in doubted:
                condition.doubt(at_ms)
            assert judge(condition, limit, value, at_ms, STALE_MS) is None
            if condition.level != before:
                found.append((index, condition.level))
            index += 1
    return found


def in_columns(
    limit: Limit, series: list[list[tuple[int, float]]], armed: list[bool] | None = None, doubted: Doubts = frozenset()
) -> Told:
    count = sum(map(len, series))
    samples = Samples(
        np.repeat(np.arange(len(series), dtype=np.int32), [len(each) for each in series]),
        np.array([at_ms for each in series for at_ms, _ in each], np.int64),
        np.array([value for each in series for _, value in each], np.float64),
        np.zeros(count, np.int16),
        np.isin(np.arange(count), [*doubted]),
    )
    holds = None if armed is None else lambda at: np.array(armed)[at]
    found = changes(limit, STALE_MS, samples, holds)
    return [*zip(found.at.tolist(), found.level.tolist(), strict=True)]


@pytest.mark.parametrize("seed", range(150))
def test_any_limit_on_any_series(seed: int) -> None:
    random = Random(seed)
    limit = limits(random)
    series = [
        [(at_ms, values(limit, random)) for at_ms in instants(limit, STALE_MS, random.randrange(1, 80), random)]
        for _ in range(8)
    ]
    assert in_columns(limit, series) == one_by_one(limit, series)
    armed = [random.random() < 0.8 for each in series for _ in each]
    hours = iter(armed)
    masked = [[(at_ms, value if next(hours) else None) for at_ms, value in each] for each in series]
    assert in_columns(limit, series, armed) == one_by_one(limit, masked)
    doubted = frozenset(index for index in range(len(armed)) if random.random() < 0.2)
    assert in_columns(limit, series, None, doubted) == one_by_one(limit, series, doubted)


def test_the_series_are_worth_the_comparison() -> None:
    """Most of them raise, many of them more than once, and several reach different levels."""
    told = []
    for seed in range(150):
        random = Random(seed)
        limit = limits(random)
        series = [
            [(at_ms, values(limit, random)) for at_ms in instants(limit, STALE_MS, random.randrange(1, 80), random)]
            for _ in range(8)
        ]
        told.append(in_columns(limit, series))
    assert sum(len(each) > 4 for each in told) > 75
    assert sum(len({level for _, level in each}) > 2 for each in told) > 40


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        # Equality raises, equality at the clear line does not clear; the delay ends exactly at a sample.
        ([(0, 25.0), (60, 20.0), (120, 19.9), (180, 19.9)], [(0, 1), (3, 0)]),
        # One sample on the other side begins the delay anew.
        ([(0, 25.0), (10, 19.0), (50, 21.0), (60, 19.0), (119, 19.0), (120, 19.0)], [(0, 1), (5, 0)]),
        # A gap longer than stale-after does not count towards it.
        ([(0, 30.0), (10, 1.0), (140, 1.0), (190, 1.0), (200, 1.0)], [(0, 1), (4, 0)]),
        # Worse, milder, over: each level is left by itself.
        ([(0, 30.0), (10, 55.0), (20, 46.0), (30, 44.0), (90, 44.0), (100, 1.0), (160, 1.0)],
         [(0, 1), (1, 2), (4, 1), (6, 0)]),
        ([(0, 1.0), (10, 24.9)], []),
    ],
)  # fmt: skip
def test_edges(rows: list[tuple[int, float]], found: Told) -> None:
    limit = Limit("high", "高", "high", (Level(1, 25, "P2"), Level(2, 50, "P1")), "x", "B", deadband=5, off_s=60)
    assert in_columns(limit, [[(T0 + at_s * 1000, value) for at_s, value in rows]]) == found


def test_nothing_is_something() -> None:
    limit = Limit("high", "高", "high", (Level(1, 25, "P2"),), "x", "B")
    assert in_columns(limit, []) == []
    assert in_columns(limit, [[], [(T0, 30.0)]]) == [(0, 1)]
