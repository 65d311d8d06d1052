"""The score of an exercise, from rows as the alarm database of its city has them."""

import json
from typing import Any

import pytest

from ingest.drills.records import Expected
from ingest.drills.report import Part, Report
from ingest.drills.scoring import points, report, right_decision

BEGIN = 1_767_225_600_000
SECOND, MINUTE = 1_000, 60_000
GAS = "gas_alarm.conc_pct_lel.high"


def alarm(name: str, rule: str = GAS, priority: str = "P1", **more: Any) -> dict[str, Any]:
    return {
        "id": name, "rule": rule, "device": f"dev-{name}", "priority": priority, "level_peak": 2, "noticed_at": BEGIN,
        "suppression": "none", "decision": None, "decided_by": None, "decided_at": None, "verdict": None,
        "verdict_by": None, "case": None, **more,
    }  # fmt: skip


def asked(name: str, priority: str = "P1", after_s: float = 0, step: int = 0) -> dict[str, Any]:
    return {"occurrence": name, "priority": priority, "at": BEGIN + round(after_s * SECOND), "step": step}


def acked(name: str, after_s: float, by: str = "officer", due_s: float | None = None) -> dict[str, Any]:
    changes = {"level_acked": 2, "decision_due_at": None if due_s is None else BEGIN + round(due_s * SECOND)}
    return {
        "occurrence": name, "action": "ack", "actor": by, "at": BEGIN + round(after_s * SECOND), "level": 2,
        "reason": "", "changes": json.dumps(changes),
    }  # fmt: skip


def scored(
    alarms: list[dict[str, Any]],
    acts: list[dict[str, Any]],
    announced: list[dict[str, Any]],
    expects: list[Expected] | None = None,
    lasts_s: float = 600,
    light: str = "day",
) -> Report:
    end = BEGIN + round(lasts_s * SECOND)
    return report(expects or [], light, alarms, acts, announced, [], BEGIN, end)


def counted(found: Report) -> dict[str, tuple[int, int]]:
    return {part.key: (part.good, part.of) for part in found.parts}


def test_nothing_happened_is_no_hundred_percent() -> None:
    found = scored([], [], [])
    assert (found.points, counted(found)) == (None, {"acked": (0, 0), "decided": (0, 0), "right": (0, 0)})
    assert (found.officers, found.never_acked) == ([], 0)


@pytest.mark.parametrize(
    ("priority", "after_s", "in_time"),
    [("P1", 60, True), ("P1", 60.001, False), ("P2", 300, True), ("P2", 301, False), ("P3", 1800, True)],
)
def test_the_goal_is_the_first_step_of_the_ladder(priority: str, after_s: float, in_time: bool) -> None:
    found = scored([alarm("a", priority=priority)], [acked("a", after_s)], [asked("a", priority)], lasts_s=4_000)
    (line,) = found.alarms
    assert (line.in_time, line.ack_s, line.acked_by, line.level_seen) == (in_time, after_s, "officer", 2)


def test_what_nobody_acknowledged_counts_whenever_the_exercise_was_ended() -> None:
    rows, told = [alarm("a")], [asked("a")]
    assert [scored(rows, [], told, lasts_s=s).alarms[0].in_time for s in (1, 59, 61)] == [False] * 3
    assert scored(rows, [], told, lasts_s=61).never_acked == 1
    # When it was cut off, what still had time is held against nobody.
    ends = [report([], "day", rows, [], told, [], BEGIN, BEGIN + s * SECOND, cut_off=True) for s in (59, 61)]
    assert [found.alarms[0].in_time for found in ends] == [None, False]
    hidden = scored([alarm("a", suppression="by_design")], [], told)
    assert (hidden.alarms[0].in_time, hidden.never_acked) == (None, 0)


def test_who_ends_at_once_has_no_hundred_points() -> None:
    """One of three alarms was acknowledged, the others still waited within their goals."""
    rows, told = [alarm(name, "P2") for name in "abc"], [asked(name, "P2") for name in "abc"]
    found = scored(rows, [acked("a", 5)], told, lasts_s=10)
    assert (counted(found)["acked"], found.points, found.never_acked) == ((1, 3), 33.3, 2)


def test_an_alarm_that_became_more_urgent_has_its_goal_from_then_on() -> None:
    told = [asked("a", "P2"), asked("a", "P1", 100), asked("a", "P1", 160, step=1)]
    (line,) = scored([alarm("a")], [acked("a", 150)], told).alarms
    assert (line.priority, line.goal_s, line.in_time) == ("P1", 160.0, True)
    # Who answered before it rose answered the calmer one.
    (line,) = scored([alarm("a")], [acked("a", 90)], told).alarms
    assert (line.priority, line.goal_s, line.in_time) == ("P2", 300.0, True)


