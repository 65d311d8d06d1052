"""Running back-tests beside the cockpit: each in a process of its own, so that walls stay alive meanwhile."""

import logging
import subprocess
import sys
import threading
import time

from cockpit.trouble_words import parted
from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.revisions import backtesting
from ingest.backtest.material import Origin
from ingest.errors import IngestError
from ingest.places import Places

log = logging.getLogger(__name__)

_WORDS = 500


class Backtests:
    """The back-tests of one cockpit."""

    def __init__(self, database: AlarmDatabase, site: Site, places: Places) -> None:
        """Prepare."""
        self._database = database
        self._command = [sys.executable, "-m", "ingest.alarms.revisions", "run", "--site", str(site.source)]
        self._command += ["--data", str(places.data)]
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._closing = False

    def start(self, identifier: str, source: Origin = "journal") -> None:
        """Run a back-test that was asked for; what becomes of it is told by the alarm database."""
        threading.Thread(target=self._run, args=(identifier, source), name="back-test", daemon=True).start()

    def close(self) -> None:
        """End what runs."""
        with self._lock:
            self._closing = True
            for process in self._running:
                process.terminate()

    def _run(self, identifier: str, source: Origin) -> None:
        sentence, why = "The cockpit ended while it ran; run it again.", backtesting.why_failed("backtest_cut_off")
        try:
            code, words = self._carried_out(identifier, source)
        except OSError as error:
            code, words = 1, error.strerror or ""
        if code == 0:
            return
        if not self._closing:
            log.warning("back-test %s ended with %d: %.500s", identifier, code, words)
            told = words.strip()[-_WORDS:] or str(code)
            sentence, why = f"It ended early: {told}", _why(told)
        try:
            backtesting.end(self._database, identifier, sentence, time.time_ns() // 1_000_000, why)
        except IngestError as error:
            log.warning("back-test %s: %s", identifier, error)

    def _carried_out(self, identifier: str, source: Origin) -> tuple[int, str]:
        """Return the exit code of the process and what it said of its trouble."""
        with self._lock:
            if self._closing:
                return 1, ""
            process = subprocess.Popen(
                [*self._command, "--source", source, identifier],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
            self._running.add(process)
        with process:
            _, words = process.communicate()
        with self._lock:
            self._running.discard(process)
        return process.returncode, words


def _why(told: str) -> str:
    known = parted(told.removeprefix("Error: "))
    if known is None or not known["code"]:
        return backtesting.why_failed("backtest_ended_early", {"detail": told})
    return backtesting.why_failed(known["code"], known["values"])
