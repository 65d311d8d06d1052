"""A small site whose alarms go to more and more open pages: how late they come, and what each page costs the server."""

import time
from itertools import count as counting
from typing import Final

from benchmarks.alarming import TAIL_S, Cockpit, publish_alarms, waits
from benchmarks.contestants import CityDeck
from benchmarks.report import Column, Report
from benchmarks.rig import Rig
from benchmarks.settings import Settings

COLUMNS: Final = (
    Column("p50_ms", "p50, ms", 1),
    Column("p99_ms", "p99, ms", 1),
    Column("worst_ms", "worst, ms", 1),
    Column("alarms", "alarms"),
    Column("missing", "missing"),
    Column("cpu_ms", "cockpit CPU, ms a second", 1),
    Column("each_ms", "of it a socket, ms a second", 2),
)
_SOCKETS: Final = (0, 4, 50, 200)
_QUICK: Final = (0, 2, 4)
_DEVICES, _RATE = 500, 100
_RUN_S = 10.0
_PER_S = 5
_WARM_S = 3.0


def run(settings: Settings) -> Report:
    """Measure it with no socket, then with more and more."""
    steps = _QUICK if settings.quick else _SOCKETS
    length_s = settings.length_s(_RUN_S)
    report = Report(
        "sockets",
        "From publishing an alarm to the open pages of a small site",
        f"{_PER_S} alarms a second for {length_s:g} s, one after another; {_DEVICES} devices, {_RATE} msg/s",
        COLUMNS,
    )
    for number in range(settings.runs):
        # A device leaks once: each step needs its own.
        most = round(length_s * _PER_S * 2)
        with Rig(_DEVICES, most * len(steps)) as rig:
            collector = CityDeck(rig, settings)
            collector.ready()
            publisher = rig.publisher(_RATE)
            publisher.allow(10**12)
            cockpit = Cockpit(rig)
            time.sleep(0.5 if settings.quick else _WARM_S)
            idle_ms = 0.0
            for step, first in zip(steps, counting(0, most), strict=False):
                settings.say(f"sockets, run {number + 1} of {settings.runs}: {step} open")
                found = _step(rig, cockpit, step, length_s, first)
                if step == 0:
                    idle_ms = found["cpu_ms"]
                else:
                    found["each_ms"] = (found["cpu_ms"] - idle_ms) / step
                report.row(f"{step} sockets" if step else "no socket").add(found)
            publisher.stop()
            if not collector.running:
                raise RuntimeError(f"the collector ended:\n{collector.log[-2000:]}")
    report.notes.append("Every arrival on every socket counts; CPU is that of the cockpit's process.")
    report.notes.append("A socket's part is what it uses beyond the cockpit without any, alarms and ticks included.")
    return report


def _step(rig: Rig, cockpit: Cockpit, sockets: int, length_s: float, first: int) -> dict[str, float]:
    walls = cockpit.walls(sockets) if sockets else None
    before_s, cpu_before_s = time.perf_counter(), cockpit.cpu_s
    published = publish_alarms(rig, length_s, _PER_S, first=first)
    passed_s, used_s = time.perf_counter() - before_s, cockpit.cpu_s - cpu_before_s
    # The tail counts as well: who waits for stragglers has the same share of it in every row.
    found: dict[str, float] = {"alarms": len(published), "cpu_ms": 1_000 * used_s / passed_s}
    if walls is None:
        return found
    seen = waits(published, walls.close())
    if not seen:
        raise RuntimeError(f"none of {len(published)} alarms came to a socket within {TAIL_S:g} s")
    missing = len(published) * sockets - seen.pop("seen")
    return {**found, **seen, "missing": missing}
