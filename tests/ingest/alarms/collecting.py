"""A collector without broker: the journal is written by hand, and the real pipeline follows it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from click.testing import CliRunner

from devices.site import Site
from devices.site_file import load_site
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import audit, occurrence
from ingest.checkpoint import Checkpoint
from ingest.journal import Journal
from ingest.live import Live
from ingest.metrics import Meters
from ingest.pipeline import Pipeline
from ingest.places import Places
from ingest.reconcile import main
from ingest.store import open_store
from ingest.storing import StoreWriter
from tests.ingest.alarms.feeding import T0
from tests.sites import small_site_text

Message = tuple[float, str, bytes]


@dataclass
class Work:
    """A pipeline at work, and what it has open."""

    pipeline: Pipeline
    opened: list[Any]

    def end(self) -> None:
        """Return when everything is judged and closed."""
        self.pipeline.stop()
        self.pipeline.writer.stop(10)
        for each in self.opened:
            each.close()
        assert self.pipeline.failed is None


@dataclass
class Town:
    """A site file with its data folder. ``alarms`` is the address of the alarm database, None for the embedded one."""

    folder: Path
    alarms: str | None = None
    parts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        parts = dict(self.parts)
        if self.alarms is not None:
            parts["tail"] = f'{parts.get("tail", "")}\n[alarms]\ndatabase = "{self.alarms}"\n'
        (self.folder / "site.toml").write_text(small_site_text(**parts), encoding="utf-8")
        self.site: Site = load_site(self.folder / "site.toml")
        self.places = Places(self.folder / "var")
        database = self.database()
        database.migrate()
        database.close()

    def database(self) -> AlarmDatabase:
        """Return the alarm database, opened anew."""
        self.places.data.mkdir(exist_ok=True)
        return AlarmDatabase(self.alarms or f"sqlite:///{self.places.alarms}")

    def receive(self, messages: Sequence[Message]) -> None:
        """Journal messages, those of one instant as one batch."""
        journal = Journal(self.places.journal)
        ordered = sorted(messages, key=lambda message: message[0])
        start = 0
        for index, (at_s, _, _) in enumerate(ordered):
            if index + 1 == len(ordered) or ordered[index + 1][0] != at_s:
                batch = [(topic, payload) for _, topic, payload in ordered[start : index + 1]]
                journal.append(batch, T0 + round(at_s * 1000))
                start = index + 1
        journal.close()

    def begin(self) -> "Work":
        """Start a collector's pipeline on what is in the journal."""
        journal, database = Journal(self.places.journal), self.database()
        checkpoint, stored = Checkpoint(self.places.checkpoint), Checkpoint(self.places.checkpoint)
        store = open_store(self.site, self.places)
        meters = Meters(lambda: T0)
        pipeline = Pipeline(
            self.site, "main", journal, checkpoint, database,
            lambda engine: Live(engine, self.site.catalog, "main", b"secret", lambda *_: None),
            lambda unregistered: StoreWriter(self.site, journal, store, stored, unregistered, meters),
            lambda: journal.messages,
            meters,
            b"secret",
        )  # fmt: skip
        pipeline.start()
        return Work(pipeline, [database, store, journal, checkpoint, stored])

    def judge(self) -> None:
        """Let a collector judge all that is in the journal, and end it in order."""
        self.begin().end()

    def recount(self, from_s: float = -60, to_s: float = 1_000_000) -> tuple[int, dict[str, Any]]:
        """Run ``citydeck reconcile --alarms`` over a span and return its exit code and answer."""
        code, said = self.say("--json", "--from", instant(from_s), "--to", instant(to_s))
        (found,) = json.loads(said)
        return code, found

    def say(self, *options: str) -> tuple[int, str]:
        words = ["--alarms", "--site", str(self.folder / "site.toml"), "--data", str(self.places.data), *options]
        done = CliRunner().invoke(main, words)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout

    def told(self) -> list[tuple[Any, ...]]:
        """Return the whole record: audit with its hashes, and occurrences."""
        database = self.database()
        with database.read() as connection:
            found = [tuple(row) for row in connection.execute(sa.select(audit).order_by(audit.c.seq))]
            found += [tuple(row) for row in connection.execute(sa.select(occurrence).order_by(occurrence.c.id))]
        database.close()
        return found

    def audit(self) -> list[dict[str, Any]]:
        """Return the rows of the audit."""
        database = self.database()
        with database.read() as connection:
            found = [dict(row) for row in connection.execute(sa.select(audit).order_by(audit.c.seq)).mappings()]
        database.close()
        return found

    def change(self, statement: sa.Executable) -> None:
        """Change the alarm database behind everybody's back."""
        database = self.database()
        with database.write() as connection:
            connection.execute(statement)
        database.close()


def instant(at_s: float) -> str:
    return datetime.fromtimestamp(T0 / 1000 + at_s, UTC).isoformat()
