"""What a replay takes at once: records one by one, and together as a journal keeps them."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from ingest.records import Packed, Record, packed_of, records_of

_received_ms = itemgetter(1)
_message = itemgetter(2, 3)


class Block(list[Record]):
    """Records in the order of their receipt; those that come from a journal bring along how they were packed there."""

    def __init__(self, records: Sequence[Record] = ()) -> None:
        super().__init__(records)
        self._packed: list[Packed] = []
        self._begins: list[int] = []

    def add(self, first: int, packed: Packed, messages: Sequence[tuple[str, bytes]]) -> None:
        """Add what was received together, from a position on."""
        self._begins.append(len(self))
        self._packed.append(packed)
        self += records_of(first, packed.received_ms, messages)

    def packed(self, begin: int, end: int) -> list[Packed]:
        """Return some of the records as a journal keeps them."""
        begins = self._begins
        low, high = bisect_left(begins, begin), bisect_left(begins, end)
        whole = low < high and begins[low] == begin and (end == len(self) or begins[high : high + 1] == [end])
        if whole:
            return self._packed[low:high]
        records = self[begin:end]
        return [packed_of(at_ms, list(map(_message, instant))) for at_ms, instant in groupby(records, _received_ms)]
