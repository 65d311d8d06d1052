"""The files of the journal: one an hour, removed by age, damaged, and none kept open."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from ingest.errors import JournalError
from ingest.journal import Journal
from ingest.journal_files import JournalFiles
from tests.ingest.journals import HOUR_MS, T_MS, batch, fill


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def journal(folder: Path) -> Iterator[Journal]:
    opened = Journal(folder)
    yield opened
    opened.close()


def test_remove_before_never_passes_a_position_or_a_time(folder: Path, journal: Journal) -> None:
    fill(journal, hours=4, per_hour=10)
    names = [path.name for path in sorted(folder.glob("*.db"))]
    never, always = T_MS, T_MS + 9 * HOUR_MS
    assert journal.remove_before(1000, never) == []
    assert journal.remove_before(10, always) == []
    assert journal.remove_before(25, always) == names[:2]
    assert journal.first() == 21
    assert journal.remove_before(1000, T_MS + 2 * HOUR_MS) == []
    assert journal.remove_before(1000, always) == names[2:3], "the newest file stays"
    assert [path.name for path in folder.iterdir() if path.name.startswith(names[0])] == []


def test_what_was_removed_is_an_error_and_not_a_gap(folder: Path, journal: Journal) -> None:
    fill(journal, hours=3, per_hour=10)
    journal.close()
    reopened = Journal(folder)
    reopened.remove_before(20, T_MS + 9 * HOUR_MS)
    with pytest.raises(JournalError, match="position 6 is gone; the next kept is 11"):
        reopened.read(5, 10)
    with pytest.raises(JournalError, match="position 1 is gone; the next kept is 11"):
        # However little is asked for.
        reopened.read(0, 1)
    assert reopened.read(10, 1)[0].position == 11
    assert reopened.last == 30


def test_a_file_that_is_missing_between_others_is_an_error_and_not_a_gap(folder: Path, journal: Journal) -> None:
    fill(journal, hours=3, per_hour=10)
    journal.close()
    sorted(folder.glob("*.db"))[1].unlink()
    reopened = Journal(folder)
    assert [record.position for record in reopened.read(0, 100)] == [*range(1, 11)]
    with pytest.raises(JournalError, match="position 11 is gone; the next kept is 21"):
        reopened.read(10, 100)
    with pytest.raises(JournalError, match="position 11 is gone; the next kept is 21"):
        reopened.read(10, 1)
    assert [record.position for record in reopened.read(20, 100)] == [*range(21, 31)]


def test_large_messages_are_read_a_few_at_a_time(
    folder: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are asked for, what one read brings into memory is bounded; the rest comes with the next ones."""
    monkeypatch.setattr("ingest.journal_files._MOST_BYTES", 3_000)
    for number in range(40):
        journal.append([(f"t/{number}", bytes(1_000))], T_MS + number)
    reads = []
    files, after = JournalFiles(folder), 0
    while after < journal.last:
        reads.append(files.batches(after, 20_000))
        after = reads[-1][-1].first
    assert [message for batches in reads for batch in batches for message in batch.messages] == [
        (f"t/{number}", bytes(1_000)) for number in range(40)
    ]
    assert {len(batches) for batches in reads[:-1]} == {3}
    journal.append([("t/large", bytes(9_000))], T_MS + 41)
    assert [len(batch.messages) for batch in files.batches(40, 20_000)] == [1]


def test_a_damaged_file_is_one_sentence(folder: Path, journal: Journal) -> None:
    fill(journal, hours=2, per_hour=10)
    journal.close()
    first = min(folder.glob("*.db"))
    first.write_bytes(b"not a database" * 1000)
    for suffix in ("-wal", "-shm"):
        Path(f"{first}{suffix}").unlink(missing_ok=True)
    reopened = Journal(folder)
    with pytest.raises(JournalError, match=r"journal: 20251124\d\d.db cannot be read: file is not a database"):
        reopened.read(0, 10)
    with pytest.raises(JournalError, match="file is not a database"):
        reopened.first()
    with pytest.raises(JournalError, match="file is not a database"):
        reopened.remove_before(10, T_MS + 9 * HOUR_MS)


