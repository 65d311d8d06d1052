"""The exact acknowledge, case by case of ALARMS §3."""

import threading
from typing import Any

import pytest

from ingest.alarms.audit import Person
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.commands.carrying import Done
from ingest.alarms.database import AlarmDatabase
from ingest.errors import Refused
from tests.ingest.alarms.keeping import acts, keep, rows, transition

OFFICER, SECOND, VIEWER = (
    Person("officer", ("officer",)),
    Person("officer2", ("officer",)),
    Person("viewer", ("viewer",)),
)


@pytest.fixture
def alarm(database: AlarmDatabase) -> str:
    """Give the id of an unacknowledged gas alarm of level 1."""
    ((identifier, _),) = keep(database, transition("raise", 1))
    return identifier


def ack(
    database: AlarmDatabase, alarm: str, level: int = 1, key: str = "k1", actor: Person = OFFICER, **more: Any
) -> Done:
    """Acknowledge at second 50."""
    return acknowledge(database, Acknowledgement(alarm, level, key, **more), actor, 50_000)


def test_first(database: AlarmDatabase, alarm: str) -> None:
    """The first acknowledge is kept with who and when."""
    done = ack(database, alarm, comment="calling the unit")
    assert (done.result, done.by, done.at_ms, (done.row or {})["acked"]) == ("acked", "officer", 50_000, True)
    assert acts(database)[-1] == ("officer", "ack", "UNACK", "ACKED")


def test_same_key_again(database: AlarmDatabase, alarm: str) -> None:
    """A repeat of the request gets the identical reply and leaves no trace."""
    first = ack(database, alarm)
    audited = acts(database)
    assert ack(database, alarm) == first
    assert acts(database) == audited


def test_same_key_for_another_request(database: AlarmDatabase, alarm: str) -> None:
    """A key that belongs to another request is refused."""
    ack(database, alarm)
    with pytest.raises(Refused) as refused:
        ack(database, alarm, level=0)
    assert refused.value.why == "key_reused"


def test_another_officer(database: AlarmDatabase, alarm: str) -> None:
    """The second officer is told who was first, and audited as a witness."""
    ack(database, alarm)
    done = ack(database, alarm, key="k2", actor=SECOND)
    assert (done.result, done.by, done.at_ms) == ("already_acked", "officer", 50_000)
    assert acts(database)[-1] == ("officer2", "co_witness", "ACKED", "ACKED")


def test_level_rose(database: AlarmDatabase, alarm: str) -> None:
    """An acknowledge of a milder level than there is acknowledges nothing."""
    keep(database, transition("change", 2, 2))
    with pytest.raises(Refused) as refused:
        ack(database, alarm, level=1)
    assert (refused.value.why, refused.value.occurrence) == ("level_changed", alarm)
    assert rows(database)[0]["state"] == "UNACK"


def test_level_fell(database: AlarmDatabase, alarm: str) -> None:
    """Having seen it worse than it is now is enough."""
    keep(database, transition("change", 2, 2), transition("change", 3, 1))
    assert ack(database, alarm, level=2).result == "acked"


def test_level_that_never_was(database: AlarmDatabase, alarm: str) -> None:
    """A level above the alarm's own is no level that anybody saw."""
    with pytest.raises(Refused) as refused:
        ack(database, alarm, level=2)
    assert refused.value.why == "level_unknown"


def test_stale_press_never_acks_the_newer_one(database: AlarmDatabase, alarm: str) -> None:
    """An acknowledge of a closed occurrence names the newer one and leaves it alone."""
    ack(database, alarm)
    keep(database, transition("return", 2, 0))
    ((newer, _),) = keep(database, transition("raise", 3))
    with pytest.raises(Refused) as refused:
        ack(database, alarm, key="k2")
    assert (refused.value.why, refused.value.occurrence) == ("closed", newer)
    assert rows(database)[1]["state"] == "UNACK"


def test_wrong_role_is_audited(database: AlarmDatabase, alarm: str) -> None:
    """A viewer acknowledges nothing, and the try is on record."""
    with pytest.raises(Refused) as refused:
        ack(database, alarm, actor=VIEWER)
    assert refused.value.why == "role"
    assert acts(database)[-1] == ("viewer", "ack_refused", "UNACK", "UNACK")
    assert rows(database)[0]["version"] == 1


@pytest.mark.parametrize(
    ("alarm_id", "more", "why"), [("none", {}, "not_found"), (None, {"decision": "shrug"}, "not_allowed")]
)
def test_nonsense(database: AlarmDatabase, alarm: str, alarm_id: str | None, more: dict[str, Any], why: str) -> None:
    """What cannot be meant is refused with a word of its own."""
    with pytest.raises(Refused) as refused:
        ack(database, alarm_id or alarm, **more)
    assert refused.value.why == why


def test_first_acknowledge_is_kept_for_ever(database: AlarmDatabase, alarm: str) -> None:
    """After a worse level another officer acknowledges; the row still names the first, a third is told the second."""
    ack(database, alarm)
    keep(database, transition("change", 2, 2))
    acknowledge(database, Acknowledgement(alarm, 2, "k2"), SECOND, 60_000)
    done = acknowledge(database, Acknowledgement(alarm, 2, "k3"), Person("leader", ("leader",)), 70_000)
    assert (done.result, done.by, done.at_ms) == ("already_acked", "officer2", 60_000)
    assert (rows(database)[0]["acked_by"], rows(database)[0]["acked_at"]) == ("officer", 50_000)


