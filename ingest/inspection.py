"""``python -m ingest.inspection``: what is in quarantine, and trying it again, for the engineer who mends a mapping."""

import getpass
import sys
import time
import uuid
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from devices.decode import decode
from devices.errors import DeviceError, Undecodable, shown
from devices.site import Site
from devices.site_file import load_site
from ingest import retry
from ingest.alarms.audit import Actor
from ingest.alarms.database import AlarmDatabase, open_alarms
from ingest.checkpoint import Checkpoint
from ingest.errors import IngestError
from ingest.journal import Journal
from ingest.places import Places, collector_at

_DATA = click.option(
    "--data", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Folder of all state."
)
_SHARD = click.option("--shard", help="Of one shard of the site.")
_SITE = click.option("--site", "site_file", type=click.Path(path_type=Path), help="Site file (default: the demo city).")
_WATCH_S = 0.2
_LINE_S = 2.0


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Look into quarantine: messages that could not be read, with the reason of each; and try them again."""


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


@main.command("retry")
@click.argument("reason")
@click.argument("device", required=False)
@click.option("--dry-run", is_flag=True, help="Only tell how many would land with the site file as it is now.")
@_SITE
@_DATA
@_SHARD
def try_again(
    reason: str, device: str | None, dry_run: bool, site_file: Path | None, data: Path, shard: str | None
) -> None:
    """Try the messages of a group again, once site file or kind are mended and the collector is restarted.

    They land with their original time. Without DEVICE: of all devices that have this reason.
    """
    checkpoint = _checkpoint(data, shard)
    journal = Journal(Places(data).for_shard(shard).journal)
    try:
        site = load_site(site_file)
        positions = [p for p in checkpoint.quarantined_positions(reason, device) if p >= journal.first()]
        if not positions:
            whose = f"{reason!r} {device!r}" if device else repr(reason)
            raise click.ClickException(
                f"quarantine has nothing of {whose} that the journal still holds; `citydeck quarantine list` shows all"
            )
        if dry_run:
            _dry(site, journal, positions)
        else:
            _asked(site, Places(data), shard, reason, device)
    except (DeviceError, IngestError) as error:
        raise click.ClickException(str(error)) from error
    finally:
        checkpoint.close()
        journal.close()


def _dry(site: Site, journal: Journal, positions: list[int]) -> None:
    fates: Counter[str] = Counter()
    words: dict[str, str] = {}
    told_s = time.monotonic()
    for record in retry.records_at(journal, positions):
        try:
            decoded = decode(record.topic, record.payload, record.received_ms, record.position, site)
            fault = decoded.faults[0] if decoded.faults else None
            reason, sentence = (fault.reason, fault.sentence) if fault else ("", "")
        except Undecodable as error:
            reason, sentence = error.reason, str(error)
        fates[reason] += 1
        words[reason] = sentence
        if time.monotonic() - told_s > _LINE_S:
            told_s = time.monotonic()
            click.echo(f"read {fates.total()} of {len(positions)}", err=True)
    click.echo(f"{fates.pop('', 0)} of {len(positions)} would land; nothing was changed")
    for reason, count in fates.most_common():
        click.echo(f"{count:9d}  {reason:14}{words[reason]}")


def _asked(site: Site, places: Places, shard: str | None, reason: str, device: str | None) -> None:
    database = open_alarms(site, places)
    database.migrate()
    key = f"command line {uuid.uuid4().hex}"
    actor = Actor(getpass.getuser()[:64], "engineer", "command line")
    retry.ask(database, [shard or "main"], reason, device, actor, key, time.time_ns() // 1_000_000)
    running = collector_at(places.for_shard(shard))
    if running is None:
        click.echo("asked; no collector works on this data folder now, the next one to start will try them")
    else:
        click.echo(f"asked; the collector that runs (process {running}) tries them, with the site as it read it")
        _followed(database, key, places.for_shard(shard))
    database.close()


def _followed(database: AlarmDatabase, key: str, places: Places) -> None:
    told_s = time.monotonic()
    while True:
        (request,) = retry.requests(database, key)
        if request["state"] in ("done", "failed"):
            _told(request)
            return
        if time.monotonic() - told_s > _LINE_S:
            told_s = time.monotonic()
            if collector_at(places) is None:
                click.echo("the collector has ended; the next one goes on with it")
                return
            tried = request["landed"] + sum(found["count"] for found in request["why"].values())
            click.echo(f"{request['state']}: tried {tried} of {request['total']}, landed {request['landed']}", err=True)
        time.sleep(_WATCH_S)


def _told(request: dict[str, Any]) -> None:
    if request["state"] == "failed":
        raise click.ClickException(request["sentence"])
    remain = sum(found["count"] for found in request["why"].values())
    click.echo(f"{request['landed']} landed, {remain} remain in quarantine")
    for reason, found in request["why"].items():
        click.echo(f"{found['count']:9d}  {reason:14}{found['sentence']}")
    if request["sentence"]:
        click.echo(request["sentence"])


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
