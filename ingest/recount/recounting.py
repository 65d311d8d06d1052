"""One recount: the journal judged again by the oracle, and the record held against what must stand there."""

from collections import Counter, deque
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field

from devices.site import Site
from ingest.alarms.altered import Altered
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.memory import loaded
from ingest.alarms.own_kind import own_device
from ingest.alarms.writing import kept_to
from ingest.checkpoint import Checkpoint
from ingest.comparison import position_at
from ingest.decoding import Decoder, Unregistered
from ingest.journal import Journal
from ingest.outcomes import Outcome
from ingest.places import Places
from ingest.recount.beginnings import Beginning, Kept, beginning, forgetful, keep
from ingest.recount.covering import Cover, seed
from ingest.recount.expected import Deed, Entry, Expected, Standing
from ingest.recount.in_force import InForce
from ingest.recount.oracle import Oracle
from ingest.recount.own_rows import altered
from ingest.recount.record import (
    ELSEWHERE,
    Claim,
    Record,
    Written,
    begin_seq,
    passed_before,
    read,
    revision_at,
    standing_at,
)
from ingest.recount.state import Happening, Memory
from ingest.repeats import Repeats

_BATCH = 2_000
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Difference:
    """A line that must stand on record and does not (``missing``), or stands there without a cause (``phantom``)."""

    verdict: str
    entry: Entry
    device: str
    rule: str


@dataclass(slots=True)
class Recount:
    """What came of it; ``uncovered`` says in sentences what was not judged.

    ``altered`` are occurrences that are not what the record says, whenever they were.
    """

    shard: str
    from_ms: int
    to_ms: int
    how: str = ""
    records: int = 0
    expected: int = 0
    differences: list[Difference] = field(default_factory=list)
    altered: list[Altered] = field(default_factory=list)
    uncovered: list[str] = field(default_factory=list)

    def count(self, verdict: str) -> int:
        """Return how many are ``missing``, ``phantom`` or ``changed``."""
        lines = sum(found.verdict == verdict for found in self.differences)
        return lines + sum(found.verdict == verdict for found in self.altered)

    @property
    def off(self) -> bool:
        """Tell whether anything is."""
        return bool(self.differences or self.altered)


@dataclass(frozen=True, slots=True)
class Saved:
    """What the collector's checkpoint tells: how far alarms are kept, whom it admitted, waits for, and cannot read."""

    position: int
    unregistered: Unregistered
    registered_ms: dict[str, int]
    quarantined: Container[int]


class _Run:
    """The journal's side of a recount, while the records go by."""

    def __init__(self, oracle: Oracle, standing: dict[str, Standing], deeds: Sequence[Deed]) -> None:
        self.oracle = oracle
        self.entries: list[tuple[Happening, Entry]] = []
        self.heard: dict[str, int] = {}
        self.reread = 0
        self._expected = Expected(standing)
        self._deeds = deque(deeds)

    def take(self, outcome: Outcome, quarantined: Container[int], after: int) -> None:
        """Take in a record; what it must have made is noted behind the position ``after``."""
        if outcome.position in quarantined and outcome.fate == "decoded" and outcome.origin is None:
            # Unreadable when it came, readable by the site as it is now: it was not judged then.
            self.reread += 1
            outcome.readings, outcome.status, outcome.ahead_ms = (), None, 0
        if outcome.origin is None:
            for reading in outcome.readings:
                self.heard.setdefault(reading.device, outcome.position)
        for happening in self.oracle.judge(outcome):
            while self._deeds and self._deeds[0].position < happening.position:
                self._expected.done(self._deeds.popleft())
            entry = self._expected.happened(happening)
            if entry is not None and entry.position > after:
                self.entries.append((happening, entry))

    def taken_in(self, record: Record, last: int) -> int:
        """Return up to which line of the audit everything has been taken in."""
        later = [written.seq - 1 for written in record.written if written.entry.position > last][:1]
        return min([record.last_seq, *later, *(deed.seq - 1 for deed in list(self._deeds)[:1])])


