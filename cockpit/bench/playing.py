"""One run in its own process: the recording is made ready, played into a sandbox, and the sandbox's city is served."""

import logging
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa
import uvicorn

from cockpit.app import create_app
from cockpit.bench.door import REPLAY, Door
from cockpit.bench.feed import SandboxClock, SandboxFeed
from cockpit.bench.job import Act, Job, Progress, Scripted, Span, Standing
from cockpit.drill.manners import DRILL
from cockpit.drill.mark import marked
from cockpit.ports import KEEP_ALIVE_S
from cockpit.world import World
from devices.errors import DeviceError, RecordingError
from devices.kind import Label
from devices.site import Site
from devices.site_file import load_site
from ingest.alarms.database import AlarmDatabase, open_alarms
from ingest.alarms.own_kind import WATCHDOG
from ingest.alarms.tables import occurrence
from ingest.drills.calling import Calling
from ingest.errors import IngestError
from ingest.places import Places
from ingest.replay.pace import Pace
from ingest.replay.source import Source, file_source, journal_source

log = logging.getLogger(__name__)

_TELL_S = 0.5
_SECONDS = re.compile(r"^(\d+) of (\d+) s$")


class Run:
    """Does one job; :meth:`act` and :meth:`end` may be called by another thread."""

    def __init__(self, job: Job, tell: Callable[[Progress], None]) -> None:
        self._job = job
        self._tell = tell
        self._folder = Path(job.folder)
        self._ending = threading.Event()
        self._over = threading.Event()
        self._pace: Pace | None = None
        self._server: uvicorn.Server | None = None
        self._simulators: subprocess.Popen[str] | None = None
        self.progress = Progress(speed=job.speed, paused=job.paused)
        # How it stands with the playing, and why; told with figures that were taken later.
        self._stands = "playing", ""

    def go(self) -> bool:
        """Do it until it is ended; tell whether it came as far as a city that can be looked at."""
        try:
            site = self._job.revision.over(load_site(Path(self._job.site)))
            source = self._source(site)
            if not self._ending.is_set():
                self._serve(site, source)
            return True
        except (DeviceError, IngestError, OSError) as error:
            log.warning("the run cannot be played: %s", error)
            self._note(state="failed", sentence=str(error))
            return False

    def act(self, act: Act) -> None:
        """Steer it; before there is a pace to steer nothing happens."""
        pace = self._pace
        if pace is None:
            return
        if act.act in ("pause", "go_on"):
            pace.pause(act.act == "pause")
        elif act.act == "speed":
            pace.set_speed(act.speed)
        elif act.act == "seek":
            pace.leap_to(act.at_ms)
        else:
            pace.stop()

    def end(self) -> None:
        """Let everything end."""
        self._ending.set()
        if self._simulators is not None:
            self._simulators.terminate()
        if self._pace is not None:
            self._pace.stop()
        if self._server is not None:
            self._server.should_exit = True

    def _note(self, **what: object) -> None:
        for name, value in what.items():
            setattr(self.progress, name, value)
        self._tell(self.progress)

    def _source(self, site: Site) -> Source:
        span = self._job.span
        if self._job.scripted is not None:
            path = self._folder / "scenario.cdrec"
            self._script(self._job.scripted, path)
            return file_source(site, path, None, None)
        assert span is not None
        self._note(state="preparing")
        of = file_source if span.is_file else lambda _site, *rest: journal_source(*rest)
        return of(site, Path(span.path), span.from_ms, span.to_ms)

    def _script(self, scripted: Scripted, path: Path) -> None:
        """Let the simulators write a scenario down; they are another room, so as another process."""
        self._note(state="preparing")
        command = [sys.executable, "-m", "simulators", "--site", self._job.site, "--record", str(path)]
        command += ["--scenario", scripted.scenario, "--begin", scripted.begin]
        command += [f"--fault={fault}" for fault in scripted.faults]
        words: list[str] = []
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as self._simulators:
            assert self._simulators.stderr is not None
            for line in self._simulators.stderr:
                told = _SECONDS.match(line)
                if told is None:
                    words.append(line.strip())
                else:
                    self._note(done=int(told[1]), total=int(told[2]))
        if self._simulators.returncode and not self._ending.is_set():
            raise RecordingError(" ".join(words).removeprefix("Error: ") or "the scenario could not be recorded")

    def _serve(self, site: Site, source: Source) -> None:
        job, places = self._job, Places(self._folder / "city")
        site = replace(site, drill=job.drill)
        self._pace = pace = Pace(source.from_ms, job.speed)
        pace.pause(job.paused)
        exercise = _Exercise(pace, source.from_ms, job) if job.drill else None
        feed = SandboxFeed(site, places.data, exercise, source.scope)
        with feed.sandbox as sandbox, socket.socket() as own:
            clock = SandboxClock(source, pace, sandbox.played)
            shown = _shown(sandbox.site)
            if exercise is not None:
                exercise.begin(shown, places)
            app = create_app(shown, places, World(feed, clock, {}, job.prefix))
            own.bind(("127.0.0.1", 0))
            span = Span(str(source.path), source.is_file, source.from_ms, source.to_ms)
            self._note(from_ms=source.from_ms, to_ms=source.to_ms, at_ms=source.from_ms, span=span)
            door = Door(app, job.token, DRILL if job.drill else REPLAY)
            config = uvicorn.Config(
                door,
                log_level="warning",
                ws="websockets-sansio",
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=2,
            )
            self._server = uvicorn.Server(config)
            port = int(own.getsockname()[1])
            threads = [
                threading.Thread(target=self._play, args=(feed, source, pace, clock), name="play", daemon=True),
                threading.Thread(target=self._beat, args=(feed, pace, clock, port), name="beat", daemon=True),
            ]
            for thread in threads:
                thread.start()
            if not self._ending.is_set():
                self._server.run(sockets=[own])
            self.end()
            self._over.set()
            feed.started.set()
            for thread in threads:
                thread.join()
            if exercise is not None:
                exercise.end()

    def _play(self, feed: SandboxFeed, source: Source, pace: Pace, clock: SandboxClock) -> None:
        feed.started.wait()
        try:
            feed.sandbox.play(source, pace, lambda _played: None)
        except (DeviceError, IngestError) as error:
            log.warning("the run ended early: %s", error)
            self._stands = "failed", str(error)
        except Exception:
            log.exception("the run ended early")
            self._stands = "failed", "Something went wrong here; the cockpit's log says what."
        else:
            self._stands = "stopped" if pace.stopped else "ended", ""
        clock.over = True

    def _beat(self, feed: SandboxFeed, pace: Pace, clock: SandboxClock, port: int) -> None:
        """Twice a second look, and tell how it is; the city can be looked at once its server has begun."""
        database = open_alarms(feed.sandbox.site, Places(self._folder / "city"))
        feed.started.wait()
        while not self._over.wait(_TELL_S):
            clock.look()
            state, sentence = self._stands
            try:
                feed.look()
                alarms = _counted(database)
                standing = _standing(database) if self._job.drill else None
            except IngestError as error:
                log.warning("%s", error)
                continue
            played = feed.sandbox.played
            self._note(
                state=state, sentence=sentence, port=port,
                at_ms=clock.now_ms(), speed=pace.speed, rate=round(clock.rate, 2), paused=pace.paused,
                messages=played.messages, readings=played.readings, quarantined=played.quarantined, alarms=alarms,
                standing=standing,
            )  # fmt: skip
        database.close()


