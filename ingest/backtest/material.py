"""What a draft can be tested on: the recording, message by message and exactly, or the store's history in columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.revisions.comparing import Compared, Comparison
from ingest.alarms.revisions.comparing import result as document
from ingest.alarms.revisions.recordings import Recording
from ingest.alarms.revisions.revision import Revision
from ingest.backtest import recorded
from ingest.backtest.history import judged
from ingest.backtest.plan import Plan, plan
from ingest.errors import Refused
from ingest.store import Store

Origin = Literal["journal", "history"]
Revisions = tuple[Revision, Revision]
Span = tuple[int, int]
Wanted = tuple[int | None, int | None]
Tell = Callable[[int, int], None]

_DAY_MS = 86_400_000


class Material(Protocol):
    """Recorded days of a site."""

    @property
    def origin(self) -> Origin:
        """What it is."""

    def part(self, wanted: Wanted, now_ms: int, revisions: Callable[[], Revisions]) -> Span:
        """Return the part of [from, to) that is recorded; without an end until now, without a beginning a day.

        Raises:
            Refused: ``unfit``, there is nothing in it, or the draft cannot be tested on it.
            IngestError: it cannot be read.
        """

    def compared(self, revisions: Revisions, span: Span, tell: Tell) -> tuple[Sequence[Compared], int]:
        """Judge a span under both revisions and return what came of it, and how much was judged.

        Raises:
            Refused: ``unfit``, the draft cannot be tested on it.
            IngestError: it cannot be read.
        """

    def not_judged(self, revisions: Revisions) -> Sequence[str]:
        """Return the rules that a draft changes and that cannot be judged on it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The journals of a site's collectors."""

    site: Site
    found: Sequence[Recording]
    origin: Origin = "journal"

    def part(self, wanted: Wanted, now_ms: int, revisions: Callable[[], Revisions]) -> Span:
        """See :meth:`Material.part`."""
        begin_ms, end_ms = _wanted(wanted, now_ms)
        reaches = [reach for reach in (each.reach() for each in self.found) if reach is not None]
        if not reaches:
            raise Refused(
                "unfit", "Nothing has been recorded yet; there is nothing to test on.", code="nothing_to_test"
            )
        first, last = min(each[0] for each in reaches), max(each[1] for each in reaches)
        from_ms, to_ms = max(begin_ms, first), min(end_ms, last + 1)
        if from_ms >= to_ms or not any(each.spoken(from_ms, to_ms) for each in self.found):
            begin, end = _shown(first, self.site), _shown(last, self.site)
            raise Refused(
                "unfit",
                f"The span holds no records; the journal reaches from {begin} to {end}.",
                code="span_no_records",
                values={"begin": begin, "end": end},
            )
        return from_ms, to_ms

    def compared(self, revisions: Revisions, span: Span, tell: Tell) -> tuple[Sequence[Compared], int]:
        """See :meth:`Material.compared`."""
        total = sum(each.count(*span) for each in self.found)
        behind = 0
        comparisons = []
        for recording in self.found:
            comparison = Comparison(recording.site, recording.shard, *revisions)
            size = recording.count(*span)

            def told(done: int, of: int, size: int = size, behind: int = behind) -> None:
                tell(behind + size * done // max(1, of), total)

            for outcomes in recording.outcomes(*span, told):
                comparison.feed(outcomes)
            comparison.finish()
            comparisons.append(comparison)
            behind += size
        return comparisons, total

    def not_judged(self, _revisions: Revisions) -> Sequence[str]:
        """See :meth:`Material.not_judged`."""
        return ()


@dataclass(frozen=True, slots=True)
class History:
    """The readings in the store, and the alarm database for whatever the draft does not touch."""

    site: Site
    store: Store
    database: AlarmDatabase
    origin: Origin = "history"

    def part(self, wanted: Wanted, now_ms: int, revisions: Callable[[], Revisions]) -> Span:
        """See :meth:`Material.part`."""
        found = self._plan(revisions())
        begin_ms, end_ms = _wanted(wanted, now_ms)
        measurements = sorted({each.measurement for each in found.fields})
        reaches = [reach for reach in map(self.store.reach, measurements) if reach is not None]
        named = " and ".join(measurements)
        if not reaches:
            raise Refused(
                "unfit",
                f"The store holds no {named} yet; there is nothing to test on.",
                code="store_none",
                values={"what": measurements},
            )
        first, last = min(each[0] for each in reaches), max(each[1] for each in reaches)
        from_ms, to_ms = max(begin_ms, first), min(end_ms, last + 1)
        if from_ms >= to_ms:
            begin, end = _shown(first, self.site), _shown(last, self.site)
            raise Refused(
                "unfit",
                f"The span holds no readings; the history of {named} reaches from {begin} to {end}.",
                code="span_no_readings",
                values={"what": measurements, "begin": begin, "end": end},
            )
        return from_ms, to_ms

    def compared(self, revisions: Revisions, span: Span, tell: Tell) -> tuple[Sequence[Compared], int]:
        """See :meth:`Material.compared`."""
        found = judged(self.store, self.site, self._plan(revisions), *span, tell)
        if not found.heard:
            raise Refused(
                "unfit",
                "The span holds no readings of the devices concerned; there is nothing to test on.",
                code="span_no_devices",
            )
        with self.database.read() as connection:
            others = recorded.announced(connection, *span, found.touches)
        for side in (found.before, found.after):
            side.by_point.update(others)
        return [found], found.values

    def not_judged(self, revisions: Revisions) -> Sequence[str]:
        """See :meth:`Material.not_judged`."""
        return self._plan(revisions).unfit

    def _plan(self, revisions: Revisions) -> Plan:
        return plan(self.site, *revisions)


def compare(
    database: AlarmDatabase, material: Material, site: Site, revisions: Revisions, span: Span, tell: Tell
) -> dict[str, Any]:
    """Return what a draft would differ in over a span, as a document.

    Raises:
        Refused: ``unfit``, the draft cannot be tested on it.
        IngestError: it cannot be read.
    """
    comparisons, judged_ = material.compared(revisions, span, tell)
    with database.read() as connection:
        found = recorded.occurrences(connection, *span)
    left_out = list(material.not_judged(revisions))
    differing = document(comparisons, found, *span, site)
    return {"source": material.origin, "records": judged_, "not_judged": left_out, **differing}


def _wanted(wanted: Wanted, now_ms: int) -> Span:
    end_ms = now_ms if wanted[1] is None else wanted[1]
    begin_ms = end_ms - _DAY_MS if wanted[0] is None else wanted[0]
    if begin_ms >= end_ms:
        raise Refused("unfit", "The span is empty: from must lie before to.", code="bad_order")
    return begin_ms, end_ms


def _shown(at_ms: int, site: Site) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(site.timezone).isoformat()
