"""Live throughput: as much as is published and comes out behind the collector at the same time, and what it costs.

The publisher may be ``_AHEAD`` messages ahead of what has come out. So every contestant always has enough to do, none
is buried under a backlog it never asked for, and publisher, broker and database take their share of the machine all
the while, as they would in a city.
"""

import time
from dataclasses import dataclass
from typing import Final

from benchmarks.contestants import Contestant, Subscriber, chosen, followed
from benchmarks.report import Column, Ratio, Report
from benchmarks.rig import Publisher, Rig
from benchmarks.settings import Settings
from benchmarks.usage import cpu_s

COLUMNS: Final = (
    Column("rate", "live msg/s"),
    Column("cpu_us", "collector CPU µs/msg", 1),
    Column("broker_us", "broker CPU µs/msg", 1),
    Column("database_us", "InfluxDB CPU µs/msg", 1),
    Column("publisher_us", "publisher CPU µs/msg", 1),
    Column("missing", "missing at the end"),
)
RATIOS: Final = (
    Ratio("rate", "Node-RED", "msg/s ÷ Node-RED"),
    Ratio("cpu_us", "Node-RED", "CPU ÷ Node-RED"),
    Ratio("rate", "mosquitto_sub", "msg/s ÷ mosquitto_sub"),
)
_AHEAD = 50_000
_RUN_S = 20.0
_WARM_S = 3.0
_SETTLE_S = 60.0
_LOOK_S = 0.05
_TELL_S = 5.0


def run(settings: Settings) -> Report:
    """Measure all contestants in turn, as often as asked."""
    report = Report(
        "throughput",
        "Live throughput, published → stored",
        f"{settings.devices:,} topics, 120-byte JSON, QoS 1, {settings.length_s(_RUN_S):g} s a run after the warm-up",
        COLUMNS,
        RATIOS,
    )
    able, unable = chosen(settings)
    for number in range(settings.runs):
        for found in able.values():
            settings.say(f"throughput, run {number + 1} of {settings.runs}: {found.name}")
            with Rig(settings.devices) as rig:
                contestant = found(rig, settings)
                report.row(found.name).add(_measured(contestant, rig, settings))
                report.told_end(found.name, number, contestant.ended())
    for name, reason in unable.items():
        report.row(name).absent = reason
    if Subscriber.name in {row.name for row in report.rows}:
        report.notes.append("mosquitto_sub stores nothing: it shows what the broker alone can deliver.")
    return report


@dataclass(frozen=True)
class _Mark:
    at_s: float
    arrived: int
    collector_s: float
    broker_s: float
    database_s: float
    publisher_s: float


def _measured(contestant: Contestant, rig: Rig, settings: Settings) -> dict[str, float]:
    contestant.ready()
    publisher = rig.publisher()
    warm_s, ahead = (0.5, _AHEAD // 10) if settings.quick else (_WARM_S, _AHEAD)
    before = _mark(contestant, rig, publisher)
    begin = end = before
    told_s = before.at_s
    while end.at_s - before.at_s < warm_s + settings.length_s(_RUN_S):
        time.sleep(_LOOK_S)
        publisher.check()
        end = _mark(contestant, rig, publisher)
        publisher.allow(end.arrived - before.arrived + ahead)
        if begin is before and end.at_s - before.at_s >= warm_s:
            begin = end
        if end.at_s - told_s >= _TELL_S:
            told_s = end.at_s
            settings.say(f"  {publisher.sent:,} published, {end.arrived:,} out")
    sent = publisher.stop()
    rate = (end.arrived - begin.arrived) / (end.at_s - begin.at_s)
    followed(lambda: contestant.arrived() >= sent, contestant, _SETTLE_S if contestant.running else 0)
    whole = _mark(contestant, rig, publisher)
    missing = sent - contestant.kept()
    settings.say(f"  {rate:,.0f} msg/s, {missing} of {sent:,} missing")
    return {
        "rate": rate,
        # Of everything, the tail included: what is read must also be written.
        "cpu_us": (whole.collector_s - before.collector_s) / sent * 1e6,
        "broker_us": (whole.broker_s - before.broker_s) / sent * 1e6,
        "database_us": (whole.database_s - before.database_s) / sent * 1e6,
        "publisher_us": (end.publisher_s - before.publisher_s) / sent * 1e6,
        "missing": missing,
    }


def _mark(contestant: Contestant, rig: Rig, publisher: Publisher) -> _Mark:
    arrived = contestant.arrived()
    costs = contestant.cpu_s, cpu_s(rig.broker.pid), cpu_s(rig.influx.pid), publisher.cpu_s
    return _Mark(time.perf_counter(), arrived, *costs)
