"""``python -m ingest.replay``: a recording once more, to a broker or into a sandbox."""

import signal
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from devices.errors import DeviceError
from devices.site import Site
from devices.site_file import load_site
from ingest import runtime
from ingest.address import BrokerAddress
from ingest.errors import IngestError
from ingest.instants import instant
from ingest.places import Places
from ingest.replay.keys import HELP, keys
from ingest.replay.pace import Pace
from ingest.replay.publishing import publish
from ingest.replay.ruling import IN_FORCE, ruling
from ingest.replay.sandbox import Sandbox
from ingest.replay.source import Source, file_source, journal_source
from ingest.replay.target import target

_TELL_S = 0.5
_BAR = 30


class _Speed(click.ParamType[float]):
    name = "speed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return a speed as a factor, 0 for ``max``."""
        if value == "max":
            return 0.0
        try:
            speed = float(value)
        except ValueError:
            speed = 0.0
        if not 0.1 <= speed <= 1000:
            self.fail(f"{value!r}: expected a number from 0.1 to 1000, or max", param, ctx)
        return speed


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--from", "start", help="First instant received, ISO 8601 (default: the beginning).")
@click.option("--to", "stop", help="End of the span, ISO 8601 (default: the end).")
@click.option("--speed", type=_Speed(), default="1", show_default=True, help="0.1 to 1000 times real time, or max.")
@click.option("--broker", "broker", help="Publish there: mqtt://host:port; user and password from the environment.")
@click.option(
    "--live", is_flag=True, help="Allow the site's own broker: what is replayed is then part of the live city."
)
@click.option("--sandbox", type=click.Path(path_type=Path), help="Play it through the rules, in this new folder.")
@click.option("--rules", metavar="FILE|site|inforce", help="Judge by these (with --sandbox; default: inforce).")
@click.option("--loop", is_flag=True, help="Begin again at the end (with --broker).")
@click.option("--shift-to-now", "to_now", is_flag=True, help="Move the devices' own times to now (with --broker).")
@click.option("--site", "site_file", type=click.Path(path_type=Path), help="Site file (default: the demo city).")
@click.option("--data", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Data folder.")
@click.option("--shard", help="The shard whose journal is meant.")
def main(
    file: Path | None,
    start: str | None,
    stop: str | None,
    speed: float,
    broker: str | None,
    live: bool,
    sandbox: Path | None,
    rules: str | None,
    loop: bool,
    to_now: bool,
    site_file: Path | None,
    data: Path,
    shard: str | None,
) -> None:
    """Replay FILE, or a span of the journal: to a broker (--broker) or through the rules in a sandbox (--sandbox)."""
    if (broker is None) == (sandbox is None):
        raise click.UsageError("say where to: --broker URL or --sandbox FOLDER")
    if sandbox is not None and (loop or to_now or live):
        raise click.UsageError(
            "--loop, --shift-to-now and --live go with --broker: a sandbox has the recording's own time"
        )
    if broker is not None and rules is not None:
        raise click.UsageError("--rules goes with --sandbox: nothing is judged on the way to a broker")
    places = Places(data)
    try:
        site = load_site(site_file)
        from_ms = None if start is None else instant(start, "--from", site.timezone)
        to_ms = None if stop is None else instant(stop, "--to", site.timezone)
        if file is not None:
            source = file_source(site, file, from_ms, to_ms)
        else:
            source = journal_source(places.for_shard(shard).journal, from_ms, to_ms)
        pace = Pace(source.from_ms, speed)
        signal.signal(signal.SIGINT, lambda *_: pace.stop())
        signal.signal(signal.SIGTERM, lambda *_: pace.stop())
        with keys(pace) as steered:
            if steered:
                click.echo(HELP, err=True)
            if broker is not None:
                _publish(site, source, target(site, places, broker, live), pace, loop, to_now)
            elif sandbox is not None:
                _play(_judging(site, source, places, rules or IN_FORCE), source, sandbox, pace)
    except (DeviceError, IngestError) as error:
        sys.exit(f"citydeck replay: {error}")


def _publish(site: Site, source: Source, address: BrokerAddress, pace: Pace, loop: bool, to_now: bool) -> None:
    bar = _Bar(source, pace, site.timezone)
    sent = publish(
        source, address, pace, _clock_ms, loop=loop, to_now=to_now, told=lambda s: bar.tell(s.at_ms, s.messages)
    )
    bar.end(sent.at_ms, sent.messages)
    click.echo(f"{sent.messages:,} messages to {address}, up to {_words(sent.at_ms, site.timezone)}")


def _judging(site: Site, source: Source, places: Places, rules: str) -> Site:
    """Return the site with the rules that are to judge, and say which these are."""
    for warning in source.scope.warnings(site):
        click.echo(f"  warning: {warning}", err=True)
    chosen = ruling(site, places, rules, source.from_ms)
    click.echo(f"judged by {chosen.name}")
    return chosen.revision.over(site)


def _play(site: Site, source: Source, folder: Path, pace: Pace) -> None:
    bar = _Bar(source, pace, site.timezone)
    begun_s = time.monotonic()
    # Slowly played, one process has time enough for all of it.
    with Sandbox(site, folder, apart=not pace.speed, scope=source.scope) as sandbox:
        played = sandbox.play(source, pace, lambda p: bar.tell(p.at_ms, p.messages))
    bar.end(played.at_ms, played.messages)
    lasted_s = max(time.monotonic() - begun_s, 1e-3)
    times = (played.at_ms - source.from_ms) / 1000 / lasted_s
    click.echo(
        f"{folder}: {played.messages:,} messages, {played.readings:,} readings, {played.transitions:,} transitions of "
        f"alarms, {played.quarantined:,} in quarantine; {times:,.0f} times real time"
    )


class _Bar:
    """One line that says how far it is, twice a second, where somebody is looking."""

    def __init__(self, source: Source, pace: Pace, zone: ZoneInfo) -> None:
        self._source = source
        self._pace = pace
        self._zone = zone
        self._shown = sys.stderr.isatty()
        self._told_s = 0.0

    def tell(self, at_ms: int, messages: int) -> None:
        now_s = time.monotonic()
        if self._shown and now_s - self._told_s >= _TELL_S:
            self._told_s = now_s
            self._draw(at_ms, messages)

    def end(self, at_ms: int, messages: int) -> None:
        if self._shown:
            self._draw(at_ms, messages)
            click.echo(err=True)

    def _draw(self, at_ms: int, messages: int) -> None:
        share = (at_ms - self._source.from_ms) / max(1, self._source.to_ms - 1 - self._source.from_ms)
        full = round(_BAR * min(1.0, max(0.0, share)))
        speed = "paused" if self._pace.paused else f"x{self._pace.speed:g}" if self._pace.speed else "max"
        bar = "#" * full + "." * (_BAR - full)
        click.echo(f"\r[{bar}] {_words(at_ms, self._zone)}  {messages:,}  {speed}   ", nl=False, err=True)


def _words(at_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at_ms / 1000, zone).isoformat(sep=" ", timespec="seconds")


def _clock_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    runtime.settle()
    main()
