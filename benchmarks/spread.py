"""The few statistics that tables show."""

import statistics
from collections.abc import Sequence


def median(found: Sequence[float]) -> float:
    """Return the median; of an even number the mean of the middle two."""
    return statistics.median(found)


def percentile(found: Sequence[float], share: float) -> float:
    """Return the smallest value that a share (0 to 1) of all values does not exceed: nearest rank, never invented.

    Raises:
        ValueError: there are no values.
    """
    if not found:
        raise ValueError("a percentile of no values")
    ranked = sorted(found)
    # 0.99 · 100 is 99.00000000000001 for no other reason than binary fractions.
    rank = -int(-round(share * len(ranked), 9) // 1)
    return ranked[max(0, rank - 1)]


def shown(found: Sequence[float], digits: int) -> str:
    """Return the median with the lowest and highest run behind it: ``36,000 (34,100–37,900)``."""
    middle = f"{median(found):,.{digits}f}"
    low, high = f"{min(found):,.{digits}f}", f"{max(found):,.{digits}f}"
    return middle if low == high else f"{middle} ({low}–{high})"
