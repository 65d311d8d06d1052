"""``python -m ingest.recording``: a span of the journal into a file, and a file back into a folder of its own."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from devices.errors import DeviceError
from devices.recording import TICK, Reader
from devices.site import Site
from devices.site_file import load_site
from ingest.errors import IngestError
from ingest.instants import instant
from ingest.places import MAIN, Places
from ingest.recording.exporting import Wish, export
from ingest.recording.importing import import_file

_SITE = click.option("--site", "site_file", type=click.Path(path_type=Path), help="Site file (default: the demo city).")
_FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Take a recording out of the journal, look at one, or bring one in. The journal itself is the recording."""


@main.command("export")
@_FILE
@click.option("--from", "start", required=True, help="First instant received, ISO 8601.")
@click.option("--to", "stop", required=True, help="End of the span, ISO 8601; not part of it.")
@click.option("--kind", "kinds", multiple=True, help="Only devices of this kind; repeatable.")
@click.option("--district", "districts", multiple=True, help="Only devices of this district; repeatable.")
@click.option("--pseudonymise", is_flag=True, help="Replace plates and the names of devices; nobody can turn it back.")
@click.option("--shard", help="The shard whose journal is meant.")
@_SITE
@click.option("--data", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Data folder.")
def export_command(
    file: Path,
    start: str,
    stop: str,
    kinds: tuple[str, ...],
    districts: tuple[str, ...],
    pseudonymise: bool,
    shard: str | None,
    site_file: Path | None,
    data: Path,
) -> None:
    """Write what was received in a span into FILE."""
    site = _site(site_file)
    try:
        wish = Wish(
            instant(start, "--from", site.timezone),
            instant(stop, "--to", site.timezone),
            frozenset(kinds),
            frozenset(districts),
            pseudonymise,
        )
        found = export(site, shard or MAIN, Places(data).for_shard(shard).journal, file, wish, _progress)
    except (DeviceError, IngestError) as error:
        sys.exit(f"citydeck record: {error}")
    left_out = f", {found.left_out:,} left out that could not be read for names" if found.left_out else ""
    click.echo(f"{file}: {found.messages:,} messages{left_out}, {file.stat().st_size:,} bytes")


@main.command("show")
@_FILE
def show_command(file: Path) -> None:
    """Tell what FILE holds, and whether it is whole."""
    try:
        with Reader(file) as reader:
            header = reader.header
            count = ticks = 0
            for block in reader.blocks():
                count += len(block)
                ticks += sum(message.topic == TICK for message in block)
    except (DeviceError, IngestError) as error:
        sys.exit(f"citydeck record: {error}")
    click.echo(f"{file}: {count - ticks:,} messages of {header.site['zh']} · {header.site['en']}, shard {header.shard}")
    click.echo(f"  received from {_told(header.from_ms)} to {_told(header.to_ms)}")
    click.echo(f"  kinds {', '.join(sorted(header.kinds))}; written by {header.software}")
    for what, names in header.only.items():
        click.echo(f"  only {what} {', '.join(names)}")
    if header.heard_only:
        click.echo("  only devices that say something in it are known")
    if header.pseudonymised:
        click.echo("  plates and names of devices are pseudonyms")


@main.command("import")
@_FILE
@click.option("--into", type=click.Path(path_type=Path), required=True, help="New or empty folder for its journal.")
@_SITE
def import_command(file: Path, into: Path, site_file: Path | None) -> None:
    """Bring FILE into a folder, all of it or nothing: a recording, or CSV of received_at, topic and payload."""
    try:
        found = import_file(_site(site_file), file, into, _progress)
    except (DeviceError, IngestError) as error:
        sys.exit(f"citydeck record: {error}")
    for warning in found.warnings:
        click.echo(f"  warning: {warning}", err=True)
    click.echo(f"{into}: {found.messages:,} messages; try them with: citydeck replay --data {into}")


def _site(site_file: Path | None) -> Site:
    try:
        return load_site(site_file)
    except DeviceError as error:
        sys.exit(f"citydeck record: {error}")


_told_s = [0.0]


def _progress(done: int, whole: int) -> None:
    """Tell how far it is, about once in two seconds."""
    now_s = time.monotonic()
    if now_s - _told_s[0] >= 2.0:
        _told_s[0] = now_s
        click.echo(f"  {done:,} of {whole:,}", err=True)


def _told(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    main()
