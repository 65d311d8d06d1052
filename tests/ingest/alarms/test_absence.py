"""The watchdog's alarm is closed by itself and loads nobody; its absence is an alarm that somebody has to take."""

import sqlalchemy as sa

from ingest.alarms.absence import ABSENT_MS, Absence
from ingest.alarms.audit import Person, first_broken
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.load import load
from ingest.alarms.outbox import announcement
from tests.ingest.alarms.keeping import acts, keep, rows, transition

OFFICER = Person("officer", ("officer",))
SECOND = 1_000


def beat(database: AlarmDatabase, second: int, shard: str = "main") -> None:
    """Let a watchdog's message reach the database."""
    keep(
        database,
        transition(
            "passage", second, device=f"collector-{shard}", point=f"collector-{shard}/watchdog.beat/{second}",
            kind="collector", rule="collector.watchdog.beat", priority="health", field="watchdog", unit="s",
        ),
    )  # fmt: skip


def raised(database: AlarmDatabase) -> list[tuple[str, str]]:
    """Return (device, state) of the alarms on absence."""
    return [(row["device"], row["state"]) for row in rows(database) if row["rule"] == "collector.watchdog"]


def announced(database: AlarmDatabase) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(sa.select(announcement.c.priority)).scalars())


def test_a_beat_is_closed_by_itself_calls_nobody_and_loads_nobody(database: AlarmDatabase) -> None:
    beat(database, 60)
    (row,) = rows(database)
    assert (row["state"], row["acked_by"], row["closed_at"]) == ("CLOSED", "system", 60 * SECOND)
    assert acts(database) == [("system", "passage", "NORM", "CLOSED")]
    assert announced(database) == []
    with database.read() as connection:
        found = load(connection, 0, 3_600 * SECOND, 3_600 * SECOND)
        assert first_broken(connection) is None
    assert (found.activations, found.priorities, found.raise_to_ack.count) == (0, None, 0)


def test_three_minutes_without_it_are_a_p1_for_people(database: AlarmDatabase) -> None:
    watch = Absence(database, ("main",), 0)
    beat(database, 60)
    last_ms = 60 * SECOND
    assert watch.judge(last_ms + ABSENT_MS - 1) == []
    watch.judge(last_ms + ABSENT_MS)
    assert raised(database) == [("collector-main", "UNACK")]
    assert announced(database) == ["P1"]
    assert watch.since(last_ms + ABSENT_MS) == {"main": last_ms}
    assert watch.judge(last_ms + 2 * ABSENT_MS) == []
    (alarm,) = [row for row in rows(database) if row["rule"] == "collector.watchdog"]
    assert (alarm["raised_at"], alarm["priority"]) == (last_ms, "P1")


def test_it_returns_with_the_next_beat_and_stays_until_it_is_acknowledged(database: AlarmDatabase) -> None:
    watch = Absence(database, ("main",), 0)
    watch.judge(200 * SECOND)
    beat(database, 210)
    watch.judge(211 * SECOND)
    assert raised(database) == [("collector-main", "RTN_UNACK")]
    watch.judge(500 * SECOND)
    assert raised(database) == [("collector-main", "UNACK")]
    beat(database, 510)
    watch.judge(511 * SECOND)
    (alarm,) = [row for row in rows(database) if row["rule"] == "collector.watchdog"]
    acknowledge(database, Acknowledgement(alarm["id"], 1, "k1"), OFFICER, 512 * SECOND)
    assert (alarm["activations"], raised(database)) == (2, [("collector-main", "CLOSED")])
    watch.judge(800 * SECOND)
    assert raised(database) == [("collector-main", "CLOSED"), ("collector-main", "UNACK")]


def test_who_begins_to_watch_grants_three_minutes_and_ends_nothing(database: AlarmDatabase) -> None:
    Absence(database, ("main",), 0).judge(ABSENT_MS)
    restarted = Absence(database, ("main",), ABSENT_MS)
    assert restarted.judge(ABSENT_MS + 1) == []
    assert raised(database) == [("collector-main", "UNACK")]


def test_one_collector_of_two_is_missed_alone(database: AlarmDatabase) -> None:
    watch = Absence(database, ("north", "south"), 0)
    beat(database, 100, "south")
    beat(database, 101, "elsewhere")
    watch.judge(ABSENT_MS)
    assert raised(database) == [("collector-north", "UNACK")]
    assert watch.since(ABSENT_MS) == {"north": 0}
