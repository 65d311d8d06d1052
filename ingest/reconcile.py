"""``python -m ingest.reconcile``: does the store hold what the journal says, point by point; exit code 1 when not."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from devices.errors import DeviceError
from devices.site import Site
from devices.site_file import load_site
from ingest.alarms.database import open_alarms
from ingest.checkpoint import Checkpoint
from ingest.comparison import Difference, Reconciliation, Report, Source
from ingest.errors import IngestError, InstantError
from ingest.instants import instant
from ingest.places import Places
from ingest.recount.recounting import recount
from ingest.recount.telling import document, lines
from ingest.store import open_store

_HOUR_MS = 3_600_000
_LINE_S = 2.0
_MS_NS = 1_000_000


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--from", "start", help="First instant received, ISO 8601 (default: an hour ago).")
@click.option("--to", "stop", help="End of the span, ISO 8601 (default: now).")
@click.option("--site", "site_file", type=click.Path(path_type=Path), help="Site file (default: the demo city).")
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Folder of all state."
)
@click.option("--shard", help="Only one shard of the site.")
@click.option(
    "--alarms", is_flag=True, help="Recount the alarms instead: journal and command log against what is on record."
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def main(
    start: str | None,
    stop: str | None,
    site_file: Path | None,
    data: Path,
    shard: str | None,
    alarms: bool,
    as_json: bool,
) -> None:
    """Count the journal against the store, or (--alarms) against the alarms on record, and name every difference.

    The messages received in the span are decoded again and their points looked for in the store, whatever the running
    collector has counted. Instants without an offset are in the site's own time zone.
    """
    now_ms = time.time_ns() // 1_000_000
    try:
        site = load_site(site_file)
        stop_ms = now_ms if stop is None else instant(stop, "--to", site.timezone)
        start_ms = stop_ms - _HOUR_MS if start is None else instant(start, "--from", site.timezone)
        if start_ms >= stop_ms:
            raise click.UsageError("--from must lie before --to")
        collectors = _collectors(site, data, shard)
        if alarms:
            sys.exit(_alarms(site, Places(data), collectors, (start_ms, stop_ms), as_json))
        report = _compared(site, Places(data), collectors, (start_ms, stop_ms), now_ms, shard is None)
    except InstantError as error:
        raise click.UsageError(str(error)) from error
    except (DeviceError, IngestError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(_document(report, site), ensure_ascii=False))
    else:
        _told(report, site)
    sys.exit(1 if report.differences else 0)


def _collectors(site: Site, data: Path, shard: str | None) -> list[str | None]:
    """Return which collectors have worked, of those asked for: shards by their names, one that has all as None."""
    if shard is not None and shard not in site.shards:
        known = ", ".join(site.shards) or "none"
        raise click.UsageError(f"the site has no shard {shard!r}; it has {known}")
    wanted: list[str | None] = [shard] if shard is not None else [None, *site.shards]
    found = [name for name in wanted if Places(data).for_shard(name).checkpoint.is_file()]
    if not found:
        raise click.ClickException(f"no collector has worked in {data} yet; name its folder by --data")
    return found


def _compared(
    site: Site, data: Places, collectors: Sequence[str | None], span_ms: tuple[int, int], now_ms: int, whole: bool
) -> Report:
    with ExitStack() as opened:
        store = open_store(site, data)
        opened.callback(store.close)
        sources = []
        for name in collectors:
            places = data.for_shard(name)
            checkpoint = Checkpoint(places.checkpoint)
            opened.callback(checkpoint.close)
            stored = _stored_to(site, data, name, checkpoint)
            unregistered = checkpoint.load().unregistered
            sources.append(Source(places.journal, unregistered, stored, checkpoint.quarantined()))
        return Reconciliation(site, store, sources, _progress()).compare(span_ms, now_ms, whole)


def _progress() -> Callable[[int, int], None]:
    told_s = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal told_s
        if time.monotonic() - told_s > _LINE_S:
            told_s = time.monotonic()
            click.echo(f"read {done} of {total} records", err=True)

    return tell


def _alarms(site: Site, data: Places, collectors: Sequence[str | None], span_ms: tuple[int, int], as_json: bool) -> int:
    """Recount the alarms of collectors, tell what came of it, and return the exit code."""
    database = open_alarms(site, data)
    try:
        recounts = [recount(site, name, data, database, span_ms, _progress()) for name in collectors]
    finally:
        database.close()
    if as_json:
        click.echo(json.dumps([document(each, site) for each in recounts], ensure_ascii=False))
    else:
        for line in lines(recounts, site):
            click.echo(line)
    return 1 if any(each.off for each in recounts) else 0


def _stored_to(site: Site, data: Places, shard: str | None, checkpoint: Checkpoint) -> int:
    own = open_store(site, data, shard)
    try:
        return own.position()[0] if own.transactional else checkpoint.load_stored().position
    finally:
        own.close()


def _told(report: Report, site: Site) -> None:
    start, stop = (_shown(at_ms * _MS_NS, site) for at_ms in (report.start_ms, report.stop_ms))
    click.echo(f"{start} to {stop}: {report.messages} messages, {report.expected} points expected in the store")
    for count, words in (
        (report.waiting, "readings wait for the store"),
        (report.quarantined, "messages are in quarantine"),
        (report.expired, "points are older than the site keeps"),
    ):
        if count:
            click.echo(f"{count} {words}; they are not missed")
    for found in report.differences:
        click.echo(_line(found, site))
    click.echo(f"{len(report.differences)} differences")


def _line(found: Difference, site: Site) -> str:
    words = []
    for count, sentence, first in (
        (found.missing, "missing in the store", found.first_missing),
        (found.extra, "in the store without a message", found.first_extra),
    ):
        if count:
            more = ", …" if count > len(first) else ""
            words.append(f"{count} {sentence} ({', '.join(_shown(at_ns, site) for at_ns in first)}{more})")
    return f"{found.measurement} {found.device}: {'; '.join(words)}"


def _document(report: Report, site: Site) -> dict[str, object]:
    differences = [
        {
            **asdict(found),
            "first_missing": [_shown(at_ns, site) for at_ns in found.first_missing],
            "first_extra": [_shown(at_ns, site) for at_ns in found.first_extra],
        }
        for found in report.differences
    ]
    numbers = ("messages", "quarantined", "expected", "waiting", "expired")
    return {
        "from": _shown(report.start_ms * _MS_NS, site),
        "to": _shown(report.stop_ms * _MS_NS, site),
        **{name: getattr(report, name) for name in numbers},
        "differences": differences,
    }


def _shown(at_ns: int, site: Site) -> str:
    seconds, nanoseconds = divmod(at_ns, 1_000_000_000)
    text = datetime.fromtimestamp(seconds, UTC).astimezone(site.timezone).isoformat()
    fraction = f"{nanoseconds:09d}" if nanoseconds % _MS_NS else f"{nanoseconds // _MS_NS:03d}"
    return f"{text[:19]}.{fraction}{text[19:]}"


if __name__ == "__main__":
    main()
