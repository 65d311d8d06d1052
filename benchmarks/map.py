"""60,000 fixed devices on the map: how soon all are drawn, and what a second of changes costs page and server."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page

from benchmarks.browser import MainThread, chromium, opened, visitor
from benchmarks.poles import SITE, Poles, write_poles
from benchmarks.report import Column, Report
from benchmarks.settings import Settings
from benchmarks.usage import cpu_s
from benchmarks.wire import Wire
from tests.cockpit.town import Town
from tests.servers.waiting import wait_until

COLUMNS: Final = (
    Column("known_s", "all known, s", 1),
    Column("drawn_s", "all drawn, s", 1),
    Column("kb", "until then, kB"),
    Column("heap_mb", "JS heap, MB"),
    Column("calm_ms", "page CPU, calm, ms/s", 1),
    Column("busy_ms", "page CPU, with changes, ms/s", 1),
    Column("tick_ms", "of it a tick, ms", 1),
    Column("longest_ms", "longest task, ms of clock"),
    Column("long_per_s", "tasks > 50 ms, 1/s", 2),
    Column("cockpit_calm_ms", "cockpit CPU, calm, ms/s", 1),
    Column("cockpit_ms", "cockpit CPU, with changes, ms/s", 1),
    Column("collector_ms", "collector CPU, ms/s", 1),
)
_DEVICES, _CHANGES = 60_000, 600
_PATHS: Final = ("/", "/wall")
_LIVE = ".live-badge.is-live"
_RUN_S = 20.0
_SETTLE_S = 5.0
_HEARD_S = 180.0


def run(settings: Settings) -> Report:
    """Measure the pages that show the whole map."""
    devices, changes = (600, 60) if settings.quick else (_DEVICES, _CHANGES)
    length_s = settings.length_s(_RUN_S)
    said = f"{devices:,} light poles on the demo city's outline; {changes} of them change each second, {length_s:g} s"
    report = Report("map", "The whole city on a map", said, COLUMNS)
    with tempfile.TemporaryDirectory(prefix="citydeck-bench-") as folder:
        names = write_poles(Path(folder), devices)
        town = Town(Path(folder), SITE)
        try:
            town.start()
            settings.say(f"map: {devices:,} devices report")
            with Poles(town.mqtt_port, names) as poles, Wire(town.port) as wire, chromium() as browser:
                poles.switch(devices)
                _wait_heard(town, names)
                time.sleep(0.0 if settings.quick else _SETTLE_S)
                for number in range(settings.runs):
                    for path in _PATHS:
                        settings.say(f"map, run {number + 1} of {settings.runs}: {path}")
                        visit = _Visit(browser, town, wire, poles)
                        report.row(path).add(visit.measured(path, devices, changes, length_s))
        finally:
            town.stop()
    report.notes.append(
        "Known: the snapshot is in. Drawn: each device has its state, and the map has nothing to paint."
    )
    report.notes.append(
        "Page: CPU of its main thread; calm: nothing changes; a tick's part is what it uses beyond that."
    )
    report.notes.append("WebGL is drawn in software by the same cores; a long task mostly waits for it.")
    return report


def _wait_heard(town: Town, names: list[str]) -> None:
    """Wait until the cockpit knows every pole; the last ones to speak are the last to be heard."""

    def heard() -> bool:
        return all(town.get(f"/api/v1/devices/{name}")["latest"] for name in (names[0], names[-1]))

    wait_until(heard, _HEARD_S, 0.5)


class _Visit:
    """One page, opened by somebody who was never there."""

    def __init__(self, browser: Browser, town: Town, wire: Wire, poles: Poles) -> None:
        self._browser, self._wire, self._poles = browser, wire, poles
        self._cockpit = _part(town, "cockpit")
        self._collector = _part(town, "ingest")

    def measured(self, path: str, devices: int, changes: int, length_s: float) -> dict[str, float]:
        address = f"http://127.0.0.1:{self._wire.port}"
        with visitor(self._browser, address, None) as context:
            page = context.new_page()
            before = self._wire.received
            seen = opened(page, address + path, (_LIVE, f'.map-surface[data-drawn="{devices}"]'))
            found = {
                "known_s": seen.each_ms[_LIVE] / 1e3,
                "drawn_s": seen.useful_ms / 1e3,
                "kb": (self._wire.received - before) / 1e3,
            }
            main = MainThread(page)
            found["heap_mb"] = main.heap_mb()
            page.wait_for_timeout(1_000)
            calm = self._span(page, main, length_s / 2, lambda: None)
            busy = self._span(page, main, length_s, lambda: self._poles.switch(changes))
        return {
            **found,
            "calm_ms": calm["main_ms"],
            "busy_ms": busy["main_ms"],
            "tick_ms": busy["main_ms"] - calm["main_ms"],
            "longest_ms": busy["longest_ms"],
            "long_per_s": busy["long_per_s"],
            "cockpit_calm_ms": calm["cockpit_ms"],
            "cockpit_ms": busy["cockpit_ms"],
            "collector_ms": busy["collector_ms"],
        }

    def _span(self, page: Page, main: MainThread, length_s: float, each_s: Callable[[], None]) -> dict[str, float]:
        """Do something each second and return what that cost, per second."""
        main.long_tasks_ms()
        started_s, busy_s = time.perf_counter(), main.busy_s()
        cockpit_s, collector_s = cpu_s(self._cockpit), cpu_s(self._collector)
        due_s = started_s
        while due_s < started_s + length_s:
            each_s()
            due_s += 1.0
            page.wait_for_timeout(max(0.0, 1e3 * (due_s - time.perf_counter())))
        passed_s = time.perf_counter() - started_s
        long_ms = main.long_tasks_ms()
        return {
            "main_ms": 1e3 * (main.busy_s() - busy_s) / passed_s,
            "longest_ms": max(long_ms, default=0.0),
            "long_per_s": len(long_ms) / passed_s,
            "cockpit_ms": 1e3 * (cpu_s(self._cockpit) - cockpit_s) / passed_s,
            "collector_ms": 1e3 * (cpu_s(self._collector) - collector_s) / passed_s,
        }


def _part(town: Town, module: str) -> int:
    """Return the id of the process that runs a part of the town."""
    for pid in town.parts():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        if "cockpit.part" in words and words[words.index("cockpit.part") + 1] == module:
            return pid
    raise RuntimeError(f"citydeck up runs no {module}")
