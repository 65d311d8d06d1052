"""A replay in a sandbox: own journal, store and alarm database in a folder of their own, and the recording's clock.

It is the collector's own way (decoder, engine, store, alarm database, timers), driven by the recording alone. Nothing
in it knows a broker or a channel for notices, so nothing of it reaches the live city. Two runs give the same bytes.
"""

import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import sqlalchemy as sa

from devices.errors import RecordingError
from devices.readings import Reading
from devices.site import Site
from ingest.alarms import occurrences
from ingest.alarms.database import open_alarms
from ingest.alarms.engine import Engine
from ingest.alarms.transitions import Transition
from ingest.decoding import Decoder, Unregistered
from ingest.errors import IngestError, JournalError, ReplayError
from ingest.ledger import Hops, Ledger, Stored, ledger_document
from ingest.places import MAIN, Places
from ingest.recording.scope import WHOLE, Scope
from ingest.records import Packed, Records
from ingest.replay.apart import Apart
from ingest.replay.block import Block
from ingest.replay.keeping import Keeping, OwnKeeper, part_of
from ingest.replay.pace import Pace
from ingest.replay.source import Source
from ingest.replay.timing import Timing
from ingest.store.sqlite import SqliteStore

_SECOND_MS = 1_000
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
        """Hear which alarms changed (id and version) by one part of the recording, and its readings."""
        ...


class Sandbox:
    """A city of its own in an empty folder; whoever looks into its engine meanwhile must hold ``turn``."""

    def __init__(
        self,
        site: Site,
        folder: Path,
        audience: Callable[[Engine], Audience] | None = None,
        apart: bool = False,
        scope: Scope = WHOLE,
    ) -> None:
        """Make it.

        Args:
            site: the city.
            folder: where all of it is kept.
            audience: who is shown what happens.
            apart: keep journal and store by a process of its own, which pays for long recordings at full speed.
            scope: of whom the recording speaks; nobody else can be silent in it.

        Raises:
            ReplayError: the folder is not empty, or cannot be written.
        """
        places = Places(folder)
        try:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise ReplayError(f"{folder} is not empty; a sandbox needs a new or empty folder")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / MARK).write_text("A replay was played here; nothing in it is live.\n", encoding="utf-8")
            scope.note(places.journal)
        except OSError as error:
            raise ReplayError(f"{folder} cannot be written: {error.strerror}") from error
        # Whatever the site is connected to: the sandbox is not.
        self.site = replace(
            site,
            store=replace(site.store, url="embedded"),
            alarm_database="embedded",
            broker=replace(site.broker, url="embedded"),
            channels=(),
            shards={},
            replayed=True,
            awaited=scope.awaited(site),
        )
        self._database = open_alarms(self.site, places)
        sa.event.listen(self._database.engine, "connect", _do_not_wait_for_the_disk)
        self._database.migrate()
        self._timing = Timing(self._database, places.alarms)
        self._decoder = Decoder(self.site, Unregistered(per_hour=scope.strangers))
        self._engine = Engine(self.site)
        self._ledger = Ledger()
        self._audience = None if audience is None else audience(self._engine)
        self.turn = threading.Lock()
        self._second = 0
        self.played = Played()
        store = SqliteStore(places.readings, self.site.catalog, self.site.store, durable=False, indexed=not apart)
        # Begun last: nothing is left running where something else cannot be opened.
        self.keeping: Keeping[Any] = Keeping(Apart(places, store) if apart else OwnKeeper(places, store))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.keeping.close()
        self._timing.close()
        self._database.close()

    def play(self, source: Source, pace: Pace, told: Callable[[Played], None]) -> Played:
        """Play a recording to its end, or until the pace is stopped; there is no way back in time.

        Raises:
            RecordingError: the recording is cut off or damaged; what came before was played.
        """
        pace.begin(source.from_ms)
        try:
            for block in source.records():
                begin = 0
                while begin < len(block) and _awaited(int(block.received_ms[begin]), pace):
                    end = self._end(block, begin, pace.due_ms())
                    with self.turn:
                        self._take(block[begin:end], block.packed(begin, end))
                    begin = end
                told(self.played)
                if pace.stopped:
                    break
        except (RecordingError, JournalError):
            with suppress(IngestError):
                self._finish()
            raise
        self._finish()
        return self.played

    def _finish(self) -> None:
        with self.turn:
            self.keeping.write()
            self.keeping.settle()
            self.keeping.keeper.finish()
            self._count()

    def _end(self, block: Block, begin: int, due_ms: float) -> int:
        """Return where the part of a block ends that is taken at once: what is due, and of one second.

        The first instant of a second comes alone, for timers are due behind it, however fast it is played.
        """
        at_ms = int(block.received_ms[begin])
        last_ms = at_ms
        if at_ms // _SECOND_MS == self._second:
            last_ms = round(max(at_ms, min(due_ms, at_ms - at_ms % _SECOND_MS + _SECOND_MS - 1)))
        return bisect_right(block.received_ms, last_ms, begin + 1)

    def _take(self, records: Records, packed: Sequence[Packed]) -> None:
        outcomes = self._decoder.outcomes(records)
        touched = self._applied([_apart(each) for each in self._engine.feed(outcomes)], records)
        now_ms = self._engine.memory.now_ms
        second = now_ms // _SECOND_MS
        if second != self._second:
            self._second = second
            self._timing.look(now_ms)
        self.keeping.add(part_of(packed, outcomes))
        played = self.played
        ledger = self._ledger
        ledger.count(outcomes)
        played.messages = ledger.decoded + ledger.quarantined + ledger.duplicate
        played.quarantined = ledger.quarantined
        played.at_ms = now_ms
        self._count()
        if self._audience is not None:
            self._audience.took(touched, [reading for outcome in outcomes for reading in outcome.readings])

    def _count(self) -> None:
        kept = self.keeping.kept
        self.played.readings = kept.stored + kept.refused

    def _applied(self, transitions: list[Transition], records: Records) -> list[tuple[str, int]]:
        """Apply transitions instant by instant, so that it makes no difference how much is taken at once."""
        touched: list[tuple[str, int]] = []
        first = records[0].position + _APART
        for at_ms, told in groupby(transitions, lambda each: records[each.position - first].received_ms):
            last = records[bisect_right(records.received_ms, at_ms) - 1].position
            touched += occurrences.apply(self._database, MAIN, list(told), last + _APART, at_ms, _SECRET)
        self.played.transitions += len(transitions)
        return touched

    def ledger(self) -> dict[str, object]:
        """Return what came in and what became of it."""
        messages, kept = self.played.messages, self.keeping.kept
        hops = Hops(self.played.at_ms, messages, messages, 0.0, 0.0)
        return ledger_document(self._ledger, Stored(kept.position, kept.stored, kept.refused), hops, kept.kinds)


def _apart(transition: Transition) -> Transition:
    return replace(transition, position=transition.position + _APART)


def _do_not_wait_for_the_disk(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def _awaited(at_ms: int, pace: Pace) -> bool:
    """Wait until a recorded instant; return False when it shall not be played any more."""
    leap = pace.wait(at_ms)
    while leap is not None and leap < at_ms:
        # What was raised cannot be taken back: a leap back is none.
        pace.begin(at_ms)
        leap = pace.wait(at_ms)
    if leap is not None:
        pace.begin(leap)
    return not pace.stopped
