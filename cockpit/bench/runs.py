"""The runs of one cockpit: started as processes of their own, steered, watched, and cleared away with all they hold."""

import fcntl
import logging
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import msgspec

from cockpit.bench.job import Act, Job, Progress
from cockpit.bench.trials import Trials
from cockpit.problems import Problem
from cockpit.trouble_words import why
from ingest.errors import IngestError

log = logging.getLogger(__name__)

Document = dict[str, Any]
MOST = 2
FORSAKEN_S = 7_200.0
_LOOK_S = 30.0
# Nothing is lost by killing it: all it holds is removed.
_STOP_S = 3.0
_LOCK = "lock"
OVER = ("ended", "stopped", "failed")


class Run:
    """One process, what it told last, and who looks at it; ``clear`` is called with its folder before that goes."""

    def __init__(
        self, job: Job, by: str, about: Document, lock: TextIO, clear: Callable[[Path], None] | None = None
    ) -> None:
        self.id = Path(job.folder).name
        self.by = by
        self.about = about
        self.job = job
        self.progress = Progress(speed=job.speed, paused=job.paused)
        self.trials = Trials()
        self.sockets = 0
        self.seen_s = time.monotonic()
        self._lock = lock
        self._clear = clear
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cockpit.bench.city"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._send(job)
        self._reading = threading.Thread(target=self._follow, name=f"bench {self.id}", daemon=True)
        self._reading.start()

    @property
    def open(self) -> bool:
        """Tell whether its city can be looked at."""
        return bool(self.progress.port) and self._process.poll() is None

    def act(self, act: Act) -> None:
        """Steer it.

        Raises:
            Problem: 409, there is nothing to steer any more, or not yet.
        """
        if self.progress.state in OVER:
            raise Problem(409, "This run is over; start another one.", code="run_over")
        if self.progress.state != "playing":
            raise Problem(409, "This run is still being prepared; try again in a moment.", code="run_preparing")
        if act.act == "seek" and not self.progress.at_ms < act.at_ms <= self.progress.to_ms:
            raise Problem(
                422, "A run goes forward only, up to its end: what was raised cannot be taken back.", code="run_forward"
            )
        self._send(act)

    def end(self) -> None:
        """End it and remove what it holds; blocks some seconds at most."""
        self.trials.close()
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            log.debug("bench run=%s ended before it was told to", self.id)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            log.info("bench run=%s takes long to stop and is killed", self.id)
            self._process.kill()
            self._process.wait()
        self._reading.join()
        _cleared(Path(self.job.folder), self._clear)
        self._lock.close()

    def _send(self, what: Job | Act) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(msgspec.json.encode(what) + b"\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError) as error:
            raise Problem(409, "This run has just ended.", code="run_ended") from error

    def _follow(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self.progress = msgspec.json.decode(line, type=Progress)
        code = self._process.wait()
        if self.progress.state not in OVER:
            self.progress.state = "failed"
            self.progress.sentence = f"It ended early, with {code}; the cockpit's log says more."


class Runs:
    """All runs; calls block, so the event loop makes them in a thread."""

    def __init__(
        self,
        folder: Path,
        most: int = MOST,
        forsaken_s: float | None = FORSAKEN_S,
        clear: Callable[[Path], None] | None = None,
    ) -> None:
        """Keep how many there may be, and after how long without a viewer one is removed.

        Args:
            folder: each has a folder of its own below it.
            most: runs at a time.
            forsaken_s: None lets a run stay however long nobody looks.
            clear: is called with the folder of each run before that is removed, also with one that was left behind;
                where it raises, the folder stays.
        """
        self._folder = folder
        self._most = most
        self._forsaken_s = forsaken_s
        self._clear = clear
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._tending = threading.Thread(target=self._tend, name="bench", daemon=True)

    def begin(self) -> None:
        """Clear away what was left behind, and begin to look after what will be there."""
        self._sweep()
        self._tending.start()

    def all(self) -> list[Run]:
        """Return all runs, the oldest first."""
        return list(self._runs.values())

    def looked_at(self) -> list[Run]:
        """Return all runs, at which somebody looks by that."""
        for run in self.all():
            run.seen_s = time.monotonic()
        return self.all()

    def one(self, identifier: str) -> Run:
        """Return a run, which somebody looks at by that.

        Raises:
            Problem: 404.
        """
        run = self._runs.get(identifier)
        if run is None:
            raise Problem(
                404,
                f"There is no run {identifier!r}; it was removed, or the cockpit was started anew.",
                code="unknown_run",
                values={"run": identifier},
            )
        run.seen_s = time.monotonic()
        return run

    def start(self, make: Callable[[str, Path, str], Job], by: str, about: Document) -> Run:
        """Start a run; ``make`` gives its job, for its name, its folder and its token.

        Raises:
            Problem: 409, there are as many as this machine shall bear; 503, it cannot bear this one.
        """
        with self._lock:
            if self._closing.is_set():
                raise Problem(503, "The cockpit is ending.", code="cockpit_ending")
            if len(self._runs) >= self._most:
                raise Problem(
                    409,
                    f"{self._most} runs are here already; remove one first.",
                    code="runs_full",
                    values={"count": self._most},
                )
            identifier = secrets.token_hex(6)
            folder = self._folder / identifier
            try:
                folder.mkdir(parents=True)
                lock = (folder / _LOCK).open("w")
                fcntl.flock(lock, fcntl.LOCK_EX)
                run = Run(make(identifier, folder, secrets.token_urlsafe(24)), by, about, lock, self._clear)
            except OSError as error:
                shutil.rmtree(folder, ignore_errors=True)
                raise Problem(
                    503,
                    f"A run cannot be started here: {error.strerror}.",
                    code="run_unstartable",
                    values={"why": why(error)},
                ) from error
            self._runs[identifier] = run
            return run

    def remove(self, identifier: str) -> None:
        """End a run and remove what it holds.

        Raises:
            Problem: 404.
        """
        self.one(identifier)
        with self._lock:
            run = self._runs.pop(identifier, None)
        if run is not None:
            run.end()

    def close(self) -> None:
        """End all of them."""
        self._closing.set()
        self._tending.join()
        with self._lock:
            ending, self._runs = list(self._runs.values()), {}
        for run in ending:
            run.end()

    def forsaken(self, now_s: float) -> list[str]:
        """Return the runs at which nobody has looked for too long."""
        if self._forsaken_s is None:
            return []
        return [run.id for run in self.all() if not run.sockets and now_s - run.seen_s > self._forsaken_s]

    def _tend(self) -> None:
        while not self._closing.wait(_LOOK_S):
            for identifier in self.forsaken(time.monotonic()):
                log.info("bench run=%s had no viewer for long and is removed", identifier)
                self.remove(identifier)

    def _sweep(self) -> None:
        """Remove what a cockpit left that was killed; another one may be at work in the same folder."""
        for folder in sorted(self._folder.glob("*")):
            try:
                with (folder / _LOCK).open("w") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    _cleared(folder, self._clear)
            except OSError:
                continue


def _cleared(folder: Path, clear: Callable[[Path], None] | None) -> None:
    """Remove a folder, and what it holds, after ``clear`` has looked at it."""
    if clear is not None:
        try:
            clear(folder)
        except IngestError as error:
            log.warning("%s stays until the cockpit is started again: %s", folder, error)
            return
    shutil.rmtree(folder, ignore_errors=True)
