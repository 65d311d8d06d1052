"""The journal: in order, without gaps, durable or not written at all."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.errors import JournalError
from ingest.journal import Journal
from ingest.records import AWAY, TICK
from tests.ingest.journals import HOUR_MS, T_MS, batch, fill
from tests.servers.small_disk import small_disk
from tests.servers.waiting import wait_until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def journal(folder: Path) -> Iterator[Journal]:
    opened = Journal(folder)
    yield opened
    opened.close()


def test_an_empty_journal_has_nothing_to_read(journal: Journal) -> None:
    assert (journal.last, journal.messages, journal.first(), journal.read(0, 10)) == (0, 0, 0, [])
    assert journal.wait(0, 0) is False


def test_what_is_appended_is_read_later(journal: Journal) -> None:
    assert journal.append([*batch(3), (TICK, AWAY)], T_MS) == range(1, 5)
    written = journal.read(0, 10)
    assert [(r.position, r.received_ms, r.topic, r.payload) for r in written] == [
        (1, T_MS, "city/0", b"\x00\xff0"),
        (2, T_MS, "city/1", b"\x00\xff1"),
        (3, T_MS, "city/2", b"\x00\xff2"),
        (4, T_MS, TICK, AWAY),
    ]
    assert journal.read(0, 10) == written
    assert (journal.last, journal.messages) == (4, 3)


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_files_tell_the_same_as_memory_from_every_position(folder: Path, journal: Journal, limit: int) -> None:
    messages = fill(journal, hours=3, per_hour=20)
    assert len(list(folder.glob("*.db"))) == 3
    reopened = Journal(folder)
    try:
        assert (reopened.last, reopened.received_ms, reopened.messages) == (60, journal.received_ms, 60)
        for after in range(60):
            in_memory, on_disk = journal.read(after, limit), reopened.read(after, limit)
            assert on_disk[: len(in_memory)] == in_memory
            assert on_disk == journal.read(after, len(on_disk))
            assert [(r.topic, r.payload) for r in on_disk] == messages[after : after + len(on_disk)]
            assert len(on_disk) >= min(limit, 60 - after)
    finally:
        reopened.close()


def test_following_in_small_steps_sees_every_position_once(folder: Path, journal: Journal) -> None:
    fill(journal, hours=3, per_hour=20)
    reopened = Journal(folder)
    positions: list[int] = []
    while found := reopened.read(positions[-1] if positions else 0, 7):
        positions += [record.position for record in found]
    assert positions == list(range(1, 61))


def test_a_reopened_journal_goes_on_where_it_was(folder: Path, journal: Journal) -> None:
    fill(journal, hours=2, per_hour=10)
    journal.close()
    reopened = Journal(folder)
    added = reopened.append(batch(2, 20), T_MS + HOUR_MS + 9)
    assert [*added] == [21, 22]
    assert [record.position for record in reopened.read(0, 100)] == list(range(1, 23))
    reopened.close()


def test_a_clock_that_goes_back_does_not_turn_time_back(folder: Path, journal: Journal) -> None:
    journal.append(batch(1), T_MS + HOUR_MS)
    journal.append(batch(1, 1), T_MS)
    assert [record.received_ms for record in journal.read(0, 10)] == [T_MS + HOUR_MS] * 2
    journal.close()
    reopened = Journal(folder)
    reopened.append(batch(1, 2), T_MS - 5 * HOUR_MS)
    times = [r.received_ms for r in reopened.read(0, 10)]
    reopened.close()
    assert times == [T_MS + HOUR_MS] * 3
    assert len(list(folder.glob("*.db"))) == 1


def test_batches_appended_together_are_as_if_one_by_one(folder: Path, tmp_path: Path) -> None:
    """Over the end of an hour, with a clock that goes back, and with an empty one between."""
    times = [T_MS, T_MS + 5, T_MS + HOUR_MS, T_MS + 7, T_MS + HOUR_MS + 1, T_MS + 3 * HOUR_MS]
    parts = [(batch(3, 10 * n), at_ms) for n, at_ms in enumerate(times)]
    together, single = Journal(folder), Journal(tmp_path / "single")
    assert together.append_each(parts[:1]) == range(1, 4)
    assert together.append_each(parts[1:]) == range(4, 19)
    assert together.append_each([]) == together.append([], T_MS) == range(19, 19)
    for part in parts:
        single.append(*part)
    expected = single.read(0, 100)
    assert together.read(0, 100) == expected
    assert (together.last, together.received_ms, together.messages) == (18, T_MS + 3 * HOUR_MS, 18)
    together.close()
    single.close()
    reopened = Journal(folder)
    assert reopened.read(0, 100) == expected
    assert reopened.read(7, 1)[0] == expected[7]
    assert len(list(folder.glob("*.db"))) == 3
    reopened.close()


def _limit_pages(journal: Journal, pages: int) -> None:
    writer = journal._writer
    assert writer is not None
    writer.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_writes_nothing_by_half_and_works_again_later(folder: Path, journal: Journal) -> None:
    journal.append(batch(5), T_MS)
    _limit_pages(journal, 3)
    with pytest.raises(JournalError, match=r"cannot write .*full.*; messages stay with the broker until it can"):
        journal.append([("city/large", b"x" * 100_000), *batch(5)], T_MS)
    assert (journal.last, journal.messages) == (5, 5)
    assert len(journal.read(0, 100)) == 5
    # The failed writer is given up, and with it the limit: as if somebody had made room.
    assert [*journal.append([("city/large", b"x" * 100_000)], T_MS)] == [6]
    journal.close()
    assert [r.position for r in Journal(folder).read(0, 100)] == [1, 2, 3, 4, 5, 6]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "1m") as folder:
        yield folder


def test_a_disk_that_is_really_full(disk: Path) -> None:
    journal = Journal(disk / "journal")
    journal.append(batch(5), T_MS)
    (disk / "filler").write_bytes(b"")
    with (disk / "filler").open("ab", buffering=0) as filler, pytest.raises(OSError, match="No space"):
        while True:
            filler.write(b"x" * 4096)
    for _ in range(3):
        with pytest.raises(JournalError, match="messages stay with the broker"):
            journal.append([("city/large", b"x" * 200_000)], T_MS)
    assert (journal.last, len(journal.read(0, 100))) == (5, 5)
    (disk / "filler").unlink()
    assert [*journal.append(batch(3, 5), T_MS)] == [6, 7, 8]
    journal.close()
    reopened = Journal(disk / "journal")
    assert [r.topic for r in reopened.read(0, 100)] == [f"city/{i}" for i in range(8)]


def test_what_mentions_a_device_is_found_without_reading_the_rest(journal: Journal) -> None:
    for n in range(6):
        journal.append([(f"city/v1/demo/gas_alarm/gas-{n % 3}/event", b"%d" % n), (TICK, b"")], T_MS + n * 1_800_000)
    found = list(journal.mentioning([b"gas-1"], T_MS, T_MS + 6 * 1_800_000))
    assert [(each.position, each.payload) for each in found if each.topic != TICK] == [(3, b"1"), (9, b"4")]
    both = journal.mentioning([b"gas-1", b"gas-2"], T_MS + 1_800_000, T_MS + 4 * 1_800_000)
    assert [each.received_ms for each in both if each.topic == TICK] == [T_MS + 1_800_000, T_MS + 2 * 1_800_000]
    assert list(journal.mentioning([b"gas-7"], T_MS, T_MS + HOUR_MS)) == []


def test_a_reader_waits_until_something_is_written(journal: Journal) -> None:
    seen: list[int] = []
    ready = threading.Event()

    def follow() -> None:
        ready.set()
        while not seen or seen[-1] < 30:
            if journal.wait(seen[-1] if seen else 0, 5):
                seen.extend(record.position for record in journal.read(seen[-1] if seen else 0, 4))

    reader = threading.Thread(target=follow)
    reader.start()
    ready.wait(5)
    for start in range(0, 30, 3):
        journal.append(batch(3, start), T_MS)
    reader.join(20)
    assert seen == list(range(1, 31))


_WRITER = """
import sys
from pathlib import Path
from ingest.journal import Journal
journal = Journal(Path(sys.argv[1]))
while True:
    size = journal.last % 97 + 1
    journal.append([(f"city/{journal.last + 1 + i}/{size}/{i}", b"p" * 300) for i in range(size)], 1_764_000_000_000)
    print(journal.last, flush=True)
