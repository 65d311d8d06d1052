"""What nobody acknowledges climbs its ladder, from stored instants; an acknowledge ends it."""

from typing import Any

import pytest
import sqlalchemy as sa

from devices.site import Site
from ingest.alarms.audit import SYSTEM, Person, first_broken
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.outbox import announcement
from ingest.alarms.own_kind import WATCHDOG_ABSENT
from ingest.alarms.tables import occurrence
from ingest.cases.tables import cases
from ingest.notices.deliveries import take_out
from ingest.notices.escalating import escalate
from ingest.notices.ladder import LADDERS, next_step
from ingest.stewardship import Stewardship
from tests.ingest.alarms.keeping import acts, keep, rows, transition

OFFICER = Person("officer", ("officer",))
MINUTE = 60_000
AT = 10_000


def announced(database: AlarmDatabase) -> list[tuple[str, int, int]]:
    """Return (why, step, minute of the announcement after the raise)."""
    with database.read() as connection:
        # Nobody beats in these tests: after three minutes a steward misses the watchdog, too.
        own = sa.select(occurrence.c.id).where(occurrence.c.rule == WATCHDOG_ABSENT)
        query = sa.select(announcement.c.why, announcement.c.step, announcement.c.at)
        query = query.where(announcement.c.occurrence.not_in(own)).order_by(announcement.c.at, announcement.c.step)
        found = connection.execute(query).all()
    return [(row.why, row.step, (row.at - AT) // MINUTE) for row in found]


def minutes(database: AlarmDatabase, site: Site, until: int, begin: int = 0) -> None:
    for minute in range(begin, until):
        now_ms = AT + minute * MINUTE
        take_out(database, site, now_ms)
        escalate(database, now_ms)


def changed(database: AlarmDatabase, **values: Any) -> None:
    with database.write() as connection:
        connection.execute(occurrence.update().values(**values))


def test_a_p1_goes_to_the_second_officer_the_leader_and_the_director_again_and_again(
    database: AlarmDatabase, site: Site
) -> None:
    keep(database, transition("raise", 10, level=2))
    minutes(database, site, 9)
    assert announced(database) == [
        ("raise", 0, 0), ("escalated", 1, 1), ("escalated", 2, 3), ("escalated", 3, 5),
        ("escalated", 3, 6), ("escalated", 3, 7), ("escalated", 3, 8),
    ]  # fmt: skip
    assert [action for actor, action, _, _ in acts(database) if actor == SYSTEM.user][1:] == ["escalated"] * 6


@pytest.mark.parametrize(("level", "expected"), [(1, [(0, 0), (1, 5), (2, 15), (3, 30)])])
def test_a_p2_ends_at_the_top(database: AlarmDatabase, site: Site, level: int, expected: list[Any]) -> None:
    keep(database, transition("raise", 10, level=level))
    minutes(database, site, 90)
    assert [(step, minute) for _, step, minute in announced(database)] == expected


@pytest.mark.parametrize("how", [{"acked": True}, {"suppression": "shelved"}, {"closed_at": 1}])
def test_who_has_it_is_not_called_again(database: AlarmDatabase, site: Site, how: dict[str, Any]) -> None:
    keep(database, transition("raise", 10, level=2))
    minutes(database, site, 2)
    changed(database, **how)
    minutes(database, site, 9, begin=2)
    assert [step for _, step, _ in announced(database)] == [0, 1]


def test_it_goes_on_after_the_return_as_long_as_nobody_acknowledged(database: AlarmDatabase, site: Site) -> None:
    keep(database, transition("raise", 10, level=2))
    keep(database, transition("return", 70, level=0))
    minutes(database, site, 4)
    assert [step for _, step, _ in announced(database)] == [0, 1, 2]


def test_chattering_does_not_put_it_off(database: AlarmDatabase, site: Site) -> None:
    """A P1 that returns and comes back every minute, and sometimes milder, climbs like one that stands."""
    keep(database, transition("raise", 10, level=2))
    for minute in range(9):
        minutes(database, site, minute + 1, begin=minute)
        at = 10 + 60 * minute
        keep(database, transition("return", at + 20, level=0))
        if minute % 2:
            keep(database, transition("raise", at + 30, level=1))
            keep(database, transition("change", at + 40, level=2))
        else:
            keep(database, transition("raise", at + 40, level=2))
    called = [(step, minute) for why, step, minute in announced(database) if why == "escalated"]
    assert called == [(1, 1), (2, 3), (3, 5), (3, 6), (3, 7), (3, 8)]


def test_an_acknowledge_begins_it_anew(database: AlarmDatabase, site: Site) -> None:
    """What was acknowledged and comes back is announced to the first officer again."""
    ((name, _),) = keep(database, transition("raise", 10, level=2, latch=True))
    minutes(database, site, 3)
    acknowledge(database, Acknowledgement(name, 2, "k1"), OFFICER, AT + 3 * MINUTE - 1)
    keep(database, transition("return", 10 + 170, level=0))
    ((again, _),) = keep(database, transition("raise", 10 + 179, level=2, latch=True))
    assert again == name
    minutes(database, site, 7, begin=3)
    assert [(why, step) for why, step, _ in announced(database)] == [
        ("raise", 0), ("escalated", 1), ("raise", 0), ("escalated", 1), ("escalated", 2),
    ]  # fmt: skip


def test_worse_begins_anew(database: AlarmDatabase, site: Site) -> None:
    keep(database, transition("raise", 10, level=1))
    minutes(database, site, 6)
    keep(database, transition("change", 400, level=2))
    minutes(database, site, 12, begin=7)
    assert [(why, step) for why, step, _ in announced(database)][:5] == [
        ("raise", 0), ("escalated", 1), ("change", 0), ("escalated", 1), ("escalated", 2),
    ]  # fmt: skip


def test_what_fell_due_while_nobody_ran_is_called_at_once(database: AlarmDatabase, site: Site) -> None:
    keep(database, transition("raise", 10, level=2))
    take_out(database, site, AT)
    assert [escalate(database, AT + 60 * MINUTE) for _ in range(3)] == [1, 1, 1]
    assert [step for _, step, _ in announced(database)] == [0, 1, 2, 3]
    assert escalate(database, AT + 60 * MINUTE) == 0


def test_a_case_is_opened_once_when_the_director_is_called(database: AlarmDatabase, site: Site) -> None:
    keep(database, transition("raise", 10, level=2))
    opened: list[str] = []

    def open_case(_connection: Any, _chain: Any, alarm: dict[str, Any], _now_ms: int) -> str:
        opened.append(alarm["id"])
        return "case-1"

    for minute in range(8):
        take_out(database, site, AT + minute * MINUTE)
        escalate(database, AT + minute * MINUTE, open_case)
    (row,) = rows(database)
    assert (opened, row["case"]) == ([row["id"]], "case-1")


def test_the_directors_case_is_registered_and_its_alarm_owes_no_decision(database: AlarmDatabase, site: Site) -> None:
    """The case, its clock and its audit rows stand with the alarm's; who acknowledges then has decided already."""
    keep(database, transition("raise", 10, level=2))
    steward = Stewardship(site, database, "test", lambda: AT)
    for minute in range(7):
        steward.steward.look(AT + minute * MINUTE)
    row = next(each for each in rows(database) if each["device"] == "gas-1")
    with database.read() as connection:
        case = connection.execute(cases.select().where(cases.c.id == row["case"])).mappings().one()
        assert first_broken(connection) is None
    assert (row["case"], row["decision"], row["decided_by"]) == (case["id"], "case", "system")
    assert (case["state"], case["registered_by"], case["sub_class"], case["severe"]) == (
        "REGISTERED",
        "system",
        "gas_leak",
        True,
    )
    assert case["registered_at"] == AT + 5 * MINUTE
    acknowledge(database, Acknowledgement(row["id"], 2, "k1"), OFFICER, AT + 7 * MINUTE)
    row = next(each for each in rows(database) if each["device"] == "gas-1")
    assert (row["decision_due_at"], row["state"]) == (None, "ACKED")
    before = announced(database)
    steward.steward.look(AT + 60 * MINUTE)
    assert announced(database) == before


def test_two_stewards_call_once(database: AlarmDatabase, site: Site) -> None:
    """Whoever holds the lease calls; the other one calls when that one is gone."""
    keep(database, transition("raise", 10, level=2))
    one, two = (Stewardship(site, database, name, lambda: AT) for name in ("one", "two"))
    for minute in range(3):
        one.steward.look(AT + minute * MINUTE)
        two.steward.look(AT + minute * MINUTE + 1)
    two.steward.look(AT + 4 * MINUTE)
    assert [step for _, step, _ in announced(database)] == [0, 1, 2]


def test_a_calm_priority_has_no_ladder() -> None:
    assert next_step("P4", 0, 0, 0) is None
    assert "P4" not in LADDERS
