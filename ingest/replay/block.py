"""What a replay takes at once: records one by one, and together as a journal keeps them."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, count, groupby, repeat
from operator import itemgetter
from typing import Self

from ingest.records import Packed, Record, packed_of

# As in ingest.records: one is made for every message.
_new = tuple.__new__
_received_ms = itemgetter(1)
_message = itemgetter(2, 3)


class Block(list[Record]):
    """Records in the order of their receipt; those that come from a journal bring along how they were packed there."""

    def __init__(self, records: Iterable[Record] = (), packed: Sequence[Packed] = ()) -> None:
        super().__init__(records)
        self._packed = list(packed)
        self._begins = [0, *accumulate([each.records for each in packed])][:-1]

    @classmethod
    def of(cls, first: int, packed: Sequence[Packed], messages: Sequence[Sequence[tuple[str, bytes]]]) -> Self:
        """Return batches as they were received, each packed and as its messages, from a position on."""
        times = chain.from_iterable([repeat(each.received_ms, each.records) for each in packed])
        flat = zip(count(first), times, chain.from_iterable(messages), strict=False)
        return cls(
            [_new(Record, (position, received_ms, topic, payload)) for position, received_ms, (topic, payload) in flat],
            packed,
        )

    def packed(self, begin: int, end: int) -> list[Packed]:
        """Return some of the records as a journal keeps them."""
        begins = self._begins
        low, high = bisect_left(begins, begin), bisect_left(begins, end)
        whole = low < high and begins[low] == begin and (end == len(self) or begins[high : high + 1] == [end])
        if whole:
            return self._packed[low:high]
        records = self[begin:end]
        return [packed_of(at_ms, list(map(_message, instant))) for at_ms, instant in groupby(records, _received_ms)]
