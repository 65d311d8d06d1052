"""``citydeck``: the commands.

Most of them are modules of their own, to which this hands over: it imports nothing of the city until it works on one.
"""

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from devices.site import Site

_SITE = click.option("--site", "site_file", type=click.Path(path_type=Path), help="Site file (default: the demo city).")
_DATA = click.option(
    "--data", type=click.Path(path_type=Path), default=Path("var"), show_default=True, help="Folder of all state."
)
_PASS_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="citydeck")
def main() -> None:
    """CityDeck 数字驾驶舱: a city's devices, alarms and history on one screen.

    Try `citydeck up`: it runs a demo city and prints where to look.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("iotcore").setLevel(logging.WARNING)


@main.command()
@_SITE
@_DATA
@click.option("--host", default="127.0.0.1", show_default=True, help="Address the cockpit listens on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8050, show_default=True, help="Port of the cockpit.")
@click.option(
    "--mqtt-port", type=click.IntRange(1, 65535), default=1883, show_default=True, help="Port of the embedded broker."
)
@click.option("--scenario", "scenarios", multiple=True, metavar="NAME", help="Let the simulators play it; repeatable.")
@click.option("--fault", "faults", multiple=True, metavar="NAME:WHERE", help="Lay a fault over it; repeatable.")
def up(
    site_file: Path | None,
    data: Path,
    host: str,
    port: int,
    mqtt_port: int,
    scenarios: tuple[str, ...],
    faults: tuple[str, ...],
) -> None:
    """Run everything in one go: broker, collector, cockpit, simulators."""
    from cockpit.up import up as run_up

    run_up(_site(site_file), site_file, data, host, port, mqtt_port, scenarios, faults)


@main.command()
@_SITE
def check(site_file: Path | None) -> None:
    """Check a site file without connecting to anything; tells all faults at once."""
    from ingest.notices.reach import gaps

    site = _site(site_file)
    kinds: dict[str, int] = {}
    for device in site.devices.values():
        kinds[device.kind] = kinds.get(device.kind, 0) + 1
    click.echo(f"{site.source.name}: in order. {site.label.zh} · {site.label.en}")
    click.echo(f"  broker {site.broker.url}, store {site.store.url}, alarms {site.alarm_database}")
    click.echo(f"  {len(site.streets)} streets, {len(site.devices)} devices: ")
    for kind, count in sorted(kinds.items()):
        click.echo(f"    {count:6d}  {kind}  {site.catalog.kinds[kind].zh}")
    for gap in gaps(site):
        click.echo(f"  warning: {gap}")


def _site(site_file: Path | None) -> "Site":
    from devices.errors import DeviceError
    from devices.site_file import load_site

    try:
        return load_site(site_file)
    except DeviceError as error:
        raise click.ClickException(str(error)) from error


def _part(name: str, module: str, summary: str) -> None:
    @main.command(name, context_settings=_PASS_ON, short_help=summary)
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def run(arguments: tuple[str, ...]) -> None:
        # The parts know nothing of each other, so the command hands over instead of importing them.
        command = [sys.executable, "-m", module, *arguments]
        if os.name == "posix":
            os.execv(sys.executable, command)
        sys.exit(subprocess.call(command))


_part("ingest", "ingest", "Collect from the broker into journal, alarms and store.")
_part("serve", "cockpit", "Serve pages, API and live views.")
_part("quarantine", "ingest.inspection", "Show what could not be read, and why; and try it again.")
_part("user", "cockpit.accounts.user_commands", "Add, list and disable users; give them another password.")
_part("screen", "cockpit.accounts.screen_commands", "Add, list and revoke the tokens of wall displays.")
_part("audit", "ingest.alarms.verify", "Check that the record of every act is whole.")
_part("evidence", "cockpit.evidence_commands", "Put all that is known of one alarm into a file that shows alterations.")
_part("backtest", "ingest.backtest", "Judge what was recorded by the rules in force and by a draft.")
_part("rules", "ingest.alarms.revisions", "Change the rules: draft, back-test, approve, roll back.")
_part("reconcile", "ingest.reconcile", "Count the journal against the store, or against the alarms.")
_part("backup", "ingest.backup", "Write everything but InfluxDB's own files into one file.")
_part("record", "ingest.recording", "Take a span of the journal out into a file, or bring one in.")
_part("replay", "ingest.replay", "Play a recording to a broker, or through the rules in a sandbox.")
_part("restore", "ingest.restore", "Put a backup into an empty data folder.")
_part("simulate", "simulators", "Let a simulated city publish to a broker.")

if __name__ == "__main__":
    main()
