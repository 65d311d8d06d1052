"""Journal against store, counted anew: what the messages of a span must have left there, and what is there.

Nothing that runs is asked: the span is decoded again by a decoder of its own, and compared point by point by device
time. A message's points are looked for wherever its device time puts them, so late and back-filled ones are found; a
point of the span that none of its messages explains is looked for in the rest of the journal before it is named.
"""

from array import array
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from devices.decode import STATUS
from devices.points import FUTURE_MS
from devices.site import Site
from ingest.decoding import Decoder, Unregistered
from ingest.journal import Journal
from ingest.outcomes import AnyOutcome
from ingest.repeats import Repeats
from ingest.store import Store
from ingest.store.minutes import summed

_BATCH = 2_000
_SLICE_POINTS = 200_000
_DAY_MS = 86_400_000
_MS_NS = 1_000_000
_NAMED = 3

Instants = NDArray[np.int64]
Key = tuple[str, str]
Tell = Callable[[int, int], None]
_NONE: Instants = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Source:
    """A collector's journal, whom it admitted, how far its readings are stored, what its quarantine holds."""

    folder: Path
    unregistered: Unregistered
    stored: int
    quarantined: Container[int]


@dataclass(frozen=True, slots=True)
class Difference:
    """Points of one device that should be in the store and are not, or are there without a message (epoch ns)."""

    measurement: str
    device: str
    missing: int
    extra: int
    first_missing: tuple[int, ...]
    first_extra: tuple[int, ...]


@dataclass(slots=True)
class Report:
    """What a comparison found; numbers of messages, and of points."""

    start_ms: int
    stop_ms: int
    messages: int = 0
    quarantined: int = 0
    expected: int = 0
    waiting: int = 0
    expired: int = 0
    differences: list[Difference] = field(default_factory=list)


class _Points:
    """Device times by measurement and device."""

    def __init__(self) -> None:
        self._found: dict[Key, array[int]] = {}

    def add(self, outcome: AnyOutcome) -> None:
        for reading in outcome.readings:
            key = (reading.measurement, reading.device)
            found = self._found.get(key)
            if found is None:
                found = self._found[key] = array("q")
            # What does not fit into 64 bits, no store holds.
            if -(2**63) <= reading.at_ns < 2**63:
                found.append(reading.at_ns)

    def of(self, key: Key) -> Instants:
        found = self._found.get(key)
        return _NONE if found is None else np.unique(np.frombuffer(found, np.int64))

    def keys(self) -> set[Key]:
        return set(self._found)

    def __len__(self) -> int:
        return sum(len(self.of(key)) for key in self._found)


