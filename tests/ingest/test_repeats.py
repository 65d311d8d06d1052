"""The window of repeats: nothing but the journal decides, so a restart decides alike."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import repeats
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


MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["lamp-1|telemetry|", "lamp-2|telemetry|", "lamp-2|event|"]),
        st.integers(0, 12),
        st.integers(0, 2),
        st.sampled_from(["numbers", "text", "id"]),
    ),
    min_size=20,
    max_size=70,
)


@settings(max_examples=500)
@given(MESSAGES)
def test_what_is_noted_as_numbers_is_known_as_text(messages: list[tuple[str, int, int, str]]) -> None:
    """Whichever way messages are read, the same are repeats."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "BLOCK", 8)
        mixed, plain = Repeats(), Repeats()
        for position, (lane, at_ms, seq, form) in enumerate(messages, 1):
            key = f"{lane}id:{seq}" if form == "id" else f"{lane}{at_ms}:{seq}"
            newer = form == "numbers" and mixed.newer(lane, at_ms, seq, position, position)
            fresh = newer or mixed.fresh(key, position, position)
            found = False if fresh else mixed.seen(key, position, position, foreign=False)
            assert found is plain.seen(key, position, position, foreign=False)


def test_a_lane_that_goes_on_is_noted_and_one_that_stood_ahead_is_again_after_a_while(small_blocks: int) -> None:
    window = Repeats()
    window.seen("other", 1, 0, foreign=False)
    assert [window.newer("a|telemetry|", at_ms, 0, 2, 0) for at_ms in (5, 6, 6, 4, 7)] == [
        True,
        True,
        False,
        False,
        True,
    ]
    window.seen("a|telemetry|99:0", 3, 0, foreign=False)
    assert not window.newer("a|telemetry|", 8, 0, 4, 0)
    for block in (1, 2):
        window.seen("other", block * small_blocks, 0, foreign=False)
        assert window.newer("a|telemetry|", 9, 0, block * small_blocks, 0) is (block == 2)


def test_messages_that_are_not_newer_do_not_go_through_all_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that sends what it kept, between live messages of a city: each costs what it is, whoever else spoke."""
    window = Repeats()
    window.seen("other", 1, 0, foreign=False)
    for number in range(1_000):
        assert window.newer(f"lamp-{number}|telemetry|", 9, 1, 2 + number, 0)
    touched: list[str] = []
    add = repeats._Block.add
    monkeypatch.setattr(repeats._Block, "newest", lambda _: pytest.fail("all lanes were gone through"))
    monkeypatch.setattr(repeats._Block, "add", lambda self, key, *rest: (touched.append(key), add(self, key, *rest)))
    for number in range(100):
        assert window.newer(f"lamp-{number}|telemetry|", 10, 2, 2_000 + number, 0)
        assert window.fresh(f"lamp-{number}|telemetry|5:0", 3_000 + number, 0)
    assert len(touched) == 1_000 + 2 * 100


def test_the_window_holds_at_least_what_a_broker_may_have_in_flight(small_blocks: int) -> None:
    assert BLOCK >= 65_535
    for first in range(1, 40):
        window = Repeats()
        window.seen("k", first, 0, foreign=False)
        for position in range(first + 1, first + small_blocks):
            window.seen(f"other {position}", position, 0, foreign=False)
        assert window.seen("k", first + small_blocks, 0, foreign=False)
