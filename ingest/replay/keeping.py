"""What a sandbox keeps of what it plays: its journal and its store, a batch at a time, beside whoever plays."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from devices.readings import Reading
from devices.recording import Message
from ingest.journal import Journal
from ingest.ledger import count_stored, stored_counts
from ingest.places import Places
from ingest.store import Store

# Of many readings of one device only the page is written.
_BATCH, _BATCH_BYTES = 50_000, 32 * 1024 * 1024
_received_ms = attrgetter("received_ms")


class Batch(NamedTuple):
    """Messages in the order of their receipt, and what was read from them."""

    messages: list[Message]
    readings: list[Reading]


class Kept(NamedTuple):
    """How much is kept by now: up to a position of the journal, and by kind the readings stored and refused."""

    position: int = 0
    stored: int = 0
    refused: int = 0
    kinds: Mapping[str, Sequence[int]] = {}


class Keeper:
    """Writes a sandbox's journal and store."""

    def __init__(self, places: Places, store: Store) -> None:
        # What is lost by a power cut is played again.
        self._journal = Journal(places.journal, durable=False)
        self._store = store
        self._counts = stored_counts()
        self._kept = Kept()

    def keep(self, batch: Batch) -> Kept:
        """Write a batch and return what is kept by now.

        Raises:
            JournalError: the journal cannot be written.
            StoreError: the store cannot.
        """
        instants = [
            ([(message.topic, message.payload) for message in instant], received_ms)
            for received_ms, instant in groupby(batch.messages, _received_ms)
        ]
        self._journal.append_each(instants)
        position, readings, before = self._journal.last, batch.readings, self._kept
        written = self._store.write(readings, position)
        count_stored(self._counts, readings, written.refused)
        stored, refused = before.stored + written.stored, before.refused + len(written.refused)
        self._kept = Kept(position, stored, refused, self._counts.kinds())
        return self._kept

    def close(self) -> None:
        """Close journal and store."""
        self._journal.close()
        self._store.close()


class Keeping(ABC):
    """Keeps what is played: gathers it, and writes a batch while the next is played; ``kept`` is how much by now."""

    def __init__(self) -> None:
        self.kept = Kept()
        self._waiting = 0
        self._bytes = 0

    def add(self, messages: Sequence[Message], readings: Sequence[Reading]) -> None:
        """Gather what was played; once there is enough of it, begin to write it.

        Raises:
            IngestError: what was begun before could not be written.
        """
        self._bytes += self._gather(messages, readings)
        self._waiting += max(len(messages), len(readings))
        if self._waiting >= _BATCH or self._bytes >= _BATCH_BYTES:
            self.write()

    def write(self) -> None:
        """Begin to write what was gathered, once the batch before is written.

        Raises:
            IngestError: that one could not be.
        """
        self.settle()
        self._waiting = self._bytes = 0
        self._begin()

    @abstractmethod
    def settle(self) -> None:
        """Wait until what was begun is written.

        Raises:
            IngestError: it could not be.
        """

    @abstractmethod
    def close(self) -> None:
        """End, once what was begun is written."""

    @abstractmethod
    def _gather(self, messages: Sequence[Message], readings: Sequence[Reading]) -> int:
        """Keep in mind what was played; return about how many bytes that is."""

    @abstractmethod
    def _begin(self) -> None:
        """Begin to write what was gathered."""


class InThread(Keeping):
    """Keeps in a thread: it costs nothing to begin, and shares the interpreter with whoever plays."""

    def __init__(self, places: Places, store: Store) -> None:
        super().__init__()
        self._keeper = Keeper(places, store)
        self._thread = ThreadPoolExecutor(1, "store")
        self._begun: Future[Kept] | None = None
        self._gathered = Batch([], [])

    def settle(self) -> None:
        """See :meth:`Keeping.settle`."""
        if self._begun is not None:
            begun, self._begun = self._begun, None
            self.kept = begun.result()

    def close(self) -> None:
        """See :meth:`Keeping.close`."""
        self._thread.shutdown()
        self._keeper.close()

    def _gather(self, messages: Sequence[Message], readings: Sequence[Reading]) -> int:
        self._gathered.messages.extend(messages)
        self._gathered.readings.extend(readings)
        return sum([len(payload) for _, _, payload in messages])

    def _begin(self) -> None:
        batch, self._gathered = self._gathered, Batch([], [])
        self._begun = self._thread.submit(self._keeper.keep, batch)
