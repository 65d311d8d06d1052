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


def test_the_window_holds_at_least_what_a_broker_may_have_in_flight(small_blocks: int) -> None:
    assert BLOCK >= 65_535
    for first in range(1, 40):
        window = Repeats()
        window.seen("k", first, 0, foreign=False)
        for position in range(first + 1, first + small_blocks):
            window.seen(f"other {position}", position, 0, foreign=False)
        assert window.seen("k", first + small_blocks, 0, foreign=False)
