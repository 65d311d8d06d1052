"""Every act in every state by every role, against a table written down here a second time."""

import pytest

from ingest.cases.lifecycle import ACTS, STATES, open_acts
from ingest.errors import Refused
from tests.ingest.cases.desk import WAY, Desk

ROLES = (
    "viewer",
    "officer",
    "leader",
    "dispatcher",
    "handler",
    "verifier",
    "maintenance",
    "engineer",
    "director",
    "auditor",
)
RUNNING = ("REGISTERED", "DISPATCHED", "HANDLING", "VERIFYING")
# (act, state) → the state it leads to, and who may. What is not here is refused.
ALLOWED: dict[tuple[str, str], tuple[str, set[str]]] = {
    ("register", "REPORTED"): ("REGISTERED", {"officer", "leader"}),
    ("void", "REPORTED"): ("VOID", {"officer", "leader"}),
    ("dispatch", "REGISTERED"): ("DISPATCHED", {"dispatcher"}),
    ("accept", "DISPATCHED"): ("HANDLING", {"handler"}),
    ("return", "DISPATCHED"): ("REGISTERED", {"handler", "dispatcher"}),
    ("return", "HANDLING"): ("DISPATCHED", {"handler", "dispatcher"}),
    ("return", "VERIFYING"): ("HANDLING", {"handler", "verifier"}),
    ("done", "HANDLING"): ("VERIFYING", {"handler"}),
    ("verify", "VERIFYING"): ("CLOSED", {"verifier"}),
    ("rework", "VERIFYING"): ("HANDLING", {"verifier"}),
    **{("suspend", state): (state, {"leader"}) for state in RUNNING},
    **{("extend", state): (state, {"leader"}) for state in RUNNING},
    **{("force_request", state): (state, {"officer", "leader", "dispatcher"}) for state in RUNNING},
    **{("comment", state): (state, set(ROLES) - {"viewer", "auditor"}) for state in STATES},
}
# These need something before them (a suspended case, a request, an alarm); their roles are tried here all the same.
NEED_MORE: dict[str, set[str]] = {"resume": {"leader"}, "force_close": {"director"}, "link": {"officer", "leader"}}


def test_the_table_knows_every_act() -> None:
    assert {act for act, _ in ALLOWED} | set(NEED_MORE) == set(ACTS)


@pytest.mark.parametrize("state", STATES)
def test_what_is_refused_changes_nothing(desk: Desk, state: str) -> None:
    """An act that the table does not have is refused with its word, and a wrong role is on record."""
    case = desk.case_in(state)
    tried = 0
    for act in ACTS:
        for role in ROLES:
            to, roles = ALLOWED.get((act, state), ("", NEED_MORE.get(act, set())))
            if to and role in roles:
                continue
            anywhere = {r for (other, _), (_, held) in ALLOWED.items() if other == act for r in held}
            before = desk.acts(case)
            with pytest.raises(Refused) as refused:
                desk.act(case, act, role)
            tried += 1
            if role in (roles if to else anywhere | roles):
                assert refused.value.why in ("state", "not_found"), (act, role, str(refused.value))
                assert desk.acts(case) == before
            else:
                assert refused.value.why == "role", (act, role, str(refused.value))
                assert desk.acts(case) == [*before, (role, f"{act}_refused", state, state)]
    assert desk.case(case["id"]) == case
    assert tried > 100


@pytest.mark.parametrize("act", sorted({act for act, _ in ALLOWED}))
def test_what_is_allowed(desk: Desk, act: str) -> None:
    """By each role in each state: it leads where the table says, was offered beforehand, and has one audit row."""
    for (name, state), (to, roles) in ALLOWED.items():
        for role in sorted(roles) if name == act else ():
            case = desk.case_in(state)
            before = desk.acts(case)
            user = f"another-{role}"
            assert act in open_acts(case, user, [role], desk.now_ms)
            desk.now_ms += 1
            after = desk.act(case, act, role, user)
            assert after["state"] == to
            assert after == desk.case(case["id"])
            assert after["version"] == case["version"] + (act != "comment")
            assert desk.acts(case) == [*before, (user, act, state, to)]


@pytest.mark.parametrize("act", sorted(name for name, act in ACTS.items() if act.reason))
def test_a_reason_is_asked_for(desk: Desk, act: str) -> None:
    """What needs a reason is refused without one, and blanks are none."""
    state, role = next((state, sorted(roles)[0]) for (name, state), (_, roles) in ALLOWED.items() if name == act)
    case = desk.case_in(state)
    for reason in ("", "  "):
        with pytest.raises(Refused, match="reason") as refused:
            desk.act(case, act, role, reason=reason)
        assert refused.value.why == "not_allowed"
    assert desk.case(case["id"]) == case


def test_a_whole_round(desk: Desk) -> None:
    """The loop from report to closing leaves every who and when in the row and in the audit."""
    case = desk.report()
    for act, role in WAY["CLOSED"]:
        desk.wait(1)
        case = desk.act(case, act, role)
    who = [case[f"{what}_by"] for what in ("reported", "registered", "dispatched", "done", "verified", "closed")]
    assert who == ["officer", "officer", "dispatcher", "handler", "verifier", "verifier"]
    assert (case["handler"], case["unit"]) == ("handler", "unit-gas")
    hours = [(case[f"{what}_at"] - case["reported_at"]) / 3_600_000 for what in ("registered", "accepted", "closed")]
    assert hours == [1, 3, 5]
    assert [act[1] for act in desk.acts(case)] == ["report", "register", "dispatch", "accept", "done", "verify"]


def test_returns_step_by_step(desk: Desk) -> None:
    """A case goes back one step at a time, each with its reason, and what the step had written is gone."""
    case = desk.case_in("VERIFYING")
    steps = [("verifier", "HANDLING"), ("handler", "DISPATCHED"), ("handler", "REGISTERED")]
    for number, (role, to) in enumerate(steps, 1):
        case = desk.act(case, "return", role)
        assert (case["state"], case["returns"]) == (to, number)
    gone = ("done_at", "done_by", "handler", "accepted_at", "dispatched_at", "dispatched_by")
    assert all(case[name] is None for name in gone)
    assert case["registered_at"] is not None
