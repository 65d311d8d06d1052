"""What a replay takes at once: records one by one, and together as a journal keeps them."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, groupby
from operator import itemgetter

from ingest.records import Packed, Records, packed_of

_received_ms = itemgetter(1)
_message = itemgetter(2, 3)


class Block(Records):
    """Records in the order of their receipt; those that come from a journal bring along how they were packed there."""

    __slots__ = ("_begins", "_packed")

    def __init__(self, records: Records, packed: Sequence[Packed] = ()) -> None:
        super().__init__(records.positions, records.received_ms, records.topics, records.payloads)
        self._packed = packed
        self._begins = [0, *accumulate([each.records for each in packed])][:-1]

    def packed(self, begin: int, end: int) -> Sequence[Packed]:
        """Return some of the records as a journal keeps them."""
        begins = self._begins
        low, high = bisect_left(begins, begin), bisect_left(begins, end)
        whole = low < high and begins[low] == begin and (end == len(self) or begins[high : high + 1] == [end])
        if whole:
            return self._packed[low:high]
        records = self[begin:end]
        return [packed_of(at_ms, list(map(_message, instant))) for at_ms, instant in groupby(records, _received_ms)]
