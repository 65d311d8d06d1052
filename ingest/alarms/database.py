"""Opening the alarm database (SQLite or PostgreSQL), bringing its schema up to date, and its write transactions."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DataError, SQLAlchemyError

from devices.site import Site
from ingest.errors import AlarmError, Unkeepable
from ingest.places import Places

# A network that is cut says nothing: the kernel is to give up after some ten seconds, not after its quarter of an hour.
_GIVE_UP = {"tcp_user_timeout": 10_000, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
_MIGRATIONS = Path(__file__).parent / "migrations"
_NEWEST = max(path.stem[:4] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


class AlarmDatabase:
    """One database of occurrences and audit; safe to share between threads."""

    def __init__(self, url: str, wait_s: int = 30) -> None:
        """Keep an SQLAlchemy address; connecting waits until the first use.

        Args:
            url: of an SQLite file or a PostgreSQL server.
            wait_s: how long a writer waits for another one before it is refused.
        """
        self._sqlite = url.startswith("sqlite")
        options: dict[str, Any] = {"connect_args": {"timeout": wait_s}}
        if not self._sqlite:
            limits = {**_GIVE_UP, "connect_timeout": 10, "options": f"-c lock_timeout={wait_s * 1000}"}
            options = {"pool_pre_ping": True, "connect_args": limits}
        self.engine = sa.create_engine(url, **options)
        self._reading: dict[str, Any] = {"read_only": True}
        if not self._sqlite:
            self._reading["isolation_level"] = "REPEATABLE READ"
        if self._sqlite:
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)

    def migrate(self) -> None:
        """Bring the schema to this version.

        Raises:
            AlarmError: the database does not answer or refuses.
        """
        try:
            # A lock for the whole upgrade: collector and cockpit start at the same moment.
            with self.engine.connect() as connection, connection.begin():
                if not self._sqlite:
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(4920113)"))
                if _version(connection) != _NEWEST:
                    _upgrade(connection)
        except SQLAlchemyError as error:
            raise AlarmError(f"the alarm database cannot be used: {_brief(error)}") from error

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Give one write transaction; it commits at the end, or nothing of it happened.

        Raises:
            Unkeepable: the database cannot hold something of it.
            AlarmError: the database does not answer, is locked or full.
        """
        try:
            with self.engine.connect() as connection, connection.begin():
                yield connection
        except DataError as error:
            raise Unkeepable(f"the alarm database cannot hold it: {_brief(error)}") from error
        except SQLAlchemyError as error:
            raise AlarmError(f"the alarm database cannot be written: {_brief(error)}") from error

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection for reading; all it reads is of one instant.

        Raises:
            AlarmError: the database does not answer.
        """
        try:
            with self.engine.connect().execution_options(**self._reading) as connection:
                yield connection
        except SQLAlchemyError as error:
            raise AlarmError(f"the alarm database cannot be read: {_brief(error)}") from error

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_alarms(site: Site, places: Places) -> AlarmDatabase:
    """Return the alarm database a site names; the password of a server comes from ``CITYDECK_ALARMS_PASSWORD``.

    Raises:
        AlarmError: it is embedded and there is no folder for it.
    """
    if site.alarm_database == "embedded":
        try:
            places.data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AlarmError(f"the data folder {places.data} cannot be used: {error.strerror}") from error
        return AlarmDatabase(f"sqlite:///{places.alarms}")
    url = sa.make_url(site.alarm_database)
    password = os.environ.get("CITYDECK_ALARMS_PASSWORD")
    return AlarmDatabase((url.set(password=password) if password else url).render_as_string(hide_password=False))


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return version


def _upgrade(connection: sa.Connection) -> None:
    # To load Alembic takes a tenth of a collector's start, which the alarms of a city wait for.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # Python's driver must not begin transactions by itself: ours begin with the write lock already held.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    reading = connection.get_execution_options().get("read_only")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _brief(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0][:300]
