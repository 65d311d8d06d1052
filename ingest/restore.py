"""``python -m ingest.restore``: a backup back into an empty data folder; all of it or nothing."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from ingest.archive import Tell, unpack
from ingest.errors import BackupError, IngestError


@click.command(help="Put the backup FILE into an empty or new data folder; then start as always, with that folder.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Folder to fill.")
def main(file: Path, data: Path) -> None:
    """Restore a backup."""
    try:
        manifest = restore(file, data, lambda line: click.echo(line, err=True))
    except IngestError as error:
        sys.exit(f"citydeck restore: {error}")
    click.echo(f"{data}: {len(manifest['members'])} files as of {manifest['begun_at']}")
    site = f" --site {data / manifest['site']}" if manifest["site"] else ""
    click.echo(f"  start: citydeck up --data {data}{site}")
    if manifest["store"] == "influxdb":
        click.echo("  readings are in InfluxDB, which has backups of its own (docs/keeping.md)")
    if manifest["alarms"] == "postgresql":
        click.echo("  before that, restore the alarm database with pg_restore")
    elif manifest["alarms"] != "embedded":
        click.echo(f"  before that, move {data / 'alarms.db'} to where the site file has it: {manifest['alarms']}")


def restore(file: Path, data: Path, tell: Tell) -> dict[str, Any]:
    """Fill a data folder from a backup and return the manifest; on any fault the folder stays as it was.

    Raises:
        BackupError: the folder is not empty, or the file is no whole backup that this version can read.
    """
    if not file.is_file():
        raise BackupError(f"{file}: no such file")
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise BackupError(f"{data} is not empty; a backup is restored into an empty or new folder only")
    beside: Path | None = None
    try:
        data = data.resolve()
        data.parent.mkdir(parents=True, exist_ok=True)
        # The root of a volume, or where a shell stands, cannot be replaced: it is filled from within.
        within = data.is_dir() and (data.is_mount() or data == Path.cwd())
        beside = Path(tempfile.mkdtemp(dir=data if within else data.parent, prefix=f".{data.name}-restoring-"))
        manifest = unpack(file, beside, tell)
        if within:
            _move_up(beside, data)
        else:
            # Takes the place of an empty folder only, and at once.
            os.rename(beside, data)
    except OSError as error:
        raise BackupError(f"{data} cannot be filled: {error}") from error
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)
    return manifest


def _move_up(beside: Path, data: Path) -> None:
    """Move what was unpacked one folder up, all of it or nothing."""
    moved: list[Path] = []
    try:
        for path in list(beside.iterdir()):
            os.rename(path, data / path.name)
            moved.append(data / path.name)
    except OSError:
        for path in moved:
            os.rename(path, beside / path.name)
        raise


if __name__ == "__main__":
    main()
