"""How the wall bears a long time: heap, DOM nodes and listeners of its page, minute by minute, in a living demo city.

The page is a real one in headless Chromium. Each sample is taken in the same scene, so that pictures compare, and after
its garbage is collected, so that a creep is a creep.
"""

import math
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import CDPSession, Page, ViewportSize, sync_playwright

from benchmarks.report import Column, Report
from benchmarks.settings import Settings
from tests.cockpit.town import Town
from tests.servers.chromium import ARGUMENTS
from tests.servers.programs import require

COLUMNS: Final = (
    Column("heap_mb", "JS heap after GC, MB", 2),
    Column("nodes", "DOM nodes"),
    Column("in_page", "of these in the page"),
    Column("listeners", "listeners"),
    Column("turns", "scenes turned"),
)
SLOPE = "slope per hour"
_USUAL_S = 3_600.0
_PATIENCE_MS = 120_000
_SIZE: Final[ViewportSize] = {"width": 1920, "height": 1080}
# Until every scene has been on once, what is made for the first time still counts as growth.
_WARM_UP_S = 240.0
# A round of seven scenes a minute and a bit: more turns in an hour than a wall has in three.
_SCENE_S = 9
# A page under way makes new garbage meanwhile: so little less is no less.
_COLLECTIONS = 5
_SETTLED_MB = 0.05
_SWEEP_MS = 100
# Nodes that are counted and stand nowhere in the page are held by somebody.
_IN_PAGE = """() => {
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_ALL);
  let count = 1;
  while (walker.nextNode()) count += 1;
  return count;
}"""
# Counts how often the strip above the map has named another scene.
_COUNT_TURNS = """() => {
  window.turned = 0;
  const strip = document.querySelector("[data-mount=scenes]");
  new MutationObserver(() => (window.turned += 1)).observe(strip, { attributeFilter: ["data-scene"] });
}"""


def run(settings: Settings) -> Report:
    """Watch the page of one wall for as long as asked, an hour unless told."""
    length_s = settings.length_s(_USUAL_S, 4.0)
    every_s = 1.0 if settings.quick else 60.0
    warm_s = 0.0 if settings.quick else min(_WARM_UP_S, length_s / 4)
    load = f"the demo city, 1920×1080, {length_s / 60:.0f} min, one page, never reloaded"
    report = Report("wall", "A wall that stands", load, COLUMNS)
    samples: list[tuple[float, dict[str, float]]] = []
    with tempfile.TemporaryDirectory(prefix="citydeck-bench-") as folder, sync_playwright() as playwright:
        town = Town(Path(folder), 'base = "demo"\n')
        chromium = playwright.chromium.launch(executable_path=require("chromium"), args=list(ARGUMENTS))
        try:
            town.start()
            page = chromium.new_page(viewport=_SIZE)
            _open(page, town)
            devtools = page.context.new_cdp_session(page)
            started_s = time.monotonic()
            while (passed_s := time.monotonic() - started_s) <= length_s or len(samples) < 2:
                page.locator(".scene[data-scene=city]").wait_for()
                found = _sample(page, devtools)
                samples.append((passed_s, found))
                settings.say(
                    f"{passed_s / 60:5.1f} min, " + ", ".join(f"{key} {value:g}" for key, value in found.items())
                )
                report.row(f"{passed_s / 60:.{2 if settings.quick else 1}f} min").add(found)
                page.wait_for_timeout(1_000 * max(0.0, every_s * len(samples) - (time.monotonic() - started_s)))
        finally:
            chromium.close()
            town.stop()
    settled = [(at_s, found) for at_s, found in samples if at_s >= warm_s]
    report.row(SLOPE).add({column.key: slope_per_h(settled, column.key) for column in COLUMNS})
    report.notes.append(
        f"{SLOPE}: least squares over the samples from minute {warm_s / 60:.0f} on, {len(settled)} of them"
    )
    return report


def _open(page: Page, town: Town) -> None:
    page.set_default_timeout(_PATIENCE_MS)
    page.goto(f"{town.address}/wall?scene_s={_SCENE_S}")
    for part in (".live-badge.is-live", ".map canvas", ".scene[data-scene]"):
        page.locator(part).first.wait_for()
    page.evaluate(_COUNT_TURNS)


def _sample(page: Page, devtools: CDPSession) -> dict[str, float]:
    heap_mb = _collected_mb(page, devtools)
    counters: dict[str, Any] = devtools.send("Memory.getDOMCounters")
    return {
        "heap_mb": heap_mb,
        "nodes": float(counters["nodes"]),
        "in_page": float(page.evaluate(_IN_PAGE)),
        "listeners": float(counters["jsEventListeners"]),
        "turns": float(page.evaluate("window.turned")),
    }


def _collected_mb(page: Page, devtools: CDPSession) -> float:
    """Collect garbage until no less is left: what one collection leaves behind by finalisers goes with a later one."""
    least = math.inf
    for _ in range(_COLLECTIONS):
        devtools.send("HeapProfiler.collectGarbage")
        usage: dict[str, Any] = devtools.send("Runtime.getHeapUsage")
        before, least = least, min(least, usage["usedSize"] / 1e6)
        if before - least < _SETTLED_MB:
            break
        # Its sweeping ends between two tasks of the page, never within one.
        page.wait_for_timeout(_SWEEP_MS)
    return least


def slope_per_h(samples: list[tuple[float, dict[str, float]]], key: str) -> float:
    """Return how much a figure grows in an hour, by least squares; 0 of fewer than two samples."""
    if len(samples) < 2:
        return 0.0
    hours = [at_s / 3_600 for at_s, _ in samples]
    values = [found[key] for _, found in samples]
    middle_h, middle = sum(hours) / len(hours), sum(values) / len(values)
    spread = sum((at - middle_h) ** 2 for at in hours)
    return sum((at - middle_h) * (value - middle) for at, value in zip(hours, values, strict=True)) / spread
