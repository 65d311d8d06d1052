"""The journal: every message as it came, in order, on disk before the broker hears it was received.

One SQLite file per hour (write-ahead log, fsync at each append); those files are the recording. A row is a batch:
``first`` and ``last`` position, receive time, how many messages the journal holds up to here, and the packed messages.
Positions count records (messages and ticks) from 1 without gaps.
"""

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from ingest.errors import JournalError
from ingest.journal_files import END, JournalFiles, hour_of
from ingest.records import Batch, Packed, Record, Records, packed_of

# What readers that keep up get without touching the disk.
_TAIL_RECORDS = 50_000
_TAIL_BYTES = 64 * 1024 * 1024
# The end of the disk belongs to the alarm database and the checkpoint: they must go on when the journal cannot.
_RESERVED_BYTES = 256 * 1024 * 1024
_RESERVED_SHARE = 0.02
# Of what is left less than this, the oldest of the recording goes before its time.
_ROOM_BYTES = 10 * 1024 * 1024 * 1024
_ROOM_SHARE = 0.1
_HOUR_MS = 3_600_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS batch (
    first INTEGER PRIMARY KEY, last INTEGER NOT NULL, received_ms INTEGER NOT NULL,
    messages INTEGER NOT NULL, body BLOB NOT NULL
)
"""


class _Kept(NamedTuple):
    """A batch in memory; ``size`` is that of its body."""

    first: int
    received_ms: int
    messages: Sequence[tuple[str, bytes]]
    size: int


class Journal:
    """An append-only log. Any number of threads append, read and wait; batches stay whole."""

    def __init__(self, folder: Path, durable: bool = True) -> None:
        """Open the journal in a folder, made if missing.

        Args:
            folder: of its files.
            durable: whether ``append`` waits for the disk; only a copy that can be made again may do without.

        Raises:
            JournalError: the folder or its newest file cannot be used.
        """
        self._folder = folder
        self._synchronous = "FULL" if durable else "OFF"
        self._grown = threading.Condition()
        self._appending = threading.Lock()
        self._tail: deque[_Kept] = deque()
        self._tail_records = 0
        self._tail_bytes = 0
        self._files = JournalFiles(folder)
        self._writer: sqlite3.Connection | None = None
        self._file: Path | None = None
        self._doubted: Path | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.last, self.received_ms, self.messages = self._files.newest()
        except OSError as error:
            raise JournalError(f"journal {folder.name}: cannot be opened: {error}") from error

    def append(self, messages: Sequence[tuple[str, bytes]], now_ms: int) -> range:
        """Write messages durably and return their positions; on return they survive a kill or a power cut.

        Raises:
            JournalError: nothing of the batch may be acknowledged; what a failing disk kept of it all the same belongs
                to the journal later, and comes once more.
        """
        return self.append_each([(messages, now_ms)])

    def append_each(self, batches: Sequence[tuple[Sequence[tuple[str, bytes]], int]]) -> range:
        """Write batches that came one after another, each with its receive time, and wait for the disk once.

        Raises:
            JournalError: as above, or only what belongs to an hour of before was written.
        """
        heard = [messages for messages, _ in batches if messages]
        packed = [packed_of(now_ms, messages) for messages, now_ms in batches if messages]
        return self._appended(packed, heard)

    def append_packed(self, batches: Sequence[Packed]) -> range:
        """Write batches as another journal kept them; whoever reads them reads the file.

        Raises:
            JournalError: as above.
        """
        return self._appended(batches, ())

    def _appended(self, batches: Sequence[Packed], heard: Sequence[Sequence[tuple[str, bytes]]]) -> range:
        with self._appending:
            self._check_room()
            self._settle()
            begin, done, newest_ms = self.last + 1, 0, self.received_ms
            for _, same_hour in groupby(batches, lambda each: max(each.received_ms, newest_ms) // _HOUR_MS):
                packed = list(same_hour)
                self._append(packed, heard[done : done + len(packed)])
                done += len(packed)
            return range(begin, self.last + 1)

    def _append(self, batches: Sequence[Packed], heard: Sequence[Sequence[tuple[str, bytes]]]) -> None:
        """Write batches of one hour; those of which the messages are given stay in memory for readers, too."""
        rows = []
        last, total, at_ms = self.last, self.messages, self.received_ms
        for received_ms, records, messages, body in batches:
            at_ms = max(at_ms, received_ms)
            first, last = last + 1, last + records
            total += messages
            rows.append((first, last, at_ms, total, body))
        path = self._folder / f"{hour_of(at_ms)}.db"
        try:
            writer = self._writer_for(path)
            with writer:
                writer.executemany("INSERT INTO batch VALUES (?, ?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            self._doubted = path
            raise self._cannot_write(error) from error
        with self._grown:
            self.last, self.received_ms, self.messages = last, at_ms, total
            for (first, _, received_ms, _, body), kept in zip(rows, heard, strict=False):
                self._tail.append(_Kept(first, received_ms, kept, len(body)))
                self._tail_records += len(kept)
                self._tail_bytes += len(body)
            if not heard:
                self._forget()
            while self._tail_records > _TAIL_RECORDS or self._tail_bytes > _TAIL_BYTES:
                gone = self._tail.popleft()
                self._tail_records -= len(gone.messages)
                self._tail_bytes -= gone.size
            self._grown.notify_all()

    def _settle(self) -> None:
        """Find out what became of a write that failed: what stands in the file all the same belongs to the journal.

        Of that nothing was acknowledged: it comes a second time, as a repeat.
        """
        if self._doubted is None:
            return
        try:
            writer = self._writer_for(self._doubted)
            # A disk says only once that it failed to keep something: all that is in doubt must be written anew.
            writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            row = writer.execute(f"SELECT {END} FROM batch ORDER BY first DESC LIMIT 1").fetchone()
        except sqlite3.Error as error:
            raise self._cannot_write(error) from error
        self._doubted = None
        if row is None or row[0] <= self.last:
            return
        with self._grown:
            self.last, self.received_ms, self.messages = row
            self._forget()
            self._grown.notify_all()

    def _forget(self) -> None:
        # What stands in no reader's memory is read from the file, and so is all before it.
        self._tail.clear()
        self._tail_records = self._tail_bytes = 0

    def _cannot_write(self, error: sqlite3.Error) -> JournalError:
        self._close_writer()
        return JournalError(f"journal: cannot write ({error}); messages stay with the broker until it can")

    def _check_room(self) -> None:
        try:
            disk = os.statvfs(self._folder)
            removed = self._file is not None and not self._file.exists()
        except OSError as error:
            # What is still open is no longer where a restart looks for it.
            self._close_writer()
            raise JournalError(
                f"journal: {self._folder.name} is gone ({error.strerror}); messages stay with the broker"
            ) from error
        if self._file is not None and removed:
            name = self._file.name
            self._close_writer()
            raise JournalError(f"journal: {name} is gone; messages stay with the broker until there is a new file")
        left = disk.f_bavail * disk.f_frsize
        if left < min(_RESERVED_BYTES, disk.f_blocks * disk.f_frsize * _RESERVED_SHARE):
            raise JournalError(
                f"journal: the disk is full but for {left // 1024} KiB that are kept for alarms; "
                "messages stay with the broker until there is room"
            )

    def wait(self, after: int, timeout_s: float) -> bool:
        """Wait until a record behind ``after`` exists; return whether one does."""
        with self._grown:
            return self._grown.wait_for(lambda: self.last > after, timeout_s)

    def read(self, after: int, limit: int) -> Records:
        """Return up to about ``limit`` records behind a position, in order and without gaps.

        Raises:
            JournalError: a file is damaged or gone, or the position lies before what is kept.
        """
        batches = self.batches(after, limit)
        return Records.joined(
            batches[0].first if batches else after + 1,
            [each.received_ms for each in batches],
            [each.messages for each in batches],
        )

    def batches(self, after: int, limit: int, packed: bool = False) -> list[Batch]:
        """Return the same as :meth:`read`, as it was appended; ``packed`` with the body of what is read from a file.

        Raises:
            JournalError: a file is damaged or gone, or the position lies before what is kept.
        """
        with self._grown:
            if max(after, 0) >= self.last:
                return []
            if self._tail and self._tail[0].first <= after + 1:
                return self._recent(after, limit)
        found = self._files.batches(after, limit, packed)
        if not found:
            raise JournalError(f"journal: nothing is found behind position {after}, and it reached {self.last}")
        return found

    def _recent(self, after: int, limit: int) -> list[Batch]:
        wanted: list[_Kept] = []
        for kept in reversed(self._tail):
            wanted.append(kept)
            if kept.first <= after + 1:
                break
        found: list[Batch] = []
        messages_left = limit
        for kept in reversed(wanted):
            skipped = max(0, after + 1 - kept.first)
            messages = kept.messages[skipped:] if skipped else kept.messages
            found.append(Batch(kept.first + skipped, kept.received_ms, messages))
            messages_left -= len(messages)
            if messages_left <= 0:
                break
        return found

    def mentioning(self, names: Sequence[bytes], from_ms: int, to_ms: int) -> Iterator[Record]:
        """Yield what was received in [from_ms, to_ms) in batches that hold one of some names anywhere, in order.

        Raises:
            JournalError: a file is damaged.
        """
        return self._files.mentioning(names, from_ms, to_ms)

    def first(self) -> int:
        """Return the first position still kept, or 0 when the journal is empty.

        Raises:
            JournalError: a file is damaged.
        """
        return self._files.first()

    def remove_before(self, position: int, cutoff_ms: int) -> list[str]:
        """Remove files that end before a position and a time; return their names.

        Raises:
            JournalError: a file is damaged or cannot be removed.
        """
        return self._files.remove_before(position, cutoff_ms)

    def remove_for_room(self, position: int, size: int) -> list[str]:
        """Remove the oldest files that end before a position until so many bytes are free; return their names.

        Raises:
            JournalError: a file is damaged or cannot be removed.
        """
        return self._files.remove_for_room(position, size)

    @property
    def lacks_bytes(self) -> int:
        """Return how much must become free so that a flood does not fill the disk before somebody comes."""
        try:
            disk = os.statvfs(self._folder)
        except OSError:
            # Whoever appends tells it; there is nothing to make room for.
            return 0
        wanted = min(_ROOM_BYTES, disk.f_blocks * disk.f_frsize * _ROOM_SHARE)
        return max(0, int(wanted) - disk.f_bavail * disk.f_frsize)

    def close(self) -> None:
        """Close the writer; no reader needs closing, for none keeps a file open between two reads."""
        self._close_writer()

    def _writer_for(self, path: Path) -> sqlite3.Connection:
        if self._writer is not None and self._file == path:
            return self._writer
        self._close_writer()
        writer = sqlite3.connect(path, timeout=10, check_same_thread=False)
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute(f"PRAGMA synchronous={self._synchronous}")
        writer.execute(_SCHEMA)
        writer.commit()
        self._writer, self._file = writer, path
        return writer

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = self._file = None
