"""The figures of ALARMS §6 reckoned by hand; a set without anything in it has no figure."""

from typing import Any

import pytest

from ingest.alarms.audit import Person
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.commands.verdict import Verdict, judge_false
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.load import Load, load
from tests.ingest.alarms.keeping import keep, transition

OFFICER = Person("officer", ("officer",))
MINUTE, HOUR = 60, 3_600


def figures(database: AlarmDatabase, hours: float = 1, now_s: int | None = None) -> Load:
    stop_ms = round(hours * HOUR * 1000)
    with database.read() as connection:
        return load(connection, 0, stop_ms, stop_ms if now_s is None else now_s * 1000)


def raised(database: AlarmDatabase, second: int, point: str, priority: str = "P3", **more: Any) -> str:
    told = transition("raise", second, point=f"{point}/x", device=point, priority=priority, **more)
    return keep(database, told)[0][0]


def test_nothing_is_no_figure(database: AlarmDatabase) -> None:
    found = figures(database, now_s=0)
    assert (found.activations, found.active_over_24_h, found.chattering, found.floods) == (0, 0, [], 0)
    assert (found.per_10_min, found.per_hour, found.flood_share, found.busiest_share) == (None, None, None, None)
    assert (found.priorities, found.nuisance_rate, found.per_10_min_most) == (None, None, None)


def test_rates_mix_and_latencies(database: AlarmDatabase) -> None:
    for number, priority in enumerate(["P1", "P2", "P3", "P3", "health"]):
        identifier = raised(database, 100 + number, f"d{number}", priority)
        acknowledge(
            database, Acknowledgement(identifier, 1, identifier), OFFICER, (100 + number + 10 * (number + 1)) * 1000
        )
    judge_false(database, Verdict(raised(database, 200, "d9", "P4"), "wired wrongly", "v"), OFFICER, 210_000)
    found = figures(database)
    assert (found.activations, found.per_10_min, found.per_hour) == (6, 1.0, 6.0)
    assert found.priorities == {"P1": 0.2, "P2": 0.2, "P3": 0.4, "P4": 0.2}
    assert (found.raise_to_ack.count, found.raise_to_ack.median_s, found.raise_to_ack.p95_s) == (5, 30.0, 50.0)
    assert found.nuisance_rate == 0


def test_a_flood_begins_above_ten_and_ends_below_five(database: AlarmDatabase) -> None:
    counts = [11, 7, 4, 10, 12, 0]
    for window, count in enumerate(counts):
        for number in range(count):
            raised(database, window * 600 + number + 1, f"d{window}-{number}")
    found = figures(database)
    assert (found.floods, found.per_10_min_most, found.flood_share) == (2, 12, 2 / 6)
    assert found.busiest_share == pytest.approx(10 / 44)


def test_chattering_is_three_times_within_a_minute(database: AlarmDatabase) -> None:
    for second, point in ((10, "fast"), (12, "slow"), (40, "fast"), (43, "slow"), (70, "fast"), (73, "slow")):
        keep(database, transition("raise", second, point=f"{point}/x", device=point))
        keep(database, transition("return", second + 1, 0, point=f"{point}/x", device=point))
    found = figures(database)
    assert found.chattering == ["fast/x"]
    assert (found.activations, found.busiest[0][1]) == (6, 3)


def test_hidden_ones_load_nobody_and_old_ones_are_counted(database: AlarmDatabase) -> None:
    raised(database, 10, "child", suppression="by_design", cause="gw-1")
    raised(database, 20, "old")
    found = figures(database, now_s=20 + 24 * HOUR)
    assert (found.activations, found.hidden) == (1, 1)
    assert found.active_over_24_h == 1
    assert figures(database, now_s=25 + 24 * HOUR).active_over_24_h == 2
