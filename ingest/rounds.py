"""Rounds: a thread that works again and again; trouble is told once, and neither that nor a fault of ours ends it."""

import logging
import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, NamedTuple

from ingest.alarms.database import AlarmDatabase
from ingest.checkpoint import Checkpoint
from ingest.errors import IngestError
from ingest.journal import Journal

log = logging.getLogger(__name__)


class Rounds(threading.Thread, ABC):
    """Does its round every ``every_s`` seconds until stopped; ``meanwhile`` says what a round that fails means."""

    called: ClassVar[str]
    every_s: ClassVar[float]
    meanwhile: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(name=self.called, daemon=True)
        self._stopping = threading.Event()
        self._pause_s = 0.0
        self._troubles: dict[str, str] = {}

    @abstractmethod
    def round(self) -> None:
        """Do what is due; may set ``_pause_s``, in which the next round follows."""

    def stop(self) -> None:
        """End after the step at hand."""
        self._stopping.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        """Work until stopped."""
        while not self._stopping.wait(self._pause_s):
            self._pause_s = self.every_s
            self._try(self.round, self.meanwhile)

    def _try(self, act: Callable[[], object], meanwhile: str) -> None:
        try:
            act()
        except (IngestError, sqlite3.Error) as error:
            self._tell(str(error), meanwhile)
        except Exception as error:
            # A fault of ours must not end for good what the next round may do.
            if self._troubles.get(meanwhile) != repr(error):
                self._troubles[meanwhile] = repr(error)
                log.exception("%s failed; %s", self.name, meanwhile)
        else:
            self._troubles.pop(meanwhile, None)

    def _tell(self, trouble: str, meanwhile: str) -> None:
        # The same trouble is told once for as long as it lasts.
        if self._troubles.get(meanwhile) != trouble:
            self._troubles[meanwhile] = trouble
            log.warning("%s; %s", trouble, meanwhile)


class ShardParts(NamedTuple):
    """What one thread of a collector works with; ``checkpoint`` is the collector's, opened for this thread."""

    shard: str
    database: AlarmDatabase
    checkpoint: Checkpoint
    journal: Journal
    clock_ms: Callable[[], int]


class ShardRounds(Rounds):
    """Rounds between what one collector keeps for itself and the alarm database."""

    def __init__(self, parts: ShardParts) -> None:
        super().__init__()
        self._shard, self._database, self._checkpoint, self._journal, self._clock_ms = parts
