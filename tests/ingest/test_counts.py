"""Counts per kind and device: what was saved is what a restart begins with, and names without end share a row."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.site import Site
from ingest import counts as counting
from ingest.counts import REST, SCHEMA, Counts, Names


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    yield connection
    connection.close()


def restarted(database: sqlite3.Connection, side: str = "messages") -> Counts:
    counts = Counts(side, 2)
    counts.load(database)
    return counts


def all_of(counts: Counts) -> dict[tuple[str, str], list[int]]:
    return {key: counts.total(key) for key in counts.changed()}


def test_only_what_was_saved_survives(database: sqlite3.Connection) -> None:
    counts = Counts("messages", 2)
    counts.add("gas", "a", 0, 1)
    counts.save(database)
    counts.add("gas", "a", 0, 1)
    counts.add("gas", "b", 1, 5)
    assert counts.kinds() == {"gas": [2, 5]}
    again = restarted(database)
    assert (again.kinds(), all_of(again)) == ({"gas": [1, 0]}, {("gas", "a"): [1, 0]})
    counts.save(database)
    again = restarted(database)
    assert (again.kinds(), all_of(again)) == ({"gas": [2, 5]}, {("gas", "a"): [2, 0], ("gas", "b"): [0, 5]})


def test_two_sides_of_one_file_do_not_mix(database: sqlite3.Connection) -> None:
    one, other = Counts("messages", 2), Counts("store", 2)
    one.add("gas", "a", 0, 1)
    other.add("gas", "a", 0, 7)
    one.save(database)
    other.save(database)
    assert restarted(database).total(("gas", "a")) == [1, 0]
    assert restarted(database, "store").total(("gas", "a")) == [7, 0]


@settings(max_examples=30, deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from("abc"), st.integers(-2, 9), st.sampled_from(["", "save", "kill"]))),
    fold=st.integers(1, 5),
)
def test_saves_kills_and_folding_lose_nothing(steps: list[tuple[str, int, str]], fold: int) -> None:
    """Whatever the order, a restart stands where the last save was."""
    database = sqlite3.connect(":memory:")
    database.executescript(SCHEMA)
    before, counting._FOLD_AFTER = counting._FOLD_AFTER, fold
    try:
        counts, live, saved = restarted(database), dict.fromkeys("abc", 0), dict.fromkeys("abc", 0)
        for device, number, then in steps:
            counts.add("gas", device, 0, number)
            live[device] += number
            if then == "save":
                counts.save(database)
                saved = dict(live)
            elif then == "kill":
                counts, live = restarted(database), dict(saved)
            assert counts.kinds().get("gas", [0])[0] == sum(live.values())
        found = restarted(database)
        assert {device: found.total(("gas", device))[0] for device in "abc"} == saved
        assert database.execute("SELECT count(*) FROM count_changed").fetchone()[0] < fold
    finally:
        counting._FOLD_AFTER = before
        database.close()


def test_what_changed_is_told_once(database: sqlite3.Connection) -> None:
    counts = Counts("messages", 2)
    for device in "ab":
        counts.add("gas", device, 0, 1)
    assert counts.changed() == set()
    counts.save(database)
    assert counts.changed() == {("gas", "a"), ("gas", "b")}
    assert counts.changed() == set()
    counts.add("gas", "b", 0, 1)
    counts.save(database)
    assert counts.changed() == {("gas", "b")}


def test_made_up_names_share_a_row_and_registered_ones_never(
    database: sqlite3.Connection, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "UNREGISTERED_ROWS", 3)
    counts = Counts("messages", 2)
    counts.names.register(site.devices)
    for n in range(10):
        counts.add("", f"made-up-{n}", 0, 1)
    for device in site.devices:
        counts.add("", device, 0, 1)
    counts.save(database)
    found = all_of(counts)
    assert {key for key in found if key[0] == ""} == {
        ("", "made-up-0"),
        ("", "made-up-1"),
        ("", "made-up-2"),
        ("", REST),
    }
    assert found["", REST] == [7, 0]
    # A registered device has its kind, though no topic told it.
    assert found["gas_alarm", "gas-1"] == [1, 0]
    again = restarted(database)
    again.names.register(site.devices)
    again.add("", "made-up-1", 0, 1)
    again.add("", "made-up-9", 0, 1)
    again.save(database)
    assert (again.total(("", "made-up-1")), again.total(("", REST))) == ([2, 0], [8, 0])


def test_both_sides_give_a_device_the_same_row(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks first decides; else produced and stored of one row would never meet."""
    monkeypatch.setattr(counting, "UNREGISTERED_ROWS", 1)
    names = Names()
    names.register(site.devices)
    one, other = Counts("messages", 2, names), Counts("store", 2, names)
    one.add("gas", "x", 0, 1)
    other.add("gas", "y", 0, 1)
    one.add("gas", "y", 0, 1)
    assert names.row("gas", "x") == ("gas", "x")
    assert names.row("gas", "y") == names.row("gas", REST) == ("gas", REST)


def test_a_file_of_before_has_no_counts(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "old.db")
    connection.executescript(SCHEMA)
    assert restarted(connection).kinds() == {}
    connection.close()


def test_what_is_counted_together_is_what_is_counted_one_by_one(
    database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "_WAITING", 5)
    counts = Counts("messages", 2)
    counts.add_each("pole", ["a", "b", "a"], (0, 1))
    counts.add("pole", "a", 1, 10)
    assert counts.kinds() == {"pole": [3, 13]}
    keys = [("pole", "a"), ("pole", "b"), ("pole", "c")]
    assert counts.totals(keys) == {("pole", "a"): [2, 12], ("pole", "b"): [1, 1], ("pole", "c"): [0, 0]}
    counts.save(database)
    assert counts.totals(keys[:1]) == {("pole", "a"): [2, 12]}
    assert all_of(counts) == all_of(restarted(database)) == {("pole", "a"): [2, 12], ("pole", "b"): [1, 1]}
    counts.add_each("pole", ["b"] * 6, (0,))
    assert (counts.kinds(), counts.total(("pole", "b"))) == ({"pole": [9, 13]}, [7, 1])
    counts.add_each("pole", ["b"], (0,))
    counts.clear()
    counts.save(database)
    assert (counts.kinds(), restarted(database).kinds()) == ({"pole": [0, 0]}, {"pole": [0, 0]})