class Recounting:
    """Recounts one collector's alarms."""

    def __init__(
        self, site: Site, others: Container[str], shard: str, places: Places, database: AlarmDatabase, tell: Tell
    ) -> None:
        """Prepare.

        Args:
            site: the collector's part of it.
            others: names under which the other collectors raise alarms.
            shard: the collector's name.
            places: where its state is.
            database: of the alarms.
            tell: called with how many records of how many.
        """
        self._site = site
        self._others = others
        self._shard = shard
        self._places = places
        self._database = database
        self._tell = tell

    def count(self, span_ms: tuple[int, int], keep_end: bool = False) -> Recount:
        """Compare what was received in a span, as far as the collector has judged it.

        Args:
            span_ms: first instant and end of the span, epoch ms.
            keep_end: whether the next recount shall be able to begin where this one ends.

        Raises:
            JournalError: the journal cannot be read.
            AlarmError: the alarm database cannot be read.
        """
        journal, checkpoint = Journal(self._places.journal), Checkpoint(self._places.checkpoint)
        try:
            return self._count(journal, self._saved(checkpoint), span_ms, keep_end)
        finally:
            checkpoint.close()
            journal.close()

    def _count(self, journal: Journal, saved: Saved, span_ms: tuple[int, int], keep_end: bool) -> Recount:
        first = max(1, journal.first())
        first_ms = journal.read(first - 1, 1)[0].received_ms if journal.last else 0
        begun = beginning(self._places, first, first_ms, position_at(journal, span_ms[0]) - 1)
        result = Recount(self._shard, max(span_ms[0], begun.from_ms), max(span_ms[1], begun.from_ms), begun.how)
        after = position_at(journal, result.from_ms) - 1
        last = min(position_at(journal, result.to_ms) - 1, saved.position)
        if begun.on_trust:
            self._take_on_trust(begun, first_ms)
        memory, known_to = begun.kept.memory, (begun.kept.memory.position, begun.kept.seq)
        with self._database.read() as connection:
            record = read(connection, known_to[1], known_to[0], self._claim(memory))
        run = _Run(Oracle(self._site, self._shard, memory, saved.registered_ms), begun.kept.standing, record.deeds)
        for outcome in self._outcomes(journal, saved.unregistered, known_to[0], last):
            result.records += outcome.position > after
            run.take(outcome, saved.quarantined, after)
        cover = Cover(
            self._site,
            run.oracle.in_force,
            forgetful(self._site) if begun.on_trust else set(),
            record.written,
            run.heard if begun.on_trust else None,
        )
        self._compare(result, run.entries, record, cover, (after, last), known_to)
        self._tell_uncovered(result, cover, record, run.reread)
        if keep_end and last > known_to[0]:
            memory.position = last
            keep(self._places, Kept(begun.kept.format, memory, begun.kept.standing, run.taken_in(record, last)))
        return result

    def _saved(self, checkpoint: Checkpoint) -> Saved:
        found = checkpoint.load()
        armed = {name: loaded(state).armed_ms for name, state in found.devices.items() if name in self._site.devices}
        return Saved(kept_to(found.position, found.unkept), found.unregistered, armed, checkpoint.unread())

    def _claim(self, memory: Memory) -> Claim:
        site, own, devices = self._site, own_device(self._shard), memory.devices
        groups = {f"circuit:{device.circuit}" for device in site.devices.values()}
        groups |= {f"street:{device.street}" for device in site.devices.values()}

        def claimed(device: str) -> bool | None:
            if not site.shards or device in site.devices or device == own or device in groups or device in devices:
                return True
            return False if device in self._others else None

        return claimed

    def _outcomes(self, journal: Journal, unregistered: Unregistered, begun: int, last: int) -> Iterator[Outcome]:
        decoder = Decoder(self._site, unregistered)
        after = max(Repeats.window_start(begun), journal.first() - 1, 0)
        while after < last:
            self._tell(max(0, after - begun), last - begun)
            for record in journal.read(after, _BATCH):
                if record.position > last:
                    return
                after = record.position
                outcome = decoder.outcome(record)
                if record.position > begun:
                    yield outcome

    def _take_on_trust(self, begun: Beginning, at_ms: int) -> None:
        memory = begun.kept.memory
        with self._database.read() as connection:
            revision = revision_at(connection, self._shard, memory.position)
            memory.revision, memory.revisions = revision.number, {revision.number: revision}
            in_force = InForce(self._site, memory)
            begun.kept.seq = begin_seq(connection, at_ms)
            for point, device, rule, facts in standing_at(connection, begun.kept.seq, at_ms, self._claim(memory)):
                begun.kept.standing[point] = facts
                if facts.active:
                    seed(in_force, memory, device, rule, facts.level)

    def _compare(
        self,
        result: Recount,
        entries: list[tuple[Happening, Entry]],
        record: Record,
        cover: Cover,
        span: tuple[int, int],
        known_to: tuple[int, int],
    ) -> None:
        passages = {entry.point for _, entry in entries if entry.what == "passage"}
        with self._database.read() as connection:
            known = passed_before(connection, passages, *known_to)
        due = [
            (happening, entry)
            for happening, entry in entries
            if cover.covers(happening.rule, happening.device, entry.position)
            and not (entry.what == "passage" and entry.point in known)
        ]
        there = [
            each
            for each in record.written
            if span[0] < each.entry.position <= span[1] and cover.covers(each.rule, each.device, each.entry.position)
        ]
        result.expected = len(due)
        too_few = Counter(entry for _, entry in due) - Counter(written.entry for written in there)
        too_many = Counter(written.entry for written in there) - Counter(entry for _, entry in due)
        whose: dict[Entry, Happening | Written] = {written.entry: written for written in there}
        whose |= {entry: happening for happening, entry in due}
        for verdict, entries_ in (("missing", too_few), ("phantom", too_many)):
            result.differences += [
                Difference(verdict, entry, whose[entry].device, whose[entry].rule) for entry in entries_.elements()
            ]
        result.differences.sort(key=lambda found: (found.entry.position, found.entry.point, found.verdict))

    def _tell_uncovered(self, result: Recount, cover: Cover, record: Record, reread: int) -> None:
        result.uncovered += cover.sentences()
        for rule, count in sorted(record.elsewhere.items()):
            result.uncovered.append(f"{rule}: {ELSEWHERE[rule]}; {count} lines on record")
        if record.foreign:
            result.uncovered.append(f"{record.foreign} lines of devices that belong to no collector by the site file")
        if reread:
            result.uncovered.append(f"{reread} messages that could not be read when they came, and can be now")


def recount(
    site: Site,
    shard: str | None,
    data: Places,
    database: AlarmDatabase,
    span_ms: tuple[int, int],
    tell: Tell,
    keep_end: bool = False,
) -> Recount:
    """Recount the alarms of one collector of a site; see :meth:`Recounting.count`."""
    part = site if shard is None else site.part(shard)
    own = data.for_shard(shard)
    others = _others(site, part, shard)
    found = Recounting(part, others, shard or "main", own, database, tell).count(span_ms, keep_end)
    found.altered, unjudged = altered(site, shard, database)
    found.uncovered += unjudged
    return found


def _others(site: Site, part: Site, shard: str | None) -> frozenset[str]:
    """Return under which names the other collectors of a site raise alarms."""
    devices = [device for name, device in site.devices.items() if name not in part.devices]
    names = {device.id for device in devices} | {own_device(name) for name in site.shards if name != shard}
    names |= {f"circuit:{device.circuit}" for device in devices} | {f"street:{device.street}" for device in devices}
    return frozenset(names)
