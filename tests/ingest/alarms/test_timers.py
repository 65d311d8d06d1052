"""What falls due by itself: to the second, once, also after a stop, and the unreadable never stays hidden."""

from typing import Any

import pytest
import sqlalchemy as sa

from ingest.alarms.audit import Person
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.commands.resetting import Reset, reset
from ingest.alarms.commands.service import OutOfService, ask
from ingest.alarms.commands.shelving import Shelving, shelve
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.outbox import announcement
from ingest.alarms.tables import joint_act, suppression
from ingest.alarms.timers import due, next_due
from ingest.errors import Refused
from tests.ingest.alarms.keeping import acts, keep, rows, transition

OFFICER, LEADER = Person("officer", ("officer",)), Person("leader", ("leader",))
MAINTENANCE = Person("engineer", ("maintenance",))
AT = 50_000
MINUTE = 60_000
HOUR = 60 * MINUTE


def alarm(database: AlarmDatabase, priority: str = "P3", **more: Any) -> str:
    """Raise an alarm of level 1 and return its identifier."""
    ((identifier, _),) = keep(database, transition("raise", 10, priority=priority, **more))
    return identifier


def acked(database: AlarmDatabase, priority: str, **more: Any) -> str:
    """Raise an alarm and acknowledge it at the instant ``AT``."""
    identifier = alarm(database, priority)
    acknowledge(database, Acknowledgement(identifier, 1, "ack", **more), OFFICER, AT)
    return identifier


def shelved(database: AlarmDatabase, minutes: int) -> str:
    identifier = alarm(database)
    shelve(database, Shelving(identifier, "parts", "shelve", minutes * 60), OFFICER, AT, AT + 8 * HOUR)
    return identifier


def last(database: AlarmDatabase) -> tuple[str, str, str, str]:
    return acts(database)[-1]


@pytest.mark.parametrize(("priority", "minutes"), [("P1", 15), ("P2", 15), ("P3", 120)])
def test_without_a_decision_it_is_announced_again(database: AlarmDatabase, priority: str, minutes: int) -> None:
    acked(database, priority)
    assert due(database, AT + minutes * MINUTE - 1) == []
    assert len(due(database, AT + minutes * MINUTE)) == 1
    assert last(database) == ("system", "undecided", "ACKED", "UNACK")
    assert due(database, AT + minutes * MINUTE + 1) == []
    with database.read() as connection:
        told = connection.execute(sa.select(announcement.c.why).order_by(announcement.c.at)).scalars().all()
    assert told == ["raise", "undecided"]


@pytest.mark.parametrize("how", ["P4", "decided", "over"])
def test_who_owes_no_decision_is_left_alone(database: AlarmDatabase, how: str) -> None:
    if how == "P4":
        acked(database, "P4")
    else:
        acked(database, "P1", decision="device_fault" if how == "decided" else None)
    if how == "over":
        keep(database, transition("return", 60, 0))
    before = rows(database)
    assert due(database, AT + 24 * HOUR) == []
    assert rows(database) == before


def test_an_observation_ends(database: AlarmDatabase) -> None:
    acked(database, "P2", decision="observe", observe_s=600)
    assert due(database, AT + 10 * MINUTE - 1) == []
    due(database, AT + 10 * MINUTE)
    assert last(database) == ("system", "observe_ended", "ACKED", "UNACK")
    assert rows(database)[0]["decision"] is None


def test_a_shelf_that_ran_out_while_nobody_ran_ends_at_once(database: AlarmDatabase) -> None:
    """Still active: shown and announced again; the shelf's row is ended, not deleted."""
    shelved(database, 30)
    assert due(database, AT + 30 * MINUTE - 1) == []
    due(database, AT + 5 * HOUR)
    (row,) = rows(database)
    assert (row["suppression"], row["state"]) == ("none", "UNACK")
    assert last(database)[1] == "shelf_expired"
    with database.read() as connection:
        (shelf,) = connection.execute(suppression.select()).mappings().all()
    assert (shelf["ended_by"], shelf["ended_reason"]) == ("system", "its time is over")


def test_a_shelf_ends_with_the_shift_and_after_eight_hours_at_most(database: AlarmDatabase) -> None:
    """Without a duration it is as long as it may be; a longer one is refused, with how long it may be."""
    identifier = alarm(database)
    for key, minutes, shift_h in (("a", 31, 0.5), ("b", 8 * 60 + 1, 12)):
        with pytest.raises(Refused, match="Shelving now takes 1 to"):
            shelve(database, Shelving(identifier, "parts", key, minutes * 60), OFFICER, AT, AT + round(shift_h * HOUR))
    with pytest.raises(Refused, match="ends within a minute"):
        shelve(database, Shelving(identifier, "parts", "e", 60), OFFICER, AT, AT + MINUTE - 1)
    for key, shift_h, hours in (("c", 0.5, 0.5), ("d", 12, 8)):
        shelve(database, Shelving(identifier, "parts", key), OFFICER, AT, AT + round(shift_h * HOUR))
        assert rows(database)[0]["suppressed_until"] == AT + round(hours * HOUR)
    with database.read() as connection:
        assert sorted(connection.execute(sa.select(suppression.c.renewals)).scalars()) == [0, 1]


