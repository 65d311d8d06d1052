"""What a SIGKILL of the collector costs: killed at a random moment under load, started again at once, then counted.

What the broker holds for the session is delivered again; what the dead collector had acknowledged and not yet written
is gone. "Written again" counts repeated writes of the same point, which a database overwrites.
"""

import random
import time
from collections.abc import Callable
from typing import Final

from benchmarks.contestants import Contestant, chosen
from benchmarks.report import Column, Report
from benchmarks.rig import Publisher, Rig
from benchmarks.settings import Settings

COLUMNS: Final = (
    Column("lost", "lost per SIGKILL"),
    Column("again", "written again"),
    Column("back_s", "all stored after the kill, s", 1),
)
RATE: Final = 3_000
_RUN_S = 12.0
# A collector that is started again on a busy machine takes some seconds.
_QUIET_S = 20.0
_SEED = 20_260_101


def run(settings: Settings) -> Report:
    """Kill each contestant once a run, at the same moments for all."""
    report = Report(
        "kills",
        "Lost per SIGKILL of the collector",
        f"{RATE:,} msg/s on {settings.devices:,} topics for {settings.length_s(_RUN_S):g} s, one kill a run",
        COLUMNS,
    )
    chance = random.Random(_SEED)
    able, unable = chosen(settings, "subscriber")
    for number in range(settings.runs):
        kill_at_s = settings.length_s(_RUN_S) * chance.uniform(0.3, 0.7)
        for found in able.values():
            settings.say(f"kills, run {number + 1} of {settings.runs}: {found.name}, killed after {kill_at_s:.2f} s")
            with Rig(settings.devices) as rig:
                contestant = found(rig, settings)
                report.row(found.name).add(_measured(contestant, rig, settings, kill_at_s))
                report.told_end(found.name, number, contestant.ended())
    for name, reason in unable.items():
        report.row(name).absent = reason
    return report


def settled(contestant: Contestant, wanted: int, say: Callable[[str], None]) -> tuple[int, float]:
    """Wait until so many points are kept, or nothing more comes; return how many and when the last one came."""
    kept, last_s = contestant.kept(), time.perf_counter()
    while kept < wanted and time.perf_counter() - last_s < _QUIET_S:
        time.sleep(0.1)
        found = contestant.kept()
        if found > kept:
            kept, last_s = found, time.perf_counter()
    say(f"  {kept:,} of {wanted:,} kept")
    return kept, last_s


def paced(publisher: Publisher, until_s: float) -> None:
    """Let the load go on until a moment."""
    while (left_s := until_s - time.perf_counter()) > 0:
        publisher.check()
        time.sleep(min(0.1, left_s))


def _measured(contestant: Contestant, rig: Rig, settings: Settings, kill_at_s: float) -> dict[str, float]:
    contestant.ready()
    publisher = rig.publisher(RATE)
    total = round(RATE * settings.length_s(_RUN_S))
    publisher.allow(total)
    started_s = time.perf_counter()
    paced(publisher, started_s + kill_at_s)
    contestant.kill()
    killed_s = time.perf_counter()
    contestant.start()
    publisher.publish(total)
    sent = publisher.stop()
    kept, last_s = settled(contestant, sent, settings.say)
    # Points that only repeat what is kept: all the database took, less the different ones.
    return {"lost": sent - kept, "again": rig.written() - kept, "back_s": last_s - killed_s}
