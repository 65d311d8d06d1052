"""How an exercise is scored: pure, from the rows of the alarm database of the city that was played."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

import msgspec

from ingest.alarms.commands.deciding import DECIDE_WITHIN_MS
from ingest.drills.records import Expected
from ingest.drills.report import AlarmLine, Call, CaseLine, OfficerLine, Part, Report
from ingest.notices.ladder import LADDERS

Row = Mapping[str, Any]
# What gives how many points of a hundred (docs/drills.md).
ACK_POINTS, DECIDE_POINTS, RIGHT_POINTS = 50, 30, 20
# What is true of the place and not of the device that tells it: calling such a stated alarm a device fault is wrong.
_OF_THE_PLACE = (
    "gas_alarm.conc_", "gas_alarm.state.", "bridge_wim.", "refuse_truck.", "light_pole.pm", "light_pole.noise_",
)  # fmt: skip
_BY_ITSELF = "system"


def report(
    expects: Sequence[Expected],
    light: str,
    alarms: Iterable[Row],
    acts: Iterable[Row],
    announced: Iterable[Row],
    cases: Iterable[Row],
    from_ms: int,
    to_ms: int,
    cut_off: bool = False,
) -> Report:
    """Return the report on what was done between two instants.

    Args:
        expects: the alarms that the scenario states.
        light: the half of the day that was played; what belongs to the other one cannot be raised.
        alarms: all occurrences.
        acts: the audit, in its order.
        announced: the announcements.
        cases: all cases.
        from_ms: when the exercise began, by its own clock.
        to_ms: when it ended.
        cut_off: nobody ended it; what still had time then is held against nobody.
    """
    acts = list(acts)
    asked: dict[str, list[Row]] = {}
    for each in announced:
        if each["step"] == 0:
            asked.setdefault(each["occurrence"], []).append(each)
    calls = [Call(row["at"], row["occurrence"], row["reason"]) for row in acts if row["action"] == "escalated"]
    acks: dict[str, Row] = {}
    for row in acts:
        if row["action"] == "ack":
            acks.setdefault(row["occurrence"], row)
    wanted = [each for each in expects if not each.light or each.light == light]
    lines = [
        _line(row, acks.get(row["id"]), asked.get(row["id"], []), wanted, calls, to_ms, cut_off)
        for row in sorted(alarms, key=lambda row: (row["noticed_at"], row["id"]))
    ]
    raised = {(line.rule, line.device) for line in lines if line.stated}
    absent = [each for each in wanted if (each.rule, each.device) not in raised]
    lines += [AlarmLine(rule=it.rule, device=it.device, stated=True, stated_level=it.level) for it in absent]
    parts = [
        _part("acked", ACK_POINTS, (line.in_time for line in lines)),
        _part("decided", DECIDE_POINTS, (line.decided_in_time for line in lines)),
        _part("right", RIGHT_POINTS, (line.right for line in lines)),
    ]
    return Report(
        from_at=from_ms,
        to_at=to_ms,
        alarms=lines,
        calls=calls,
        cases=[_case(row) for row in cases],
        officers=_officers(lines),
        parts=parts,
        points=points(parts),
        never_acked=sum(bool(line.id) and line.acked_at is None and not line.hidden for line in lines),
    )


def points(parts: Iterable[Part]) -> float | None:
    """Return the points of a hundred over the parts that count something, None where none does."""
    counting = [part for part in parts if part.of]
    weights = sum(part.weight for part in counting)
    return round(100 * sum(part.weight * part.good / part.of for part in counting) / weights, 1) if weights else None


def right_decision(rule: str, priority: str, decision: str) -> bool | None:
    """Tell whether a decision about an alarm that the scenario states was right; None where it says nothing of it.

    Such an alarm is true. Observing it puts the decision off, so nothing is said of that.
    """
    if decision == "false_alarm":
        return False
    if decision in ("case", "merge"):
        return True
    if decision == "device_fault":
        of_device = rule.endswith(".no_data") or priority == "health" or not rule.startswith(_OF_THE_PLACE)
        return of_device
    return None


def _line(
    row: Row,
    ack: Row | None,
    asked: Sequence[Row],
    wanted: Sequence[Expected],
    calls: Sequence[Call],
    to_ms: int,
    cut_off: bool,
) -> AlarmLine:
    stated = next((each for each in wanted if (each.rule, each.device) == (row["rule"], row["device"])), None)
    hidden = "" if row["suppression"] == "none" else row["suppression"]
    line = AlarmLine(
        id=row["id"], rule=row["rule"], device=row["device"], stated=stated is not None,
        stated_level=stated.level if stated else 0, level=row["level_peak"], priority=row["priority"],
        raised_at=row["noticed_at"], hidden=hidden, case=row["case"] or "",
        escalations=sum(call.alarm == row["id"] for call in calls),
    )  # fmt: skip
    # Whoever ends an exercise early gains nothing by it.
    _score_ack(line, ack, asked, to_ms if cut_off else None)
    _score_decision(line, row, ack, to_ms)
    # What the ladder decides because nobody did is no decision of the desk.
    if stated is not None and line.decision and line.decided_by != _BY_ITSELF:
        line.right = right_decision(line.rule, line.priority, line.decision)
    return line


def _score_ack(line: AlarmLine, ack: Row | None, asked: Sequence[Row], due_by_ms: int | None) -> None:
    assert line.raised_at is not None
    heard = [each for each in asked if ack is None or each["at"] <= ack["at"]]
    due_ms: int | None = None
    if heard:
        line.priority = min(each["priority"] for each in heard)
        ladder = LADDERS.get(line.priority)
        if ladder:
            due_ms = min(each["at"] for each in heard if each["priority"] == line.priority) + ladder[0].after_ms
            line.goal_s = (due_ms - line.raised_at) / 1000
    if ack is not None:
        line.acked_at, line.acked_by = ack["at"], ack["actor"]
        line.ack_s = max(0.0, (ack["at"] - line.raised_at) / 1000)
        line.level_seen = _changed(ack).get("level_acked", ack["level"])
        line.in_time = None if due_ms is None else bool(ack["at"] <= due_ms)
    elif due_ms is not None and not line.hidden and (due_by_ms is None or due_ms <= due_by_ms):
        line.in_time = False


def _score_decision(line: AlarmLine, row: Row, ack: Row | None, to_ms: int) -> None:
    within_ms = DECIDE_WITHIN_MS.get(line.priority)
    line.decide_goal_s = None if within_ms is None else within_ms / 1000
    by_people = row["decision"] and row["decided_by"] != _BY_ITSELF
    if row["decision"]:
        line.decision, line.decided_by = row["decision"], row["decided_by"] or ""
    elif row["verdict"]:
        line.decision, line.decided_by = row["verdict"], row["verdict_by"] or ""
    if ack is None or within_ms is None:
        return
    if by_people:
        line.decide_s = max(0.0, (row["decided_at"] - ack["at"]) / 1000)
        line.decided_in_time = row["decided_at"] - ack["at"] <= within_ms
        return
    due_ms = _changed(ack).get("decision_due_at")
    if due_ms is not None and due_ms <= to_ms:
        line.decided_in_time = False


def _officers(lines: Sequence[AlarmLine]) -> list[OfficerLine]:
    found: list[OfficerLine] = []
    names = {line.acked_by for line in lines} | {line.decided_by for line in lines}
    for name in sorted(names - {"", _BY_ITSELF}):
        seconds = [line.ack_s for line in lines if line.acked_by == name and line.ack_s is not None]
        decided = sum(line.decided_by == name for line in lines)
        middle = round(median(seconds), 1) if seconds else None
        found.append(OfficerLine(name, len(seconds), middle, max(seconds, default=None), decided))
    return found


def _case(row: Row) -> CaseLine:
    return CaseLine(
        id=row["id"], sub_class=row["sub_class"], state=row["state"],
        opened_by=row["registered_by"] or row["reported_by"], opened_at=row["registered_at"] or row["reported_at"],
        closed_at=row["closed_at"],
    )  # fmt: skip


def _part(key: str, weight: int, found: Iterable[bool | None]) -> Part:
    counted = [each for each in found if each is not None]
    return Part(key, weight, sum(counted), len(counted))


def _changed(act: Row) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(act["changes"]) if act["changes"] else {}
    return found
