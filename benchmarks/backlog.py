"""Catching up: the collector was away, its session at the broker filled, and now it comes back."""

import time
from typing import Final

from benchmarks.contestants import Contestant, chosen
from benchmarks.report import Column, Ratio, Report
from benchmarks.rig import Rig
from benchmarks.settings import Settings
from benchmarks.usage import cpu_s
from tests.servers.waiting import wait_until

COLUMNS: Final = (
    Column("rate", "msg/s"),
    Column("start_s", "start to connected, s", 1),
    Column("cpu_us", "collector CPU µs/msg", 1),
    Column("broker_us", "broker CPU µs/msg", 1),
    Column("missing", "missing at the end"),
)
RATIOS: Final = (
    Ratio("rate", "Node-RED", "msg/s ÷ Node-RED"),
    Ratio("cpu_us", "Node-RED", "CPU ÷ Node-RED"),
    Ratio("rate", "mosquitto_sub", "msg/s ÷ mosquitto_sub"),
)
# A backlog for each second asked for: long enough for the fast ones, bearable with the slow ones.
_RUN_S = 20.0
_MESSAGES_PER_S = 10_000
_SETTLE_S = 15.0
_LOOK_S = 0.01


def run(settings: Settings) -> Report:
    """Measure all contestants in turn, as often as asked."""
    messages = round(settings.length_s(_RUN_S) * _MESSAGES_PER_S)
    report = Report(
        "backlog",
        "Catching up a backlog",
        f"{messages:,} messages on {settings.devices:,} topics wait in the collector's session",
        COLUMNS,
        RATIOS,
    )
    able, unable = chosen(settings)
    for number in range(settings.runs):
        for found in able.values():
            settings.say(f"backlog, run {number + 1} of {settings.runs}: {found.name}")
            with Rig(settings.devices) as rig:
                contestant = found(rig, settings)
                report.row(found.name).add(_measured(contestant, rig, messages, settings))
                report.told_end(found.name, number, contestant.ended())
    for name, reason in unable.items():
        report.row(name).absent = reason
    report.notes.append("msg/s counts from the moment the session is resumed to the last message stored.")
    return report


def _measured(contestant: Contestant, rig: Rig, messages: int, settings: Settings) -> dict[str, float]:
    contestant.ready()
    contestant.stop()
    connected = rig.connected(contestant.client_id)
    publisher = rig.publisher()
    publisher.publish(messages)
    publisher.stop()
    settings.say(f"  {messages:,} wait")
    before, broker_s, started_s = contestant.arrived(), cpu_s(rig.broker.pid), time.perf_counter()
    contestant.start()
    wait_until(lambda: rig.connected(contestant.client_id) > connected, 60, _LOOK_S)
    resumed_s = last_s = time.perf_counter()
    started_cost_s = contestant.cpu_s
    arrived, cost_s = 0, started_cost_s
    # A contestant that has lost some never gets there: it is done when nothing more comes.
    while arrived < messages and contestant.running and time.perf_counter() - last_s < _SETTLE_S:
        time.sleep(_LOOK_S)
        found = contestant.arrived() - before
        if found > arrived:
            arrived, last_s, cost_s = found, time.perf_counter(), contestant.cpu_s
    broker_s = cpu_s(rig.broker.pid) - broker_s
    missing = messages - contestant.kept()
    rate = arrived / (last_s - resumed_s) if arrived else 0.0
    settings.say(f"  {rate:,.0f} msg/s, {missing} missing")
    return {
        "rate": rate,
        "start_s": resumed_s - started_s,
        "cpu_us": (cost_s - started_cost_s) / messages * 1e6,
        "broker_us": broker_s / messages * 1e6,
        "missing": missing,
    }
