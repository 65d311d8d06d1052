"""A journal and all around a store's writer, without the pipeline that hands it batches."""

from pathlib import Path

from devices.site import Site
from ingest.checkpoint import Checkpoint
from ingest.decoding import Decoder, Unregistered
from ingest.handed import Handed
from ingest.journal import Journal
from ingest.metrics import Meters
from ingest.store import Store
from ingest.store.sqlite import SqliteStore
from ingest.storing import StoreWriter
from tests.ingest.messages import T_MS, Message

STEP_MS = 18
COUNT = 60_000
NOW_MS = T_MS + COUNT * STEP_MS


class Flow:
    """A journal and all around a store's writer, which the test hands batches as the pipeline does."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.site = site
        self.journal = Journal(folder / "journal", durable=False)
        self.store = SqliteStore(folder / "readings.db", site.catalog)
        self.checkpoint = Checkpoint(folder / "checkpoint.db")
        self.unregistered = Unregistered()
        self.decoder = Decoder(site, self.unregistered)
        self.handed_to = 0
        self.writers: list[StoreWriter] = []

    def writer(self, store: Store | None = None) -> StoreWriter:
        meters = Meters(lambda: NOW_MS)
        self.writers.append(
            StoreWriter(self.site, self.journal, store or self.store, self.checkpoint, self.unregistered, meters)
        )
        return self.writers[-1]

    def receive(self, messages: list[Message], received_ms: int) -> None:
        self.journal.append(messages, received_ms)

    def hand(self, writer: StoreWriter, most: int = 2_000) -> int:
        """Decode and hand over a batch; return how many records it was."""
        records = self.journal.read(self.handed_to, most)
        found = self.decoder.outcomes(records).readings()
        if records:
            writer.hand(Handed(self.handed_to, records[-1].position, records[0].received_ms, *found))
            self.handed_to = records[-1].position
        return len(records)

    def close(self) -> None:
        for writer in self.writers:
            writer.stop(20)
        self.store.close()
        self.checkpoint.close()
        self.journal.close()
