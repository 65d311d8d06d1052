"""``python -m ingest.backup``: everything but InfluxDB's and PostgreSQL's own files, in one file, while all goes on.

Each database is copied as it is at one instant (SQLite's own backup within one read transaction, which no writer waits
for). The instants differ, so the order decides whether the copies fit together as they would after a kill:

1. checkpoints and stores: their cursors say up to where the journal is worked off;
2. the alarm database: before a checkpoint passes a transition it is committed there, or waits inside the checkpoint
   itself, so checkpoint and a copy made later hold all the transitions that will not be judged again;
3. whatever else is in the data folder (the secret, users), and the site's files;
4. the journal, last: it only grows at its end, so it reaches at least as far as every cursor copied before.

Started on the copies, a collector does what it does after a kill: it goes on at its cursors, with the journal behind
them. What came after the backup is with the broker if it was not acknowledged, and lost otherwise.
"""

import os
import sqlite3
import sys
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from devices.catalog import Catalog
from devices.errors import DeviceError
from devices.site import Site
from devices.site_document import site_files
from devices.site_file import load_site
from ingest.archive import DATA, FORMAT, HEAD, MANIFEST, SITE, Packing, Tell, size_text
from ingest.checkpoint import Checkpoint
from ingest.errors import BackupError, IngestError
from ingest.journal import Journal
from ingest.places import MAIN, Places
from ingest.store.sqlite import SqliteStore

_LEFT_OUT = ("-wal", "-shm", "-journal", ".lock", ".partial")
_PG_DUMP = (
    "the alarm database is PostgreSQL and not in this backup; with the collectors stopped, run pg_dump and "
    "`citydeck backup` one after the other and keep the two files together"
)


@click.command(help="Write journal, checkpoint, embedded databases, secret, users and site files into FILE (tar.gz).")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--site", "site_file", type=click.Path(path_type=Path), help="Site file (default: the demo city).")
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Folder of all state."
)
def main(file: Path, site_file: Path | None, data: Path) -> None:
    """Back up a data folder; collector and cockpit may go on."""
    try:
        site = load_site(site_file)
        manifest = back_up(site, Places(data), file, lambda: datetime.now(UTC), lambda line: click.echo(line, err=True))
    except (DeviceError, IngestError) as error:
        sys.exit(f"citydeck backup: {error}")
    click.echo(f"{file}: {len(manifest['members'])} files, {size_text(file.stat().st_size)}")


def back_up(site: Site, places: Places, target: Path, now: Callable[[], datetime], tell: Tell) -> dict[str, Any]:
    """Write a backup and return its manifest; the target appears whole or not at all.

    Raises:
        BackupError: there is nothing to back up or no place for it, or a file cannot be read.
    """
    if target.exists():
        raise BackupError(f"{target} exists already; a backup never overwrites another file")
    folders = _collectors(places)
    if not folders:
        raise BackupError(f"no collector has worked in {places.data} yet; name its folder by --data")
    try:
        # Another backup to the same file may be under way: each has a folder of its own.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".citydeck-backup-") as stage:
            partial = Path(stage) / f"{target.name}.partial"
            # Only its owner may read it: it holds the secret and the users.
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
                with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=3) as archive:
                    manifest = _pack(site, places, folders, target, Packing(archive, Path(stage), tell), now)
                raw.flush()
                os.fsync(raw.fileno())
            _appear(partial, target)
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        raise BackupError(f"the backup cannot be written: {error}") from error
    if manifest["alarms"] == "postgresql":
        tell(f"citydeck backup: {_PG_DUMP}")
    return manifest


def _appear(partial: Path, target: Path) -> None:
    try:
        os.link(partial, target)
    except FileExistsError as error:
        raise BackupError(f"{target} appeared meanwhile; a backup never overwrites another file") from error


def _pack(
    site: Site,
    places: Places,
    folders: dict[str, Places],
    target: Path,
    packing: Packing,
    now: Callable[[], datetime],
) -> dict[str, Any]:
    head = {"format": FORMAT, "citydeck": version("citydeck"), "begun_at": now().isoformat(timespec="seconds")}
    packing.document(HEAD, head)
    cursors = _cursors(folders, places, packing)
    alarms, alarms_file = _alarms(site, places)
    if alarms_file is not None and alarms_file.exists():
        packing.database(alarms_file, f"{DATA}/{places.alarms.name}")
    for path in _rest(places, {target, alarms_file, places.alarms}):
        packing.file(path, _member(path, places))
    site_member = _site(site, packing)
    journals = {name: _journal(folder, places, packing) for name, folder in folders.items()}
    for name, found in cursors.items():
        for cursor, position in found.items():
            if position > journals[name][1]:
                raise BackupError(
                    f"the {cursor} in {places.data / name} is ahead of its journal: they do not belong together"
                )
    manifest = {
        **head,
        "ended_at": now().isoformat(timespec="seconds"),
        "site": site_member,
        "store": "embedded" if site.store.embedded else "influxdb",
        "alarms": alarms,
        "cursors": cursors,
        "journals": journals,
        "members": packing.members,
    }
    packing.document(MANIFEST, manifest)
    return manifest