@pytest.mark.parametrize("until", [None, AT + 9 * HOUR, AT - 1])
def test_a_shelf_that_cannot_be_read_hides_nothing(database: AlarmDatabase, until: int | None) -> None:
    shelved(database, 30)
    with database.write() as connection:
        connection.execute(suppression.update().values(until=until))
    due(database, AT + 1)
    assert rows(database)[0]["suppression"] == "none"


def test_a_shelved_alarm_that_was_acknowledged_asks_again_at_the_end(database: AlarmDatabase) -> None:
    """Hiding changes neither active nor acknowledged; its end asks for another acknowledge where it is active."""
    identifier = shelved(database, 30)
    acknowledge(database, Acknowledgement(identifier, 1, "ack"), OFFICER, AT + 1)
    assert (rows(database)[0]["state"], rows(database)[0]["suppression"]) == ("ACKED", "shelved")
    due(database, AT + 30 * MINUTE)
    assert (rows(database)[0]["state"], rows(database)[0]["suppression"]) == ("UNACK", "none")


def test_what_no_second_person_answers_runs_out_after_ten_minutes(database: AlarmDatabase) -> None:
    identifier = alarm(database, "P1", level=2, latch=True)
    acknowledge(database, Acknowledgement(identifier, 2, "ack"), OFFICER, AT)
    keep(database, transition("return", 60, 0))
    assert reset(database, Reset(identifier, "valve shut", "reset"), LEADER, AT).result == "asked"
    ask(database, OutOfService("device", "gas-2", "WO-1", "work", AT + HOUR, "oos"), MAINTENANCE, AT)
    due(database, AT + 10 * MINUTE - 1)
    with database.read() as connection:
        assert connection.execute(sa.select(joint_act.c.outcome)).scalars().all() == [None, None]
    due(database, AT + 10 * MINUTE)
    with database.read() as connection:
        assert connection.execute(sa.select(joint_act.c.outcome)).scalars().all() == ["expired", "expired"]
    assert {act[1] for act in acts(database)[-2:]} == {"reset_expired", "out_of_service_expired"}
    assert rows(database)[0]["state"] == "LATCHED"


def test_a_silent_device_keeps_its_latched_alarm(database: AlarmDatabase) -> None:
    """The quality has to be good for a reset; nobody knows whether it is over."""
    identifier = alarm(database, "P2", latch=True)
    acknowledge(database, Acknowledgement(identifier, 1, "ack"), OFFICER, AT)
    keep(database, transition("return", 60, 0))
    keep(database, transition("stale", 61, point="gas-1", rule="", quality="stale"))
    with pytest.raises(Exception, match="quality stale"):
        reset(database, Reset(identifier, "valve shut", "r1"), OFFICER, AT + 1)
    keep(database, transition("fresh", 62, point="gas-1", rule="", quality="good"))
    assert reset(database, Reset(identifier, "valve shut", "r2"), OFFICER, AT + 2).result == "reset"


def test_it_is_known_when_something_falls_due_next(database: AlarmDatabase) -> None:
    assert next_due(database) is None
    acked(database, "P3")
    assert next_due(database) == AT + 120 * MINUTE
    ((other, _),) = keep(database, transition("raise", 20, priority="P3", point="gas-2/conc_pct_lel.high"))
    shelve(database, Shelving(other, "parts", "s", 600), OFFICER, AT, AT + 8 * HOUR)
    assert next_due(database) == AT + 10 * MINUTE
    ask(database, OutOfService("device", "gas-2", "WO-1", "work", AT + HOUR, "oos"), MAINTENANCE, AT - MINUTE)
    assert next_due(database) == AT + 9 * MINUTE
    due(database, AT + 9 * MINUTE)
    assert next_due(database) == AT + 10 * MINUTE
    due(database, AT + 10 * MINUTE)
    assert next_due(database) == AT + 120 * MINUTE
    due(database, AT + 120 * MINUTE)
    assert next_due(database) is None


def test_an_end_that_cannot_be_read_is_no_instant(database: AlarmDatabase) -> None:
    shelved(database, 30)
    with database.write() as connection:
        connection.execute(suppression.update().values(until=None))
    assert next_due(database) is None
