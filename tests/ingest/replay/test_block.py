"""Blocks of a replay: wherever they are cut, what is packed holds the same records."""

import itertools
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.journal import Journal
from ingest.records import RETRY, RULES, TICK, Packed, Record, Records, packed_of
from ingest.replay.block import Block
from ingest.replay.source import journal_source
from ingest.watchdog import topic_of
from tests.ingest.replay.recorded import T_MS

Message = tuple[str, bytes]
BATCHES: list[tuple[int, list[Message]]] = [
    (T_MS, [(TICK, b""), ("city/a", b"0"), ("city/b", b"1")]),
    (T_MS, [("city/a", b"2")]),
    (T_MS + 5, [("city/c", b"3"), ("city/a", b"4")]),
    (T_MS + 1_000, [(TICK, b"")]),
    (T_MS + 1_000, [("city/b", b"5"), ("city/c", b"6"), ("city/c", b"7")]),
]


def of_a_journal() -> Block:
    packed = [packed_of(at_ms, messages) for at_ms, messages in BATCHES]
    times, messages = zip(*BATCHES, strict=True)
    return Block(Records.joined(1, times, messages), packed)


def kept(folder: Path, parts: list[Sequence[Packed]]) -> tuple[Records, int]:
    journal = Journal(folder)
    for part in parts:
        journal.append_packed(part)
    found = journal.read(0, 100)
    assert found == Journal(folder).read(0, 100)
    journal.close()
    return found, journal.messages


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("from_journal", [True, False])
def test_wherever_it_is_cut(tmp_path: Path, seed: int, from_journal: bool) -> None:
    block = of_a_journal() if from_journal else Block(Records.of(list(of_a_journal())))
    cuts = sorted({0, len(block), *random.Random(seed).sample(range(1, len(block)), seed % len(block))})
    parts = [block.packed(begin, end) for begin, end in itertools.pairwise(cuts)]
    assert kept(tmp_path, parts) == (list(block), 8)


def test_a_journal_is_taken_over_as_it_is() -> None:
    heard = [(at_ms, *message) for at_ms, messages in BATCHES for message in messages]
    assert list(of_a_journal()) == [Record(position, *each) for position, each in enumerate(heard, 1)]
    assert of_a_journal().packed(0, 10) == [packed_of(at_ms, messages) for at_ms, messages in BATCHES]
    assert of_a_journal().packed(3, 6) == [packed_of(at_ms, messages) for at_ms, messages in BATCHES[1:3]]


def test_of_nothing_nothing() -> None:
    assert Block(Records.of([])).packed(0, 0) == []
    assert of_a_journal().packed(4, 4) == []


def test_what_the_collector_wrote_for_itself_is_left_out(tmp_path: Path) -> None:
    """Also where nothing else was received with it."""
    own: list[Message] = [(topic_of("main"), b'{"at":1}'), (RETRY, b""), (RULES, b"")]
    together: list[list[Message]] = [[("city/a", b"1")], own, own[:1], [*own, ("city/b", b"$2")], [("city/c", b"3")]]
    journal = Journal(tmp_path / "journal")
    for second, messages in enumerate(together):
        journal.append(messages, T_MS + second)
    journal.close()
    (block,) = journal_source(tmp_path / "journal", None, None).records()
    heard = [("city/a", b"1"), ("city/b", b"$2"), ("city/c", b"3")]
    assert block == [Record(place + 1, T_MS + at, *heard[place]) for place, at in enumerate((0, 3, 4))]
    assert kept(tmp_path / "copy", [block.packed(0, 3)]) == (block, 3)
