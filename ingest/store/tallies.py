"""Adding up many rows in the store itself: how many there are by device, and the sum of one field."""

from dataclasses import dataclass
from typing import NamedTuple


class Tally(NamedTuple):
    """How many rows there are, and what their field adds up to."""

    rows: int
    total: float


class Least(NamedTuple):
    """A field is at least so much; with ``more`` it is more than that. Where it has no value this does not hold."""

    field: str
    value: float
    more: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What to add up: the rows of a measurement that have ``field``, once for each case.

    All conditions of a case must hold; a case without any takes every row. With ``minutes`` the rows are the summaries
    of minutes: a condition holds when it held through the minute, and the sum is that of the minutes' means.
    """

    measurement: str
    field: str
    cases: tuple[tuple[Least, ...], ...] = ((),)
    minutes: bool = False

    @property
    def fields(self) -> frozenset[str]:
        """Return every field that is named."""
        return frozenset({self.field, *(least.field for case in self.cases for least in case)})

    @property
    def added(self) -> str:
        """Return the column that is added up."""
        return f"{self.field}_mean" if self.minutes else self.field

    def column(self, least: Least) -> str:
        """Return the column that a condition looks at."""
        return f"{least.field}_min" if self.minutes else least.field
