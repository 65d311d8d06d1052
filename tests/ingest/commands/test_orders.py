"""Who may switch what, with whom, and when not."""

from typing import Any

import pytest

from ingest.alarms.areas import Area
from ingest.alarms.audit import Person
from ingest.alarms.database import AlarmDatabase
from ingest.commands.orders import GOOD_FOR_MS, Settling, settle, switch
from ingest.commands.steps import time_out
from ingest.errors import Refused
from tests.ingest.commands.lighting import (
    LAMPS,
    LEADER,
    NOON,
    OFFICER,
    VIEWER,
    answer,
    ask,
    commands,
    key,
    leak,
    order,
    order_state,
    record,
    states,
    wish,
)

MINUTE_MS = 60_000


def why(call: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(Refused) as found:
        call(*arguments, **more)
    assert str(found.value).endswith(".")
    return found.value.why


def test_one_lamp_takes_one_person(database: AlarmDatabase) -> None:
    """The order makes the one command, which says until when it holds and how long it is worth sending."""
    done = order(database, 40, for_s=3600)
    assert (done.result, done.by, done.order["state"]) == ("ordered", "officer", "ordered")
    (command,) = commands(database, done)
    assert (command["device"], command["district"], command["dim_pct"]) == ("pole-1", "demo", 40)
    assert (command["state"], command["until"]) == ("waiting", NOON + 3_600_000)
    assert command["expires_at"] == NOON + GOOD_FOR_MS
    assert record(database) == [("officer", "lamp_ordered", "pole-1")]
    # A hold that is shorter than that is not sent when it is over.
    (short,) = commands(database, order(database, 40, for_s=60))
    assert short["expires_at"] == short["until"] == NOON + MINUTE_MS


def test_a_circuit_takes_two(database: AlarmDatabase) -> None:
    """Nothing is commanded before another person has approved; then every lamp is, from that instant on."""
    asked = ask(database, 60, for_s=600)
    assert (asked.result, asked.order["state"], states(database)) == ("asked", "asked", [])
    assert why(answer, database, asked, OFFICER) == "same_person"
    done = answer(database, asked, now_ms=NOON + 5 * MINUTE_MS)
    assert (done.result, done.order["settled_by"], done.order["until"]) == ("ordered", "leader", NOON + 15 * MINUTE_MS)
    assert [row["device"] for row in commands(database, asked)] == ["pole-1", "pole-2", "pole-3"]
    assert why(answer, database, asked) == "state"
    assert record(database) == [
        ("officer", "lamp_asked", "circuit:F-1"),
        ("officer", "lamp_approve_refused", ""),
        ("leader", "lamp_approved", "circuit:F-1"),
    ]


def test_declined_and_forgotten(database: AlarmDatabase) -> None:
    """A no ends it, also one's own; ten minutes end it, and only one request of a circuit stands at a time."""
    first = ask(database)
    assert why(ask, database) == "pending"
    assert answer(database, first, OFFICER, approve=False).result == "declined"
    second = ask(database)
    late = NOON + 10 * MINUTE_MS
    assert why(answer, database, second, now_ms=late) == "expired"
    third = ask(database, now_ms=late)
    time_out(database, late + 10 * MINUTE_MS - 1)
    assert [order_state(database, each) for each in (first, second, third)] == ["declined", "expired", "asked"]
    time_out(database, late + 10 * MINUTE_MS)
    assert order_state(database, third) == "expired"
    assert states(database) == []
    assert [action for _, action, _ in record(database)] == [
        "lamp_asked", "lamp_declined", "lamp_asked", "lamp_request_expired", "lamp_asked", "lamp_request_expired",
    ]  # fmt: skip


@pytest.mark.parametrize("person", [VIEWER, OFFICER])
def test_roles(database: AlarmDatabase, person: Any) -> None:
    """A viewer switches nothing, and the attempt is on record."""
    if person is OFFICER:
        assert switch(database, wish(), LAMPS[:1], person, NOON).result == "ordered"
        return
    assert why(switch, database, wish(), LAMPS[:1], person, NOON) == "role"
    assert why(switch, database, wish(scope="circuit"), LAMPS, person, NOON) == "role"
    asked = ask(database)
    assert why(answer, database, asked, person) == "role"
    assert why(answer, database, asked, person, approve=False) == "role"
    assert states(database) == []
    refused = [action for _, action, _ in record(database) if action.endswith("refused")]
    assert refused == ["lamp_switch_refused", "circuit_switch_refused", "lamp_approve_refused", "lamp_decline_refused"]


def test_what_cannot_be_wanted(database: AlarmDatabase) -> None:
    """A reason, 0 to 100 %, a minute to twelve hours; a lamp that is given back has no duration."""
    for wrong in (
        {"reason": "  "}, {"dim_pct": 101}, {"dim_pct": -1}, {"for_s": 59}, {"for_s": 43_201},
        {"dim_pct": None, "for_s": 600},
    ):  # fmt: skip
        assert why(order, database, **wrong) == "not_allowed", wrong
    assert states(database) == []
    assert order(database, 100, for_s=43_200).result == "ordered"
    unknown = Settling("nothing", True, key())
    assert why(settle, database, unknown, lambda _name: LAMPS, LEADER, NOON) == "not_found"


def test_what_leaks_is_not_lit(database: AlarmDatabase) -> None:
    """Not on, not dimmed, not by its schedule; off always. One leaking lamp, or its feeder, keeps the circuit dark."""
    leak(database, "pole-1", closed=True)
    order(database, 100)
    leak(database, "pole-1")
    for wanted in (100, 1, None):
        assert why(order, database, wanted) == "alarm_active"
        assert why(ask, database, wanted) == "alarm_active"
    assert order(database, 0).result == "ordered"
    assert ask(database, 0).result == "asked"
    assert order(database, 100, subject="pole-2").result == "ordered"
    leak(database, "circuit:F-1", "light_pole.feeder_leakage")
    assert why(order, database, 100, subject="pole-2") == "alarm_active"


def test_a_leak_between_request_and_approval(database: AlarmDatabase) -> None:
    """What was asked for in good faith is not approved when it leaks meanwhile."""
    asked = ask(database, 100)
    leak(database, "pole-3")
    assert why(answer, database, asked) == "alarm_active"
    assert (order_state(database, asked), states(database)) == ("asked", [])


def test_a_repeat_is_answered_as_before(database: AlarmDatabase) -> None:
    """The same wish twice is one order; the same key for another wish is refused."""
    wanted = wish(40)
    first = switch(database, wanted, LAMPS[:1], OFFICER, NOON)
    assert switch(database, wanted, LAMPS[:1], OFFICER, NOON + 5_000) == first
    other = wish(50)
    changed = type(other)("lamp", "pole-1", 50, "tests", wanted.idempotency_key)
    assert why(switch, database, changed, LAMPS[:1], OFFICER, NOON) == "key_reused"
    assert len(commands(database)) == 1


def test_a_newer_order_overtakes(database: AlarmDatabase) -> None:
    """Of two orders for a lamp the newer one is sent; the older one says why it was not."""
    older = answer(database, ask(database, 100))
    newer = order(database, 0, now_ms=NOON + 2)
    assert states(database, older) == ["overtaken", "waiting", "waiting"]
    assert states(database, newer) == ["waiting"]
    assert ("officer", "lamp_overtaken", "pole-1") in record(database)


def test_whoever_has_an_area_switches_nothing_outside(database: AlarmDatabase) -> None:
    """One lamp of the circuit in another street is enough; nothing is ordered, and the refusal is on record."""
    streets = {"pole-1": "s01", "pole-2": "s01", "pole-3": "s02"}
    area = Area(frozenset({"s01"}), lambda device: streets.get(device, ""))
    here = Person("wang", ("officer",), area=area)
    assert switch(database, wish(60), LAMPS[:1], here, NOON).result == "ordered"
    assert why(switch, database, wish(60, scope="circuit", subject="c-1"), LAMPS, here, NOON) == "area"
    asked = ask(database, 60)
    assert why(settle, database, Settling(asked.order["id"], True, key()), lambda _: LAMPS, here, NOON) == "area"
    assert [action for _, action, _ in record(database)][-1] == "lamp_approve_refused"
