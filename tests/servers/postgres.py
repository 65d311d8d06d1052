"""A real PostgreSQL, on a port of its own, run by a user who is not root."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.servers.ports import free_port
from tests.servers.process import ServerProcess
from tests.servers.programs import require
from tests.servers.waiting import wait_until

_USERS = ("postgres", "nobody")


class Postgres:
    """A server with databases that are copies of one another; it keeps its port over a restart."""

    def __init__(self, folder: Path) -> None:
        """Make the cluster below a folder that the server's user may enter."""
        self.port = free_port()
        self._folder = folder
        self._as_user = _as_ordinary_user(folder)
        self._initialise()
        self._process = ServerProcess(
            [*self._as_user, require("postgres"), "-D", str(folder / "cluster"), *self._settings()],
            [self.port],
            # Where the server's user may not write it is this process that does.
            folder / "postgres.log",
        )

    def url(self, database: str = "postgres") -> str:
        """Return a database's address for SQLAlchemy."""
        return f"postgresql+psycopg://citydeck@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it and return when it answers."""
        self._process.start()
        # It listens a moment before it lets anybody in.
        wait_until(self._answers, 30)

    def _answers(self) -> bool:
        try:
            self._tell("SELECT 1")
        except sa.exc.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """End it at once for its clients, in order for its files."""
        if self._process.running:
            os.kill(self._process.pid, signal.SIGINT)
        self._process.stop()

    def create(self, template: str = "template0") -> str:
        """Make a database as a copy of another one and return its name."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self._tell(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Remove a database."""
        self._tell(f"DROP DATABASE {name} WITH (FORCE)")

    def _tell(self, statement: str) -> None:
        engine = sa.create_engine(self.url(), isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)

    def _initialise(self) -> None:
        options = ["-U", "citydeck", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        command = [*self._as_user, require("initdb"), "-D", str(self._folder / "cluster"), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self._folder)
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed: {done.stderr[-2000:]}")

    def _settings(self) -> list[str]:
        # No test pulls the machine's plug: what the server hands to the system is safe enough.
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": "100",
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _as_ordinary_user(folder: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = next(known[name] for name in _USERS if name in known)
    os.chown(folder, user.pw_uid, user.pw_gid)
    # Unlike su and runuser it becomes the server, so that the process we started is the one that listens.
    return [require("setpriv"), f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """The one PostgreSQL of a test run."""
    require("initdb")
    # Not below pytest's own folder: that is closed to everybody but its owner, who may be root.
    folder = Path(tempfile.mkdtemp(prefix="citydeck-postgres-"))
    server = Postgres(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)
