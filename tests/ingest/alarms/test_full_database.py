"""A database that is full or locked: whoever asks is refused, nothing is pretended, and nothing is lost meanwhile."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ingest.alarms.audit import Person, check
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.commands.shelving import Shelving, shelve
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import audit
from ingest.alarms.timers import due
from ingest.errors import AlarmError
from tests.ingest.alarms.collecting import Town
from tests.ingest.alarms.feeding import message, ticks
from tests.ingest.alarms.keeping import keep, rows, transition
from tests.servers.waiting import wait_until

OFFICER = Person("officer", ("officer",))
NO_LIMIT = 2**30


@contextmanager
def held(address: str) -> Iterator[None]:
    """Hold the database's write lock, as a writer that hangs does."""
    engine = sa.create_engine(address)
    with engine.connect() as connection:
        if address.startswith("sqlite"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("SELECT * FROM audit_head FOR UPDATE")
        yield
        connection.rollback()
    engine.dispose()


class Room:
    """How many pages a SQLite file may have; taking it away makes the disk full for everybody who comes."""

    def __init__(self, database: AlarmDatabase) -> None:
        self.pages = NO_LIMIT
        sa.event.listen(database.engine, "checkout", self._limited)

    def _limited(self, connection: Any, _record: Any, _proxy: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={self.pages}")

    def none_left(self) -> None:
        # Lower than what there is, SQLite takes as what there is.
        self.pages = 1


def all_rows(database: AlarmDatabase) -> tuple[Any, ...]:
    with database.read() as connection:
        return rows(database), connection.execute(sa.select(audit).order_by(audit.c.seq)).all()


def test_locked(address: str) -> None:
    """While another writer hangs, an act and the engine's findings are refused whole; then the same request works."""
    database = AlarmDatabase(address, wait_s=1)
    ((name, _),) = keep(database, transition("raise", 1))
    before = all_rows(database)
    wish = Acknowledgement(name, 1, "k1")
    with held(address):
        with pytest.raises(AlarmError, match="the alarm database cannot be written"):
            acknowledge(database, wish, OFFICER, 50_000)
        with pytest.raises(AlarmError, match="the alarm database cannot be written"):
            keep(database, transition("change", 2, 2))
        assert all_rows(database) == before
    assert acknowledge(database, wish, OFFICER, 60_000).result == "acked"
    keep(database, transition("change", 2, 2))
    assert rows(database)[0]["level_now"] == 2
    with database.read() as connection:
        assert check(connection).broken is None
    database.close()


def test_what_is_due_waits_for_a_locked_database(address: str) -> None:
    """A shelf that runs out while nobody can write ends as soon as somebody can."""
    database = AlarmDatabase(address, wait_s=1)
    ((name, _),) = keep(database, transition("raise", 1, priority="P4", kind="light_pole"))
    shelve(database, Shelving(name, "works", "k1", 60), OFFICER, 10_000, 10_000_000)
    with held(address), pytest.raises(AlarmError):
        due(database, 80_000)
    assert rows(database)[0]["suppression"] == "shelved"
    due(database, 81_000)
    assert rows(database)[0]["suppression"] == "none"
    database.close()


def test_full(tmp_path: Path) -> None:
    """On a full disk every act is refused, however often it is tried; none of it shows afterwards."""
    url = f"sqlite:///{tmp_path / 'alarms.db'}"
    database = AlarmDatabase(url)
    database.migrate()
    room = Room(database)
    names = [keep(database, transition("raise", n, point=f"gas-{n}/x", device=f"gas-{n}"))[0][0] for n in range(1, 40)]
    room.none_left()
    refused, done = 0, 0
    for number, name in enumerate(names):
        before = all_rows(database)
        try:
            acknowledge(database, Acknowledgement(name, 1, f"k{number}", comment="x" * 900), OFFICER, 50_000)
            done += 1
        except AlarmError as error:
            assert "full" in str(error)
            assert all_rows(database) == before
            refused += 1
    assert refused > 0
    room.pages = NO_LIMIT
    for number, name in enumerate(names):
        wish = Acknowledgement(name, 1, f"k{number}", comment="x" * 900)
        assert acknowledge(database, wish, OFFICER, 60_000).result == "acked"
    with database.read() as connection:
        assert check(connection).broken is None
        acked = connection.execute(sa.select(sa.func.count()).where(audit.c.action == "ack")).scalar_one()
    assert acked == len(names) == done + refused
    database.close()


@pytest.mark.parametrize("how", ["full", "locked"])
def test_the_pipeline_waits_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    """Alarms wait in the journal; once there is room again each is kept, once, and the recount agrees."""
    town = Town(tmp_path / how)
    leaks = [
        message(n, "gas_alarm", "gas-1", {"conc_pct_lel": 60 if n % 4 < 2 else 0}, id=f"m{n}")
        for n in range(0, 600, 40)
    ]
    passages = [
        message(n, "bridge_wim", "wim-1", {"pass_id": f"p{n}", "axle_count": 2, "gvw_kg": 40_000}, channel="event",
                id=f"p{n}") for n in range(600)
    ]  # fmt: skip
    town.receive([*leaks, *passages, *ticks(0, 600)])
    opened = AlarmDatabase(f"sqlite:///{town.places.alarms}", wait_s=1)
    room = Room(opened)
    monkeypatch.setattr(town, "database", lambda: opened)
    with caplog.at_level(logging.ERROR, logger="ingest.patience"):
        if how == "full":
            room.none_left()
            work = town.begin()
            wait_until(lambda: any("full" in record.getMessage() for record in caplog.records), 20)
            room.pages = NO_LIMIT
        else:
            with held(f"sqlite:///{town.places.alarms}"):
                work = town.begin()
                wait_until(lambda: any("locked" in record.getMessage() for record in caplog.records), 20)
        wait_until(lambda: len(rows(opened)) >= 600, 30, 0.2)
        work.end()
    assert all(record.getMessage().endswith("alarms wait") for record in caplog.records)
    monkeypatch.undo()
    code, found = town.recount()
    assert (code, found["missing"], found["phantom"]) == (0, 0, 0)
    assert found["expected"] >= 600
