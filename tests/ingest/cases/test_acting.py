"""What the table alone cannot say: two persons, active alarms, repeats, races and links."""

import threading
from typing import Any

import pytest

from ingest.alarms.areas import Area
from ingest.alarms.audit import Person
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.tables import audit
from ingest.alarms.timers import due
from ingest.cases.acting import Wish, perform
from ingest.cases.lifecycle import open_acts
from ingest.cases.records import Row
from ingest.errors import Refused
from tests.ingest.cases.desk import HOUR_MS, Desk


def why(desk: Desk, case: Row, act: str, role: str, user: str | None = None, **more: Any) -> str:
    """Try an act that must be refused and return the word for it."""
    with pytest.raises(Refused) as refused:
        desk.act(case, act, role, user, **more)
    return refused.value.why


def test_whoever_handled_it_cannot_verify(desk: Desk) -> None:
    """Neither who accepted, nor who reported it done, nor who handled it before a return; whatever role they use."""
    case = desk.case_in("DISPATCHED")
    case = desk.act(case, "accept", "handler", "first")
    case = desk.act(desk.act(case, "return", "handler", "first"), "accept", "handler", "second")
    case = desk.act(case, "done", "handler", "third")
    for user in ("first", "second", "third"):
        assert why(desk, case, "verify", "verifier", user) == "same_person"
        assert why(desk, case, "rework", "verifier", user) == "same_person"
    assert "verify" not in open_acts(case, "third", ["verifier"], desk.now_ms)
    assert desk.act(case, "verify", "verifier", "fourth")["state"] == "CLOSED"


def test_no_closing_while_an_alarm_is_active(desk: Desk) -> None:
    """Neither verified nor by force, until the alarm has returned; that it is latched does not matter."""
    alarm = desk.alarm()
    case = desk.case_of_alarm(alarm)
    for act, role in (("dispatch", "dispatcher"), ("accept", "handler"), ("done", "handler")):
        case = desk.act(case, act, role)
    assert why(desk, case, "verify", "verifier") == "alarm_active"
    case = desk.act(case, "force_request", "leader")
    assert why(desk, case, "force_close", "director") == "alarm_active"
    desk.alarm_returns()
    assert desk.act(case, "verify", "verifier")["state"] == "CLOSED"


def test_one_active_alarm_of_several_is_enough(desk: Desk) -> None:
    first = desk.alarm("gas-1")
    case = desk.case_of_alarm(first)
    case = desk.act(case, "link", "officer", occurrence=desk.alarm("gas-2"))
    for act, role in (("dispatch", "dispatcher"), ("accept", "handler"), ("done", "handler")):
        case = desk.act(case, act, role)
    desk.alarm_returns("gas-1")
    assert why(desk, case, "verify", "verifier") == "alarm_active"
    desk.alarm_returns("gas-2")
    assert desk.act(case, "verify", "verifier")["state"] == "CLOSED"


def test_forced_closing_takes_two(desk: Desk) -> None:
    """Asked for by one, approved by a director who is another, within ten minutes to the millisecond."""
    case = desk.case_in("HANDLING")
    assert why(desk, case, "force_close", "director") == "state"
    case = desk.act(case, "force_request", "leader", "anna")
    assert why(desk, case, "force_request", "officer", "bert") == "state"
    assert why(desk, case, "force_close", "director", "anna") == "same_person"
    assert why(desk, case, "force_close", "leader", "bert") == "role"
    assert open_acts(case, "bert", ["director"], desk.now_ms) == ["force_close", "comment"]
    desk.now_ms += 600_001
    assert why(desk, case, "force_close", "director", "bert") == "expired"
    case = desk.act(case, "force_request", "leader", "anna")
    desk.now_ms += 600_000
    closed = desk.act(case, "force_close", "director", "bert")
    assert (closed["state"], closed["forced"], closed["closed_by"]) == ("CLOSED", True, "bert")
    assert desk.acts(case)[-1] == ("bert", "force_close", "HANDLING", "CLOSED")


