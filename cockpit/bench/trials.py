"""Trying a draft on what a run plays: judged in a process of its own, by the back-test's own comparison."""

import logging
import subprocess
import sys
import threading

import msgspec

from cockpit.bench.job import Trial, Tried

log = logging.getLogger(__name__)


class Trials:
    """The newest trial of one run; starting another ends it."""

    def __init__(self) -> None:
        self.tried: Tried | None = None
        self.draft = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._closed = False

    @property
    def running(self) -> bool:
        """Tell whether it is at work."""
        return self.tried is not None and self.tried.result is None and not self.tried.sentence

    def start(self, trial: Trial, draft: str) -> None:
        """Try a draft; ``draft`` is what people call it."""
        with self._lock:
            if self._closed:
                return
            self._end()
            self.tried, self.draft = Tried(), draft
            process = self._process = subprocess.Popen(
                [sys.executable, "-m", "cockpit.bench.judge"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        threading.Thread(target=self._follow, args=(process, trial), name="trial", daemon=True).start()

    def close(self) -> None:
        """End it, and start no other."""
        with self._lock:
            self._closed = True
            self._end()

    def _end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def _follow(self, process: "subprocess.Popen[bytes]", trial: Trial) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        tried = Tried()
        with process:
            try:
                process.stdin.write(msgspec.json.encode(trial))
                process.stdin.close()
            except BrokenPipeError:
                log.debug("a trial ended before it began")
            for line in process.stdout:
                tried = msgspec.json.decode(line, type=Tried)
                if process is self._process:
                    self.tried = tried
        if tried.result is None and not tried.sentence and process is self._process:
            self.tried = Tried(sentence=f"It ended early, with {process.returncode}; the cockpit's log says more.")
