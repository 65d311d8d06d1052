"""The window of repeats: nothing but the journal decides, so a restart decides alike."""

import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.lanes import Lanes
from ingest import repeats
from ingest.lanewise import Lanewise
from ingest.repeats import FOREIGN_MS, Repeats

BLOCK = repeats.BLOCK


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    with monkeypatch.context() as patch:
        patch.setattr(repeats, "BLOCK", 8)
        yield 8


# first position, second position, is the second one a repeat?
WINDOW = [
    (1, 2, True),
    (1, BLOCK - 1, True),
    (1, BLOCK, True),
    (1, 2 * BLOCK - 1, True),
    (1, 2 * BLOCK, False),
    (BLOCK - 1, 2 * BLOCK - 1, True),
    (BLOCK, 2 * BLOCK, True),
    (BLOCK, 3 * BLOCK - 1, True),
    (BLOCK, 3 * BLOCK, False),
    (BLOCK, 9 * BLOCK, False),
]


@pytest.mark.parametrize(("first", "second", "repeat"), WINDOW)
def test_the_window_is_this_block_and_the_one_before(first: int, second: int, repeat: bool) -> None:
    window = Repeats()
    assert window.seen("k", first, 0, foreign=False) is False
    assert window.seen("other", second - 1, 0, foreign=False) is False
    assert window.seen("k", second, 0, foreign=False) is repeat


@pytest.mark.parametrize("foreign", [False, True])
def test_an_empty_key_never_repeats(foreign: bool) -> None:
    window = Repeats()
    assert not any(window.seen("", position, 0, foreign) for position in range(1, 50))


@pytest.mark.parametrize(
    ("foreign", "gap_ms", "repeat"),
    [
        (True, 0, True),
        (True, FOREIGN_MS, True),
        (True, FOREIGN_MS + 1, False),
        (False, FOREIGN_MS + 1, True),
        (False, 30 * FOREIGN_MS, True),
    ],
)
def test_foreign_keys_repeat_within_ten_minutes(foreign: bool, gap_ms: int, repeat: bool) -> None:
    window = Repeats()
    window.seen("k", 1, 1000, foreign)
    assert window.seen("k", 2, 1000 + gap_ms, foreign) is repeat


def test_ten_minutes_count_from_what_was_news() -> None:
    """A device that repeats itself every six minutes is heard every second time, not never again."""
    window = Repeats()
    six = 6 * 60_000
    assert [window.seen("k", 1 + i, i * six, foreign=True) for i in range(6)] == [False, True] * 3


def test_a_key_that_keeps_coming_stays_known_over_many_blocks() -> None:
    window = Repeats()
    assert window.seen("k", 1, 0, foreign=False) is False
    assert all(window.seen("k", block * BLOCK + 5, 0, foreign=False) for block in range(1, 6))


def test_a_position_far_ahead_forgets_everything() -> None:
    window = Repeats()
    window.seen("k", BLOCK, 0, foreign=False)
    window.seen("x", 3 * BLOCK, 0, foreign=False)
    assert window.seen("k", 3 * BLOCK + 1, 0, foreign=False) is False


STARTS = [(0, 0), (1, 0), (BLOCK, 0), (2 * BLOCK - 1, 0), (2 * BLOCK, BLOCK - 1), (99 * BLOCK + 7, 98 * BLOCK - 1)]


@pytest.mark.parametrize(("position", "after"), STARTS)
def test_where_the_window_of_a_position_begins(position: int, after: int) -> None:
    assert Repeats.window_start(position) == after


JOURNAL = st.lists(
    st.tuples(st.sampled_from(["", "a", "b", "c", "d"]), st.integers(0, 4 * 60_000), st.booleans()),
    min_size=20,
    max_size=70,
)


