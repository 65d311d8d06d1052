"""What the commands about users and screens share: their options, the database of the site, and who sits there."""

import getpass
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from devices.errors import DeviceError
from devices.site import Site
from devices.site_file import load_site
from ingest.alarms.audit import Actor
from ingest.alarms.database import AlarmDatabase, open_alarms
from ingest.errors import IngestError
from ingest.places import Places


@dataclass(frozen=True, slots=True)
class Terminal:
    """A site's accounts and the administrator at the terminal."""

    site: Site
    database: AlarmDatabase
    actor: Actor

    def shown(self, at_ms: int | None) -> str:
        """Return an instant for people."""
        if at_ms is None:
            return "-"
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(self.site.timezone).strftime("%Y-%m-%d %H:%M:%S")


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that name the site and its data folder."""
    path = click.Path(path_type=Path)
    site = click.option("--site", "site_file", type=path, help="Site file (default: the demo city).")
    data = click.option("--data", type=path, default=Path("var"), show_default=True, help="Folder of all state.")
    return site(data(command))


@contextmanager
def terminal(site_file: Path | None, data: Path) -> Iterator[Terminal]:
    """Open the accounts of a site.

    Raises:
        click.ClickException: the site or the database cannot be used, or what was asked is refused.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        site = load_site(site_file)
        database = open_alarms(site, Places(data))
        try:
            database.migrate()
            yield Terminal(site, database, Actor(getpass.getuser()[:64], "engineer", "command line"))
        finally:
            database.close()
    except (DeviceError, IngestError) as error:
        raise click.ClickException(str(error)) from error


def asked_password() -> str:
    """Return a new password: from ``CITYDECK_USER_PASSWORD``, else typed twice. Never an argument, which others see.

    Raises:
        click.ClickException: nobody is there to type it.
    """
    given = os.environ.get("CITYDECK_USER_PASSWORD")
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise click.ClickException("nobody can type a password here; give it in CITYDECK_USER_PASSWORD")
    return str(click.prompt("password", hide_input=True, confirmation_prompt="the same again"))


def now_ms() -> int:
    """Return the instant."""
    return time.time_ns() // 1_000_000
