"""A replay in a sandbox: own journal, store and alarm database in a folder of their own, and the recording's clock.

It is the collector's own way (decoder, engine, store, alarm database, timers), driven by the recording alone. Nothing
in it knows a broker or a channel for notices, so nothing of it reaches the live city. Two runs give the same bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from devices.readings import Reading
from devices.site import Site
from ingest.alarms import occurrences, offenders
from ingest.alarms import timers as alarm_timers
from ingest.alarms.database import open_alarms
from ingest.alarms.engine import Engine
from ingest.alarms.transitions import Transition
from ingest.cases import timers as case_timers
from ingest.decoding import Decoder, Unregistered
from ingest.errors import ReplayError
from ingest.journal import Journal
from ingest.places import MAIN, Places
from ingest.recording.file import Message
from ingest.replay.pace import Pace
from ingest.replay.source import Source
from ingest.store import open_store

_SECOND_MS = 1_000
_BATCH = 5_000
# Vehicles are told apart in a sandbox as they are in every other one, and as in no live city.
_SECRET = b"citydeck sandbox"
MARK = "sandbox"


@dataclass(slots=True)
class Played:
    """How far a sandbox is."""

    messages: int = 0
    readings: int = 0
    transitions: int = 0
    quarantined: int = 0
    at_ms: int = 0


class Sandbox:
    """A city of its own in an empty folder."""

    def __init__(self, site: Site, folder: Path) -> None:
        """Make it.

        Raises:
            ReplayError: the folder is not empty.
        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ReplayError(f"{folder} is not empty; a sandbox needs a new or empty folder")
        # Whatever the site is connected to: the sandbox is not.
        self.site = replace(
            site,
            store=replace(site.store, url="embedded"),
            alarm_database="embedded",
            broker=replace(site.broker, url="embedded"),
            channels=(),
            shards={},
        )
        places = Places(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text("A replay was played here; nothing in it is live.\n", encoding="utf-8")
        # What is lost by a power cut is played again.
        self._journal = Journal(places.journal, durable=False)
        self._database = open_alarms(self.site, places)
        sa.event.listen(self._database.engine, "connect", _do_not_wait_for_the_disk)
        self._database.migrate()
        self._store = open_store(self.site, places)
        self._decoder = Decoder(self.site, Unregistered())
        self._engine = Engine(self.site)
        self._readings: list[Reading] = []
        self._second = 0
        self.played = Played()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._journal.close()
        self._store.close()
        self._database.close()

    def play(self, source: Source, pace: Pace, told: Callable[[Played], None]) -> Played:
        """Play a recording to its end, or until the pace is stopped; there is no way back in time.

        Raises:
            RecordingError: the recording is cut off or damaged; what came before was played.
        """
        pace.begin(source.from_ms)
        for batch in source.messages():
            for part in _by_instant(batch):
                leap = pace.wait(part[0].received_ms)
                while leap is not None and leap < part[0].received_ms:
                    # What was raised cannot be taken back: a leap back is none.
                    pace.begin(part[0].received_ms)
                    leap = pace.wait(part[0].received_ms)
                if leap is not None:
                    pace.begin(leap)
                if pace.stopped:
                    break
                self._take(part)
            told(self.played)
            if pace.stopped:
                break
        self._write()
        return self.played

    def _take(self, part: list[Message]) -> None:
        positions = self._journal.append([(message.topic, message.payload) for message in part], part[0].received_ms)
        records = self._journal.read(positions.start - 1, len(positions))
        outcomes = [self._decoder.outcome(record) for record in records]
        transitions: list[Transition] = self._engine.feed(outcomes)
        now_ms = self._engine.memory.now_ms
        if transitions:
            occurrences.apply(self._database, MAIN, transitions, positions[-1], now_ms, _SECRET)
        second = now_ms // _SECOND_MS
        if second != self._second:
            self._second = second
            alarm_timers.due(self._database, now_ms)
            case_timers.due(self._database, now_ms)
            offenders.look(self._database, now_ms)
        self._readings += [reading for outcome in outcomes for reading in outcome.readings]
        if len(self._readings) >= _BATCH:
            self._write()
        played = self.played
        played.messages += sum(outcome.fate != "tick" for outcome in outcomes)
        played.quarantined += sum(outcome.fate == "quarantined" for outcome in outcomes)
        played.transitions += len(transitions)
        played.at_ms = now_ms

    def _write(self) -> None:
        self._store.write(self._readings, self._journal.last)
        self.played.readings += len(self._readings)
        self._readings = []


def _do_not_wait_for_the_disk(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def _by_instant(messages: list[Message]) -> list[list[Message]]:
    parts: list[list[Message]] = []
    for message in messages:
        if not parts or parts[-1][0].received_ms != message.received_ms:
            parts.append([])
        parts[-1].append(message)
    return parts
