"""``python -m simulators``: let a site's devices live, over MQTT."""

import os
import signal
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import click

from devices.errors import SiteFault
from devices.site import Site
from devices.site_file import load_site
from simulators.errors import SimulatorError
from simulators.feed import Feed
from simulators.fleet import Fleet
from simulators.link import Address
from simulators.moment import SimulatedClock
from simulators.runner import run
from simulators.scenario_file import load_scenario, scenario_names


class _Misunderstood(click.ClickException):
    """As for a wrong option: whoever started this need not try again."""

    exit_code = 2


@click.command()
@click.option(
    "--site", "site_file", type=click.Path(dir_okay=False, path_type=Path), help="Site file; the demo city by default."
)
@click.option("--mqtt-host", help="Broker; by default the site's, or this machine.")
@click.option(
    "--mqtt-port", type=click.IntRange(1, 65535), help="Its port for MQTT 3.1.1; by default the site's, or 1883."
)
@click.option(
    "--speed", type=click.FloatRange(0, 1000, min_open=True), help="How much faster the simulated day passes."
)
@click.option("--seed", type=int, help="Another seed, another day.")
@click.option("--scenario", "names", multiple=True, metavar="NAME", help="Lay an incident over the day; repeatable.")
@click.option("--list-scenarios", is_flag=True, help="Tell which scenarios there are, and stop.")
def main(
    site_file: Path | None,
    mqtt_host: str | None,
    mqtt_port: int | None,
    speed: float | None,
    seed: int | None,
    names: tuple[str, ...],
    list_scenarios: bool,
) -> None:
    """Simulate the devices of a site. User and password come from CITYDECK_MQTT_USER and CITYDECK_MQTT_PASSWORD."""
    try:
        if list_scenarios:
            for name in scenario_names():
                scenario = load_scenario(name)
                click.echo(f"{name:18} {scenario.label.zh} · {scenario.label.en}: {scenario.description.en}")
            return
        scenarios = [load_scenario(name) for name in names]
        site = load_site(site_file)
        started_ms = time.time_ns() // 1_000_000
        clock = SimulatedClock(site.timezone, speed or site.simulation.speed, started_ms)
        calm = any(not scenario.incidents for scenario in scenarios)
        feed = Feed(site, site.simulation.seed if seed is None else seed, clock, started_ms, incidents=not calm)
        for scenario in scenarios:
            feed.start(scenario, started_ms)
    except (SiteFault, SimulatorError) as error:
        raise _Misunderstood(str(error)) from error
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    fleet = Fleet(feed.connections, feed.connection, _address(site, mqtt_host, mqtt_port), _say)
    run(feed, fleet, started_ms, stopping, _say)


def _address(site: Site, host: str | None, port: int | None) -> Address:
    found = urlsplit("" if site.broker.embedded else site.broker.url)
    tls = found.scheme == "mqtts"
    return Address(
        host or found.hostname or "127.0.0.1",
        port or found.port or (8883 if tls else 1883),
        tls,
        os.environ.get("CITYDECK_MQTT_USER", ""),
        os.environ.get("CITYDECK_MQTT_PASSWORD", ""),
    )


def _say(sentence: str) -> None:
    click.echo(f"simulators: {sentence}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
