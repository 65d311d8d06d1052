"""A replay in a sandbox: own journal, store and alarm database in a folder of their own, and the recording's clock.

It is the collector's own way (decoder, engine, store, alarm database, timers), driven by the recording alone. Nothing
in it knows a broker or a channel for notices, so nothing of it reaches the live city. Two runs give the same bytes.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import sqlalchemy as sa

from devices.readings import Reading
from devices.recording import Message
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
from ingest.ledger import Hops, Ledger, Stored, count_stored, ledger_document, stored_counts
from ingest.places import MAIN, Places
from ingest.replay.pace import Pace
from ingest.replay.source import Source
from ingest.store import open_store

_SECOND_MS = 1_000
_BATCH = 5_000
# Vehicles are told apart in a sandbox as they are in every other one, and as in no live city.
_SECRET = b"citydeck sandbox"
MARK = "sandbox"
# Alarms are named by their point and position: behind all positions there are, no name is that of a live alarm.
_APART = 1 << 50


@dataclass(slots=True)
class Played:
    """How far a sandbox is."""

    messages: int = 0
    readings: int = 0
    transitions: int = 0
    quarantined: int = 0
    at_ms: int = 0


class Audience(Protocol):
    """Is shown what happens in a sandbox; called by whoever plays it."""

    def took(self, touched: list[tuple[str, int]], readings: list[Reading]) -> None:
        """Hear which alarms changed (id and version) by one instant of the recording, and its readings."""
        ...


class Sandbox:
    """A city of its own in an empty folder; whoever looks into its engine meanwhile must hold ``turn``."""

    def __init__(self, site: Site, folder: Path, audience: Callable[[Engine], Audience] | None = None) -> None:
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
            replayed=True,
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
        self._ledger = Ledger()
        self._stored, self._counts = Stored(), stored_counts()
        self._audience = None if audience is None else audience(self._engine)
        self.turn = threading.Lock()
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
                with self.turn:
                    self._take(part)
            told(self.played)
            if pace.stopped:
                break
        with self.turn:
            self.write()
        return self.played

    def _take(self, part: list[Message]) -> None:
        positions = self._journal.append([(message.topic, message.payload) for message in part], part[0].received_ms)
        records = self._journal.read(positions.start - 1, len(positions))
        outcomes = [self._decoder.outcome(record) for record in records]
        transitions = [_apart(each) for each in self._engine.feed(outcomes)]
        now_ms = self._engine.memory.now_ms
        touched: list[tuple[str, int]] = []
        if transitions:
            touched = occurrences.apply(self._database, MAIN, transitions, positions[-1] + _APART, now_ms, _SECRET)
        second = now_ms // _SECOND_MS
        if second != self._second:
            self._second = second
            alarm_timers.due(self._database, now_ms)
            case_timers.due(self._database, now_ms)
            offenders.look(self._database, now_ms)
        readings = [reading for outcome in outcomes for reading in outcome.readings]
        self._readings += readings
        if len(self._readings) >= _BATCH:
            self.write()
        played = self.played
        played.messages += sum(outcome.fate != "tick" for outcome in outcomes)
        played.quarantined += sum(outcome.fate == "quarantined" for outcome in outcomes)
        played.transitions += len(transitions)
        played.at_ms = now_ms
        self._ledger.count(outcomes)
        if self._audience is not None:
            self._audience.took(touched, readings)

    def ledger(self) -> dict[str, object]:
        """Return what came in and what became of it."""
        messages = self._journal.messages
        hops = Hops(self.played.at_ms, messages, messages, 0.0, 0.0)
        return ledger_document(self._ledger, self._stored, hops, self._counts.kinds())

    def write(self) -> None:
        """Let the store have what waits for it; by itself that happens once there are some thousand readings."""
        result = self._store.write(self._readings, self._journal.last)
        self.played.readings += len(self._readings)
        stored = self._stored
        self._stored = Stored(self._journal.last, stored.stored + result.stored, stored.refused + len(result.refused))
        count_stored(self._counts, self._readings, result.refused)
        self._readings = []


def _apart(transition: Transition) -> Transition:
    return replace(transition, position=transition.position + _APART)


def _do_not_wait_for_the_disk(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def _by_instant(messages: list[Message]) -> list[list[Message]]:
    parts: list[list[Message]] = []
    for message in messages:
        if not parts or parts[-1][0].received_ms != message.received_ms:
            parts.append([])
        parts[-1].append(message)
    return parts