def test_two_officers_at_one_instant(database: AlarmDatabase) -> None:
    """Of eight that press at once exactly one acknowledges, twenty times over; the others are told who."""
    for position in range(1, 21):
        point = f"gas-{position}/conc_pct_lel.high"
        ((alarm, _),) = keep(database, transition("raise", position, point=point, device=f"gas-{position}"))
        together = threading.Barrier(8)
        done: list[Done] = []

        def press(number: int, alarm: str = alarm, done: list[Done] = done, at: threading.Barrier = together) -> None:
            at.wait()
            done.append(ack(database, alarm, key=f"{alarm}{number}", actor=Person(f"o{number}", ("officer",))))

        officers = [threading.Thread(target=press, args=(number,)) for number in range(8)]
        for officer in officers:
            officer.start()
        for officer in officers:
            officer.join()
        first = [each for each in done if each.result == "acked"]
        assert len(done) == 8
        assert len(first) == 1
        assert {each.by for each in done} == {first[0].by}


def silence(what: Any, position: int, device: str, cause: str = "") -> Any:
    """Return a transition of a device's silence, folded under a cause if there is one."""
    return transition(
        what, position, device=device, point=f"{device}/no_data", kind="gateway", rule="gateway.no_data",
        priority="P4", field="", suppression="by_design" if cause else "none", cause=cause,
    )  # fmt: skip


CAUSES = frozenset({"gateway.no_data"})


def test_whoever_knows_the_cause_need_not_answer_for_what_hangs_on_it(database: AlarmDatabase) -> None:
    """Folded alarms are acknowledged with their cause, each with a row of its own; no other alarm is."""
    children = [silence("raise", 2 + n, f"pole-{n}", "gw-1") for n in range(3)]
    ((gateway, _), *_) = keep(
        database, silence("raise", 1, "gw-1"), *children, silence("return", 6, "pole-0"),
        silence("raise", 7, "alone"), silence("raise", 8, "pole-9", "gw-2"), transition("raise", 9, device="gw-1"),
    )  # fmt: skip
    acknowledge(database, Acknowledgement(gateway, 1, "k1"), OFFICER, 50_000, causes=CAUSES)
    states = {row["point"]: row["state"] for row in rows(database)}
    assert [states[f"pole-{n}/no_data"] for n in range(3)] == ["CLOSED", "ACKED", "ACKED"]
    assert [states[point] for point in ("alone/no_data", "pole-9/no_data", "gas-1/conc_pct_lel.high")] == ["UNACK"] * 3
    assert [act[1] for act in acts(database)].count("ack") == 4


def test_another_alarm_of_the_same_device_is_no_cause(database: AlarmDatabase) -> None:
    """Who acknowledges what else is wrong with a gateway has not seen whom nobody hears."""
    keep(database, silence("raise", 1, "gw-1"), silence("raise", 2, "pole-1", "gw-1"))
    ((other, _),) = keep(database, transition("raise", 3, device="gw-1", point="gw-1/rssi"))
    acknowledge(database, Acknowledgement(other, 1, "k1"), OFFICER, 50_000, causes=CAUSES)
    assert {row["point"]: row["state"] for row in rows(database)}["pole-1/no_data"] == "UNACK"


def test_the_later_officers_decision_counts_where_none_stands(database: AlarmDatabase, alarm: str) -> None:
    """Acknowledged without a word, decided by the second officer: witnessed and decided, each on record."""
    ack(database, alarm)
    done = ack(database, alarm, key="k2", actor=SECOND, decision="device_fault")
    assert (done.result, done.by, done.at_ms, done.decision_taken) == ("already_acked", "officer", 50_000, True)
    (row,) = rows(database)
    assert (row["decision"], row["decided_by"], row["decision_due_at"]) == ("device_fault", "officer2", None)
    assert acts(database)[-2:] == [
        ("officer2", "co_witness", "ACKED", "ACKED"),
        ("officer2", "decide", "ACKED", "ACKED"),
    ]
    assert ack(database, alarm, key="k2", actor=SECOND, decision="device_fault") == done
    assert rows(database) == [row]


def test_the_later_officers_decision_is_not_taken_where_one_stands(database: AlarmDatabase, alarm: str) -> None:
    assert ack(database, alarm, decision="observe").decision_taken is True
    before = rows(database)
    done = ack(database, alarm, key="k2", actor=SECOND, decision="device_fault")
    assert (done.result, done.decision_taken, (done.row or {})["decision"]) == ("already_acked", False, "observe")
    assert rows(database) == before
    assert acts(database)[-1] == ("officer2", "co_witness", "ACKED", "ACKED")


def test_the_later_officers_false_alarm_waits_for_a_second_person(database: AlarmDatabase, alarm: str) -> None:
    ack(database, alarm)
    done = ack(database, alarm, key="k2", actor=SECOND, decision="false_alarm", comment="calibration")
    assert (done.result, done.decision_taken, (done.row or {})["decision"]) == ("already_acked", False, None)
    assert (done.pending or {})["asked_by"] == "officer2"


def test_a_later_decision_that_cannot_be_leaves_no_trace(database: AlarmDatabase, alarm: str) -> None:
    """Without a case desk there is no case: refused and on record, and nobody was a witness."""
    ack(database, alarm)
    before = rows(database)
    with pytest.raises(Refused) as refused:
        ack(database, alarm, key="k2", actor=SECOND, decision="case")
    assert refused.value.why == "not_allowed"
    assert rows(database) == before
    assert acts(database)[-1][1] == "ack_refused"
