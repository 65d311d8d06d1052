"""What stood at an instant where the record is not in order of time, or was written before it told what changed."""

from typing import Any

import sqlalchemy as sa

from ingest.alarms.audit import Person, first_broken
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.retracing import occurrences_of, open_occurrences
from ingest.alarms.states import row_state
from ingest.alarms.tables import audit
from tests.ingest.alarms.keeping import keep, rows, transition

OFFICER = Person("officer", ("officer",))


def acked(database: AlarmDatabase, at_ms: int) -> str:
    (row,) = rows(database)
    acknowledge(database, Acknowledgement(row["id"], row["level_now"], "k1"), OFFICER, at_ms)
    return str(row["id"])


def stood(database: AlarmDatabase, at_ms: int) -> dict[str, Any] | None:
    with database.read() as connection:
        found = open_occurrences(connection, at_ms)
    assert len(found) < 2
    return {**found[0], "state": row_state(found[0])} if found else None


def test_at_the_instant_of_an_act_it_is_done(database: AlarmDatabase) -> None:
    keep(database, transition("raise", 10))
    keep(database, transition("change", 20, level=2))
    acked(database, 30_000)
    assert stood(database, 9_999) is None
    told = [stood(database, at_ms) for at_ms in (10_000, 19_999, 20_000, 30_000)]
    assert [(row["level_now"], row["priority"], row["state"]) for row in told if row] == [
        (1, "P2", "UNACK"), (1, "P2", "UNACK"), (2, "P1", "UNACK"), (2, "P1", "ACKED"),
    ]  # fmt: skip


def test_an_act_of_a_collector_that_was_behind_comes_after_the_act_before_it(database: AlarmDatabase) -> None:
    """The alarm returned at 20 s, but that was written after an officer had acknowledged it at 30 s."""
    keep(database, transition("raise", 10))
    name = acked(database, 30_000)
    keep(database, transition("return", 20, level=0))
    assert rows(database)[0]["closed_at"] == 20_000
    assert [row["state"] for row in (stood(database, 20_000), stood(database, 29_999)) if row] == ["UNACK"] * 2
    assert stood(database, 30_000) is None
    with database.read() as connection:
        (closed,) = occurrences_of(connection, [name], 30_000)
    assert closed == {key: value for key, value in rows(database)[0].items() if key != "state"}


def test_acts_of_before_there_was_a_record_of_changes_tell_level_value_and_state(database: AlarmDatabase) -> None:
    keep(database, transition("raise", 10))
    keep(database, transition("change", 20, level=2))
    with database.write() as connection:
        connection.execute(audit.update().values(changes=None))
    acked(database, 30_000)
    told = [stood(database, at_ms) for at_ms in (10_000, 20_000, 30_000)]
    assert [(row["level_now"], row["value"], row["state"], row["acked_by"]) for row in told if row] == [
        (1, 100.0, "UNACK", None), (2, 200.0, "UNACK", None), (2, 200.0, "ACKED", "officer"),
    ]  # fmt: skip
    assert [row["version"] for row in told if row] == [1, 2, 3]


def test_what_an_act_changed_is_part_of_the_chain(database: AlarmDatabase) -> None:
    keep(database, transition("raise", 10))
    acked(database, 30_000)
    with database.read() as connection:
        assert first_broken(connection) is None
        assert connection.scalar(sa.select(sa.func.count()).where(audit.c.changes.is_not(None))) == 2
    with database.write() as connection:
        changed = sa.func.replace(audit.c.changes, '"acked":true', '"acked":false')
        connection.execute(audit.update().where(audit.c.seq == 2).values(changes=changed))
    with database.read() as connection:
        assert first_broken(connection) == 2
