"""Pieces of one write: the next is made while one is under way, and nothing is left under way."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from ingest.store.ahead import Ahead


def made(count: int, tell: Callable[[int], None] = lambda _: None) -> Iterator[int]:
    for number in range(count):
        tell(number)
        yield number


def test_the_next_piece_is_made_while_one_is_under_way() -> None:
    ready = [threading.Event() for _ in range(4)]
    written: list[int] = []

    def put(piece: int) -> bool:
        # Each is answered only once the one behind it is made.
        assert piece == 3 or ready[piece + 1].wait(60)
        written.append(piece)
        return True

    with closing(Ahead(put)) as ahead:
        assert ahead.all_taken(made(4, lambda number: ready[number].set()))
        assert written == [0, 1, 2, 3]
        assert ahead.all_taken([])


def test_behind_one_that_is_not_taken_none_is_written() -> None:
    written: list[int] = []

    def put(piece: int) -> bool:
        written.append(piece)
        return piece != 1

    with closing(Ahead(put)) as ahead:
        assert not ahead.all_taken(made(4))
        assert written == [0, 1]
        assert not ahead.all_taken([1])


def test_what_goes_wrong_is_raised_where_it_is_waited_for() -> None:
    written: list[int] = []

    def put(piece: int) -> bool:
        written.append(piece)
        if piece == 1:
            raise OSError("gone")
        return True

    with closing(Ahead(put)) as ahead:
        for count in (2, 4):
            written.clear()
            with pytest.raises(OSError, match="gone"):
                ahead.all_taken(made(count))
            assert written == [0, 1]
        assert ahead.all_taken(made(1))
