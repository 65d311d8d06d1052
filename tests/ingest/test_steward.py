"""One steward of several works at a time, and none of its duties hinders another."""

import logging
from pathlib import Path

import pytest

from ingest.alarms.database import AlarmDatabase
from ingest.errors import AlarmError
from ingest.steward import Duty, Steward

SECOND = 1_000


@pytest.fixture
def database(tmp_path: Path) -> AlarmDatabase:
    opened = AlarmDatabase(f"sqlite:///{tmp_path / 'alarms.db'}")
    opened.migrate()
    return opened


def steward(database: AlarmDatabase, name: str, *duties: Duty) -> Steward:
    return Steward(database, name, lambda: 0, duties)


def test_duties_are_done_at_their_pace(database: AlarmDatabase) -> None:
    done: list[tuple[str, int]] = []
    one = steward(
        database,
        "a",
        Duty("quick", SECOND, lambda now_ms: done.append(("quick", now_ms))),
        Duty("slow", 3 * SECOND, lambda now_ms: done.append(("slow", now_ms))),
    )
    for second in range(5):
        one.look(second * SECOND)
    assert [now_ms for name, now_ms in done if name == "quick"] == [0, 1000, 2000, 3000, 4000]
    assert [now_ms for name, now_ms in done if name == "slow"] == [0, 3000]


def test_only_the_holder_works_and_another_follows_when_it_is_gone(database: AlarmDatabase) -> None:
    done: list[str] = []
    one = steward(database, "a", Duty("x", 0, lambda _: done.append("a")))
    two = steward(database, "b", Duty("x", 0, lambda _: done.append("b")))
    one.look(0)
    two.look(0)
    assert done == ["a"]
    two.look(16 * SECOND)
    one.look(17 * SECOND)
    assert done == ["a", "b"]


def test_who_stops_gives_back(database: AlarmDatabase) -> None:
    one, two = steward(database, "a"), steward(database, "b")
    one.look(0)
    one.start()
    one.stop()
    two.look(1)
    assert two.holds


def test_a_duty_that_fails_is_told_and_the_others_are_done(
    database: AlarmDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[int] = []

    def away(_now_ms: int) -> None:
        raise AlarmError("the alarm database cannot be read: locked")

    def broken(_now_ms: int) -> None:
        raise ZeroDivisionError

    one = steward(database, "a", Duty("away", 0, away), Duty("broken", 0, broken), Duty("sound", 0, done.append))
    with caplog.at_level(logging.WARNING):
        one.look(0)
        one.look(1)
    assert done == [0, 1]
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING] == [
        "away waits: the alarm database cannot be read: locked"
    ]
    assert sum("broken failed" in r.getMessage() for r in caplog.records) == 2


def test_a_clock_set_back_puts_nothing_off(database: AlarmDatabase) -> None:
    """Nobody is called later because a clock was an hour fast; and the lease does not outlive its holder by an hour."""
    hour = 3_600 * SECOND
    done: list[int] = []
    one = steward(database, "a", Duty("x", SECOND, done.append))
    one.look(2 * hour)
    for second in range(3):
        one.look(hour + second * SECOND)
    assert done == [2 * hour, hour, hour + SECOND, hour + 2 * SECOND]
    two = steward(database, "b", Duty("x", SECOND, done.append))
    two.look(hour + 30 * SECOND)
    assert done[-1] == hour + 30 * SECOND