def test_forced_closing_of_a_suspended_case(desk: Desk) -> None:
    """The time suspended counts as suspended, so the closing is not late."""
    case = desk.act(desk.case_in("HANDLING"), "suspend", "leader")
    desk.wait(50)
    desk.act(case, "force_request", "officer")
    closed = desk.act(case, "force_close", "director")
    assert (closed["overdue_at"], closed["suspended_at"]) == (None, None)
    assert closed["deadline_at"] == case["deadline_at"] + 50 * HOUR_MS


def test_same_key_again(desk: Desk) -> None:
    """A repeat gets the identical answer and leaves no trace, also when the case has moved on."""
    case = desk.case_in("REGISTERED")
    first = desk.act(case, "dispatch", "dispatcher", idempotency_key="once")
    desk.act(case, "accept", "handler")
    before = desk.acts(case)
    assert desk.act(case, "dispatch", "dispatcher", idempotency_key="once") == first
    assert desk.acts(case) == before


@pytest.mark.parametrize(
    "change", [{"unit": "other"}, {"comment": "x"}, {"user": "eve"}, {"act": "comment", "comment": "y"}]
)
def test_same_key_for_another_request(desk: Desk, change: dict[str, Any]) -> None:
    case = desk.case_in("REGISTERED")
    desk.act(case, "dispatch", "dispatcher", idempotency_key="once")
    again = {"act": "dispatch", "role": "dispatcher", **change}
    assert why(desk, case, idempotency_key="once", **again) == "key_reused"


def test_an_old_picture_is_refused(desk: Desk) -> None:
    """Who saw an older version is told, and the present one goes through."""
    case = desk.case_in("HANDLING")
    newer = desk.act(case, "extend", "leader")
    assert why(desk, case, "done", "handler", seen_version=case["version"]) == "changed"
    assert desk.act(case, "done", "handler", seen_version=newer["version"])["state"] == "VERIFYING"


@pytest.mark.parametrize(
    ("act", "role", "more", "word"),
    [
        ("dispatch", "dispatcher", {"unit": "nobody"}, "not_allowed"),
        ("dispatch", "dispatcher", {"unit": ""}, "not_allowed"),
        ("comment", "officer", {"comment": " "}, "not_allowed"),
        ("link", "officer", {"occurrence": "none"}, "not_found"),
        ("explode", "officer", {}, "not_allowed"),
    ],
)
def test_nonsense(desk: Desk, act: str, role: str, more: dict[str, Any], word: str) -> None:
    case = desk.case_in("REGISTERED")
    assert why(desk, case, act, role, **more) == word
    assert desk.case(case["id"]) == case


def test_unknown_case(desk: Desk) -> None:
    with pytest.raises(Refused) as refused:
        desk.act("C20260101-00001", "register", "officer")
    assert refused.value.why == "not_found"


def test_a_person_of_several_roles(desk: Desk) -> None:
    """The act is recorded under the role that allows it, not under the first that is held."""
    leader = Person("leader", ("leader", "dispatcher", "verifier", "director"), "10.0.0.7")
    case = desk.case_in("REGISTERED")
    perform(desk.database, desk.rules, Wish(case["id"], "dispatch", "a", unit="unit-gas"), leader, desk.now_ms)
    with desk.database.read() as connection:
        row = connection.execute(audit.select().where(audit.c.action == "dispatch")).mappings().one()
    assert (row["actor"], row["role"], row["address"]) == ("leader", "dispatcher", "10.0.0.7")


