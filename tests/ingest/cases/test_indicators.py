"""Indicators and ranking against figures reckoned by hand."""

from typing import Any

import pytest

from ingest.cases.indicators import Ratio, indicators, period_rows
from ingest.cases.ranking import ranking
from tests.ingest.cases.desk import NOON_MS, Desk

DAY = 86_400_000
NOW = 30 * DAY


def case(day: float, street: str = "a", **more: Any) -> dict[str, Any]:
    """Return a case reported and registered on a day, due a day later, handled and closed in time unless told."""
    at = round(day * DAY)
    row = {
        "street": street, "source": "officer", "state": "CLOSED", "reported_at": at, "registered_at": at,
        "deadline_at": at + DAY, "done_at": at + 1000, "overdue_at": None, "reworks": 0, "recurrence_of": None,
        "suspended_at": None, **more,
    }  # fmt: skip
    return row


def test_nothing_is_nothing() -> None:
    """Without any case there is no value, never a full score."""
    found = indicators([], 0, NOW, NOW)
    assert {key: (ratio.denominator, ratio.value) for key, ratio in found.items()} == dict.fromkeys(found, (0, None))


def test_by_hand() -> None:
    """Ten cases of one week, each counted on paper."""
    rows = [
        case(1),
        case(1, source="alarm"),
        case(2, source="drone", reworks=2),
        case(2, done_at=4 * DAY, overdue_at=3 * DAY),  # handled and closed late
        case(3, done_at=3 * DAY + 5, overdue_at=4 * DAY),  # handled in time, closed late
        case(3, state="VERIFYING"),  # handled, not closed
        case(4, state="HANDLING", done_at=None, overdue_at=5 * DAY, recurrence_of="C1"),
        case(4, state="HANDLING", done_at=None, suspended_at=4 * DAY + 1),  # suspended: not due
        case(5, state="VOID", registered_at=None, deadline_at=None, done_at=None),
        case(5, state="REPORTED", registered_at=None, deadline_at=None, done_at=None),
        case(6.5),  # deadline on day 7.5: the week after
        case(-0.5),  # reported before, due on day 0.5
    ]
    found = indicators(rows, 0, 7 * DAY, NOW)
    assert found == {
        "registered": Ratio(9, 11),
        "handled": Ratio(7, 8),
        "handled_in_time": Ratio(6, 8),
        "closed": Ratio(6, 8),
        "closed_in_time": Ratio(4, 8),
        "reworked": Ratio(1, 8),
        "recurred": Ratio(1, 9),
        "intelligent": Ratio(2, 9),
    }
    assert found["closed_in_time"].value == 0.5


def test_what_is_not_due_yet_is_not_missing() -> None:
    """A deadline later today does not lower today's share."""
    rows = [case(1), case(1.4, state="HANDLING", done_at=None)]
    assert indicators(rows, 0, 7 * DAY, round(2.1 * DAY))["handled"] == Ratio(1, 1)


@pytest.mark.parametrize(("deadline", "counted"), [(-1, 0), (0, 1), (7 * DAY - 1, 1), (7 * DAY, 0)])
def test_edges_of_a_period(deadline: int, counted: int) -> None:
    assert indicators([case(-3, deadline_at=deadline)], 0, 7 * DAY, NOW)["closed"].denominator == counted


def test_from_the_database(desk: Desk) -> None:
    """The rows of a period are those whose instants fall in it, of one street if asked."""
    inside = desk.case_in("CLOSED")
    desk.case_in("REGISTERED", street="s02")
    desk.wait(240)
    desk.case_in("CLOSED")
    rows = period_rows(desk.database, NOON_MS, NOON_MS + DAY, "s01")
    assert [row["id"] for row in rows] == [inside["id"]]
    found = indicators(period_rows(desk.database, NOON_MS, NOON_MS + 2 * DAY), NOON_MS, NOON_MS + 2 * DAY, desk.now_ms)
    assert (found["registered"], found["closed_in_time"]) == (Ratio(2, 2), Ratio(1, 2))


def test_ranking_by_hand() -> None:
    """50·closed + 30·handled + 10·(1 − reworked) + 10·(1 − recurred); ties, empty streets and both lists."""
    late = {"overdue_at": 5 * DAY, "done_at": 9 * DAY}
    rows = [
        *[case(1, "best") for _ in range(3)],
        case(1, "second"),
        case(1, "half"), case(1, "half", **late),
        case(1, "reworked", reworks=1),
        case(1, "worst", **late, state="HANDLING", recurrence_of="C1"),
        case(1, "bad", **late),
        case(1, "worse", **late, reworks=1),
    ]  # fmt: skip
    streets = ["empty", "worst", "worse", "bad", "second", "best", "half", "reworked"]
    found = ranking(rows, streets, 0, 7 * DAY, NOW)
    assert [(each.street, each.score, each.rank, each.listed) for each in found] == [
        ("best", 100.0, 1, "red"),
        ("second", 100.0, 1, "red"),
        ("reworked", 90.0, 3, "red"),
        ("half", 60.0, 4, None),
        ("bad", 20.0, 5, "black"),
        ("worst", 10.0, 6, "black"),
        ("worse", 10.0, 6, "black"),
        ("empty", None, None, None),
    ]


def test_a_good_street_is_never_on_the_black_list() -> None:
    """Two streets without a flaw are both red, neither black, though both are also the lowest."""
    found = ranking([case(1, "a"), case(1, "b")], ["a", "b"], 0, 7 * DAY, NOW)
    assert [(each.rank, each.listed) for each in found] == [(1, "red"), (1, "red")]
