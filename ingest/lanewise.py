"""Rows of several lanes in one column: what came before each in its own lane."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Instants = NDArray[np.int64]
Mask = NDArray[np.bool_]
LanePlaces = NDArray[np.intp]
Number = TypeVar("Number", bound=np.generic)


class Lanewise:
    """Rows in the order they came, each at a place; asked for what stands before it there.

    Attributes:
        places: of each row.
        once: whether no place is there twice.
    """

    __slots__ = ("_again", "_order", "once", "places")

    def __init__(self, places: LanePlaces, once: bool = False) -> None:
        """Look who is there twice, unless it is known that nobody is."""
        self.places = places
        self.once = once
        if once:
            return
        self._order = np.argsort(places, kind="stable")
        in_order = places[self._order]
        self._again: Mask = in_order[1:] == in_order[:-1]
        self.once = not self._again.any()

    def of(self, rows: slice | Mask) -> "Lanewise":
        """Return some of the rows by themselves."""
        return Lanewise(self.places[rows], self.once)

    def before(self, column: NDArray[Number], rows: NDArray[Number]) -> NDArray[Number]:
        """Return of each row what the one before it at its place has, of the first there what stands in a column."""
        found: NDArray[Number] = column[self.places]
        if not self.once:
            order = self._order
            found[order[1:][self._again]] = rows[order[:-1][self._again]]
        return found

    def all_of(self, good: Mask) -> Mask:
        """Tell of each row whether all at its place are good."""
        if self.once or good.all():
            return good
        return ~np.isin(self.places, self.places[~good])
