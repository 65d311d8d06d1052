"""What a sandbox keeps of what it plays: its journal and its store, a batch at a time, beside whoever plays."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import Generic, NamedTuple, TypeVar

from devices.readings import Reading
from ingest.journal import Journal
from ingest.ledger import count_stored, stored_counts
from ingest.outcomes import Batch
from ingest.places import Places
from ingest.records import Packed
from ingest.store.sqlite import SqliteStore
from ingest.store.usual import UsualReadings

# Of many readings of one device only the page is written. The last batch is waited for, so that none is more than a
# part of all.
_BATCH, _BATCH_BYTES, _PART = 50_000, 64 * 1024 * 1024, 8

Gathering = TypeVar("Gathering")


class Part(NamedTuple):
    """Batches in the order of their receipt, and what was read from them."""

    batches: Sequence[Packed]
    readings: Sequence[Reading]
    usual: Sequence[UsualReadings] = ()


def part_of(batches: Sequence[Packed], outcomes: Batch) -> Part:
    """Return batches with what became of them."""
    return Part(batches, *outcomes.readings())


class Kept(NamedTuple):
    """How much is kept by now: up to a position of the journal, and by kind the readings stored and refused."""

    position: int = 0
    stored: int = 0
    refused: int = 0
    kinds: Mapping[str, Sequence[int]] = {}


class Keeper(ABC, Generic[Gathering]):
    """Writes a sandbox's journal and store; ``Gathering`` is a batch as it waits to be written."""

    most = _BATCH
    """How many records a batch may hold, however much was played."""

    @abstractmethod
    def gather(self, part: Part) -> int:
        """Add a part to the next batch and return about how many bytes it holds."""

    @abstractmethod
    def gathered(self) -> Gathering:
        """Return what was added as a batch, and begin another; the one before must have been written."""

    @abstractmethod
    def keep(self, batch: Gathering) -> Kept:
        """Write a batch and return what is kept by now; the next may be gathered meanwhile, in another thread.

        Raises:
            JournalError: the journal cannot be written.
            StoreError: the store cannot.
            ReplayError: whoever writes both has ended.
        """

    def finish(self) -> None:
        """Make what is kept ready for those who search in it.

        Raises:
            StoreError: it cannot be.
        """

    @abstractmethod
    def close(self) -> None:
        """Close journal and store."""


class OwnKeeper(Keeper[list[Part]]):
    """Writes them itself."""

    def __init__(self, places: Places, store: SqliteStore) -> None:
        # What is lost by a power cut is played again.
        self._journal = Journal(places.journal, durable=False)
        self._store = store
        self._counts = stored_counts()
        self._kept = Kept()
        self._parts: list[Part] = []

    def gather(self, part: Part) -> int:
        """See :meth:`Keeper.gather`."""
        self._parts.append(part)
        return sum([len(each.body) for each in part.batches])

    def gathered(self) -> list[Part]:
        """See :meth:`Keeper.gathered`."""
        batch, self._parts = self._parts, []
        return batch

    def keep(self, batch: list[Part]) -> Kept:
        """See :meth:`Keeper.keep`."""
        self._journal.append_packed(list(chain.from_iterable([part.batches for part in batch])))
        readings = list(chain.from_iterable([part.readings for part in batch]))
        usual = list(chain.from_iterable([part.usual for part in batch]))
        position, before = self._journal.last, self._kept
        written = self._store.write(readings, position, usual)
        count_stored(self._counts, readings, written.refused, usual)
        stored, refused = before.stored + written.stored, before.refused + len(written.refused)
        self._kept = Kept(position, stored, refused, self._counts.kinds())
        return self._kept

    def close(self) -> None:
        """See :meth:`Keeper.close`."""
        self._journal.close()
        self._store.close()


class Keeping(Generic[Gathering]):
    """Gathers what is played and lets a batch of it be written while the next is played.

    ``kept`` is how much is written by now. Where the keeper writes by itself, it shares the interpreter with whoever
    plays, and a thread costs nothing to begin; one that lets others write leaves it to the player.
    """

    def __init__(self, keeper: Keeper[Gathering]) -> None:
        self.keeper = keeper
        self.kept = Kept()
        self._thread = ThreadPoolExecutor(1, "keeping")
        self._begun: Future[Kept] | None = None
        self._records = self._played = 0
        self._bytes = 0

    def add(self, part: Part) -> None:
        """Gather what was played; once there is enough of it, begin to write it.

        Raises:
            IngestError: what was begun before could not be written.
        """
        self._bytes += self.keeper.gather(part)
        readings = len(part.readings) + sum([len(each.devices) for each in part.usual])
        self._records += max(sum([each.records for each in part.batches]), readings)
        enough = min(max(_BATCH, self._played // _PART), max(_BATCH, self.keeper.most))
        if self._records >= enough or self._bytes >= _BATCH_BYTES:
            self.write()

    def write(self) -> None:
        """Begin to write what was gathered, once the batch before is written.

        Raises:
            IngestError: that one could not be.
        """
        self.settle()
        self._played += self._records
        self._records = self._bytes = 0
        self._begun = self._thread.submit(self.keeper.keep, self.keeper.gathered())

    def settle(self) -> None:
        """Wait until what was begun is written.

        Raises:
            IngestError: it could not be.
        """
        if self._begun is not None:
            begun, self._begun = self._begun, None
            self.kept = begun.result()

    def close(self) -> None:
        """End, once what was begun is written."""
        self._thread.shutdown()
        self.keeper.close()
