"""What an outage of the database costs: InfluxDB is killed under load, comes back after 8 s, then it is counted."""

import time
from typing import Final

from benchmarks.contestants import Contestant, chosen
from benchmarks.kills import RATE, paced, settled
from benchmarks.report import Column, Report
from benchmarks.rig import Rig
from benchmarks.settings import Settings

COLUMNS: Final = (
    Column("lost", "lost"),
    Column("back_s", "all stored after its return, s", 1),
    Column("died", "collector ended"),
)
_OUTAGE_S = 8.0
_TOTAL_S = 15.0
_BEFORE_S = 3.0


def run(settings: Settings) -> Report:
    """Measure all contestants in turn; the length is the reference's, whatever ``--seconds`` says."""
    total_s, outage_s, before_s = (4.0, 1.0, 1.0) if settings.quick else (_TOTAL_S, _OUTAGE_S, _BEFORE_S)
    total = round(total_s * RATE)
    report = Report(
        "outage",
        f"Lost in an outage of the store of {outage_s:g} s",
        f"{total:,} messages at {RATE:,} msg/s on {settings.devices:,} topics",
        COLUMNS,
    )
    able, unable = chosen(settings, "subscriber")
    for number in range(settings.runs):
        for found in able.values():
            settings.say(f"outage, run {number + 1} of {settings.runs}: {found.name}")
            with Rig(settings.devices) as rig:
                contestant = found(rig, settings)
                values = _measured(contestant, rig, settings, total, before_s, outage_s)
                report.row(found.name).add(values)
                report.told_end(found.name, number, contestant.ended())
    for name, reason in unable.items():
        report.row(name).absent = reason
    return report


def _measured(
    contestant: Contestant, rig: Rig, settings: Settings, total: int, before_s: float, outage_s: float
) -> dict[str, float]:
    contestant.ready()
    publisher = rig.publisher(RATE)
    publisher.allow(total)
    started_s = time.perf_counter()
    paced(publisher, started_s + before_s)
    rig.influx.kill()
    paced(publisher, started_s + before_s + outage_s)
    rig.influx.start()
    back_s = time.perf_counter()
    publisher.publish(total)
    sent = publisher.stop()
    # Who retries waits longer from time to time: nothing more to come is only sure after a while.
    kept, last_s = settled(contestant, sent, settings.say)
    return {"lost": sent - kept, "back_s": max(0.0, last_s - back_s), "died": not contestant.running}
