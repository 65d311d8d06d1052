"""The journal: every message as it came, in order, on disk before the broker hears it was received.

One SQLite file per hour (write-ahead log, fsync at each append); those files are the recording. A row is a batch:
``first`` and ``last`` position, receive time, how many messages the journal holds up to here, and the packed messages.
Positions count records (messages and ticks) from 1 without gaps.
"""

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from devices import recording
from ingest.errors import JournalError

TICK = recording.TICK
# A message of before that is tried again (ingest.retry); it was received and counted when it first came.
RETRY = "$retry"
# From here on the rules are those of the revision it holds (ingest.alarms.revisions).
RULES = "$rules"
# What the collector writes for itself; a device's topic may begin with $, too.
OWN = frozenset({TICK, RETRY, RULES})
# The payload of a tick while the broker is not connected and there is nothing else to tell.
AWAY = b"away"
# What readers that keep up get without touching the disk.
_TAIL_RECORDS = 50_000
_TAIL_BYTES = 64 * 1024 * 1024
# The end of the disk belongs to the alarm database and the checkpoint: they must go on when the journal cannot.
_RESERVED_BYTES = 256 * 1024 * 1024
_RESERVED_SHARE = 0.02
# Each has two or three files open, and a recording has hundreds: a process may have a thousand.
_READERS = 8
_SCHEMA = """
CREATE TABLE IF NOT EXISTS batch (
    first INTEGER PRIMARY KEY, last INTEGER NOT NULL, received_ms INTEGER NOT NULL,
    messages INTEGER NOT NULL, body BLOB NOT NULL
)
"""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[str, bytes]]).decode


class _Tick(msgspec.Struct, omit_defaults=True):
    away: bool = False
    own: dict[str, float] = {}


_read_tick = msgspec.json.Decoder(_Tick).decode


def tick_payload(connected: bool, own: Mapping[str, float]) -> bytes:
    """Return what a tick holds: whether the broker is there, and figures of the collector itself."""
    if own:
        return msgspec.json.encode(_Tick(not connected, dict(own)))
    return b"" if connected else AWAY


def read_tick(payload: bytes) -> tuple[bool, Mapping[str, float]]:
    """Return whether the broker was there, and the collector's figures."""
    if payload in (b"", AWAY):
        return payload != AWAY, {}
    try:
        tick = _read_tick(payload)
    except msgspec.DecodeError:
        # Of a recording that others wrote: it says that somebody listened, and nothing more.
        return True, {}
    return not tick.away, tick.own


class Record(NamedTuple):
    """One journaled message, or a tick (topic ``$tick``)."""

    position: int
    received_ms: int
    topic: str
    payload: bytes


class _Batch(NamedTuple):
    """Messages that were appended together; ``size`` is that of their topics and payloads."""

    first: int
    received_ms: int
    messages: Sequence[tuple[str, bytes]]
    size: int


