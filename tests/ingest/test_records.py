"""Records by column are the records that they were made of, however they are cut."""

import random

import msgspec
import pytest

from ingest.records import Record, Records

T_MS = 1_767_225_600_000
LIST = [Record(n, T_MS + n // 3, f"city/{n % 4}", str(n).encode()) for n in range(7, 27)]


def test_one_by_one_and_by_place() -> None:
    records = Records.of(LIST)
    assert list(records) == [records[place] for place in range(20)] == LIST
    assert records[-1] == LIST[-1]
    assert (len(records), records == LIST, records == LIST[1:], records == "city") == (20, True, False, False)
    with pytest.raises(IndexError):
        records[20]


def test_what_is_asked_for_is_of_python() -> None:
    """A number of numpy's is none to those who write it as MessagePack."""
    records = Records.of(LIST)
    assert msgspec.msgpack.encode([*records, records[3]]) == msgspec.msgpack.encode([*LIST, LIST[3]])


@pytest.mark.parametrize("seed", range(20))
def test_some_of_them(seed: int) -> None:
    dice = random.Random(seed)
    begin, end, position = dice.randrange(-25, 25), dice.randrange(-25, 25), dice.randrange(0, 35)
    assert Records.of(LIST)[begin:end] == LIST[begin:end]
    assert Records.of(LIST[begin:end]) == LIST[begin:end]
    assert Records.of(LIST).upto(position) == [each for each in LIST if each.position <= position]


def test_batches_that_follow_one_another() -> None:
    messages = [[("city/a", b"1"), ("city/b", b"2")], [], [("city/a", b"3")]]
    assert Records.joined(5, [T_MS, T_MS + 1, T_MS + 2], messages) == [
        Record(5, T_MS, "city/a", b"1"),
        Record(6, T_MS, "city/b", b"2"),
        Record(7, T_MS + 2, "city/a", b"3"),
    ]


def test_none() -> None:
    for nothing in (Records.of([]), Records.joined(1, [], []), Records.of(LIST)[3:3], Records.of(LIST).upto(6)):
        assert (nothing == [], bool(nothing), list(nothing)) == (True, False, [])
