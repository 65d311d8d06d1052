"""The files of a journal, one SQLite database an hour, as its readers see them; writing is the journal's own."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from itertools import accumulate, repeat
from pathlib import Path
from typing import TypeAlias

import msgspec

from ingest.errors import JournalError
from ingest.records import Batch, Record, messages_of

# What the last row of a file says of all before it.
END = "last, received_ms, messages"
# A reader that is behind must not fill the memory with a backlog of pictures, which are there twice for a moment.
_MOST_BYTES = 32 * 1024 * 1024
# As in ingest.records: where few come at a time there are nearly as many batches as messages.
_new = tuple.__new__
# Of a batch: its first position, when it was received, and all of it in one.
_Row: TypeAlias = tuple[int, int, bytes]


def hour_of(at_ms: int) -> str:
    """Return the name of the hour, in UTC, that an instant belongs to."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y%m%d%H")


class JournalFiles:
    """Reads the files of a folder, from any thread; none stays open, for the disk keeps what is removed until then."""

    def __init__(self, folder: Path) -> None:
        """Look at a folder that there is."""
        self._folder = folder
        # The first position of each file; it never changes.
        self._begins: dict[Path, int] = {}

    def newest(self) -> tuple[int, int, int]:
        """Return the last position, its receive time in epoch ms, and how many messages there are up to it."""
        for path in reversed(self.paths()):
            row = self._end(path, END)
            if row is not None:
                return int(row[0]), int(row[1]), int(row[2])
        return 0, 0, 0

    def batches(self, after: int, limit: int, packed: bool = False) -> list[Batch]:
        """Return up to about ``limit`` messages behind a position, fewer large ones, in order and without gaps.

        ``packed`` keeps the body of each batch, too, for as much memory again.

        Raises:
            JournalError: a file is damaged, or what follows the position is not kept.
        """
        found: list[Batch] = []
        following, most = after + 1, _MOST_BYTES
        try:
            for path in self._files_from(following):
                if self._begin(path) is None:
                    continue
                rows = self._rows(path, following, after + limit, most)
                batches = _batches(rows, following, packed)
                whole, following = _whole(batches, following)
                found += whole
                if len(whole) < len(batches):
                    if found:
                        # What comes before the gap is whole; who asks for what is gone is told.
                        return found
                    raise JournalError(f"journal: position {following} is gone; the next kept is {batches[0].first}")
                most -= sum([len(body) for _, _, body in rows])
                if following > after + limit or most <= 0:
                    return found
        except (sqlite3.Error, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise JournalError(f"journal: cannot read behind position {after}: {error}") from error
        return found

    def _rows(self, path: Path, following: int, last: int, most: int) -> list[_Row]:
        """Return what a file holds from the batch of one position to that of another, or until it is so many bytes."""
        found: list[_Row] = []
        with self._opened(path) as reader:
            rows = reader.execute(
                "SELECT first, received_ms, body FROM batch WHERE first >= "
                "coalesce((SELECT max(first) FROM batch WHERE first <= ?), 0) AND last >= ? ORDER BY first",
                (following, following),
            )
            for row in rows:
                # The first in any case: it may tell that what is asked for is gone.
                if found and row[0] > last:
                    break
                found.append(row)
                most -= len(row[2])
                if most <= 0:
                    break
        return found

    def mentioning(self, names: Sequence[bytes], from_ms: int, to_ms: int) -> Iterator[Record]:
        """Yield what was received in [from_ms, to_ms) in batches that hold one of some names anywhere, in order.

        Whole batches are passed over without being unpacked, so an hour of a city takes a moment.

        Raises:
            JournalError: a file is damaged.
        """
        hours = [hour_of(at_ms) for at_ms in (from_ms, to_ms)]
        held = " OR ".join("instr(body, ?) > 0" for _ in names)
        query = (
            "SELECT first, received_ms, body FROM batch "
            f"WHERE received_ms >= ? AND received_ms < ? AND ({held}) ORDER BY first"
        )
        for path in self.paths():
            if not hours[0] <= path.stem <= hours[1] or self._end(path, "last") is None:
                continue
            try:
                with self._opened(path) as reader:
                    for first, received_ms, body in reader.execute(query, (from_ms, to_ms, *names)):
                        for position, (topic, payload) in enumerate(messages_of(body), first):
                            yield Record(position, received_ms, topic, payload)
            except (sqlite3.Error, msgspec.DecodeError, UnicodeDecodeError) as error:
                raise JournalError(f"journal: {path.name} cannot be read: {error}") from error

    def first(self) -> int:
        """Return the first position still kept, or 0 when the journal is empty.

        Raises:
            JournalError: a file is damaged.
        """
        for path in self.paths():
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
        for path in self.paths()[:-1]:
            row = self._end(path, "last, received_ms")
            if row is not None and (row[0] >= position or row[1] >= cutoff_ms):
                break
            self._remove(path)
            removed.append(path.name)
        return removed

    def remove_for_room(self, position: int, size: int) -> list[str]:
        """Remove the oldest files that end before a position until so many bytes are free; return their names.

        Raises:
            JournalError: a file is damaged or cannot be removed.
        """
        removed: list[str] = []
        for path in self.paths()[:-1]:
            row = self._end(path, "last")
            if size <= 0 or (row is not None and row[0] >= position):
                break
            size -= self._remove(path)
            removed.append(path.name)
        return removed

    def _remove(self, path: Path) -> int:
        """Remove a file and return its size; whoever reads it at the moment reads it to the end."""
        size = 0
        try:
            for suffix in ("", "-wal", "-shm"):
                part = Path(f"{path}{suffix}")
                with suppress(FileNotFoundError):
                    size += part.stat().st_size
                    part.unlink()
        except OSError as error:
            raise JournalError(f"journal: cannot remove {path.name}: {error}") from error
        return size

    def paths(self) -> list[Path]:
        """Return the files, the oldest first."""
        return sorted(self._folder.glob("[0-9]*.db"))

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
        files = self.paths()
        for index in reversed(range(len(files))):
            begin = self._begin(files[index])
            if begin is not None and begin <= position:
                return files[index:]
        return files

    def _end(self, path: Path, columns: str, order: str = "DESC") -> tuple[int, ...] | None:
        """Return columns of a file's last (or first) batch, or None when it holds none."""
        try:
            with self._opened(path) as reader:
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

    def _opened(self, path: Path) -> closing[sqlite3.Connection]:
        # Whoever leaves a search before its end may do so in any thread.
        return closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=10, check_same_thread=False))


def _batches(rows: Sequence[_Row], following: int, packed: bool) -> list[Batch]:
    """Return rows as batches; the first may begin before the position that is asked for."""
    if not rows:
        return []
    firsts, times, bodies = zip(*rows, strict=True)
    messages = list(map(messages_of, bodies))
    columns = zip(firsts, times, messages, bodies if packed else repeat(None), strict=False)
    batches = list(map(_new, repeat(Batch), columns))
    if firsts[0] < following:
        rest = messages[0][following - firsts[0] :]
        batches[:1] = [Batch(following, times[0], rest)] if rest else []
    return batches


def _whole(batches: Sequence[Batch], following: int) -> tuple[Sequence[Batch], int]:
    """Return the batches up to the first gap, from a position on, and what should follow them."""
    ends = list(accumulate([len(each.messages) for each in batches], initial=following))
    firsts = [each.first for each in batches]
    if firsts == ends[:-1]:
        return batches, ends[-1]
    count = next(place for place, (first, end) in enumerate(zip(firsts, ends, strict=False)) if first != end)
    return batches[:count], ends[count]
