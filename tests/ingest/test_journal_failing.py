"""A disk that fails while the journal is written: what stands in the file is neither lost nor in the way later."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from ingest.errors import JournalError
from ingest.journal import Journal
from tests.servers.programs import require

HOUR_MS = 3_600_000
T_MS = 490_000 * HOUR_MS

# A disk that takes everything and keeps nothing, for as long as a file is there.
_SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
static int kept(const char *name, int fd) {
    int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, name);
    if (access(getenv("FAILING"), F_OK) == 0) { errno = EIO; return -1; }
    return real(fd);
}
int fsync(int fd) { return kept("fsync", fd); }
int fdatasync(int fd) { return kept("fdatasync", fd); }
"""
_APPENDING = """
import os, sqlite3, sys, threading
from pathlib import Path
from ingest.errors import JournalError
from ingest.journal import Journal
from ingest.records import Records

folder, beside, later_ms = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
failing = Path(os.environ["FAILING"])
at_ms = 1_764_000_000_000
journal = Journal(folder)
begun, done, seen = threading.Event(), threading.Event(), []

def follow():
    while not (done.is_set() and seen and seen[-1].position >= journal.last):
        journal.wait(seen[-1].position if seen else 0, 0.05)
        # As a reader that lags does: from the files.
        for batch in journal._files.batches(seen[-1].position if seen else 0, 3):
            seen.extend(Records.joined(batch.first, [batch.received_ms], [batch.messages]))
        begun.set()

journal.append([("a", b"0"), ("a", b"1")], at_ms)
reader = threading.Thread(target=follow)
if beside == "a follower":
    reader.start()
    begun.wait()
if beside == "a search":
    search = sqlite3.connect(next(folder.glob("*.db")))
    search.execute("SELECT 1 FROM batch").fetchall()
failing.touch()
for _ in range(3):
    try:
        journal.append([("b", b"2"), ("b", b"3")], at_ms)
        sys.exit("it was told to be written")
    except JournalError as error:
        print(error)
failing.unlink()
assert journal.append([("b", b"2"), ("b", b"3")], at_ms + later_ms)[-1] == journal.last
journal.append([("c", b"4")], at_ms + later_ms)
done.set()
if beside == "a follower":
    reader.join()
    assert seen == journal.read(0, 100), seen
print([(r.position, r.payload.decode()) for r in journal.read(0, 100)], journal.messages)
assert journal.read(2, 100) == journal.read(0, 100)[2:]
assert Journal(folder).read(0, 100) == journal.read(0, 100)
"""
_TOLD = "journal: cannot write (disk I/O error); messages stay with the broker until it can"


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(_SHIM)
    command = [require("cc"), "-shared", "-fPIC", "-o", str(folder / "shim.so"), str(folder / "shim.c"), "-ldl"]
    subprocess.run(command, check=True)
    return folder / "shim.so"


@pytest.mark.parametrize("beside", ["nobody", "a follower", "a search"])
@pytest.mark.parametrize("later_ms", [0, HOUR_MS])
def test_a_disk_that_keeps_nothing_for_a_while(shim: Path, tmp_path: Path, beside: str, later_ms: int) -> None:
    """Also when it is whole again in another hour, and whoever else reads the file meanwhile."""
    run = subprocess.run(
        [sys.executable, "-c", _APPENDING, str(tmp_path / "journal"), beside, str(later_ms)],
        env={**os.environ, "LD_PRELOAD": str(shim), "FAILING": str(tmp_path / "failing")},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert run.stderr == ""
    *told, found = run.stdout.splitlines()
    assert told == [_TOLD] * 3
    # Whoever opens the file anew finds in it what was told not to be written; with one who has it open nobody does.
    once = "[(1, '0'), (2, '1'), (3, '2'), (4, '3'), (5, '4')] 5"
    twice = "[(1, '0'), (2, '1'), (3, '2'), (4, '3'), (5, '2'), (6, '3'), (7, '4')] 7"
    # A follower opens it anew for each look, and may be held up in the middle of one.
    assert found in {"nobody": (twice,), "a search": (once,), "a follower": (once, twice)}[beside]


def written_all_the_same(folder: Path, first: int, messages: list[tuple[str, bytes]], count: int) -> None:
    """Leave a row as a write does of which the disk said that it failed."""
    path = max(folder.glob("*.db"))
    with closing(sqlite3.connect(path)) as database, database:
        row = (first, first + len(messages) - 1, T_MS, count, msgspec.msgpack.encode(messages))
        database.execute("INSERT INTO batch VALUES (?, ?, ?, ?, ?)", row)


def test_what_stands_behind_the_end_is_taken_over_and_read_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([("a", b"1")], T_MS)
    written_all_the_same(tmp_path, 2, [("a", b"2"), ("$tick", b""), ("a", b"3")], 3)
    with pytest.raises(JournalError, match="messages stay with the broker"):
        journal.append([("a", b"2")], T_MS)
    assert (journal.last, journal.messages) == (1, 1)
    assert journal.append([("a", b"2"), ("a", b"3")], T_MS) == range(5, 7)
    assert (journal.last, journal.messages) == (6, 5)
    expected = [(1, b"1"), (2, b"2"), (3, b""), (4, b"3"), (5, b"2"), (6, b"3")]
    for after in range(6):
        assert [(r.position, r.payload) for r in journal.read(after, 100)] == expected[after:]
    journal.close()
    assert [(r.position, r.payload) for r in Journal(tmp_path).read(0, 100)] == expected


def test_a_reader_that_waits_is_told_of_what_was_taken_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([("a", b"1")], T_MS)
    written_all_the_same(tmp_path, 2, [("a", b"2")], 2)
    with pytest.raises(JournalError):
        journal.append([("a", b"2")], T_MS)
    assert journal.append([], T_MS) == range(3, 3)
    assert journal.append([("a", b"3")], T_MS) == range(3, 4)
    assert journal.wait(1, 0)
    assert [r.position for r in journal.read(1, 10)] == [2, 3]
    journal.close()


@pytest.mark.parametrize("whole", [True, False])
def test_what_was_removed_beneath_it_is_told_and_takes_nothing_more(tmp_path: Path, whole: bool) -> None:
    """A file that stands in no folder any more is written to all the same, and nobody finds it after a restart."""
    folder = tmp_path / "journal"
    journal = Journal(folder)
    journal.append([("t", b"1")], T_MS)
    (path,) = folder.glob("*.db")
    if whole:
        shutil.rmtree(folder)
        folder.mkdir()
    else:
        path.unlink()
    with pytest.raises(JournalError, match=f"{path.name} is gone"):
        journal.append([("t", b"2")], T_MS + 1)
    assert [*journal.append([("t", b"2")], T_MS + 2)] == [2]
    journal.close()
    again = Journal(folder)
    assert [(record.position, record.payload) for record in again.read(1, 10)] == [(2, b"2")]
    again.close()