@settings(max_examples=300)
@given(journal=JOURNAL, cut=st.integers(0, 70))
def test_a_restart_anywhere_decides_as_if_it_had_not_been(journal: list[tuple[str, int, bool]], cut: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "BLOCK", 8)
        rows, now = [], 0
        for position, (key, gap, foreign) in enumerate(journal, 1):
            now += gap
            # A key belongs to one device, and a device speaks one format.
            rows.append((key, position, now, foreign if key == "" else key in "ab"))
        through = Repeats()
        verdicts = [through.seen(*row) for row in rows]
        cut = min(cut, len(rows))
        again = Repeats()
        for row in rows[Repeats.window_start(cut) : cut]:
            again.seen(*row)
        assert [again.seen(*row) for row in rows[cut:]] == verdicts[cut:]


class Numbered:
    """Lanes with places, and a window that knows them."""

    def __init__(self) -> None:
        self.lanes = {channel: Lanes(channel) for channel in ("telemetry", "event")}
        self.window = Repeats(self.find)

    def find(self, lane: str) -> tuple[Lanes, int] | None:
        device, channel, _ = lane.split("|")
        place = self.lanes[channel].known(device)
        return None if place is None else (self.lanes[channel], place)

    def newer(self, channel: str, position: int, *messages: tuple[str, int, int]) -> list[bool]:
        """Ask for messages of one channel: device, instant and number."""
        lanes = self.lanes[channel]
        places = np.array([lanes.place(device) for device, *_ in messages])
        at_ms, seqs = (np.array([message[column] for message in messages]) for column in (1, 2))
        received_ms = np.full(len(messages), position)
        found: list[bool] = self.window.newer(position, lanes, Lanewise(places), at_ms, seqs, received_ms).tolist()
        return found


MESSAGES = st.lists(
    st.tuples(
        st.sampled_from([("lamp-1", "telemetry"), ("lamp-2", "telemetry"), ("lamp-2", "event")]),
        st.integers(0, 12),
        st.integers(0, 2),
        st.sampled_from(["numbers", "text", "id"]),
    ),
    min_size=20,
    max_size=70,
)


@settings(max_examples=500)
@given(MESSAGES)
def test_what_is_noted_as_numbers_is_known_as_text(messages: list[tuple[tuple[str, str], int, int, str]]) -> None:
    """Whichever way messages are read, the same are repeats."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "BLOCK", 8)
        mixed, plain = Numbered(), Repeats()
        for position, ((device, channel), at_ms, seq, form) in enumerate(messages, 1):
            lane = f"{device}|{channel}|"
            key = f"{lane}id:{seq}" if form == "id" else f"{lane}{at_ms}:{seq}"
            newer = form == "numbers" and mixed.newer(channel, position, (device, at_ms, seq)) == [True]
            fresh = newer or mixed.window.fresh(key, position, position)
            found = False if fresh else mixed.window.seen(key, position, position, foreign=False)
            assert found is plain.seen(key, position, position, foreign=False)


@settings(max_examples=300)
@given(MESSAGES, st.lists(st.integers(0, 70), max_size=20))
def test_messages_noted_together_are_known_as_text(
    messages: list[tuple[tuple[str, str], int, int, str]], cuts: list[int]
) -> None:
    """Of a lane in which one is not newer none is noted; then all of it is asked one by one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "BLOCK", 8)
        together, plain = Numbered(), Repeats()
        rows = [(device, at_ms, seq) for (device, channel), at_ms, seq, _ in messages if channel == "telemetry"]
        for start, stop in pairwise(sorted({0, len(rows), *range(7, len(rows), 8), *(c % len(rows) for c in cuts)})):
            newer = together.newer("telemetry", start + 1, *rows[start:stop])
            for position, (device, at_ms, seq) in enumerate(rows[start:stop], start + 1):
                key = f"{device}|telemetry|{at_ms}:{seq}"
                found = not newer[position - start - 1] and together.window.seen(key, position, position, foreign=False)
                assert found is plain.seen(key, position, position, foreign=False)