def test_two_dispatchers_at_one_instant(desk: Desk) -> None:
    """Of eight that dispatch at once exactly one does; the others learn that it is dispatched. Ten times over."""
    for _ in range(10):
        case = desk.case_in("REGISTERED")
        together = threading.Barrier(8)
        done: list[Row] = []
        words: list[str] = []

        def press(
            number: int,
            case: Row = case,
            together: threading.Barrier = together,
            done: list[Row] = done,
            words: list[str] = words,
        ) -> None:
            together.wait()
            try:
                done.append(desk.act(case, "dispatch", "dispatcher", f"d{number}", seen_version=case["version"]))
            except Refused as refused:
                words.append(refused.why)

        threads = [threading.Thread(target=press, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert words == ["changed"] * 7
        assert desk.case(case["id"])["dispatched_by"] == done[0]["dispatched_by"]
        assert [what for _, what, _, _ in desk.acts(case)].count("dispatch") == 1


def test_link(desk: Desk) -> None:
    """A further alarm joins the case; it belongs to one case only, and a closed case takes none."""
    case = desk.case_in("HANDLING")
    alarm = desk.alarm("gas-2")
    desk.act(case, "link", "officer", occurrence=alarm)
    row = desk.alarm_row(alarm)
    assert (row["case"], row["decision"], row["version"]) == (case["id"], "merge", 2)
    other = desk.case_in("REGISTERED")
    assert why(desk, other, "link", "officer", occurrence=alarm) == "state"
    assert why(desk, desk.case_in("CLOSED"), "link", "officer", occurrence=desk.alarm("gas-1")) == "state"


def test_a_linked_alarm_is_decided_about(desk: Desk) -> None:
    """It is not announced again for want of a decision, and counts as one that became a case; one of before stands."""
    alarm, observed = desk.alarm("gas-1"), desk.alarm("gas-2")
    officer = Person("officer", ("officer",))
    acknowledge(desk.database, Acknowledgement(alarm, 2, "a1"), officer, desk.now_ms)
    acknowledge(desk.database, Acknowledgement(observed, 2, "a2", "observe"), officer, desk.now_ms)
    for name in (alarm, observed):
        desk.act(desk.case_in("REPORTED"), "link", "leader", occurrence=name)
    linked, kept = desk.alarm_row(alarm), desk.alarm_row(observed)
    assert (linked["decision"], linked["decided_by"], linked["decided_at"]) == ("merge", "leader", desk.now_ms)
    assert (kept["decision"], kept["decided_by"], kept["observed_until"]) == (
        "observe", "officer", desk.now_ms + 30 * 60_000,
    )  # fmt: skip
    due(desk.database, desk.now_ms + 15 * 60_000)
    assert desk.alarm_row(alarm)["acked"]


def test_whoever_has_an_area_acts_nowhere_else(desk: Desk) -> None:
    """Neither on a case of another street, nor by linking an alarm from there; both refusals are on record."""
    streets = {"gas-1": "s01", "gas-2": "s02"}
    here = Person("wang", ("officer",), area=Area(frozenset({"s01"}), lambda device: streets.get(device, "")))

    def tries(case: Row, act: str, **more: Any) -> str:
        try:
            perform(
                desk.database, desk.rules, Wish(case["id"], act, f"{case['id']}{act}{more}", **more), here, desk.now_ms
            )
        except Refused as error:
            return error.why
        return "done"

    own, other = desk.report(street="s01"), desk.report(street="s02")
    assert tries(own, "register") == "done"
    assert tries(other, "register") == "area"
    assert tries(other, "comment", comment="x") == "area"
    assert tries(own, "link", occurrence=desk.alarm("gas-2")) == "area"
    assert tries(own, "link", occurrence=desk.alarm("gas-1")) == "done"
    assert desk.case(other["id"]) == other
    assert [act for user, act, _, _ in desk.acts(other) if user == "wang"] == ["register_refused", "comment_refused"]
    assert ("wang", "link_refused", "REGISTERED", "REGISTERED") in desk.acts(own)


def test_pictures_are_evidence(desk: Desk) -> None:
    """Pictures stand with the act they came with, numbered through."""
    from ingest.cases.tables import evidence

    case = desk.case_in("HANDLING")
    desk.act(case, "comment", "handler", comment="", pictures=("before.jpg",))
    desk.act(case, "done", "handler", pictures=("after-1.jpg", "after-2.jpg"))
    with desk.database.read() as connection:
        rows = connection.execute(evidence.select().order_by(evidence.c.number)).mappings().all()
    assert [(row["number"], row["act"], row["reference"], row["by"]) for row in rows] == [
        (1, "comment", "before.jpg", "handler"),
        (2, "done", "after-1.jpg", "handler"),
        (3, "done", "after-2.jpg", "handler"),
    ]


def test_a_closed_case_stays_closed(desk: Desk) -> None:
    """Nothing but a comment is left to do, and the row does not change."""
    case = desk.case_in("CLOSED")
    everybody = ["officer", "leader", "dispatcher", "handler", "verifier", "director"]
    assert open_acts(case, "somebody", everybody, desk.now_ms) == ["comment"]
    desk.act(case, "comment", "officer", comment="thanked by the residents")
    assert desk.case(case["id"]) == case
