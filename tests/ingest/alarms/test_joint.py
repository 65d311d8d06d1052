"""Acts that take two persons: what one asked for about an alarm that is over does not stand in the way of the next."""

import pytest
import sqlalchemy as sa

from ingest.alarms.audit import Person, check
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.commands.agreeing import Agreement, answer
from ingest.alarms.commands.verdict import Verdict, judge_false
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import joint_act
from ingest.errors import Refused
from tests.ingest.alarms.keeping import keep, transition

OFFICER, SECOND = Person("officer", ("officer",)), Person("officer2", ("officer",))


def raised(database: AlarmDatabase, position: int) -> str:
    ((name, _),) = keep(database, transition("raise", position, level=2))
    return name


def asks(database: AlarmDatabase, alarm: str, key: str, at_s: int) -> str:
    done = judge_false(database, Verdict(alarm, "nothing there", key), OFFICER, at_s * 1000)
    assert done.result == "asked" and done.pending is not None
    return str(done.pending["id"])


def test_a_request_about_an_alarm_that_is_over(database: AlarmDatabase) -> None:
    first = raised(database, 10)
    asked = asks(database, first, "v1", 11)
    acknowledge(database, Acknowledgement(first, 2, "a1"), OFFICER, 12_000)
    keep(database, transition("return", 13, level=0))
    second = raised(database, 20)
    assert second != first
    again = asks(database, second, "v2", 21)
    assert answer(database, Agreement(again, True, "y2"), SECOND, 22_000).result == "agreed"
    with pytest.raises(Refused) as refused:
        answer(database, Agreement(asked, True, "y1"), SECOND, 23_000)
    assert refused.value.why == "state"
    with database.read() as connection:
        assert check(connection).broken is None
        outcomes = connection.execute(sa.select(joint_act.c.outcome).order_by(joint_act.c.asked_at)).scalars().all()
    assert outcomes == ["expired", "agreed"]


def test_the_same_alarm_is_asked_about_once(database: AlarmDatabase) -> None:
    alarm = raised(database, 10)
    asks(database, alarm, "v1", 11)
    with pytest.raises(Refused) as refused:
        judge_false(database, Verdict(alarm, "nothing there", "v2"), SECOND, 12_000)
    assert refused.value.why == "pending"