def test_decisions_are_counted_against_their_limit() -> None:
    def decided(after_s: float | None, by: str = "officer", lasts_s: float = 2_000) -> bool | None:
        at = None if after_s is None else BEGIN + round(after_s * SECOND)
        row = alarm("a", decision=None if at is None else "case", decided_at=at, decided_by=by)
        due = [acked("a", 10, due_s=10 + 900)]
        return scored([row], due, [asked("a")], lasts_s=lasts_s).alarms[0].decided_in_time

    assert (decided(910), decided(911), decided(None), decided(None, lasts_s=909)) == (True, False, False, None)
    # A case that the ladder opened is nobody's decision.
    assert decided(300, "system") is False
    row = alarm("a", decision="case", decided_at=BEGIN, decided_by="system")
    (line,) = scored([row], [], [asked("a")], [Expected(GAS, 2, "dev-a")]).alarms
    assert (line.decision, line.right) == ("case", None)


@pytest.mark.parametrize(
    ("rule", "priority", "decision", "right"),
    [
        (GAS, "P1", "case", True),
        (GAS, "P1", "merge", True),
        (GAS, "P1", "false_alarm", False),
        (GAS, "P1", "device_fault", False),
        (GAS, "P1", "observe", None),
        ("drone.no_data", "P2", "device_fault", True),
        ("gas_alarm.no_data", "health", "false_alarm", False),
        ("light_pole.lamp_fail.fault", "P4", "device_fault", True),
        ("light_pole.noise_dba.high", "P3", "device_fault", False),
        ("bridge_wim.over_pct.overload", "P2", "device_fault", False),
    ],
)
def test_whether_a_decision_about_a_stated_alarm_was_right(
    rule: str, priority: str, decision: str, right: bool | None
) -> None:
    assert right_decision(rule, priority, decision) is right


def test_of_what_the_scenario_states_nothing_no_decision_is_wrong() -> None:
    row = alarm("a", decision="false_alarm", decided_at=BEGIN + MINUTE, decided_by="officer")
    acts, told = [acked("a", 10)], [asked("a")]
    assert scored([row], acts, told).alarms[0].right is None
    found = scored([row], acts, told, [Expected(GAS, 2, "dev-a")])
    assert (found.alarms[0].right, counted(found)["right"]) == (False, (0, 1))


def test_stated_alarms_that_were_not_raised_are_told() -> None:
    expects = [Expected(GAS, 2, "dev-b"), Expected(GAS, 1, "dev-c", "night")]
    found = scored([alarm("a")], [], [], expects)
    assert [(line.device, line.id, line.stated) for line in found.alarms] == [
        ("dev-a", "a", False),
        ("dev-b", "", True),
    ]
    assert [line.device for line in scored([], [], [], expects, light="night").alarms] == ["dev-b", "dev-c"]


def test_people_and_calls_are_counted() -> None:
    called = {
        "occurrence": "a",
        "action": "escalated",
        "actor": "system",
        "at": BEGIN + MINUTE,
        "reason": "step 1: officer",
    }
    acts = [called, acked("a", 70), acked("b", 20, "second"), acked("c", 40), acked("a", 80, "second")]
    rows = [alarm(name, decision="case", decided_by="second", decided_at=BEGIN + 90 * SECOND) for name in "abc"]
    found = scored(rows, acts, [asked(name) for name in "abc"])
    people = {each.name: (each.acked, each.median_s, each.worst_s, each.decided) for each in found.officers}
    assert people == {"officer": (2, 55.0, 70.0, 0), "second": (1, 20.0, 20.0, 3)}
    assert [(call.alarm, call.step) for call in found.calls] == [("a", "step 1: officer")]
    assert [line.escalations for line in found.alarms] == [1, 0, 0]
    assert (counted(found), found.points) == ({"acked": (2, 3), "decided": (3, 3), "right": (0, 0)}, 79.2)


def test_points_are_shared_among_the_parts_that_count() -> None:
    whole = [Part("acked", 50, 1, 2), Part("decided", 30, 3, 3), Part("right", 20, 0, 4)]
    assert points(whole) == 55.0
    assert points([Part("acked", 50, 1, 2), Part("decided", 30, 0, 0)]) == 50.0
