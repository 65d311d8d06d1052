"""The collector as a process of its own, and what it leaves behind."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import occurrence
from ingest.checkpoint import Checkpoint
from ingest.journal import Journal
from ingest.ledger import Ledger, Stored, message_counts, stored_counts
from ingest.ledger_tables import quarantine_retry
from ingest.quarantine import Group, Quarantined
from ingest.records import Record
from tests.servers.waiting import wait_until

ROOT = Path(__file__).parents[2]
_MAIN = "from ingest.__main__ import main\nmain()"


class Collector:
    """``python -m ingest`` on a site file; may be killed and started again."""

    def __init__(self, site_file: Path, data: Path, env: Mapping[str, str] | None = None):
        self.site_file = site_file
        self.data = data
        self._log = data.with_suffix(".log")
        self._options = ["--site", str(site_file), "--data", str(data)]
        # Its watchdog's message of each minute would be one more than a test has sent, on a machine that is slow.
        self._statements = "import ingest.watchdog\ningest.watchdog.Watchdog.look = lambda *_: None"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CITYDECK_")}
        self.env = {**inherited, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def cpu_s(self) -> float:
        """How many seconds of processor time this run has taken."""
        assert self._process is not None
        user, system = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    @property
    def log(self) -> str:
        """What all its runs have said so far."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    def lines(self, *words: str) -> list[str]:
        """Return the lines of the log that hold all of some words."""
        return [line for line in self.log.splitlines() if all(word in line for word in words)]

    def run_after(self, statements: str) -> None:
        """Let the process begin with some statements, to make its surroundings other than they are."""
        self._statements += f"\n{statements}"

    def options(self, *more: str) -> None:
        """Start it with more options from now on."""
        self._options.extend(more)

    def watched(self, every_s: float) -> None:
        """Start it as it is, with its watchdog."""
        self._statements = ""
        self.options("--watchdog-s", str(every_s))

    def start(self) -> None:
        assert not self.running
        with self._log.open("ab") as log:
            how = ["-c", f"{self._statements}\n{_MAIN}"] if self._statements else ["-m", "ingest"]
            self._process = subprocess.Popen(
                [sys.executable, *how, *self._options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT, env=self.env,
            )  # fmt: skip

    def connected(self) -> None:
        """Start, and return when this run has a session with the broker."""
        before = len(self.lines("broker connected"))
        self.start()
        self.wait(lambda: len(self.lines("broker connected")) > before)

    def wait(self, condition, timeout: float = 120.0):  # type: ignore[no-untyped-def]
        """Wait on a condition; a collector that ends meanwhile is the answer."""

        def checked():  # type: ignore[no-untyped-def]
            assert self.running, f"the collector ended:\n{self.log[-3000:]}"
            return condition()

        try:
            return wait_until(checked, timeout, 0.05)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\nledger {self.ledger()} {self.stored()}\n{self.log[-2000:]}") from error

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """End it in order and return its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(30)

    def ended(self) -> int:
        """Wait until it ends by itself and return its exit code."""
        assert self._process is not None
        return self._process.wait(120)

    def close(self) -> None:
        if self._process is not None:
            self.kill()

    # What is on disk, read the way a restart would.

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint(self.data / "checkpoint.db")

    def ledger(self) -> Ledger:
        checkpoint = self._checkpoint()
        try:
            return checkpoint.load().ledger
        finally:
            checkpoint.close()

    def stored(self) -> Stored:
        checkpoint = self._checkpoint()
        try:
            return checkpoint.load_stored()
        finally:
            checkpoint.close()

    def settled(self, messages: int) -> bool:
        """Tell whether so many messages are journaled, judged and stored or refused."""
        found, stored = self.ledger(), self.stored()
        judged = found.decoded + found.quarantined + found.duplicate
        return judged >= messages and found.produced == stored.stored + stored.refused

    def quarantine(self) -> dict[tuple[str, str], Group]:
        checkpoint = self._checkpoint()
        try:
            return {(group.reason, group.device): group for group in checkpoint.quarantine_groups()}
        finally:
            checkpoint.close()

    def samples(self, reason: str, device: str) -> list[Quarantined]:
        checkpoint = self._checkpoint()
        try:
            return checkpoint.quarantine_samples(reason, device)
        finally:
            checkpoint.close()

    def journaled(self) -> list[Record]:
        """Return everything the journal holds."""
        journal = Journal(self.data / "journal")
        try:
            return journal.read(0, 10_000_000)
        finally:
            journal.close()

    def journal_messages(self) -> int:
        """Return how many messages the journal counts as received."""
        journal = Journal(self.data / "journal")
        try:
            return journal.messages
        finally:
            journal.close()

    def counted(self, side: str) -> dict[tuple[str, str], list[int]]:
        """Return the counts per kind and device, of ``messages`` or of the ``store``."""
        counts = message_counts() if side == "messages" else stored_counts()
        checkpoint = self._checkpoint()
        try:
            checkpoint.load_counts(counts)
        finally:
            checkpoint.close()
        return {key: counts.total(key) for key in counts.changed()}

    def requests(self) -> list[dict[str, Any]]:
        """Return every request to try quarantined messages again."""
        database = AlarmDatabase(f"sqlite:///{self.data / 'alarms.db'}")
        try:
            with database.read() as connection:
                found = connection.execute(sa.select(quarantine_retry)).mappings().all()
            return [{**row, "why": json.loads(row["why"])} for row in found]
        finally:
            database.close()

    def alarms(self) -> list[tuple[str, int]]:
        """Return (point, worst level) of every occurrence, as often as it stands in the database."""
        path = self.data / "alarms.db"
        if not path.exists():
            return []
        database = AlarmDatabase(f"sqlite:///{path}")
        try:
            with database.read() as connection:
                rows = connection.execute(sa.select(occurrence.c.point, occurrence.c.level_peak)).all()
            return sorted((str(point), int(level)) for point, level in rows)
        finally:
            database.close()