"""


def test_a_killed_writer_leaves_whole_batches_and_all_it_promised(folder: Path) -> None:
    promised = 0
    for round_ in range(4):
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(folder)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        wanted = promised + 200 + 350 * round_
        with writer.stdout as lines:
            for line in lines:
                promised = int(line)
                if promised >= wanted:
                    break
            os.kill(writer.pid, signal.SIGKILL)
            promised = max([promised, *(int(rest) for rest in lines if rest.endswith("\n"))])
        wait_until(lambda writer=writer: writer.poll() is not None)  # type: ignore[misc]
    journal = Journal(folder)
    found = journal.read(0, 1_000_000)
    journal.close()
    assert journal.last >= promised
    assert journal.messages == journal.last == len(found)
    assert [record.position for record in found] == list(range(1, journal.last + 1))
    for before, after in pairwise([*found, None]):
        position, size, index = (int(word) for word in before.topic.split("/")[1:])  # type: ignore[union-attr]
        assert position == before.position  # type: ignore[union-attr]
        torn = index != size - 1 and (after is None or int(after.topic.split("/")[3]) != index + 1)
        assert not torn, f"the batch of {size} at {position} is torn after {index}"


def test_the_end_of_the_disk_is_left_to_the_alarms(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append(batch(3), T_MS)
    monkeypatch.setattr("ingest.journal._RESERVED_BYTES", 2**60)
    monkeypatch.setattr("ingest.journal._RESERVED_SHARE", 1.0)
    with pytest.raises(JournalError, match=r"the disk is full but for \d+ KiB that are kept for alarms"):
        journal.append(batch(3), T_MS)
    monkeypatch.undo()
    assert [*journal.append(batch(3), T_MS)] == [4, 5, 6], "nothing of what was refused is counted"
