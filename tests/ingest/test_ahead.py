"""Pieces of one write: the next is made while one is under way, and nothing is left under way."""

import threading
from collections.abc import Callable, Iterator

import pytest

from ingest.errors import StoreError
from ingest.store.ahead import all_taken


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

    assert all_taken(put, made(4, lambda number: ready[number].set()))
    assert written == [0, 1, 2, 3]
    assert all_taken(put, [])


def test_behind_one_that_is_not_taken_none_is_written() -> None:
    written: list[int] = []

    def put(piece: int) -> bool:
        written.append(piece)
        return piece != 1

    assert not all_taken(put, made(4))
    assert written == [0, 1]
    assert not all_taken(put, [1])


@pytest.mark.parametrize("count", [2, 4])
def test_what_goes_wrong_is_raised_where_it_is_waited_for(count: int) -> None:
    written: list[int] = []

    def put(piece: int) -> bool:
        written.append(piece)
        if piece == 1:
            raise OSError("gone")
        return True

    with pytest.raises(OSError, match="gone"):
        all_taken(put, made(count))
    assert written == [0, 1]


def test_when_a_piece_cannot_be_made_the_one_under_way_is_waited_for() -> None:
    failed = threading.Event()
    written: list[int] = []

    def put(piece: int) -> bool:
        assert failed.wait(60)
        written.append(piece)
        return True

    def fail_at_one(number: int) -> None:
        if number == 1:
            failed.set()
            raise ValueError("no line")

    with pytest.raises(ValueError, match="no line"):
        all_taken(put, made(3, fail_at_one))
    assert written == [0]


def test_a_system_without_a_thread_left_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none_left)
    with pytest.raises(StoreError, match="nothing is written while no thread can be started: can't start"):
        all_taken(lambda _: True, made(2))
