"""From a draft into force by two persons, back again, and everything that is refused; on both databases."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from ingest.alarms.audit import check
from ingest.alarms.revisions import records
from ingest.alarms.revisions.tables import rule_revision
from ingest.alarms.tables import audit
from ingest.errors import Refused
from tests.ingest.alarms.feeding import T0
from tests.ingest.alarms.revisions.desk import ENGINEER, LEADER, OFFICER, OTHER, TIGHTER, Desk

FOR_GAS_1 = {"device": "gas-1", "kind": "gas_alarm", "field": "conc_pct_lel"}


def in_force(desk: Desk, at_s: float | None = None) -> int:
    with desk.database.read() as connection:
        return records.due(connection, desk.now_ms if at_s is None else T0 + round(at_s * 1000))[0].number


def levels(desk: Desk) -> list[float]:
    """Return the levels of the gas limit as they are now, for the kind."""
    with desk.database.read() as connection:
        site = records.due(connection, desk.now_ms)[0].over(desk.site)
    (limit,) = (each for each in site.catalog.kinds["gas_alarm"].field("conc_pct_lel").limits if each.key == "high")
    return [level.value for level in limit.levels]


def actions(desk: Desk) -> list[tuple[str, str, str]]:
    with desk.database.read() as connection:
        assert check(connection).broken is None
        rows = connection.execute(sa.select(audit).order_by(audit.c.seq)).mappings().all()
    return [(row["actor"], row["action"], row["point"]) for row in rows]


def refused(work: Any, *arguments: Any, **words: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        work(*arguments, **words)
    return caught.value.why, str(caught.value)


def test_a_whole_round(desk: Desk) -> None:
    """Drafted, tested, approved by another for an instant, in force then, rolled back; each act on the chain."""
    row = desk.draft(**TIGHTER).row
    assert (row["number"], row["author"], row["author_role"], row["sequence"]) == (1, "engineer", "engineer", None)
    desk.test(1)
    at_s = desk.now_s + 60
    row = desk.approve(1, at_s).row
    assert (row["sequence"], row["approved_by"], row["effective_at"]) == (1, "leader", T0 + round(at_s * 1000))
    assert (in_force(desk), levels(desk)) == (0, [25, 50])
    assert in_force(desk, at_s - 0.001) == 0 and in_force(desk, at_s) == 1
    desk.now_s = at_s
    assert levels(desk) == [10, 40]
    desk.now_s += 60
    row = desk.roll_back(0).row
    assert (row["number"], row["restores"], in_force(desk), levels(desk)) == (2, 0, 2, [25, 50])
    assert actions(desk) == [
        ("engineer", "rule_draft", "rules/1"),
        ("engineer", "rule_backtest", "rules/1"),
        ("leader", "rule_approve", "rules/1"),
        ("leader", "rule_rollback", "rules/2"),
    ]


def test_source_and_grade_are_those_of_the_draft(desk: Desk) -> None:
    """What a limit in force says of itself is what the draft was justified by."""
    desk.publish(**TIGHTER)
    with desk.database.read() as connection:
        site = records.due(connection, desk.now_ms)[0].over(desk.site)
    limit = site.catalog.kinds["gas_alarm"].field("conc_pct_lel").limits[0]
    assert (limit.source, limit.grade) == ("GB/T 50493 2019", "B")


def test_changes_add_up_and_can_be_withdrawn(desk: Desk) -> None:
    """A second change leaves the first one's numbers alone; withdrawing one leaves the other."""
    desk.publish(**TIGHTER)
    desk.publish(limits={"gas_alarm": {"conc_pct_lel": {"high": {"deadband": 3}}}})
    desk.publish(limits_for=[{**FOR_GAS_1, "levels": [8, 30]}])
    desk.publish(limits_for=[{**FOR_GAS_1, "off_s": 90}])
    with desk.database.read() as connection:
        made = records.due(connection, desk.now_ms)[0]
    site = made.over(desk.site)
    limit = site.catalog.kinds["gas_alarm"].field("conc_pct_lel").limits[0]
    assert ([level.value for level in limit.levels], limit.deadband) == ([10, 40], 3)
    (scoped,) = site.scoped
    assert ([level.value for level in scoped.limit.levels], scoped.limit.off_s, scoped.limit.deadband) == (
        [8, 30],
        90,
        3,
    )
    desk.publish(withdraw=[FOR_GAS_1])
    assert levels(desk) == [10, 40]
    with desk.database.read() as connection:
        assert records.due(connection, desk.now_ms)[0].limits_for == []
    desk.publish(withdraw=[{"kind": "gas_alarm", "field": "conc_pct_lel"}])
    assert levels(desk) == [25, 50]


def test_priorities_are_part_of_a_change(desk: Desk) -> None:
    """Which call goes out is changed by the same words."""
    desk.publish(limits={"gas_alarm": {"conc_ppm": {"co": {"priorities": ["P1", "P1"]}}}})
    with desk.database.read() as connection:
        site = records.due(connection, desk.now_ms)[0].over(desk.site)
    limit = site.catalog.kinds["gas_alarm"].field("conc_ppm").limits[0]
    assert [level.priority for level in limit.levels] == ["P1", "P1"]