# A record is made for every message; the constructor of a NamedTuple costs twice as much as this.
_new = tuple.__new__


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
        self._tail: deque[_Batch] = deque()
        self._tail_records = 0
        self._tail_bytes = 0
        self._local = threading.local()
        # The first position of each file; it never changes.
        self._begins: dict[Path, int] = {}
        self._writer: sqlite3.Connection | None = None
        self._file: Path | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.last, self.received_ms, self.messages = self._newest()
        except OSError as error:
            raise JournalError(f"journal {folder.name}: cannot be opened: {error}") from error

    def append(self, messages: Sequence[tuple[str, bytes]], now_ms: int) -> range:
        """Write messages durably and return their positions; on return they survive a kill or a power cut.

        Raises:
            JournalError: nothing of the batch was written, and nothing of it may be acknowledged.
        """
        with self._appending:
            return self._append(messages, now_ms)

    def _append(self, messages: Sequence[tuple[str, bytes]], now_ms: int) -> range:
        received_ms = max(now_ms, self.received_ms)
        first = self.last + 1
        total = self.messages + sum([topic not in OWN for topic, _ in messages])
        last = first + len(messages) - 1
        self._check_room()
        try:
            writer = self._writer_for(received_ms)
            with writer:
                writer.execute(
                    "INSERT INTO batch VALUES (?, ?, ?, ?, ?)", (first, last, received_ms, total, _encode(messages))
                )
        except sqlite3.Error as error:
            self._close_writer()
            raise JournalError(
                f"journal: cannot write ({error}); messages stay with the broker until it can"
            ) from error
        batch = _Batch(first, received_ms, messages, sum([len(topic) + len(payload) for topic, payload in messages]))
        with self._grown:
            self.last, self.received_ms, self.messages = last, received_ms, total
            self._tail.append(batch)
            self._tail_records += len(messages)
            self._tail_bytes += batch.size
            while self._tail_records > _TAIL_RECORDS or self._tail_bytes > _TAIL_BYTES:
                gone = self._tail.popleft()
                self._tail_records -= len(gone.messages)
                self._tail_bytes -= gone.size
            self._grown.notify_all()
        return range(first, last + 1)

    def _check_room(self) -> None:
        try:
            disk = os.statvfs(self._folder)
        except OSError as error:
            # What is still open is no longer where a restart looks for it.
            self._close_writer()
            raise JournalError(
                f"journal: {self._folder.name} is gone ({error.strerror}); messages stay with the broker"
            ) from error
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

    def read(self, after: int, limit: int) -> list[Record]:
        """Return up to about ``limit`` records behind a position, in order and without gaps.

        Raises:
            JournalError: a file is damaged, or the position lies before what is kept.
        """
        with self._grown:
            if after >= self.last:
                return []
            if self._tail and self._tail[0].first <= after + 1:
                return self._recent(after, limit)
        return self._read_files(after, limit)

    def _recent(self, after: int, limit: int) -> list[Record]:
        wanted: list[_Batch] = []
        for batch in reversed(self._tail):
            wanted.append(batch)
            if batch.first <= after + 1:
                break
        records: list[Record] = []
        for batch in reversed(wanted):
            skipped = max(0, after + 1 - batch.first)
            position, received_ms = batch.first + skipped, batch.received_ms
            for topic, payload in batch.messages[skipped:] if skipped else batch.messages:
                records.append(_new(Record, (position, received_ms, topic, payload)))
                position += 1
            if len(records) >= limit:
                break
        return records

    def mentioning(self, names: Sequence[bytes], from_ms: int, to_ms: int) -> Iterator[Record]:
        """Yield what was received in [from_ms, to_ms) in batches that hold one of some names anywhere, in order.

        Whole batches are passed over without being unpacked, so an hour of a city takes a moment.

        Raises:
            JournalError: a file is damaged.
        """
        hours = [datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y%m%d%H") for at_ms in (from_ms, to_ms)]
        held = " OR ".join("instr(body, ?) > 0" for _ in names)
        query = (
            "SELECT first, received_ms, body FROM batch "
            f"WHERE received_ms >= ? AND received_ms < ? AND ({held}) ORDER BY first"
        )
        for path in self._files():
            if not hours[0] <= path.stem <= hours[1] or self._end(path, "last") is None:
                continue
            try:
                for first, received_ms, body in self._reader(path).execute(query, (from_ms, to_ms, *names)):
                    for offset, (topic, payload) in enumerate(_decode(body)):
                        yield Record(first + offset, received_ms, topic, payload)
            except (sqlite3.Error, msgspec.DecodeError) as error:
                raise JournalError(f"journal: {path.name} cannot be read: {error}") from error

    def first(self) -> int:
        """Return the first position still kept, or 0 when the journal is empty.

        Raises:
            JournalError: a file is damaged.
        """
        for path in self._files():
            begin = self._begin(path)
            if begin is not None:
                return begin
        return 0

    def remove_before(self, position: int, cutoff_ms: int) -> list[str]:
        """Remove files that end before a position and a time; return their names.

        Raises:
            JournalError: a file is damaged or cannot be removed.
        """
        removed: list[str] = []
        for path in self._files()[:-1]:
            row = self._end(path, "last, received_ms")
            if row is not None and (row[0] >= position or row[1] >= cutoff_ms):
                break
            self._forget_reader(path)
            try:
                for suffix in ("", "-wal", "-shm"):
                    Path(f"{path}{suffix}").unlink(missing_ok=True)
            except OSError as error:
                raise JournalError(f"journal: cannot remove {path.name}: {error}") from error
            removed.append(path.name)
        return removed

    def close(self) -> None:
        """Close the writer; readers of other threads end with their threads."""
        self._close_writer()

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*.db"))

    def _newest(self) -> tuple[int, int, int]:
        for path in reversed(self._files()):
            row = self._end(path, "last, received_ms, messages")
            if row is not None:
                return int(row[0]), int(row[1]), int(row[2])
        return 0, 0, 0

    def _begin(self, path: Path) -> int | None:
        """Return the first position of a file, or None when it holds none."""
        begin = self._begins.get(path)
        if begin is None:
            row = self._end(path, "first", "ASC")
            if row is not None:
                begin = self._begins[path] = int(row[0])
        return begin

    def _files_from(self, position: int) -> list[Path]:
        """Return the files from the one that holds a position on."""
        files = self._files()
        for index in reversed(range(len(files))):
            begin = self._begin(files[index])
            if begin is not None and begin <= position:
                return files[index:]
        return files

    def _end(self, path: Path, columns: str, order: str = "DESC") -> tuple[int, ...] | None:
        """Return columns of a file's last (or first) batch, or None when it holds none."""
        try:
            reader = self._reader(path)
            # A kill at the full hour may leave a file in which the table was not made yet.
            if reader.execute("SELECT 1 FROM sqlite_master WHERE name = 'batch'").fetchone() is None:
                return None
            # By the key, not by max(): that would look at every batch of the hour.
            row: tuple[int, ...] | None = reader.execute(
                f"SELECT {columns} FROM batch ORDER BY first {order} LIMIT 1"
            ).fetchone()
        except sqlite3.Error as error:
            if not path.exists():
                # Retention removed it since the folder was listed; no cursor needs it.
                return None
            raise JournalError(f"journal: {path.name} cannot be read: {error}") from error
        return row

    def _read_files(self, after: int, limit: int) -> list[Record]:
        records: list[Record] = []
        try:
            for path in self._files_from(after + 1):
                if self._begin(path) is None:
                    continue
                rows = self._reader(path).execute(
                    "SELECT first, received_ms, body FROM batch WHERE first >= "
                    "coalesce((SELECT max(first) FROM batch WHERE first <= ?), 0) ORDER BY first",
                    (after + 1,),
                )
                for first, received_ms, body in rows:
                    for offset, (topic, payload) in enumerate(_decode(body)):
                        if first + offset > after:
                            records.append(Record(first + offset, received_ms, topic, payload))
                    if len(records) >= limit:
                        break
                if len(records) >= limit:
                    break
        except (sqlite3.Error, msgspec.DecodeError) as error:
            raise JournalError(f"journal: cannot read behind position {after}: {error}") from error
        if records and records[0].position != after + 1:
            raise JournalError(f"journal: position {after + 1} is gone; the oldest kept is {records[0].position}")
        return records

    def _reader(self, path: Path) -> sqlite3.Connection:
        readers: dict[Path, sqlite3.Connection] = self._local.__dict__.setdefault("readers", {})
        reader = readers.pop(path, None)
        if reader is None:
            if len(readers) >= _READERS:
                self._forget_reader(next(iter(readers)))
            reader = sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=10)
        # The one used last stands last.
        readers[path] = reader
        return reader

    def _forget_reader(self, path: Path) -> None:
        readers: dict[Path, sqlite3.Connection] = self._local.__dict__.get("readers", {})
        if path in readers:
            readers.pop(path).close()

    def _writer_for(self, received_ms: int) -> sqlite3.Connection:
        hour = datetime.fromtimestamp(received_ms / 1000, UTC).strftime("%Y%m%d%H")
        path = self._folder / f"{hour}.db"
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
