"""What changed is made ready for a save a piece at a time, and saved as it is at that moment."""

import time
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.alarms.memory import DeviceState, Memory
from ingest.unsaved import Unsaved

DEVICES = [f"lamp-{number}" for number in range(20)]


def city() -> Memory:
    memory = Memory()
    for name in DEVICES:
        memory.add(name, DeviceState("light_pole", "xihu"))
    memory.changes()
    return memory


@settings(max_examples=200)
@given(st.lists(st.lists(st.sampled_from(DEVICES), max_size=8), min_size=1, max_size=12))
def test_states_are_those_of_the_moment_of_the_save(changes: list[list[str]]) -> None:
    """Whatever changes between two pieces, and however often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.unsaved.PIECE", 3)
        memory = city()
        unsaved = Unsaved(memory)
        changed: set[str] = set()
        unsaved.begin_where_due(time.monotonic())
        for seen_ms, names in enumerate(changes, 1):
            for name in names:
                memory.devices[name].seen_ms = seen_ms
            unsaved.note(names)
            changed.update(names)
            unsaved.prepare()
        assert unsaved.take() == memory.encoded(changed)
        assert unsaved.take() == {}


def test_where_all_change_all_the_time_it_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.unsaved.PIECE", 3)
    memory = city()
    unsaved = Unsaved(memory)
    unsaved.note(DEVICES)
    unsaved.begin_where_due(time.monotonic())
    pieces = 0
    while not unsaved.prepare():
        pieces += 1
        unsaved.note(DEVICES)
    assert pieces == 14
    assert set(unsaved.take()) == set(DEVICES)


def test_few_are_saved_at_once() -> None:
    unsaved = Unsaved(city())
    unsaved.note(DEVICES)
    unsaved.begin_where_due(time.monotonic())
    assert unsaved.busy
    assert unsaved.prepare()


def test_behind_a_save_comes_a_rest_of_a_hundred_times_what_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the journal's clock or by ours, whichever is there first."""
    now_s = 50.0
    monkeypatch.setattr("ingest.unsaved.time", SimpleNamespace(monotonic=lambda: now_s))
    memory = city()
    unsaved = Unsaved(memory)
    for lasted_s, rest_s in ((0.0, 1), (0.05, 5), (9.0, 10)):
        memory.now_ms = 1_000_000
        unsaved.worked(lasted_s, saved=True)
        for ahead_ms, ahead_s, due in (
            (rest_s * 1_000 - 1, 0.0, False),
            (rest_s * 1_000, 0.0, True),
            (0, rest_s, True),
        ):
            unsaved.busy = False
            memory.now_ms = 1_000_000 + ahead_ms
            unsaved.begin_where_due(now_s + ahead_s)
            assert unsaved.busy is due
