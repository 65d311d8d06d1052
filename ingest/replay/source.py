"""Where a replay takes its messages from: a recording's file, or a span of a journal."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from devices.errors import RecordingError
from devices.recording import Message, Reader
from devices.site import Site
from ingest.comparison import position_at
from ingest.journal import Journal
from ingest.recording.importing import check_kinds
from ingest.records import TICK, of_the_city

_BATCH = 2_000
_TOPICS_KEPT = 200_000
# As in ingest.records: one is made for every message.
_message = tuple.__new__


class _Wanted(dict[str, bool]):
    """Remembers of each topic whether it is played."""

    def __missing__(self, topic: str) -> bool:
        # What the collector wrote for itself is not of the city, but for the ticks.
        if len(self) >= _TOPICS_KEPT:
            self.clear()
        found = self[topic] = topic == TICK or of_the_city(topic)
        return found


@dataclass(frozen=True, slots=True)
class Source:
    """Messages received in [from_ms, to_ms), in the order of their receipt, with the collector's ticks."""

    path: Path
    from_ms: int
    to_ms: int
    is_file: bool

    def messages(self, begin_ms: int | None = None) -> Iterator[list[Message]]:
        """Yield the messages from an instant on, batch by batch; their times never go back, as in a journal.

        Raises:
            RecordingError: the file is cut off or damaged.
            JournalError: the journal is.
        """
        begin_ms = self.from_ms if begin_ms is None else begin_ms
        newest_ms = begin_ms
        for batch in self._file() if self.is_file else self._journal(begin_ms):
            times = [received_ms for received_ms, _, _ in batch]
            # Nearly every batch lies within, whole and in order.
            if times and not (newest_ms <= times[0] and times[-1] < self.to_ms and times == sorted(times)):
                batch = [each for each in batch if begin_ms <= each.received_ms < self.to_ms]
                lifted = accumulate([each.received_ms for each in batch], max, initial=newest_ms)
                times = list(lifted)[1:]
                batch = [
                    Message(at_ms, topic, payload) for at_ms, (_, topic, payload) in zip(times, batch, strict=True)
                ]
            if batch:
                newest_ms = times[-1]
                yield batch

    def _file(self) -> Iterator[list[Message]]:
        with Reader(self.path) as reader:
            yield from reader.blocks()

    def _journal(self, begin_ms: int) -> Iterator[list[Message]]:
        journal = Journal(self.path)
        wanted = _Wanted()
        try:
            after, last = position_at(journal, begin_ms) - 1, position_at(journal, self.to_ms) - 1
            while after < last:
                records = journal.read(after, _BATCH)[: last - after]
                after = records[-1].position
                yield [
                    _message(Message, (received_ms, topic, payload))
                    for _, received_ms, topic, payload in records
                    if wanted[topic]
                ]
        finally:
            journal.close()


def file_source(site: Site, path: Path, from_ms: int | None, to_ms: int | None) -> Source:
    """Return a recording's file as a source, after reading it once to its end.

    Raises:
        RecordingError: it is none, or damaged, or holds nothing in the span, or a kind the site does not know.
    """
    first = last = None
    with Reader(path) as reader:
        check_kinds(reader, site)
        for block in reader.blocks():
            first = block[0].received_ms if first is None else first
            last = block[-1].received_ms
    if first is None or last is None:
        raise RecordingError(f"{path} holds no message")
    return _spanned(Source(path, first, last + 1, True), from_ms, to_ms)


def journal_source(folder: Path, from_ms: int | None, to_ms: int | None) -> Source:
    """Return a journal as a source.

    Raises:
        RecordingError: there is none, or it holds nothing in the span.
        JournalError: it is damaged.
    """
    if not any(folder.glob("[0-9]*.db")):
        raise RecordingError(f"{folder} holds no journal")
    journal = Journal(folder)
    try:
        begin = journal.first()
        if not begin:
            raise RecordingError(f"{folder} holds no message")
        first = journal.read(begin - 1, 1)[0].received_ms
        return _spanned(Source(folder, first, journal.received_ms + 1, False), from_ms, to_ms)
    finally:
        journal.close()


def _spanned(source: Source, from_ms: int | None, to_ms: int | None) -> Source:
    begin = source.from_ms if from_ms is None else max(from_ms, source.from_ms)
    end = source.to_ms if to_ms is None else min(to_ms, source.to_ms)
    if begin >= end:
        raise RecordingError("nothing was recorded in that span")
    return Source(source.path, begin, end, source.is_file)