def _collectors(places: Places) -> dict[str, Places]:
    """Return the folders that have a journal, by their name below the data folder."""
    shards = sorted((places.data / "shards").glob("*"))
    found = {path.relative_to(places.data).as_posix(): Places(path) for path in (places.data, *shards)}
    return {name: folder for name, folder in found.items() if folder.journal.is_dir()}


def _member(path: Path, places: Places) -> str:
    return f"{DATA}/{path.relative_to(places.data).as_posix()}"


def _cursors(folders: dict[str, Places], places: Places, packing: Packing) -> dict[str, dict[str, int]]:
    cursors: dict[str, dict[str, int]] = {name: {} for name in folders}
    for name, folder in folders.items():

        def of_checkpoint(copy: Path, found: dict[str, int] = cursors[name]) -> None:
            with closing(Checkpoint(copy)) as checkpoint:
                found["checkpoint"] = checkpoint.load().position
                found["store"] = checkpoint.load_stored().position

        for path, look in ((folder.checkpoint, of_checkpoint), (folder.minutes, None)):
            if path.exists():
                packing.database(path, _member(path, places), look)

    def of_readings(copy: Path) -> None:
        for name, folder in folders.items():
            shard = None if folder == places else folder.data.name
            with closing(SqliteStore(copy, Catalog({}), shard=shard or MAIN)) as store:
                cursors[name]["embedded store"] = store.position()[0]

    if places.readings.exists():
        packing.database(places.readings, _member(places.readings, places), of_readings)
    return cursors


def _alarms(site: Site, places: Places) -> tuple[str, Path | None]:
    """Return what the site says of the alarm database, and its file when it has one."""
    if site.alarm_database == "embedded":
        return "embedded", places.alarms
    url = sa.make_url(site.alarm_database)
    if url.get_backend_name() != "sqlite":
        return "postgresql", None
    return site.alarm_database, Path(url.database or places.alarms)


def _rest(places: Places, without: set[Path | None]) -> list[Path]:
    """Return what else is kept in the data folder, whoever put it there."""
    copied = {path.resolve() for path in without if path is not None}
    copied.add(places.readings.resolve())
    for folder in _collectors(places).values():
        copied.update(path.resolve() for path in (folder.checkpoint, folder.minutes))
    found = []
    for path in sorted(places.data.rglob("*")):
        parts = path.relative_to(places.data).parts
        # A restored folder has the site's files below it, and those in use are added by themselves.
        # A run of the bench and an exercise go with the cockpit that plays them.
        elsewhere = parts[0] in (SITE, places.bench.name, places.drills.name) or "journal" in parts[:-1]
        foreign = elsewhere or any(part.startswith(".") for part in parts)
        temporary = path.name.endswith(_LEFT_OUT) or path.name.startswith("secret-")
        if not foreign and not temporary and path.resolve() not in copied and path.is_file():
            found.append(path)
    return found


def _site(site: Site, packing: Packing) -> str | None:
    """Add the files a site file is made of, laid out as they are; return where it is, or None for the demo city."""
    files = site_files(site.source)
    if not files:
        return None
    root = Path(os.path.commonpath([path.parent for path in files]))
    for path in files:
        packing.file(path, f"{SITE}/{path.relative_to(root).as_posix()}")
    return f"{SITE}/{site.source.relative_to(root).as_posix()}"


def _journal(folder: Places, places: Places, packing: Packing) -> list[int]:
    """Add a journal's files in order and return the first and last position that is in them."""
    first = last = 0

    def of_journal(copy: Path) -> None:
        nonlocal first, last
        journal = Journal(copy.parent)
        first, last = first or journal.first(), max(last, journal.last)
        journal.close()

    for path in sorted(folder.journal.glob("[0-9]*.db")):
        try:
            packing.database(path, _member(path, places), of_journal)
        except sqlite3.OperationalError:
            # Retention may remove the oldest ones meanwhile: no cursor needs them.
            if path.exists():
                raise
    return [first, last]


if __name__ == "__main__":
    main()
