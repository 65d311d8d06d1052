"""The clock of a case to the millisecond: marks, colours, and what suspending and extending do to them."""

from typing import Any

import pytest

from ingest.cases.clock import colour, fallen_due, is_overdue, marks, remaining_ms
from ingest.errors import Refused
from tests.ingest.cases.desk import HOUR_MS, NOON_MS, Desk

START = 1_000_000


def running(**more: Any) -> dict[str, Any]:
    """Return a case of 100 seconds, registered at START."""
    row = {
        "state": "HANDLING", "registered_at": START, "limit_ms": 100_000, "extended_ms": 0, "suspended_ms": 0,
        "suspended_at": None, "reminded_at": None, "ambered_at": None, "overdue_at": None, **more,
    }  # fmt: skip
    return {**row, **marks(row)}


@pytest.mark.parametrize(
    ("after_ms", "expected", "left_ms", "due"),
    [
        (0, "green", 100_000, []),
        (49_999, "green", 50_001, []),
        (50_000, "green", 50_000, ["remind"]),
        (79_999, "green", 20_001, ["remind"]),
        (80_000, "amber", 20_000, ["remind", "amber"]),
        (99_999, "amber", 1, ["remind", "amber"]),
        (100_000, "red", 0, ["remind", "amber", "overdue"]),
        (500_000, "red", -400_000, ["remind", "amber", "overdue"]),
    ],
)
def test_instants(after_ms: int, expected: str, left_ms: int, due: list[str]) -> None:
    row, now_ms = running(), START + after_ms
    assert colour(row, now_ms) == expected
    assert remaining_ms(row, now_ms) == left_ms
    assert list(fallen_due(row, now_ms)) == due
    assert is_overdue(row, now_ms) == ("overdue" in due)


def test_overdue_is_the_deadline_whenever_somebody_looks() -> None:
    fallen = fallen_due(running(), START + 500_000)
    assert fallen["overdue"] == {"overdue_at": START + 100_000}
    assert fallen["remind"] == {"reminded_at": START + 500_000}


@pytest.mark.parametrize("state", ["REPORTED", "VOID", "CLOSED"])
def test_no_clock_outside_the_running_states(state: str) -> None:
    row = running(state=state)
    assert (remaining_ms(row, START), colour(row, START), fallen_due(row, START + 999_999)) == (None, None, {})


def test_a_suspended_clock_stands() -> None:
    row = running(suspended_at=START + 30_000)
    for later_ms in (30_000, 90_000, 10_000_000):
        assert remaining_ms(row, START + later_ms) == 70_000
        assert colour(row, START + later_ms) == "green"
        assert fallen_due(row, START + later_ms) == {}


def test_suspending_moves_everything_later(desk: Desk) -> None:
    """Three hours suspended out of 24: the marks move by three hours, also a second time."""
    case = desk.case_in("HANDLING")
    assert case["deadline_at"] == NOON_MS + 24 * HOUR_MS
    for paused in (3, 2):
        desk.wait(1)
        desk.act(case, "suspend", "leader")
        desk.wait(paused)
        case = desk.act(case, "resume", "leader")
    assert case["suspended_ms"] == 5 * HOUR_MS
    assert [case[at] - NOON_MS for at in ("remind_at", "amber_at", "deadline_at")] == [
        17 * HOUR_MS,
        round(24.2 * HOUR_MS),
        29 * HOUR_MS,
    ]


def test_extending_lengthens_the_limit(desk: Desk) -> None:
    """Six hours more on 24, after three hours suspended: 50 % and 80 % are those of 30 hours."""
    case = desk.case_in("HANDLING")
    desk.act(case, "suspend", "leader")
    desk.wait(3)
    desk.act(case, "resume", "leader")
    case = desk.act(case, "extend", "leader", hours=6)
    assert [case[at] - NOON_MS for at in ("remind_at", "amber_at", "deadline_at")] == [
        18 * HOUR_MS,
        27 * HOUR_MS,
        33 * HOUR_MS,
    ]


@pytest.mark.parametrize("act", ["suspend", "extend"])
def test_nothing_moves_once_overdue(desk: Desk, act: str) -> None:
    """A millisecond before the deadline it is allowed, at the deadline no more; overdue is then a fact."""
    case = desk.case_in("HANDLING")
    in_time, late = desk.case_in("HANDLING"), case
    desk.now_ms = case["deadline_at"] - 1
    desk.act(in_time, act, "leader")
    desk.now_ms += 1
    with pytest.raises(Refused) as refused:
        desk.act(late, act, "leader")
    assert refused.value.why == "overdue"
    assert desk.case(late["id"])["overdue_at"] == late["deadline_at"]


def test_an_extension_is_a_sane_number(desk: Desk) -> None:
    case = desk.case_in("HANDLING")
    for hours in (None, 0, -1, 721, float("nan"), float("inf")):
        with pytest.raises(Refused) as refused:
            desk.act(case, "extend", "leader", hours=hours)
        assert refused.value.why == "not_allowed"


def test_suspended_twice_and_resumed_without(desk: Desk) -> None:
    case = desk.case_in("HANDLING")
    with pytest.raises(Refused, match="not suspended"):
        desk.act(case, "resume", "leader")
    desk.act(case, "suspend", "leader")
    for act, role in (("suspend", "leader"), ("done", "handler"), ("extend", "leader"), ("return", "handler")):
        with pytest.raises(Refused, match="suspended") as refused:
            desk.act(case, act, role)
        assert refused.value.why == "state"


def test_rework_and_return_leave_the_clock_running(desk: Desk) -> None:
    """Neither a failed verification nor a return gives time back."""
    case = desk.case_in("VERIFYING")
    desk.wait(20)
    case = desk.act(case, "rework", "verifier")
    assert (case["state"], case["reworks"], case["done_at"], case["done_by"]) == ("HANDLING", 1, None, None)
    assert case["deadline_at"] == NOON_MS + 24 * HOUR_MS
    assert colour(case, desk.now_ms) == "amber"
    case = desk.act(desk.act(case, "done", "handler"), "return", "verifier")
    assert case["deadline_at"] == NOON_MS + 24 * HOUR_MS
    assert case["reworks"] == 1


def test_limits_of_sub_classes(desk: Desk) -> None:
    """The limit is that of the sub-class, severe or not, and the case keeps which version of it."""
    expected = {("other", False): 24, ("other", True): 24, ("road_damage", False): 48, ("road_damage", True): 24}
    expected |= {("manhole", False): 4, ("manhole", True): 2, ("gas_leak", False): 2, ("pole_leakage", True): 2}
    for (sub_class, severe), hours in expected.items():
        case = desk.case_in("REGISTERED", sub_class, severe=severe)
        assert case["deadline_at"] - case["registered_at"] == hours * HOUR_MS
        assert case["limit_version"] == "2026-1"


def test_registering_may_correct_the_sub_class(desk: Desk) -> None:
    """What an officer finds at registering counts, not what was first reported."""
    case = desk.act(desk.report("other"), "register", "officer", sub_class="road_damage", severe=True)
    assert (case["sub_class"], case["severe"], case["limit_ms"]) == ("road_damage", True, 24 * HOUR_MS)
    with pytest.raises(Refused, match="no sub-class"):
        desk.act(desk.report("other"), "register", "officer", sub_class="ufo")
