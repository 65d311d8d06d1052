"""The alarm database's schema: an old one is brought up to date, one that is up to date is left alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from ingest.alarms import database as database_module
from ingest.alarms.database import AlarmDatabase
from tests.servers.postgres import Postgres

MIGRATIONS = str(Path(database_module.__file__).parent / "migrations")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def untouched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AlarmDatabase]:
    """Give a database in which there is nothing, not even a schema."""
    if request.param == "sqlite":
        opened = AlarmDatabase(f"sqlite:///{tmp_path / 'alarms.db'}")
        yield opened
        opened.close()
        return
    server: Postgres = request.getfixturevalue("postgres_server")
    name = server.create()
    opened = AlarmDatabase(server.url(name))
    yield opened
    opened.close()
    server.drop(name)


def version(database: AlarmDatabase) -> str | None:
    with database.read() as connection:
        found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


def test_an_older_schema_is_brought_up_to_date(untouched: AlarmDatabase) -> None:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    with untouched.engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0013")
    untouched.migrate()
    assert version(untouched) == ScriptDirectory(MIGRATIONS).get_current_head()
    with untouched.read() as connection:
        assert sa.inspect(connection).has_table("drill")


def test_a_schema_that_is_up_to_date_is_left_alone(untouched: AlarmDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    upgraded: list[sa.Connection] = []
    upgrade = database_module._upgrade
    monkeypatch.setattr(
        database_module, "_upgrade", lambda connection: (upgraded.append(connection), upgrade(connection))
    )
    untouched.migrate()
    untouched.migrate()
    assert len(upgraded) == 1
