"""Quarantine counts without bound and remembers a little."""

import sqlite3
from collections.abc import Iterator

import pytest

from ingest import quarantine
from ingest.quarantine import SAMPLES_PER_GROUP, Group, Keeping, Quarantined, Teller, groups, samples


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(quarantine.SCHEMA)
    yield connection
    connection.close()


def keep(database: sqlite3.Connection, found: list[Quarantined]) -> None:
    """Add to the groups as a process that has just started does."""
    Keeping().keep(database, found)


def item(position: int, reason: str = "json", device: str = "gas-1", sentence: str = "not JSON") -> Quarantined:
    return Quarantined(position, 1000 + position, reason, device, f"city/{device}", sentence)


def test_groups_by_reason_and_device_the_largest_first(database: sqlite3.Connection) -> None:
    keep(database, [item(1), item(2, device="gas-2"), item(3, "type"), item(4, sentence="again not JSON")])
    keep(database, [item(9, "type"), item(10)])
    assert groups(database) == [
        Group("json", "gas-1", 3, 1001, 1010, "not JSON"),
        Group("type", "gas-1", 2, 1003, 1009, "not JSON"),
        Group("json", "gas-2", 1, 1002, 1002, "not JSON"),
    ]


def test_the_count_is_never_bounded_and_the_samples_are(database: sqlite3.Connection) -> None:
    total = 3 * SAMPLES_PER_GROUP + 7
    for start in range(0, total, 11):
        keep(database, [item(position) for position in range(start, min(start + 11, total))])
    assert groups(database)[0].count == total
    kept = samples(database, "json", "gas-1")
    assert [sample.position for sample in kept] == list(range(SAMPLES_PER_GROUP))
    assert kept[0] == item(0)


def test_samples_of_another_group_do_not_mix(database: sqlite3.Connection) -> None:
    keep(database, [item(1), item(2, "type"), item(3, device="gas-2")])
    assert [sample.position for sample in samples(database, "type", "gas-1")] == [2]
    assert samples(database, "nothing", "gas-1") == []


def test_made_up_devices_end_in_one_group_per_reason(
    database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "_MAX_GROUPS", 5)
    keeping = Keeping()
    keeping.keep(database, [item(n, device=f"made-up-{n}") for n in range(20)])
    keeping.keep(database, [item(n, device=f"made-up-{n}") for n in range(20, 40)])
    keep(database, [item(50, device="made-up-0")])
    found = {group.device: group.count for group in groups(database)}
    assert found == {"…": 35, "made-up-0": 2, **{f"made-up-{n}": 1 for n in range(1, 5)}}
    assert sum(found.values()) == 41
    assert len(samples(database, "json", "…")) == 35


def test_long_foreign_words_are_cut(database: sqlite3.Connection) -> None:
    keep(database, [Quarantined(1, 1, "topic", "x", "t" * 65_535, "s" * 9_999)])
    (kept,) = samples(database, "topic", "x")
    assert (len(kept.topic), len(kept.sentence), len(groups(database)[0].sentence)) == (500, 500, 500)


def test_several_refused_lines_of_one_message_count_each(database: sqlite3.Connection) -> None:
    keep(database, [item(1, "refused"), item(1, "refused")])
    assert groups(database)[0].count == 2
    assert len(samples(database, "refused", "gas-1")) == 1


def test_a_flood_is_told_in_a_few_lines() -> None:
    """Each reason and device is told once a minute, thirty in all; the next minute tells again."""
    teller = Teller()

    def told(devices: int, at_ms: int) -> int:
        found = [Quarantined(n, at_ms, "json", f"d{n % devices}", "t", "s") for n in range(1000)]
        return sum(teller.worth(item) for item in found)

    assert told(3, 60_000) == 3
    assert told(3, 119_999) == 0
    assert told(500, 120_000) == 30