def test_a_file_begun_but_not_written_is_empty(folder: Path, journal: Journal) -> None:
    """A kill at the full hour may leave a file without a table, or with nothing in it."""
    fill(journal, hours=1, per_hour=10)
    journal.close()
    for name, begun in (("2099010100.db", False), ("2099010101.db", True)):
        database = sqlite3.connect(folder / name)
        if begun:
            database.execute("PRAGMA journal_mode=WAL")
        database.close()
        (folder / name).touch()
    reopened = Journal(folder)
    assert reopened.last == 10
    assert len(reopened.read(0, 100)) == 10
    assert reopened.first() == 1
    reopened.append(batch(1, 10), T_MS)
    assert len(reopened.read(0, 100)) == 11
    reopened.close()


def test_a_folder_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file")
    with pytest.raises(JournalError, match="journal journal: cannot be opened"):
        Journal(tmp_path / "journal")


@pytest.mark.parametrize(
    "body", [b"city/ but no batch", msgspec.msgpack.encode([("city/x", b"1")]).replace(b"x", b"\xff")]
)
def test_a_damaged_row_is_one_sentence_for_reader_and_search(folder: Path, journal: Journal, body: bytes) -> None:
    """Also where only a topic is damaged, so that it is no text any more."""
    journal.append(batch(3), T_MS)
    journal.close()
    (path,) = folder.glob("*.db")
    with sqlite3.connect(path) as database:
        database.execute("UPDATE batch SET body = ?", (body,))
    database.close()
    with pytest.raises(JournalError, match=f"{path.name} cannot be read"):
        list(Journal(folder).mentioning([b"city"], T_MS, T_MS + 1))
    with pytest.raises(JournalError, match="cannot read behind position 0"):
        Journal(folder).read(0, 10)


def open_files(folder: Path) -> int:
    """Return how many files below a folder this process has open."""
    found = 0
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            found += os.readlink(f"/proc/self/fd/{number}").startswith(str(folder))
    return found


def test_no_file_stays_open_behind_a_reader(folder: Path) -> None:
    """A month has 720 hours and a process a thousand files; what is removed frees no disk as long as it is open."""
    journal = Journal(folder, durable=False)
    messages = fill(journal, 60, 2)
    journal.close()
    again = Journal(folder)
    try:
        assert [(r.topic, r.payload) for r in again.read(0, 1_000)] == messages
        assert again.read(5, 1)[0].position == 6
        assert again.read(118, 10)[0].position == 119
        assert open_files(folder) == 0
        # Except where somebody reads on: to the end, whatever is removed meanwhile.
        search = again.mentioning([b"city"], T_MS, T_MS + 3 * HOUR_MS)
        assert next(search).position == 1
        again.remove_before(119, T_MS + 60 * HOUR_MS)
        assert open_files(folder) > 0
        assert [record.position for record in search] == [2]
        assert open_files(folder) == 0
    finally:
        again.close()


def test_a_file_that_retention_removes_meanwhile_stops_no_reader(
    folder: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = fill(journal, 4, 2)
    journal.close()
    again = JournalFiles(folder)
    listed = again.paths()
    again.remove_before(5, T_MS + 3 * HOUR_MS)
    monkeypatch.setattr(again, "paths", lambda: listed)
    assert again.first() == 5
    assert [message for batch in again.batches(4, 10) for message in batch.messages] == messages[4:]


def test_a_folder_that_is_gone_is_told_and_nothing_goes_to_files_nobody_finds(folder: Path, journal: Journal) -> None:
    journal.append(batch(1), T_MS)
    shutil.rmtree(folder)
    with pytest.raises(JournalError, match=r"is gone .* messages stay with the broker"):
        journal.append(batch(1), T_MS)
    folder.mkdir()
    assert journal.append(batch(1), T_MS) == range(2, 3)
    again = Journal(folder)
    assert again.last == 2
    again.close()
