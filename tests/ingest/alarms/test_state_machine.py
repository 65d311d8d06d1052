"""Random walks on both databases: whatever the order of findings, acts and time, they say what the reference says."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from tests.ingest.alarms.duty import Duty
from tests.servers.postgres import Postgres

# To make a failing walk shorter takes longer than to read it.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


class DutyOnSqlite(Duty):
    """The walk on SQLite."""

    empty: Path

    def open_one(self) -> tuple[str, Callable[[], None]]:  # type: ignore[override]
        folder = Path(tempfile.mkdtemp())
        shutil.copy(self.empty, folder / "alarms.db")
        return f"sqlite:///{folder / 'alarms.db'}", lambda: shutil.rmtree(folder)


class DutyOnPostgres(Duty):
    """The walk on PostgreSQL."""

    server: Postgres
    template: str

    def open_one(self) -> tuple[str, Callable[[], None]]:  # type: ignore[override]
        name = self.server.create(self.template)
        return self.server.url(name), lambda: self.server.drop(name)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_walk_on_sqlite(tmp_path: Path, site: Site) -> None:
    """Whatever the order of events and acts, the database says what the reference says."""
    empty = tmp_path / "empty.db"
    opened = AlarmDatabase(f"sqlite:///{empty}")
    opened.migrate()
    opened.close()
    DutyOnSqlite.empty, DutyOnSqlite.site = empty, site
    run_state_machine_as_test(DutyOnSqlite, settings=settings(max_examples=60, stateful_step_count=40, phases=PHASES))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_walk_on_postgres(postgres_server: Postgres, migrated: str, site: Site) -> None:
    """The same on PostgreSQL, over fewer steps."""
    DutyOnPostgres.server, DutyOnPostgres.template, DutyOnPostgres.site = postgres_server, migrated, site
    run_state_machine_as_test(DutyOnPostgres, settings=settings(max_examples=6, stateful_step_count=25, phases=PHASES))
