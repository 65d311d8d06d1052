"""``python -m ingest.reconcile``: does the store hold what the journal says, point by point; exit code 1 when not."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from devices.errors import DeviceError
from devices.site import Site
from devices.site_file import load_site
from ingest.checkpoint import Checkpoint
from ingest.comparison import Difference, Reconciliation, Report, Source
from ingest.errors import IngestError
from ingest.places import Places
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
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def main(
    start: str | None, stop: str | None, site_file: Path | None, data: Path, shard: str | None, as_json: bool
) -> None:
    """Count the journal against the store, and name every difference.

    The messages received in the span are decoded again and their points looked for in the store, whatever the running
    collector has counted. Instants without an offset are in the site's own time zone.
    """
    now_ms = time.time_ns() // 1_000_000
    try:
        site = load_site(site_file)
        stop_ms = now_ms if stop is None else _instant(stop, "--to", site.timezone)
        start_ms = stop_ms - _HOUR_MS if start is None else _instant(start, "--from", site.timezone)
        if start_ms >= stop_ms:
            raise click.UsageError("--from must lie before --to")
        reports = [
            _compared(site, places, (start_ms, stop_ms), now_ms, shard is None) for places in _places(site, data, shard)
        ]
    except (DeviceError, IngestError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(_document(reports, site), ensure_ascii=False))
    else:
        for report in reports:
            _told(report, site)
    sys.exit(1 if any(report.differences for report in reports) else 0)


def _places(site: Site, data: Path, shard: str | None) -> list[list[Places]]:
    """Return the collectors' places, those together that write into one store."""
    if shard is not None:
        found = [Places(data).for_shard(shard)]
    else:
        found = [Places(data), *(Places(data).for_shard(name) for name in site.shards)]
    found = [places for places in found if places.checkpoint.is_file()]
    if not found:
        raise click.ClickException(f"no collector has worked in {data} yet; name its folder by --data")
    return [[places] for places in found] if site.store.embedded else [found]


def _compared(site: Site, group: Sequence[Places], span_ms: tuple[int, int], now_ms: int, whole: bool) -> Report:
    store = open_store(site, group[0])
    sources = []
    for places in group:
        checkpoint = Checkpoint(places.checkpoint)
        stored = store.position()[0] if store.transactional else checkpoint.load_stored().position
        quarantined = frozenset(checkpoint.quarantined_positions(None, None))
        sources.append(Source(places.journal, checkpoint.load().unregistered, stored, quarantined))
        checkpoint.close()
    told_s = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal told_s
        if time.monotonic() - told_s > _LINE_S:
            told_s = time.monotonic()
            click.echo(f"read {done} of {total} records", err=True)

    try:
        return Reconciliation(site, store, sources, tell).compare(span_ms, now_ms, whole or site.store.embedded)
    finally:
        store.close()


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


def _document(reports: Sequence[Report], site: Site) -> dict[str, object]:
    differences = [
        {
            **asdict(found),
            "first_missing": [_shown(at_ns, site) for at_ns in found.first_missing],
            "first_extra": [_shown(at_ns, site) for at_ns in found.first_extra],
        }
        for report in reports
        for found in report.differences
    ]
    numbers = ("messages", "quarantined", "expected", "waiting", "expired")
    return {
        "from": _shown(min(report.start_ms for report in reports) * _MS_NS, site),
        "to": _shown(max(report.stop_ms for report in reports) * _MS_NS, site),
        **{name: sum(getattr(report, name) for report in reports) for name in numbers},
        "differences": differences,
    }


def _shown(at_ns: int, site: Site) -> str:
    seconds, nanoseconds = divmod(at_ns, 1_000_000_000)
    text = datetime.fromtimestamp(seconds, UTC).astimezone(site.timezone).isoformat()
    fraction = f"{nanoseconds:09d}" if nanoseconds % _MS_NS else f"{nanoseconds // _MS_NS:03d}"
    return f"{text[:19]}.{fraction}{text[19:]}"


def _instant(text: str, option: str, zone: ZoneInfo) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(
            f"{option} {text!r}: expected an instant such as 2026-01-31T08:00 or 2026-01-31T00:00:00+00:00"
        ) from error
    return round((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp() * 1000)


if __name__ == "__main__":
    main()