class _Exercise:
    """What an exercise does each second of its own clock: calling people; and in the first one, coming to its begin."""

    def __init__(self, pace: Pace, from_ms: int, job: Job) -> None:
        self._pace = pace
        self._latest_ms = from_ms + job.warm_ms
        self._by_wall = job.by_wall
        self._begun = False
        self._database: AlarmDatabase | None = None
        self._calling: Calling | None = None

    def begin(self, site: Site, places: Places) -> None:
        """Take the city over, once there is one."""
        self._database = open_alarms(site, places)
        self._calling = Calling(site, self._database)

    def __call__(self, now_ms: int) -> None:
        if not self._begun:
            self._begun = True
            wall_ms = time.time_ns() // 1_000_000
            self._pace.leap_to(min(wall_ms, self._latest_ms) if self._by_wall else self._latest_ms)
        if self._calling is not None:
            self._calling.look(now_ms)

    def end(self) -> None:
        """Let the database go."""
        if self._database is not None:
            self._database.close()


def _shown(site: Site) -> Site:
    """Return the site as its pages tell of it: an exercise says so in the very name of its city."""
    return replace(site, label=Label(**marked(site, {"zh": site.label.zh, "en": site.label.en})))


def _standing(database: AlarmDatabase) -> Standing:
    query = sa.select(occurrence.c.priority, occurrence.c.acked, occurrence.c.noticed_at).where(
        occurrence.c.closed_at.is_(None), occurrence.c.suppression == "none", occurrence.c.rule != WATCHDOG
    )
    with database.read() as connection:
        rows = connection.execute(query).all()
    waiting = [int(row.noticed_at) for row in rows if not row.acked]
    worst = min((str(row.priority) for row in rows), default="")
    return Standing(len(rows), len(waiting), worst, min(waiting, default=None))


def _counted(database: AlarmDatabase) -> dict[str, int]:
    query = (
        sa.select(occurrence.c.priority, sa.func.count())
        .where(occurrence.c.rule != WATCHDOG)
        .group_by(occurrence.c.priority)
    )
    with database.read() as connection:
        return {priority: int(count) for priority, count in connection.execute(query)}