def of_gas(**table: Any) -> dict[str, Any]:
    """Return a draft on the gas limit of the kind."""
    return {"limits": {"gas_alarm": {"conc_pct_lel": table}}}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown kind": ({"limits": {"gas_alarn": {}}, "limits_for": [FOR_GAS_1]}, "did you mean 'gas_alarm'?"),
    "an unknown field": (
        {"limits": {"gas_alarm": {"conc": {}, "x": {}}}},
        "limits.gas_alarm.conc: 'conc' has no limits",
    ),
    "an unknown word": (of_gas(level=[1, 2]), "is not a setting of a limit"),
    "levels in the wrong order": (of_gas(levels=[20, 15]), "level 2: 15 must be worse than the level before it"),
    "a capped limit made looser": (of_gas(levels=[30, 60]), "level 1: 30 is looser than the cap of 25"),
    "a capped limit made milder": (of_gas(priorities=["P3", "P2"]), "P3 is milder than the P2 of a capped limit"),
    "the detector's own state made milder": (
        {"limits": {"gas_alarm": {"state": {"state": {"priorities": ["P4", "P4"]}}}}},
        "limits.gas_alarm.state.state: level 1: P4 is milder than the P2 of a capped limit. "
        "limits.gas_alarm.state.state: level 2: P4 is milder than the P1 of a capped limit",
    ),
    "a field with two limits": (
        {"limits": {"gas_alarm": {"conc_ppm": {"levels": [10, 20]}}}},
        "limits.gas_alarm.conc_ppm.levels: expected one of the limits co, co_public",
    ),
    "a kind without limits": (
        {"limits": {"gateway": {"rssi_dbm": {"levels": [1]}}}},
        "limits.gateway.rssi_dbm: 'rssi_dbm' has no limits; no field of gateway has any",
    ),
    "a wrong priority": (of_gas(priorities=["P1", "P0"]), "expected 2 of P1, P2, P3, P4, health"),
    "priorities of no kind": (of_gas(priorities=[{}, []]), "expected 2 of P1, P2, P3, P4, health"),
    "negative deadband": (of_gas(deadband=-1), "must not be negative"),
    "a delay as long as staleness": (
        {"limits": {"light_pole": {"supply_v": {"low": {"on_s": 1e9}}}}},
        "must be shorter than stale_after_s",
    ),
    "a number that is none": (of_gas(levels=[float("nan"), 40]), "expected 2 numbers"),
    "a scope that holds nobody": (
        {"limits_for": [{**FOR_GAS_1, "device": "gas-9", "levels": [1, 2]}]},
        "limits_for[0].device: 'gas-9' holds no gas_alarm",
    ),
    "one target twice": (
        {"limits_for": [{**FOR_GAS_1, "levels": [6, 7]}, {**FOR_GAS_1, "levels": [7, 8]}]},
        "has this limit in another table already",
    ),
    "nothing at all": ({}, "the draft changes nothing"),
    "no tables": ({"limits": {"gas_alarm": 3}}, "limits.gas_alarm: expected a table of fields, found 3"),
    "a withdrawal of nothing": ({"withdraw": [FOR_GAS_1]}, "there is nothing to withdraw"),
    "no reason": ({**TIGHTER, "reason": " "}, "Say why"),
    "no source": ({**TIGHTER, "source": ""}, "a draft needs a source"),
    "a wrong grade": ({**TIGHTER, "grade": "D"}, "grade: expected one of A, B, C, found 'D'"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_draft_is_told_and_not_kept(desk: Desk, name: str) -> None:
    """Each in a sentence; nothing of it stays behind."""
    words, sentence = BAD[name]
    why, found = refused(desk.draft, **words)
    assert (why, sentence in found) == ("unfit", True), found
    with desk.database.read() as connection:
        assert records.rows(connection) == []


@pytest.mark.parametrize(
    ("field", "table", "fault"),
    [
        ("state", {"priorities": ["P4", "P4"]}, "state.priorities: expected one of the limits state, fault"),
        ("state", {"state": {}, "levels": [1]}, "state.levels: expected one of the limits state, fault"),
        ("conc_pct_lel", {"rate": {}, "high": 3}, "conc_pct_lel.high: expected one of the limits high, rate"),
    ],
)
def test_a_draft_is_blamed_only_for_what_its_author_wrote(
    desk: Desk, field: str, table: dict[str, Any], fault: str
) -> None:
    """Source and grade are added to limits; where it is not clear which one is meant, nothing is added."""
    _, sentence = refused(desk.draft, limits={"gas_alarm": {field: table}})
    assert sentence == f"limits.gas_alarm.{fault}."


def test_who_may_what(desk: Desk) -> None:
    """Engineers draft; nobody approves their own; officers do neither, and that is on record."""
    assert refused(desk.draft, OFFICER, **TIGHTER)[0] == "role"
    assert refused(desk.draft, LEADER, **TIGHTER)[0] == "role"
    desk.draft(**TIGHTER)
    desk.test(1)
    assert refused(desk.approve, 1, person=ENGINEER) == (
        "same_person", "This takes two persons: whoever wrote the draft cannot approve it.",
    )  # fmt: skip
    assert refused(desk.approve, 1, person=OFFICER)[0] == "role"
    assert refused(desk.roll_back, 0, person=OFFICER)[0] == "role"
    assert in_force(desk) == 0
    assert desk.approve(1, person=OTHER).row["approved_role"] == "engineer"
    assert [action for _, action, _ in actions(desk)] == [
        "rule_draft_refused", "rule_draft_refused", "rule_draft", "rule_backtest", "rule_approve_refused",
        "rule_approve_refused", "rule_rollback_refused", "rule_approve",
    ]  # fmt: skip


def test_no_approval_without_a_test_of_exactly_this(desk: Desk) -> None:
    """None, one against other rules, one of a span that failed: refused; a test as things are: approved."""
    desk.draft(**TIGHTER)
    desk.draft(limits_for=[{**FOR_GAS_1, "levels": [6, 20]}])
    assert refused(desk.approve, 1) == (
        "state", "Approving takes a back-test of exactly this draft; it has none. Run one first.",
    )  # fmt: skip
    desk.test(1)
    desk.test(2)
    desk.approve(1)
    why, sentence = refused(desk.approve, 2)
    assert (why, "it was tested against other rules than those in force" in sentence) == ("state", True)
    desk.test(2)
    desk.approve(2)
    assert in_force(desk) == 2


def test_instants(desk: Desk) -> None:
    """Not in the past, not in years, not before what is approved already."""
    desk.draft(**TIGHTER)
    desk.draft(limits_for=[{**FOR_GAS_1, "levels": [6, 20]}])
    desk.test(1)
    assert refused(desk.approve, 1, desk.now_s - 1) == (
        "unfit", "effective_at lies in the past; rules cannot take effect before they are approved.",
    )  # fmt: skip
    assert "more than a year ahead" in refused(desk.approve, 1, desk.now_s + 400 * 86_400)[1]
    later = desk.now_s + 3600
    desk.approve(1, later)
    desk.test(2)
    assert "takes effect later" in refused(desk.approve, 2, later - 60)[1]
    assert "takes effect later" in refused(desk.roll_back, 0, at_s=later - 60)[1]
    desk.approve(2, later)
    assert (in_force(desk), in_force(desk, later)) == (0, 2)


def test_wrong_states(desk: Desk) -> None:
    """Approved once, discarded once, published again only what was published, and only when it differs."""
    assert refused(desk.approve, 7) == ("not_found", "There is no revision 7 of the rules.")
    assert refused(desk.roll_back, 7)[0] == "not_found"
    desk.draft(**TIGHTER)
    assert refused(desk.roll_back, 1)[1] == "Revision 1 was never approved; only what was can be published again."
    assert "says the same as 0 already" in refused(desk.roll_back, 0)[1]
    desk.discard(1)
    for act in (desk.approve, desk.discard):
        assert refused(act, 1) == ("state", "Revision 1 was discarded by engineer.")
    number = desk.publish(**TIGHTER)
    assert refused(desk.approve, number) == ("state", f"Revision {number} was approved already, by leader.")
    assert refused(desk.discard, number)[0] == "state"
    assert "says the same" in refused(desk.roll_back, number)[1]
    assert refused(desk.roll_back, 0, reason=" ")[0] == "unfit"


def test_the_same_key_again(desk: Desk) -> None:
    """One draft, one answer; another wish under a used key is refused."""
    first = desk.draft(key="once", **TIGHTER)
    assert desk.draft(key="once", **TIGHTER) == first
    assert refused(desk.draft, key="once", limits_for=[{**FOR_GAS_1, "levels": [6, 20]}])[0] == "key_reused"
    desk.test(1)
    assert desk.approve(1, key="yes") == desk.approve(1, key="yes")
    with desk.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(rule_revision)).scalar() == 1


def test_two_approve_at_once(desk: Desk) -> None:
    """Whoever comes second is told; the sequence has no gap."""
    desk.draft(**TIGHTER)
    desk.test(1)
    desk.approve(1)
    assert refused(desk.approve, 1, person=OTHER) == ("state", "Revision 1 was approved already, by leader.")


def test_what_no_longer_fits_the_site_is_left_out_and_told(desk: Desk) -> None:
    """A device that left the site takes its own limit with it; all others stand."""
    desk.publish(**TIGHTER, limits_for=[{**FOR_GAS_1, "levels": [6, 20]}])
    smaller = replace(desk.site, devices={k: v for k, v in desk.site.devices.items() if k != "gas-1"})
    faults: list[Any] = []
    with desk.database.read() as connection:
        site = records.due(connection, desk.now_ms)[0].over(smaller, faults)
    assert site.scoped == ()
    assert [level.value for level in site.catalog.kinds["gas_alarm"].field("conc_pct_lel").limits[0].levels] == [10, 40]
    assert [str(fault) for fault in faults] == [
        "limits_for[0].device: 'gas-1' holds no gas_alarm; the limit would be for nobody"
    ]
