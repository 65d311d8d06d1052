"""An alarm database of its own for each test: on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.alarms.database import AlarmDatabase
from tests.ingest.alarms.empty import empty_database
from tests.servers.postgres import Postgres


@pytest.fixture(scope="session")
def migrated(postgres_server: Postgres) -> str:
    """Give the name of a PostgreSQL database with the schema and nothing in it, to make copies of."""
    name = postgres_server.create()
    opened = AlarmDatabase(postgres_server.url(name))
    opened.migrate()
    opened.close()
    return name


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of an empty, migrated alarm database."""
    if request.param == "sqlite":
        yield empty_database(tmp_path / "alarms.db")
        return
    server: Postgres = request.getfixturevalue("postgres_server")
    name = server.create(request.getfixturevalue("migrated"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def database(address: str) -> Iterator[AlarmDatabase]:
    """Give an empty, migrated alarm database."""
    opened = AlarmDatabase(address)
    yield opened
    opened.close()
