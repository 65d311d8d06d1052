"""``python -m ingest.inspection``: what is in quarantine, and trying it again, for the engineer who mends a mapping."""

import getpass
import sys
import time
import uuid
from collections import Counter
from collections.abc import Mapping
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
from ingest.places import MAIN, Places, collector_at
from ingest.quarantine import Group
from ingest.records import Record
from ingest.refused import REASON

_DATA = click.option(
    "--data", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Folder of all state."
)
_SHARD = click.option("--shard", help="Of one shard of the site (default: of all).")
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
    collectors = _collectors(data, shard)
    groups: list[tuple[str, Group]] = []
    for name, places in collectors.items():
        checkpoint = _checkpoint(places)
        groups.extend((name, group) for group in checkpoint.quarantine_groups())
        checkpoint.close()
    if not groups:
        click.echo("quarantine is empty")
        return
    width = 0 if list(collectors) == [MAIN] else max(map(len, (*collectors, "shard"))) + 2
    click.echo(f"{'count':>9}  {'shard'[:width]:{width}}{'reason':14}{'device':26}{'last':22}sentence")
    for name, group in sorted(groups, key=lambda found: -found[1].count):
        where = f"{name[:width]:{width}}{group.reason:14}{group.device:26}"
        click.echo(f"{group.count:9d}  {where}{_at(group.last_ms):22}{group.sentence}")


@main.command()
@click.argument("reason")
@click.argument("device", default="")
@_DATA
@_SHARD
def show(reason: str, device: str, data: Path, shard: str | None) -> None:
    """Show the remembered messages of one group, with their bytes as they came."""
    told = 0
    for places in _collectors(data, shard).values():
        checkpoint = _checkpoint(places)
        samples = checkpoint.quarantine_samples(reason, device)
        checkpoint.close()
        told += len(samples)
        journal = Journal(places.journal)
        for sample in samples:
            click.echo(f"{_at(sample.at_ms)}  position {sample.position}  {sample.topic}\n  {sample.sentence}")
            try:
                (record, *_) = journal.read(sample.position - 1, 1)
                click.echo(f"  {shown(record.payload)}")
            except (IngestError, ValueError):
                click.echo("  (its journal file is gone)")
        journal.close()
    if not told:
        raise click.ClickException(
            f"quarantine has no group {reason!r} {device!r}; `citydeck quarantine list` shows all"
        )


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
    try:
        site = load_site(site_file)
        held = {
            name: count for name, places in _collectors(data, shard).items() if (count := _held(places, reason, device))
        }
        if not held:
            whose = f"{reason!r} {device!r}" if device else repr(reason)
            raise click.ClickException(
                f"quarantine has nothing of {whose} that the journal still holds; `citydeck quarantine list` shows all"
            )
        if dry_run:
            _dry(site, Places(data), held, reason, device)
        else:
            _asked(site, Places(data), list(held), reason, device)
    except (DeviceError, IngestError) as error:
        raise click.ClickException(str(error)) from error


def _held(places: Places, reason: str, device: str | None) -> int:
    """Return how many of a group the journal of one collector still holds."""
    checkpoint, journal = _checkpoint(places), Journal(places.journal)
    try:
        return sum(stand.times for stand in checkpoint.walk(reason, device, journal.first() - 1))
    finally:
        checkpoint.close()
        journal.close()


def _dry(site: Site, data: Places, held: Mapping[str, int], reason: str, device: str | None) -> None:
    total = sum(held.values())
    fates: Counter[str] = Counter()
    words: dict[str, str] = {}
    told_s = time.monotonic()
    for name in held:
        checkpoint, journal = _checkpoint(_places(data, name)), Journal(_places(data, name).journal)
        for record, stands in retry.records_at(journal, checkpoint.walk(reason, device)):
            fate, words[fate] = _fate(record, site)
            fates[fate] += sum(stand.times for stand in stands)
            if time.monotonic() - told_s > _LINE_S:
                told_s = time.monotonic()
                click.echo(f"read {fates.total()} of {total}", err=True)
        journal.close()
        checkpoint.close()
    what = "be written again; the store decides" if reason == REASON else "land"
    click.echo(f"{fates.pop('', 0)} of {total} would {what}; nothing was changed")
    for fate, count in fates.most_common():
        click.echo(f"{count:9d}  {fate:14}{words[fate]}")


def _fate(record: Record, site: Site) -> tuple[str, str]:
    """Return why a message cannot be read now, and a sentence; both empty when it can."""
    try:
        decoded = decode(record.topic, record.payload, record.received_ms, record.position, site)
    except Undecodable as error:
        return error.reason, str(error)
    return (decoded.faults[0].reason, decoded.faults[0].sentence) if decoded.faults else ("", "")


def _asked(site: Site, data: Places, shards: list[str], reason: str, device: str | None) -> None:
    database = open_alarms(site, data)
    database.migrate()
    key = f"command line {uuid.uuid4().hex}"
    actor = Actor(getpass.getuser()[:64], "engineer", "command line")
    retry.ask(database, shards, reason, device, actor, key, time.time_ns() // 1_000_000)
    for shard in shards:
        places = _places(data, shard)
        running = collector_at(places)
        if len(shards) > 1:
            click.echo(f"shard {shard}:")
        if running is None:
            click.echo("asked; no collector works on this data folder now, the next one to start will try them")
        else:
            click.echo(f"asked; the collector that runs (process {running}) tries them, with the site as it read it")
            _followed(database, key, shard, places)
    database.close()


def _followed(database: AlarmDatabase, key: str, shard: str, places: Places) -> None:
    told_s = time.monotonic()
    while True:
        (request,) = (row for row in retry.requests(database, key) if row["shard"] == shard)
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


def _collectors(data: Path, shard: str | None) -> dict[str, Places]:
    """Return the folders of the collectors that have worked in a data folder, by the names of their shards."""
    names = [MAIN, *sorted(path.name for path in (data / "shards").glob("*"))] if shard is None else [shard]
    found = {name: _places(Places(data), name) for name in names}
    found = {name: places for name, places in found.items() if places.checkpoint.is_file()}
    if not found:
        whose = "collector" if shard is None else f"collector of shard {shard!r}"
        raise click.ClickException(f"no {whose} has worked in {data} yet; name its folder by --data")
    return found


def _places(data: Places, shard: str) -> Places:
    return data.for_shard(None if shard == MAIN else shard)


def _checkpoint(places: Places) -> Checkpoint:
    try:
        return Checkpoint(places.checkpoint)
    except IngestError as error:
        raise click.ClickException(str(error)) from error


def _at(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


if __name__ == "__main__":
    sys.exit(main())
