"""The watch over a standing wall counts a real page, and reckons a slope right."""

from pathlib import Path

import pytest

from benchmarks.wall import SLOPE, slope_per_h
from tests.benchmarks.test_commands import measured
from tests.servers.programs import require


@pytest.mark.long
def test_a_wall_is_watched(near: Path) -> None:
    require("chromium")
    rows = measured(near, "wall")
    *samples, slope = rows
    assert slope == SLOPE
    assert len(samples) >= 2
    for name in samples:
        assert rows[name]["median"]["heap_mb"] > 1
        assert rows[name]["median"]["nodes"] > 300
        assert rows[name]["median"]["listeners"] > 20


def test_a_slope_is_that_of_an_hour() -> None:
    samples = [(60.0 * minute, {"nodes": 500.0 + 2 * minute, "heap_mb": 9.0}) for minute in range(10)]
    assert slope_per_h(samples, "nodes") == pytest.approx(120)
    assert slope_per_h(samples, "heap_mb") == pytest.approx(0)
    assert slope_per_h(samples[:1], "nodes") == 0
