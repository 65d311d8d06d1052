"""Pieces of one write, one behind the other: while a piece is under way, the next is made."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Piece = TypeVar("Piece")


class Ahead(Generic[Piece]):
    """Hands pieces to a thread of its own, which lets nobody wait but for the answer."""

    def __init__(self, put: Callable[[Piece], bool]) -> None:
        """Say who writes a piece, and tells whether it was taken."""
        self._put = put
        self._thread = ThreadPoolExecutor(1, "ahead")

    def all_taken(self, pieces: Iterable[Piece]) -> bool:
        """Write pieces as they are made, up to the first that is not taken; tell whether all were.

        What ``put`` raises is raised here, and nothing is under way then.
        """
        under_way: Future[bool] | None = None
        for piece in pieces:
            if under_way is not None and not under_way.result():
                return False
            under_way = self._thread.submit(self._put, piece)
        return under_way is None or under_way.result()

    def close(self) -> None:
        """End the thread, once what is under way is answered."""
        self._thread.shutdown()
