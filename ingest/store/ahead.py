"""Pieces of one write, one behind the other: while a piece is under way, the next is made."""

import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from ingest.errors import StoreError

Piece = TypeVar("Piece")


def all_taken(put: Callable[[Piece], bool], pieces: Iterable[Piece]) -> bool:
    """Write pieces as they are made, up to the first that is not taken; tell whether all were.

    What goes wrong with a piece, or with making one, is raised here; either way nothing is under way any more then.
    Where the system has no thread left that is a StoreError.

    Args:
        put: writes a piece and tells whether it was taken; called in another thread, one piece at a time.
        pieces: what is to be written; the next is asked for while one is under way.
    """
    under_way: _UnderWay[Piece] | None = None
    try:
        for piece in pieces:
            if under_way is not None and not under_way.taken():
                return False
            begun = _UnderWay(put, piece)
            begun.begin()
            under_way = begun
        return under_way is None or under_way.taken()
    finally:
        if under_way is not None:
            under_way.join()


class _UnderWay(threading.Thread, Generic[Piece]):
    """A piece that is being written; a process that ends does not wait for it."""

    def __init__(self, put: Callable[[Piece], bool], piece: Piece) -> None:
        super().__init__(name="ahead", daemon=True)
        self._put = put
        self._piece = piece
        self._taken = False
        self._error: Exception | None = None

    def begin(self) -> None:
        try:
            self.start()
        except RuntimeError as error:
            raise StoreError(f"nothing is written while no thread can be started: {error}") from error

    def run(self) -> None:
        try:
            self._taken = self._put(self._piece)
        except Exception as error:  # noqa: BLE001 - whoever waits for it is told
            self._error = error

    def taken(self) -> bool:
        """Wait for it, and tell whether it was taken."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._taken
