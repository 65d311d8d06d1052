"""``python -m cockpit.evidence_commands``: the evidence of one alarm into one file."""

import os
import sys
import tempfile
import time
from pathlib import Path

import click

from cockpit.evidence import make_pack, pack_name
from devices.errors import DeviceError
from devices.site_file import load_site
from ingest.alarms.database import open_alarms
from ingest.errors import IngestError
from ingest.evidence.span import duration
from ingest.places import Places


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("alarm")
@click.option("--out", type=click.Path(path_type=Path), help="File to write (default: citydeck-evidence-ALARM.zip).")
@click.option("--before", default="30m", show_default=True, help="How long before the alarm: 90s, 30m, 2h.")
@click.option("--after", default="30m", show_default=True, help="How long after it.")
@click.option("--site", "site_file", type=click.Path(path_type=Path), help="Site file (default: the demo city).")
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Folder of all state."
)
def main(alarm: str, out: Path | None, before: str, after: str, site_file: Path | None, data: Path) -> None:
    """Put the evidence of ALARM (its id) into a zip: readings, raw messages, rules, acts, case, notices, proof.

    It holds raw messages, with plates and household ids in them: keep it accordingly. `citydeck audit verify --pack`
    checks it.
    """
    out = Path(pack_name(alarm)) if out is None else out
    try:
        around_ms = duration(before, "--before"), duration(after, "--after")
        site, places = load_site(site_file), Places(data)
        if out.exists():
            raise click.ClickException(f"{out} is there already; nothing is written over it")
        if site.alarm_database == "embedded" and not places.alarms.is_file():
            raise click.ClickException(f"no collector has worked in {data} yet; name its folder by --data")
        database = open_alarms(site, places)
        try:
            database.migrate()
            pack = make_pack(site, places, database, alarm, around_ms, time.time_ns() // 1_000_000)
        finally:
            database.close()
    except (DeviceError, IngestError) as error:
        raise click.ClickException(str(error)) from error
    try:
        _write(out, pack)
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror}") from error
    click.echo(f"{out}: {len(pack):,} bytes")


def _write(out: Path, pack: bytes) -> None:
    """Write the whole file or none, for its owner alone."""
    descriptor, name = tempfile.mkstemp(dir=out.parent, prefix=f"{out.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pack)
        os.link(name, out)
    finally:
        os.unlink(name)


if __name__ == "__main__":
    sys.exit(main())
