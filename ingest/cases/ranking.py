"""The monthly ranking of streets (红黑榜).

The rule is a proposal (grade C), to be confirmed by the city:

score = 50 × closed in time + 30 × handled in time + 10 × (1 − reworked) + 10 × (1 − recurred), each a share of the
month, rounded to one decimal. A share without a denominator is left out and the others are weighed up to 100. A street
in which no case fell due has no score and no rank. Equal scores share a rank and the next rank is skipped (1, 2, 2, 4).
Red list: the first three ranks with at least 80 points. Black list: the three lowest scores, if below 80.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ingest.cases.indicators import Ratio, indicators

WEIGHTS: Mapping[str, float] = {"closed_in_time": 50, "handled_in_time": 30, "reworked": 10, "recurred": 10}
_LESS_IS_BETTER = frozenset({"reworked", "recurred"})
GOOD_FROM = 80.0
LISTED = 3


@dataclass(frozen=True, slots=True)
class Ranked:
    """One street in one month; without cases that fell due ``score`` and ``rank`` are None."""

    street: str
    score: float | None
    rank: int | None
    listed: Literal["red", "black"] | None
    indicators: Mapping[str, Ratio]


def ranking(
    rows: Iterable[Mapping[str, Any]], streets: Iterable[str], from_ms: int, to_ms: int, now_ms: int
) -> list[Ranked]:
    """Return every street of the site, the best first, those without a score last in the site's own order."""
    found = list(rows)
    counted = {
        street: indicators([row for row in found if row["street"] == street], from_ms, to_ms, now_ms)
        for street in streets
    }
    scores = {street: score(shares) for street, shares in counted.items()}
    known = sorted(value for value in scores.values() if value is not None)
    lowest = known[:LISTED]

    def placed(street: str) -> Ranked:
        own = scores[street]
        if own is None:
            return Ranked(street, None, None, None, counted[street])
        rank = 1 + sum(1 for other in known if other > own)
        listed: Literal["red", "black"] | None = None
        if own >= GOOD_FROM and rank <= LISTED:
            listed = "red"
        elif own < GOOD_FROM and own <= lowest[-1]:
            listed = "black"
        return Ranked(street, own, rank, listed, counted[street])

    # Among equals the one with more work stands first: the same score with more cases is the harder one.
    def order(ranked: Ranked) -> tuple[float, int]:
        if ranked.rank is None:
            return float("inf"), 0
        return ranked.rank, -ranked.indicators["closed"].denominator

    return sorted((placed(street) for street in counted), key=order)


def score(shares: Mapping[str, Ratio]) -> float | None:
    """Return a street's score of 0 to 100, or None when no case of it fell due."""
    if not shares["closed_in_time"].denominator:
        return None
    points, weight = 0.0, 0.0
    for key, own in WEIGHTS.items():
        value = shares[key].value
        if value is not None:
            points += own * (1 - value if key in _LESS_IS_BETTER else value)
            weight += own
    return round(100 * points / weight, 1)