def test_a_lane_that_goes_on_is_noted_and_one_that_stood_ahead_is_again_after_a_while(small_blocks: int) -> None:
    found = Numbered()
    found.window.seen("other", 1, 0, foreign=False)
    asked = [found.newer("telemetry", 2, ("a", at_ms, 0)) for at_ms in (5, 6, 6, 4, 7)]
    assert asked == [[True], [True], [False], [False], [True]]
    assert found.newer("telemetry", 2, ("a", 8, 0), ("b", 1, 0), ("a", 8, 1), ("b", 2, 0)) == [False, True, False, True]
    found.window.seen("a|telemetry|99:0", 3, 0, foreign=False)
    assert found.newer("telemetry", 4, ("a", 10, 0)) == [False]
    for block in (1, 2):
        found.window.seen("other", block * small_blocks, 0, foreign=False)
        assert found.newer("telemetry", block * small_blocks, ("a", 11, 0)) == [block == 2]


def test_a_lane_that_gets_its_place_late_is_not_behind_itself() -> None:
    found = Numbered()
    assert not found.window.seen("a|telemetry|9:0", 1, 0, foreign=False)
    assert found.newer("telemetry", 2, ("a", 9, 0)) == [False]
    assert found.newer("telemetry", 2, ("a", 10, 0)) == [True]


class Growing(Lanes):
    """Gets another place by another thread, behind one of the looks at how many there are."""

    __slots__ = ("look", "looks")

    def __len__(self) -> int:
        count = super().__len__()
        self.looks += 1
        if self.looks == self.look:
            self.place("late")
        return count


@pytest.mark.parametrize("look", [1, 2, 3])
@pytest.mark.parametrize("known", [0, 4])
def test_a_place_that_another_thread_gives_meanwhile_loses_nothing(look: int, known: int) -> None:
    lanes = Growing("telemetry")
    lanes.looks, lanes.look = 0, -1
    window = Repeats(lambda lane: None if (place := lanes.known(lane.partition("|")[0])) is None else (lanes, place))
    window.seen("late|telemetry|9:0", 1, 0, foreign=False)

    def newer(*devices: str, at_ms: int) -> list[bool]:
        places = np.array([lanes.place(device) for device in devices])
        instants = np.full(len(devices), at_ms)
        found: list[bool] = window.newer(2, lanes, Lanewise(places), instants, instants, instants).tolist()
        return found

    if known:
        newer(*(f"before-{number}" for number in range(known)), at_ms=1)
    lanes.looks, lanes.look = 0, look
    assert newer("a", "b", "c", at_ms=5) == [True, True, True]
    assert newer("late", at_ms=9) == [False]
    assert newer("late", at_ms=10) == [True]


def test_single_messages_take_no_more_memory_than_many_together() -> None:
    """A small city's come one by one, and as many stand in the window as in that of a large one."""

    def taken(together: int) -> int:
        found = Numbered()
        tracemalloc.start()
        for begin in range(0, 4_000, together):
            found.newer("telemetry", 2, *(("lamp", n, n) for n in range(begin, begin + together)))
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return size

    assert taken(1) < 1.5 * taken(1_000) < 600_000


def test_messages_that_are_not_newer_do_not_go_through_all_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that sends what it kept, between live messages of a city: each costs what it is, whoever else spoke."""
    found = Numbered()
    found.window.seen("other", 1, 0, foreign=False)
    assert all(found.newer("telemetry", 2, *((f"lamp-{number}", 9, 1) for number in range(1_000))))
    touched: list[str] = []
    add = repeats._Block.add
    monkeypatch.setattr(repeats._Block, "add", lambda self, key, *rest: (touched.append(key), add(self, key, *rest)))
    for number in range(100):
        assert found.newer("telemetry", 2_000 + number, (f"lamp-{number}", 10, 2)) == [True]
        assert found.window.fresh(f"lamp-{number}|telemetry|5:0", 3_000 + number, 0)
    assert len(touched) == 1_000 + 2 * 100


def test_the_window_holds_at_least_what_a_broker_may_have_in_flight(small_blocks: int) -> None:
    assert BLOCK >= 65_535
    for first in range(1, 40):
        window = Repeats()
        window.seen("k", first, 0, foreign=False)
        for position in range(first + 1, first + small_blocks):
            window.seen(f"other {position}", position, 0, foreign=False)
        assert window.seen("k", first + small_blocks, 0, foreign=False)
