"""Every page of the cockpit in a living demo city: what it weighs, and how soon it shows what it is there for."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, BrowserContext
from playwright.sync_api import TimeoutError as Late

from benchmarks.browser import Seen, chromium, opened, visitor
from benchmarks.report import Column, Report
from benchmarks.settings import Settings
from benchmarks.wire import Wire
from tests.browser.wall_city import lamps
from tests.browser.wall_city import opened as open_case
from tests.cockpit.town import Town

COLUMNS: Final = (
    Column("cold_kb", "first visit, kB"),
    Column("cold_requests", "requests"),
    Column("cold_first_ms", "first paint, ms"),
    Column("cold_useful_ms", "useful, ms"),
    Column("warm_kb", "again, kB"),
    Column("warm_requests", "requests"),
    Column("warm_first_ms", "first paint, ms"),
    Column("warm_useful_ms", "useful, ms"),
)
_LIVE = ".live-badge.is-live"


@dataclass(frozen=True)
class _Watched:
    path: str
    useful: tuple[str, ...]
    """What a reader came for: the page is useful when something of each is on it."""
    user: str | None = "engineer"


PAGES: Final = (
    _Watched("/login", ("#log-in",), None),
    _Watched("/", (_LIVE, ".tile", ".overview-alarms .alarm-card")),
    _Watched("/wall", (_LIVE, ".tile", ".ticker .alarm-card", ".map-label-street")),
    _Watched("/duty", (_LIVE, ".ag-row .state")),
    _Watched("/cases", (_LIVE, ".case-row[data-case]")),
    _Watched("/lamps", (_LIVE, ".lamps-circuit")),
    _Watched("/kpi", (".kpi-headline",)),
    _Watched("/rules", (".rules-table tbody tr",)),
    _Watched("/bench", (".bench-list li",)),
    _Watched("/health", (_LIVE, ".flow-count")),
    _Watched("/device/gas-0042", (_LIVE, ".device-values td", "#device-graph .scatterlayer")),
)
_QUICK: Final = ("/login", "/")
_SETTLE_S = 20.0
_QUIET_MS = 10_000


def run(settings: Settings) -> Report:
    """Open each page with an empty cache and again with a full one."""
    report = Report("pages", "Pages over the wire", "the demo city, 1920×1080, loopback, packed bytes", COLUMNS)
    with _city(settings) as town, Wire(town.port) as wire, chromium() as browser:
        for number in range(settings.runs):
            for watched in PAGES:
                if settings.quick and watched.path not in _QUICK:
                    continue
                settings.say(f"pages, run {number + 1} of {settings.runs}: {watched.path}")
                row = report.row(watched.path)
                try:
                    row.add(_visits(browser, wire, watched))
                except RuntimeError as error:
                    # Of one page that never came the others' figures must not be lost.
                    report.notes.append(f"run {number + 1}: {error}")
    report.notes.append("kB count headers, workers and the live socket, until nothing was asked for half a second.")
    report.notes.append("Useful: what the page is for is on a frame (first rows, tiles or curves, the map with names).")
    return report


@contextmanager
def _city(settings: Settings) -> Iterator[Town]:
    """Give the running demo city with something on every page."""
    with tempfile.TemporaryDirectory(prefix="citydeck-bench-") as folder:
        town = Town(Path(folder), 'base = "demo"\n')
        try:
            town.start()
            (lamp,) = lamps(town, "s01", 1)
            town.say("light_pole", lamp, {"leak_ma": 60.0})
            town.until("/api/v1/alarms", lambda page: page["items"], state="open", device=lamp)
            open_case(town, "manhole", "s03")
            time.sleep(0.0 if settings.quick else _SETTLE_S)
            yield town
        finally:
            town.stop()


def _visits(browser: Browser, wire: Wire, watched: _Watched) -> dict[str, float]:
    address = f"http://127.0.0.1:{wire.port}"
    found: dict[str, float] = {}
    with visitor(browser, address, watched.user) as context:
        for visit in ("cold", "warm"):
            seen, received, requests = _visit(context, wire, address + watched.path, watched.useful)
            found[f"{visit}_kb"] = received / 1e3
            found[f"{visit}_requests"] = requests
            found[f"{visit}_first_ms"] = seen.first_ms
            found[f"{visit}_useful_ms"] = seen.useful_ms
    return found


def _visit(context: BrowserContext, wire: Wire, address: str, useful: tuple[str, ...]) -> tuple[Seen, int, int]:
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    asked: list[float] = []
    devtools.on("Network.loadingFinished", lambda told: asked.append(told["encodedDataLength"]))
    devtools.send("Network.enable")
    before = wire.received
    try:
        seen = opened(page, address, useful)
        # A page that asks again and again is never quiet; it has then loaded what it needs all the same.
        with suppress(Late):
            page.wait_for_load_state("networkidle", timeout=_QUIET_MS)
        return seen, wire.received - before, sum(1 for length in asked if length > 0)
    finally:
        page.close()
