"""Reminders, amber and overdue: each once, from stored instants, by whoever comes first."""

import threading

import sqlalchemy as sa

from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import audit
from ingest.cases.timers import Fired, due, next_due
from ingest.lease import give_back, take
from tests.ingest.cases.desk import HOUR_MS, NOON_MS, Desk


def fired(desk: Desk) -> list[tuple[str, str]]:
    """Let the timers run now and return (case, mark)."""
    return [(each.row["id"], each.mark) for each in due(desk.database, desk.now_ms)]


def test_each_mark_once(desk: Desk) -> None:
    """50, 80 and 100 percent are told once each, in the row and in the audit."""
    case = desk.case_in("HANDLING")
    name = case["id"]
    expected = [(11.99, []), (12, [(name, "remind")]), (15, []), (19.2, [(name, "amber")]), (24, [(name, "overdue")])]
    for hours, marks in [*expected, (30, [])]:
        desk.now_ms = NOON_MS + round(hours * HOUR_MS)
        assert fired(desk) == marks
        assert fired(desk) == []
    row = desk.case(name)
    assert row["overdue_at"] == row["deadline_at"] == NOON_MS + 24 * HOUR_MS
    assert row["reminded_at"] == NOON_MS + 12 * HOUR_MS
    assert [(who, what) for who, what, _, _ in desk.acts(case)][-3:] == [
        ("system", "remind"),
        ("system", "amber"),
        ("system", "overdue"),
    ]


def test_after_a_long_stop_all_fire_in_order(desk: Desk) -> None:
    """A collector that was down for two days tells all three, and overdue since the deadline."""
    case = desk.case_in("DISPATCHED")
    desk.wait(48)
    assert [mark for _, mark in fired(desk)] == ["remind", "amber", "overdue"]
    assert desk.case(case["id"])["overdue_at"] == NOON_MS + 24 * HOUR_MS


def test_the_clock_runs_until_closing(desk: Desk) -> None:
    """A case that waits for its verification falls overdue too; one that is closed, void or only reported does not."""
    waiting = desk.case_in("VERIFYING")
    for state in ("REPORTED", "VOID", "CLOSED"):
        desk.case_in(state)
    desk.wait(24)
    assert fired(desk) == [(waiting["id"], mark) for mark in ("remind", "amber", "overdue")]


def test_suspended_cases_wait(desk: Desk) -> None:
    case = desk.case_in("HANDLING")
    desk.act(case, "suspend", "leader")
    desk.wait(100)
    assert fired(desk) == []
    assert next_due(desk.database) is None
    desk.act(case, "resume", "leader")
    assert fired(desk) == []
    assert next_due(desk.database) == NOON_MS + 112 * HOUR_MS


def test_an_act_does_not_outrun_the_timer(desk: Desk) -> None:
    """A case closed after its deadline was overdue, though no timer had run."""
    case = desk.case_in("VERIFYING")
    desk.wait(25)
    closed = desk.act(case, "verify", "verifier")
    assert closed["overdue_at"] == case["deadline_at"]
    assert [what for _, what, _, _ in desk.acts(case)][-4:] == ["remind", "amber", "overdue", "verify"]
    assert fired(desk) == []


def test_extension_after_amber(desk: Desk) -> None:
    """A mark that was told is not told again when an extension moves it."""
    case = desk.case_in("HANDLING")
    desk.wait(20)
    assert [mark for _, mark in fired(desk)] == ["remind", "amber"]
    desk.act(case, "extend", "leader", hours=24)
    desk.wait(28)
    assert [mark for _, mark in fired(desk)] == ["overdue"]


def test_next_due(desk: Desk) -> None:
    """The next mark of all cases is known without waking for nothing."""
    assert next_due(desk.database) is None
    desk.case_in("REGISTERED", "road_damage")
    assert next_due(desk.database) == NOON_MS + 24 * HOUR_MS
    desk.case_in("REGISTERED", "gas_leak")
    assert next_due(desk.database) == NOON_MS + 1 * HOUR_MS


def test_two_processes_at_once(desk: Desk) -> None:
    """Of four that run the timers at one instant each mark is written by exactly one."""
    for _ in range(5):
        desk.case_in("HANDLING")
    desk.wait(24)
    together = threading.Barrier(4)
    found: list[Fired] = []

    def run() -> None:
        together.wait()
        found.extend(due(desk.database, desk.now_ms))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 15
    with desk.database.read() as connection:
        query = sa.select(sa.func.count()).where(audit.c.action.in_(("remind", "amber", "overdue")))
        assert connection.execute(query).scalar() == 15


def test_lease(database: AlarmDatabase) -> None:
    """One holder at a time; it renews its own, another takes it once it has run out or was given back."""
    assert take(database, "timers", "a", 1_000, 5_000)
    assert not take(database, "timers", "b", 5_999, 5_000)
    assert take(database, "timers", "a", 5_000, 5_000)
    assert not take(database, "timers", "b", 9_999, 5_000)
    assert take(database, "timers", "b", 10_000, 5_000)
    assert not take(database, "timers", "a", 10_001, 5_000)
    give_back(database, "timers", "a")
    assert not take(database, "timers", "a", 10_002, 5_000)
    give_back(database, "timers", "b")
    assert take(database, "timers", "a", 10_003, 5_000)
    assert take(database, "other", "b", 10_003, 5_000)


def test_lease_race(database: AlarmDatabase) -> None:
    """Of eight that ask at once, for a new lease and for one that ran out, exactly one gets it."""
    for now_ms in (0, 100_000, 200_000):
        together = threading.Barrier(8)
        got: list[bool] = []

        def ask(name: str, now_ms: int = now_ms, together: threading.Barrier = together, got: list[bool] = got) -> None:
            together.wait()
            got.append(take(database, "timers", name, now_ms, 5_000))

        threads = [threading.Thread(target=ask, args=(f"{now_ms} {number}",)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(got) == [False] * 7 + [True]