class Reconciliation:
    """One comparison of journals with the store they are written into."""

    def __init__(self, site: Site, store: Store, sources: Sequence[Source], tell: Tell) -> None:
        """Prepare; ``tell`` is called with how many records of how many are read."""
        self._site = site
        self._store = store
        self._sources = sources
        self._tell = tell
        self._journals = {source.folder: Journal(source.folder) for source in sources}
        self._due = _Points()
        self._others = _Points()

    def compare(self, span_ms: tuple[int, int], now_ms: int, whole: bool) -> Report:
        """Compare what was received in a span with the store.

        Args:
            span_ms: first instant and end of the span, epoch ms; a journal that begins later cuts it.
            now_ms: what is older than the site keeps, seen from here, is not missed.
            whole: whether these journals are all that is written into the store; else points of devices that none of
                them heard are not judged.

        Raises:
            JournalError: a journal cannot be read.
            StoreError: the store is away.
        """
        begin_ms = max((_begin_ms(journal) for journal in self._journals.values()), default=0)
        start_ms = max(span_ms[0], begin_ms)
        report = Report(start_ms, max(start_ms, span_ms[1]))
        for source in self._sources:
            self._decode_span(source, report)
        report.expected = len(self._due)
        # What a clock that ran ahead put into the span may have come before the journal's beginning.
        judged_ms = start_ms if begin_ms <= start_ms - FUTURE_MS else begin_ms + FUTURE_MS
        due_keys = self._due.keys()
        heard = {device for _, device in due_keys | self._others.keys()}
        missing: dict[Key, Instants] = {}
        extra: dict[Key, Instants] = {}
        for measurement in (*self._site.catalog.measurements, STATUS):
            kept_ns = (now_ms - self._kept_days(measurement) * _DAY_MS) * _MS_NS
            found = self._stored(measurement, max(start_ms * _MS_NS, kept_ns), report.stop_ms * _MS_NS)
            for device in {name for of, name in due_keys if of == measurement}:
                key = (measurement, device)
                due = self._due.of(key)
                report.expired += int(np.count_nonzero(due < kept_ns))
                gone = np.setdiff1d(due[due >= kept_ns], found.get(device, _NONE))
                gone = self._elsewhere(key, gone, start_ms * _MS_NS, report.stop_ms * _MS_NS)
                if len(gone):
                    missing[key] = gone
            for device, there in found.items():
                key = (measurement, device)
                more = np.setdiff1d(there, np.union1d(self._due.of(key), self._others.of(key)))
                more = more[more >= max(judged_ms * _MS_NS, kept_ns)]
                if len(more) and (whole or device in heard):
                    extra[key] = more
        if extra:
            extra = self._unexplained(extra, report.stop_ms)
        for key in sorted(missing.keys() | extra.keys()):
            gone, more = missing.get(key, _NONE), extra.get(key, _NONE)
            report.differences.append(Difference(*key, len(gone), len(more), _first(gone), _first(more)))
        return report

    def _decode_span(self, source: Source, report: Report) -> None:
        journal = self._journals[source.folder]
        first = position_at(journal, report.start_ms - FUTURE_MS)
        last = position_at(journal, report.stop_ms) - 1
        for outcome in self._outcomes(source, journal, first, last):
            within = outcome.received_ms >= report.start_ms
            if within and outcome.fate != "tick" and outcome.origin is None:
                report.messages += 1
            if outcome.origin is None and outcome.position in source.quarantined:
                # Read with the site as it is now, it would land; it did not, and nobody says it did.
                report.quarantined += within
                self._others.add(outcome)
            elif within and outcome.position <= source.stored:
                self._due.add(outcome)
            else:
                report.waiting += within * len(outcome.readings)
                self._others.add(outcome)

    def _outcomes(self, source: Source, journal: Journal, first: int, last: int) -> Iterator[AnyOutcome]:
        decoder = Decoder(self._site, source.unregistered)
        after = max(Repeats.window_start(first - 1), journal.first() - 1, 0)
        begin = after
        while after < last:
            self._tell(after - begin, last - begin)
            for record in journal.read(after, _BATCH):
                if record.position > last:
                    break
                after = record.position
                outcome = decoder.outcome(record)
                if record.position >= first:
                    yield outcome
        self._tell(last - begin, last - begin)

    def _kept_days(self, measurement: str) -> int:
        return self._site.store.kept(measurement, measurement in summed(self._site.catalog)).raw_days

    def _stored(self, measurement: str, start_ns: int, stop_ns: int) -> dict[str, Instants]:
        if start_ns >= stop_ns:
            return {}
        total = sum(self._store.count(measurement, start_ns, stop_ns).values())
        parts: dict[str, list[Sequence[int]]] = {}
        # In slices, so that neither side must hold all rows of a long span at once.
        edges = np.linspace(start_ns, stop_ns, total // _SLICE_POINTS + 2).astype(np.int64).tolist()
        edges[0], edges[-1] = start_ns, stop_ns
        for low, high in pairwise(edges):
            for device, found in self._store.instants(measurement, low, high).items():
                parts.setdefault(device, []).append(np.asarray(found, np.int64))  # type: ignore[arg-type]
        return {device: np.unique(np.concatenate(found)) for device, found in parts.items()}

    def _elsewhere(self, key: Key, gone: Instants, start_ns: int, stop_ns: int) -> Instants:
        """Look outside the span for points that late messages put there; return what is missing all the same."""
        outside = gone[(gone < start_ns) | (gone >= stop_ns)]
        still = [gone[(gone >= start_ns) & (gone < stop_ns)]]
        day_ns = _DAY_MS * _MS_NS
        for day in np.unique(outside // day_ns).tolist():
            wanted = outside[outside // day_ns == day]
            low, high = int(wanted[0]), int(wanted[-1]) + 1
            there = self._store.instants(key[0], low, high, key[1]).get(key[1], ())
            still.append(np.setdiff1d(wanted, np.asarray(there, np.int64)))
        return np.sort(np.concatenate(still))

    def _unexplained(self, extra: Mapping[Key, Instants], stop_ms: int) -> dict[Key, Instants]:
        """Take away what messages received after the span put into it."""
        later = _Points()
        for source in self._sources:
            # Opened again: what came in the meantime may explain a point, too.
            journal = Journal(source.folder)
            for outcome in self._outcomes(source, journal, position_at(journal, stop_ms), journal.last):
                later.add(outcome)
        left = {key: np.setdiff1d(found, later.of(key)) for key, found in extra.items()}
        return {key: found for key, found in left.items() if len(found)}


def _first(found: Instants) -> tuple[int, ...]:
    return tuple(found[:_NAMED].tolist())


def _begin_ms(journal: Journal) -> int:
    """Return since when the journal holds everything; 0 when nothing of it was removed."""
    first = journal.first()
    return journal.read(first - 1, 1)[0].received_ms if first > 1 else 0


def position_at(journal: Journal, at_ms: int) -> int:
    """Return the position of the first record received at an instant or later, or the one behind the last."""
    low, high = max(1, journal.first()), journal.last + 1
    while low < high:
        middle = (low + high) // 2
        if journal.read(middle - 1, 1)[0].received_ms >= at_ms:
            high = middle
        else:
            low = middle + 1
    return low
