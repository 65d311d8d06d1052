"""The recordings of a site: one journal a collector, read as outcomes from an instant to another."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from devices.site import Site
from ingest.checkpoint import Checkpoint
from ingest.comparison import position_at
from ingest.decoding import Decoder, Unregistered
from ingest.errors import JournalError
from ingest.journal import Journal
from ingest.outcomes import AnyOutcome
from ingest.places import Places
from ingest.recording.scope import of_journal
from ingest.records import of_the_city
from ingest.repeats import Repeats

_BATCH = 5_000
# What came before the span tells how things stood when it began.
WARM_MS = 3_600_000
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Recording:
    """What one collector journaled, and the devices it hears."""

    shard: str
    site: Site
    journal: Journal
    unregistered: Unregistered

    def reach(self) -> tuple[int, int] | None:
        """Return the instants of the first and last record (epoch ms), None when there is none.

        Raises:
            JournalError: a file is damaged.
        """
        first = self.journal.first()
        if not first:
            return None
        return self.journal.read(first - 1, 1)[0].received_ms, self.journal.received_ms

    def count(self, from_ms: int, to_ms: int) -> int:
        """Return how many records were received in [from, to)."""
        return position_at(self.journal, to_ms) - position_at(self.journal, from_ms)

    def spoken(self, from_ms: int, to_ms: int) -> bool:
        """Tell whether anybody said anything in [from, to): a tick says only that the collector listened.

        Raises:
            JournalError: a file is damaged.
        """
        after, last = position_at(self.journal, from_ms) - 1, position_at(self.journal, to_ms) - 1
        while after < last:
            records = self.journal.read(after, _BATCH).upto(last)
            if any(map(of_the_city, records.topics)):
                return True
            after = records[-1].position
        return False

    def outcomes(self, from_ms: int, to_ms: int, tell: Tell) -> Iterator[Sequence[AnyOutcome]]:
        """Yield what was received in [from, to) and in the hour before, in batches; ``tell`` is told how far it is.

        Raises:
            JournalError: a file is damaged.
        """
        journal = self.journal
        first, last = position_at(journal, from_ms - WARM_MS), position_at(journal, to_ms) - 1
        decoder = Decoder(self.site, self.unregistered)
        begin = after = max(Repeats.window_start(first - 1), journal.first() - 1, 0)
        while after < last:
            records = journal.read(after, _BATCH).upto(last)
            after = records[-1].position
            # What came before tells only what is a repeat.
            early = bisect_left(records.positions, first)
            decoder.outcomes(records[:early])
            found = decoder.outcomes(records[early:])
            tell(after - begin, last - begin)
            # What the rules were then is not asked.
            ruled = any(each.revision is not None for each in found.single.values())
            yield [each for each in found if each.revision is None] if ruled else found


def recordings(site: Site, places: Places) -> list[Recording]:
    """Return the recordings below a data folder.

    Raises:
        JournalError: none of the site's collectors has worked there, or one's files are damaged.
        RecordingError: what says of whom an imported one speaks cannot be read.
    """
    # What was imported or played in a sandbox is not divided, whatever the site is.
    shards: list[str | None] = [*site.shards, None]
    found = []
    for shard in shards:
        own = places.for_shard(shard)
        scope = of_journal(own.journal)
        if own.checkpoint.is_file():
            checkpoint = Checkpoint(own.checkpoint)
            unregistered = checkpoint.load().unregistered
            checkpoint.close()
        elif any(own.journal.glob("[0-9]*.db")):
            # Imported, or of a sandbox: no collector has admitted anybody.
            unregistered = Unregistered(per_hour=scope.strangers)
        else:
            continue
        part = site if shard is None else site.part(shard)
        part = replace(part, awaited=scope.awaited(part))
        found.append(Recording(shard or "main", part, Journal(own.journal), unregistered))
    if not found:
        raise JournalError(f"no collector has worked in {places.data.name} yet; there is nothing to test on")
    return found
