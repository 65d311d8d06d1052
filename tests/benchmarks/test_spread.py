"""Medians, percentiles and how they are shown."""

import pytest

from benchmarks.spread import median, percentile, shown

PERCENTILES = [
    ([5.0], 0.99, 5.0),
    ([3.0, 1.0, 2.0], 0.5, 2.0),
    ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0),
    ([float(n) for n in range(1, 101)], 0.99, 99.0),
    ([float(n) for n in range(1, 102)], 0.99, 100.0),
    ([float(n) for n in range(1, 101)], 1.0, 100.0),
    ([float(n) for n in range(1, 101)], 0.0, 1.0),
]


@pytest.mark.parametrize(("found", "share", "expected"), PERCENTILES)
def test_percentile_is_a_value_that_was_measured(found: list[float], share: float, expected: float) -> None:
    assert percentile(found, share) == expected


def test_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_median_of_an_even_number_lies_between() -> None:
    assert median([1.0, 10.0, 2.0, 4.0]) == 3.0


def test_one_run_is_shown_alone_and_several_with_their_spread() -> None:
    assert shown([12_345.6], 0) == "12,346"
    assert shown([3.0, 1.0, 2.0], 1) == "2.0 (1.0–3.0)"
    assert shown([2.0, 2.0], 0) == "2"
