"""``python -m simulators``: let a site's devices live, over MQTT."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import click

from devices.errors import DeviceError
from devices.site import Site
from devices.site_file import load_site
from simulators.errors import SimulatorError, UnfitFault
from simulators.fault_words import read_faults
from simulators.feed import Feed
from simulators.fleet import Fleet
from simulators.link import Address
from simulators.moment import SimulatedClock
from simulators.recorder import record
from simulators.runner import run
from simulators.scenario import COMMAND_FAULTS, FAULTS, Scenario
from simulators.scenario_file import load_scenario, scenario_names
from simulators.turn import Turn

# A recording begins a little before what it is about, and goes on until delays and returns have had their time.
_LEAD_S, _TAIL_S = 30, 120
_QUIET_S = 600


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
@click.option(
    "--fault", "faults", multiple=True, metavar="NAME:WHERE", help="Lay a fault over day and scenarios; repeatable."
)
@click.option("--list-scenarios", is_flag=True, help="Tell which scenarios and faults there are, and stop.")
@click.option(
    "--list-faults", is_flag=True, help="Check the faults that are given, tell all there are in JSON, and stop."
)
@click.option("--json", "as_json", is_flag=True, help="Tell the scenarios in JSON, with the alarms they state.")
@click.option(
    "--record", "recording", type=click.Path(path_type=Path), help="Write it into a new recording; no broker is needed."
)
@click.option(
    "--begin", type=click.DateTime(), help="With --record: first instant, by the site's clock (default: now)."
)
@click.option("--lasts", "lasts_s", type=click.IntRange(1, 86_400), help="With --record: so many seconds.")
def main(
    site_file: Path | None,
    mqtt_host: str | None,
    mqtt_port: int | None,
    speed: float | None,
    seed: int | None,
    names: tuple[str, ...],
    faults: tuple[str, ...],
    list_scenarios: bool,
    list_faults: bool,
    as_json: bool,
    recording: Path | None,
    begin: datetime | None,
    lasts_s: int | None,
) -> None:
    """Simulate the devices of a site. User and password come from CITYDECK_MQTT_USER and CITYDECK_MQTT_PASSWORD."""
    try:
        if list_scenarios:
            _list_json() if as_json else _list()
            return
        scenarios = [load_scenario(name) for name in names]
        site = load_site(site_file)
        if list_faults:
            _check(faults, site)
            _list_faults()
            return
        started_ms = time.time_ns() // 1_000_000
        if recording is not None:
            if begin is not None:
                started_ms = round(begin.replace(tzinfo=site.timezone).timestamp() * 1000)
            started_ms += _LEAD_S * 1000
        # A recording has one time only, that of its stamps.
        fast = 1.0 if recording is not None else site.simulation.speed
        clock = SimulatedClock(site.timezone, speed or fast, started_ms)
        calm = any(not scenario.incidents for scenario in scenarios)
        feed = Feed(site, site.simulation.seed if seed is None else seed, clock, started_ms, incidents=not calm)
        for scenario in scenarios:
            feed.start(scenario, started_ms)
        if faults:
            feed.start(read_faults(faults, site), started_ms)
        if recording is not None:
            seconds = lasts_s or _lasts_s(scenarios)
            count = record(site, feed, recording, started_ms - _LEAD_S * 1000, seconds, _progress)
            click.echo(f"{recording}: {count:,} messages of {seconds} s")
            return
    except (DeviceError, SimulatorError) as error:
        raise _Misunderstood(str(error)) from error
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())

    def hear(topic: str, payload: bytes) -> None:
        feed.hear(topic, payload, time.time_ns() // 1_000_000)

    address = _address(site, mqtt_host, mqtt_port)
    fleet = Fleet(feed.connections, feed.connection, address, _say, hear)
    run(feed, fleet, Turn(site.district, address), started_ms, stopping, _say)


def _lasts_s(scenarios: Sequence[Scenario]) -> int:
    longest_s = max((scenario.lasts_s for scenario in scenarios), default=_QUIET_S)
    return _LEAD_S + round(longest_s) + _TAIL_S


def _progress(done: int, whole: int) -> None:
    click.echo(f"{done} of {whole} s", err=True)


def _list_json() -> None:
    found = [load_scenario(name) for name in scenario_names()]
    items = [
        {
            "key": each.key,
            "name": {"zh": each.label.zh, "en": each.label.en},
            "description": {"zh": each.description.zh, "en": each.description.en},
            "lasts_s": _lasts_s([each]),
            "expects": [{"rule": e.rule, "level": e.level, "device": e.device, "light": e.light} for e in each.expects],
        }
        for each in found
    ]
    click.echo(json.dumps(items, ensure_ascii=False))


def _check(faults: Sequence[str], site: Site) -> None:
    try:
        read_faults(faults, site)
    except UnfitFault as error:
        # For programs, which say it in another language; people read the sentence.
        click.echo(json.dumps({"code": error.code, "values": error.values}))
        raise


def _list_faults() -> None:
    # One on commands changes nothing that is only listened to.
    items = [
        {
            "key": name,
            "name": {"zh": kind.label.zh, "en": kind.label.en},
            "description": {"zh": kind.description.zh, "en": kind.description.en},
            "needs_amount": bool(kind.amount),
        }
        for name, kind in FAULTS.items()
        if name not in COMMAND_FAULTS
    ]
    click.echo(json.dumps(items, ensure_ascii=False))


def _list() -> None:
    click.echo("scenarios, --scenario NAME:")
    for name in scenario_names():
        scenario = load_scenario(name)
        click.echo(f"  {name:18} {scenario.label.zh} · {scenario.label.en}")
        click.echo(f"  {'':18} {scenario.description.zh}")
        click.echo(f"  {'':18} {scenario.description.en}")
    click.echo("faults, to lie over any of them, --fault NAME:WHERE[:key=value]…:")
    for name, kind in FAULTS.items():
        click.echo(f"  {name:18} {kind.label.zh} · {kind.label.en}: {kind.description.zh} · {kind.description.en}")
        if kind.amount:
            click.echo(f"  {'':18} needs amount=, {kind.amount}")
    click.echo(
        "  WHERE is a device, a kind or a street. fields=a,b: which numbers, all unless told; share=: of how many"
    )
    click.echo("  reports (0 to 1) a spike or a garbling; at=, for=: seconds after which, and for which, it is on.")


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
