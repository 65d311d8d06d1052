"""One round: a load, the faults of its seed, and the judgement at the end."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos import oracle
from tests.chaos.faults import Conductor, Planned, draw
from tests.chaos.load import Load, make_load
from tests.chaos.town import SLOW_DISK, Town
from tests.servers.influxdb import Influx
from tests.servers.waiting import wait_until

SIZE = 3_000
PER_S = 1_500
# Longer than the collector takes to start, to wait for an answer of the database, and between two tries together.
_STILL_S = 60.0
_RESTARTS = 3


@dataclass
class Report:
    """What happened in a round."""

    seed: int
    plan: list[Planned]
    load: Load
    differences: list[str]
    deliveries: int = 0
    resent: int = 0
    lasted_s: float = 0.0

    def __str__(self) -> str:
        lines = [
            f"seed {self.seed}: {self.load.total} messages, {self.resent} sent again by devices, "
            f"{self.deliveries - self.load.total} more deliveries than messages, {len(self.load.alarms)} alarms, "
            f"{self.lasted_s:.1f} s; {'; '.join(map(str, self.plan))}"
        ]
        return "\n  ".join([*lines, *self.differences])


def play(seed: int, folder: Path, influx: Influx) -> Report:
    """Play one round on a new database and in a new folder."""
    began = time.monotonic()
    load = make_load(seed, SIZE)
    town = Town(folder, influx, load, PER_S)
    plan = draw(seed, load.total, town.disk.mount)
    conductor = Conductor(town, plan)
    report = Report(seed, plan, load, [])
    town.collector.watched(60.0)
    if seed % 4 and any(planned.fault.part == "ingest" for planned in plan):
        town.collector.run_after(SLOW_DISK)
    town.has_cockpit = any(planned.fault.part == "cockpit" for planned in plan)
    try:
        town.start()
        town.fleet.start()
        conductor.start()
        _over(report, town, conductor)
        report.differences += oracle.differences(town, load)
        if town.has_cockpit:
            report.differences += _cockpit(town, load)
        report.deliveries = oracle.journaled(town).total()
    finally:
        conductor.give_up()
        report.resent = town.fleet.resent
        town.close()
    report.lasted_s = time.monotonic() - began
    return report


def _over(report: Report, town: Town, conductor: Conductor) -> None:
    """Wait until all is published, every fault is over and the collector has settled, or does not get any further."""
    if not reached(lambda: town.fleet.done, lambda: town.fleet.acked):
        report.differences.append(f"the broker took only {town.fleet.acked} messages")
    conductor.finish()
    report.differences += [str(planned) for planned in report.plan if planned.failed]

    def settled() -> bool:
        if not town.collector.running and len(report.differences) < _RESTARTS:
            # Whoever supervises it would start it again; only a full disk may have brought it to that.
            if not town.ended_by_full_disk():
                report.differences.append(f"the collector ended by itself: {town.collector.log.splitlines()[-1:]}")
            town.collector.start()
        return oracle.settled(town, report.load)

    def progress() -> Any:
        return oracle.progress(town), len(report.differences)

    reached(settled, progress)
    _at_rest(report, town)


def _at_rest(report: Report, town: Town) -> None:
    """Let nothing come in any more, or the judge counts while a broker that repeats itself has the journal grow."""
    town.wire.cut()
    if town.collector.running and (code := town.collector.stop()):
        report.differences.append(f"the collector ended with {code} instead of in order")
    if not oracle.settled(town, report.load):
        town.collector.start()
        reached(lambda: oracle.settled(town, report.load), lambda: oracle.progress(town))


def reached(condition: Callable[[], bool], progress: Callable[[], Any]) -> bool:
    """Wait on a condition for as long as there is progress; tell whether it came true."""
    last, changed_s = progress(), time.monotonic()

    def still() -> bool:
        nonlocal last, changed_s
        now = progress()
        if now != last:
            last, changed_s = now, time.monotonic()
        return time.monotonic() - changed_s > _STILL_S

    wait_until(lambda: condition() or still(), 600, 0.05)
    return condition()


def _cockpit(town: Town, load: Load) -> list[str]:
    wait_until(lambda: town.cockpit.get("/healthz"), 60)
    shown = oracle.shown_by_cockpit(town)
    return [] if shown == sorted(load.alarms) else [f"the cockpit shows {len(shown)} alarms, not {len(load.alarms)}"]
