"""What a sandbox tells its cockpit: the live messages a collector would send, without a broker, and the time there."""

import asyncio
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cockpit.link import Hear
from devices.readings import Reading
from devices.site import Site
from ingest.alarms.engine import Engine
from ingest.live import Live, unsealed
from ingest.places import MAIN
from ingest.recording.scope import WHOLE, Scope
from ingest.replay.pace import Pace
from ingest.replay.sandbox import Audience, Played, Sandbox
from ingest.replay.source import Source

Document = dict[str, Any]
# Of real time: a replay may pass a thousand seconds in one.
_TELL_S = 0.5
_TURN_S = 0.2
# A collector's ticks are a second apart, so the next message of a recording is at most that far away.
_TICK_MS = 1_000


class SandboxFeed:
    """The live messages of a sandbox: an audience of the sandbox, and a source for the cockpit."""

    def __init__(
        self, site: Site, folder: Path, each_second: Callable[[int], None] | None = None, scope: Scope = WHOLE
    ) -> None:
        """Make the sandbox; ``each_second`` is called in the turn of whoever plays, with the instant.

        Raises:
            ReplayError: the folder is not empty.
        """
        self._catalog = site.catalog
        self._secret = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hear: Hear = lambda _topic, _document: None
        self._asked = threading.Event()
        self._told_s = 0.0
        self._each_second = each_second
        self._second = 0
        self.started = threading.Event()
        self.sandbox = Sandbox(site, folder, self._attend, scope=scope)

    def _attend(self, engine: Engine) -> Audience:
        self._memory = engine.memory
        self._live = Live(engine, self._catalog, MAIN, self._secret, self._publish)
        return self

    @property
    def connected(self) -> bool:
        """Tell that messages can come."""
        return True

    def start(self, loop: asyncio.AbstractEventLoop, hear: Hear) -> None:
        """Begin to tell."""
        with self._lock:
            self._loop, self._hear = loop, hear
        self._asked.set()
        self.started.set()

    def ask(self) -> None:
        """Ask for a snapshot with the next news."""
        self._asked.set()

    def stop(self) -> None:
        """Tell nothing any more."""
        with self._lock:
            self._loop = None

    def took(self, touched: list[tuple[str, int]], readings: list[Reading]) -> None:
        """Tell which alarms changed at once, everything else twice a second; whoever plays calls this in their turn."""
        now_ms = self._memory.now_ms
        if self._each_second is not None and now_ms // 1_000 != self._second:
            self._second = now_ms // 1_000
            self._each_second(now_ms)
        self._live.alarms(touched)
        self._live.heard(readings)
        if time.monotonic() - self._told_s >= _TELL_S:
            self._tell()

    def look(self) -> None:
        """Tell what is known while nobody plays: in a pause, before the beginning and after the end."""
        # Whoever plays without a rest tells by themselves.
        if self.sandbox.turn.acquire(timeout=_TURN_S):
            try:
                self._tell()
            finally:
                self.sandbox.turn.release()

    def _tell(self) -> None:
        self._told_s = time.monotonic()
        self.sandbox.keeping.write()
        if self._asked.is_set():
            self._asked.clear()
            self._live.snapshot()
        self._live.second(sorted(self._memory.changes()), {**self.sandbox.ledger(), "trouble": "", "recount": None})
        self._live.finish()

    def _publish(self, topic: str, payload: bytes, _qos: int) -> None:
        document = unsealed(payload, self._secret)
        with self._lock:
            if self._loop is not None and document is not None:
                self._loop.call_soon_threadsafe(self._hear, topic.rpartition("/")[2], document)


class SandboxClock:
    """The recorded instant that is now, and how fast it passes."""

    def __init__(self, source: Source, pace: Pace, played: Played) -> None:
        self._source = source
        self._pace = pace
        self._played = played
        self._seen: tuple[float, int] = (time.monotonic(), source.from_ms)
        self._rate = 0.0
        self.over = False

    def now_ms(self) -> int:
        """Return the instant; it never runs ahead of what was played by more than the next message may take."""
        at_ms = max(self._played.at_ms, self._source.from_ms)
        if self.over:
            return at_ms
        return round(min(max(at_ms, self._pace.now_ms()), at_ms + _TICK_MS, self._source.to_ms))

    def replay(self) -> Document:
        """Return how time passes."""
        return {"speed": self._pace.speed, "paused": self._pace.paused, "over": self.over, "rate": self.rate}

    @property
    def rate(self) -> float:
        """Return how many seconds went by in a real one of late."""
        return 0.0 if self._pace.paused or self.over else self._rate

    def look(self) -> None:
        """Note how fast it goes; to be called a few times a second."""
        (seen_s, seen_ms), now_s, now_ms = self._seen, time.monotonic(), self.now_ms()
        self._seen = now_s, now_ms
        newest = max(0.0, (now_ms - seen_ms) / 1000 / max(1e-3, now_s - seen_s))
        # A leap shows in full at once, and half a second later the half of it.
        self._rate = (self._rate + newest) / 2
