"""How quickly a backlog goes after an outage of the database: InfluxDB is away for a minute while the load goes on.

The load never stops, so what is measured is what a site sees: old and new readings stored a second, until the store is
as far as the journal again. "Times real time" is that, divided by the load.
"""

import time
from typing import Final

from benchmarks.contestants import CityDeck
from benchmarks.kills import paced, settled
from benchmarks.report import Column, Report
from benchmarks.rig import Publisher, Rig
from benchmarks.settings import Settings

COLUMNS: Final = (
    Column("backlog", "backlog at its return"),
    Column("drained_s", "caught up after, s", 1),
    Column("rate", "stored meanwhile, msg/s"),
    Column("real_time", "times real time", 1),
    Column("cpu_us", "collector CPU µs/msg", 1),
    Column("lost", "lost"),
)
RATE: Final = 5_000
_OUTAGE_S = 60.0
_BEFORE_S = 3.0
_BETWEEN_S = 0.25
# So much is always on its way while the load goes on: half a second of it.
_ON_THE_WAY_S = 0.5


def run(settings: Settings) -> Report:
    """Measure CityDeck alone: what the others do in an outage is the figure ``outage``."""
    outage_s = settings.length_s(_OUTAGE_S, 2.0)
    report = Report(
        "drain",
        f"Catching up after an outage of the store of {outage_s:g} s",
        f"{RATE:,} msg/s on {settings.devices:,} topics all the time",
        COLUMNS,
    )
    for number in range(settings.runs):
        settings.say(f"drain, run {number + 1} of {settings.runs}")
        with Rig(settings.devices) as rig:
            citydeck = CityDeck(rig, settings)
            report.row(citydeck.name).add(_measured(citydeck, rig, settings, outage_s))
            report.told_end(citydeck.name, number, citydeck.ended())
    return report


def _measured(citydeck: CityDeck, rig: Rig, settings: Settings, outage_s: float) -> dict[str, float]:
    citydeck.ready()
    publisher = rig.publisher(RATE)
    # Far more than will be asked for: the load goes on until the backlog is gone.
    publisher.allow(round(RATE * outage_s * 20))
    started_s = time.perf_counter()
    paced(publisher, started_s + _BEFORE_S)
    rig.influx.kill()
    paced(publisher, started_s + _BEFORE_S + outage_s)
    rig.influx.start()
    back_s = time.perf_counter()
    cpu_s = citydeck.cpu_s
    before = citydeck.kept()
    backlog = publisher.acked - before
    settings.say(f"  {backlog:,} messages wait")
    written = _caught_up(rig, publisher, before, outage_s)
    drained_s, cpu_s = time.perf_counter() - back_s, citydeck.cpu_s - cpu_s
    sent = publisher.stop()
    kept, _ = settled(citydeck, sent, settings.say)
    rate = written / drained_s
    return {
        "backlog": backlog,
        "drained_s": drained_s,
        "rate": rate,
        "real_time": rate / RATE,
        "cpu_us": cpu_s * 1e6 / max(1, written),
        "lost": sent - kept,
    }


def _caught_up(rig: Rig, publisher: Publisher, before: int, outage_s: float) -> int:
    """Return how many the restarted database has taken when it is as far as the load, or after ten times the outage."""
    written, until_s = 0, time.perf_counter() + 10 * outage_s
    while publisher.acked - before - written > RATE * _ON_THE_WAY_S and time.perf_counter() < until_s:
        paced(publisher, time.perf_counter() + _BETWEEN_S)
        written = rig.written()
    return written
