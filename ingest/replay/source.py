"""Where a replay takes its messages from: a recording's file, or a span of a journal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, repeat
from pathlib import Path

import numpy as np

from devices.errors import RecordingError
from devices.recording import Reader
from devices.site import Site
from ingest.comparison import position_at
from ingest.journal import Journal
from ingest.recording.importing import check_kinds
from ingest.recording.scope import WHOLE, Scope, of_header, of_journal
from ingest.records import OWN_PREFIXES, TICK, Batch, Packed, Records, of_the_city, packed_of
from ingest.replay.block import Block

_BATCH = 5_000
# A batch with one of these may hold what the collector wrote for itself.
_OWN_MARK, _OWN_ROOT_MARK = [prefix.encode() for prefix in OWN_PREFIXES]
# As in ingest.records: where few came at a time there are nearly as many batches as messages.
_new = tuple.__new__


@dataclass(frozen=True, slots=True)
class Source:
    """Messages received in [from_ms, to_ms), in the order of their receipt, with the collector's ticks.

    ``scope`` says of whom they speak.
    """

    path: Path
    from_ms: int
    to_ms: int
    is_file: bool
    scope: Scope = WHOLE

    def records(self, begin_ms: int | None = None) -> Iterator[Block]:
        """Yield what was received from an instant on, counted from 1; the times never go back, as in a journal.

        Raises:
            RecordingError: the file is cut off or damaged.
            JournalError: the journal is.
        """
        begin_ms = self.from_ms if begin_ms is None else begin_ms
        return self._file(begin_ms) if self.is_file else self._journal(begin_ms)

    def _file(self, begin_ms: int) -> Iterator[Block]:
        position, newest_ms = 1, begin_ms
        with Reader(self.path) as reader:
            for block in reader.blocks():
                times = [received_ms for received_ms, _, _ in block]
                # Nearly every block lies within, whole and in order.
                if not (newest_ms <= times[0] and times[-1] < self.to_ms and times == sorted(times)):
                    block = [each for each in block if begin_ms <= each.received_ms < self.to_ms]
                    times = list(accumulate([each.received_ms for each in block], max, initial=newest_ms))[1:]
                if block:
                    _, topics, payloads = zip(*block, strict=True)
                    positions = np.arange(position, position + len(block))
                    yield Block(Records(positions, np.array(times), topics, payloads))
                    position += len(block)
                    newest_ms = times[-1]

    def _journal(self, begin_ms: int) -> Iterator[Block]:
        journal = Journal(self.path)
        position = 1
        try:
            after, last = position_at(journal, begin_ms) - 1, position_at(journal, self.to_ms) - 1
            while after < last:
                batches = journal.batches(after, min(_BATCH, last - after), True)
                # Of what was received together all lies in the span, or nothing.
                after = batches[-1].first + len(batches[-1].messages) - 1
                block = _block(position, batches)
                if len(block):
                    yield block
                    position += len(block)
        finally:
            journal.close()


def _block(first: int, batches: Sequence[Batch]) -> Block:
    """Return batches of a journal without what the collector wrote for itself, from a position on."""
    _, times, messages, bodies = map(list, zip(*batches, strict=True))
    counts = list(map(len, messages))
    packed = list(map(_new, repeat(Packed), zip(times, counts, counts, bodies, strict=True)))
    # Nearly every batch is taken over as it is.
    odd = [place for place, body in enumerate(bodies) if body is None or _OWN_MARK in body or _OWN_ROOT_MARK in body]
    for place in odd:
        messages[place] = [each for each in messages[place] if each[0] == TICK or of_the_city(each[0])]
        packed[place] = packed_of(times[place], messages[place])
    return Block(Records.joined(first, times, messages), [each for each in packed if each.records])


def file_source(site: Site, path: Path, from_ms: int | None, to_ms: int | None) -> Source:
    """Return a recording's file as a source, after reading it once to its end.

    Raises:
        RecordingError: it is none, or damaged, or holds no message in the span, or a kind the site does not know.
    """
    ends: list[int] = []
    with Reader(path) as reader:
        check_kinds(reader, site)
        scope = of_header(reader.header)
        for block in reader.blocks():
            # Within a block, and from one to the next, times may go back.
            times = [received_ms for received_ms, _, _ in block]
            ends += (min(times), max(times))
    if not ends:
        raise RecordingError(f"{path} holds no message")
    return _spanned(Source(path, min(ends), max(ends) + 1, True, scope), from_ms, to_ms)


def journal_source(folder: Path, from_ms: int | None, to_ms: int | None) -> Source:
    """Return a journal as a source.

    Raises:
        RecordingError: there is none, or it holds no message in the span.
        JournalError: it is damaged.
    """
    return _spanned(Source(folder, *reach(folder), False, of_journal(folder)), from_ms, to_ms)


def reach(folder: Path) -> tuple[int, int]:
    """Return the instants between which a journal was written, whether anybody spoke or not.

    Raises:
        RecordingError: there is none, or nothing is in it.
        JournalError: it is damaged.
    """
    if not any(folder.glob("[0-9]*.db")):
        raise RecordingError(f"{folder} holds no journal")
    journal = Journal(folder)
    try:
        begin = journal.first()
        if not begin:
            raise RecordingError(f"{folder} holds no message")
        return journal.read(begin - 1, 1)[0].received_ms, journal.received_ms + 1
    finally:
        journal.close()


def _spanned(source: Source, from_ms: int | None, to_ms: int | None) -> Source:
    begin = source.from_ms if from_ms is None else max(from_ms, source.from_ms)
    end = source.to_ms if to_ms is None else min(to_ms, source.to_ms)
    if begin >= end:
        raise RecordingError("nothing was recorded in that span")
    spanned = replace(source, from_ms=begin, to_ms=end)
    # A tick says that somebody listened, not that anybody spoke.
    if not any(of_the_city(topic) for records in spanned.records() for topic in records.topics):
        raise RecordingError("no message was recorded in that span")
    return spanned
