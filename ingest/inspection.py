"""``python -m ingest.inspection``: what is in quarantine, for the engineer who mends a mapping."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from devices.errors import shown
from ingest.checkpoint import Checkpoint
from ingest.errors import IngestError
from ingest.journal import Journal
from ingest.places import Places

_DATA = click.option(
    "--data", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Folder of all state."
)
_SHARD = click.option("--shard", help="Of one shard of the site.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Look into quarantine: messages that could not be read, with the reason of each."""


@main.command("list")
@_DATA
@_SHARD
def list_groups(data: Path, shard: str | None) -> None:
    """Tell how many messages of which device are in quarantine, and why; the largest groups first."""
    checkpoint = _checkpoint(data, shard)
    groups = checkpoint.quarantine_groups()
    checkpoint.close()
    if not groups:
        click.echo("quarantine is empty")
        return
    click.echo(f"{'count':>9}  {'reason':14}{'device':26}{'last':22}sentence")
    for group in groups:
        click.echo(f"{group.count:9d}  {group.reason:14}{group.device:26}{_at(group.last_ms):22}{group.sentence}")


@main.command()
@click.argument("reason")
@click.argument("device", default="")
@_DATA
@_SHARD
def show(reason: str, device: str, data: Path, shard: str | None) -> None:
    """Show the remembered messages of one group, with their bytes as they came."""
    checkpoint = _checkpoint(data, shard)
    samples = checkpoint.quarantine_samples(reason, device)
    checkpoint.close()
    if not samples:
        raise click.ClickException(
            f"quarantine has no group {reason!r} {device!r}; `citydeck quarantine list` shows all"
        )
    journal = Journal(Places(data).for_shard(shard).journal)
    for sample in samples:
        click.echo(f"{_at(sample.at_ms)}  position {sample.position}  {sample.topic}\n  {sample.sentence}")
        try:
            (record, *_) = journal.read(sample.position - 1, 1)
            click.echo(f"  {shown(record.payload)}")
        except (IngestError, ValueError):
            click.echo("  (its journal file is gone)")
    journal.close()


def _checkpoint(data: Path, shard: str | None) -> Checkpoint:
    path = Places(data).for_shard(shard).checkpoint
    if not path.is_file():
        raise click.ClickException(f"no collector has worked in {data} yet; name its folder by --data")
    try:
        return Checkpoint(path)
    except IngestError as error:
        raise click.ClickException(str(error)) from error


def _at(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


if __name__ == "__main__":
    sys.exit(main())
