"""A page in headless Chromium, and when what was asked for was to be seen on it."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, ViewportSize, sync_playwright

from tests.cockpit.town import PASSWORD
from tests.servers.chromium import ARGUMENTS
from tests.servers.programs import require

SIZE: Final[ViewportSize] = {"width": 1920, "height": 1080}
_PATIENCE_S = 120.0
_LOOK_MS = 100
# Looks once a frame, so that what it says was on a frame; long tasks are those over 50 ms, as browsers count them.
_WATCH = """(() => {
  const wanted = SELECTORS;
  const seen = (selector) => (document.querySelector(selector)?.getClientRects().length ?? 0) > 0;
  window.benchSeenMs = {};
  window.benchLongMs = [];
  const look = () => {
    const lacking = wanted.filter((each) => !(each in window.benchSeenMs));
    for (const each of lacking) if (seen(each)) window.benchSeenMs[each] = performance.now();
    if (lacking.length) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  new PerformanceObserver((list) => window.benchLongMs.push(...list.getEntries().map((entry) => entry.duration)))
    .observe({ type: "longtask", buffered: true });
})()"""
_FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


@dataclass(frozen=True)
class Seen:
    """When, in ms after the address was entered, something was painted, and something of each selector."""

    first_ms: float
    each_ms: dict[str, float]

    @property
    def useful_ms(self) -> float:
        """When all of it was there."""
        return max(self.each_ms.values())


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a running browser."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=require("chromium"), args=list(ARGUMENTS))
        try:
            yield started
        finally:
            started.close()


@contextmanager
def visitor(browser: Browser, address: str, user: str | None) -> Iterator[BrowserContext]:
    """Give a browser that has been nowhere yet, logged in when a user is named."""
    context = browser.new_context(viewport=SIZE, locale="zh-CN")
    try:
        if user is not None:
            log_in = json.dumps({"user": user, "password": PASSWORD})
            headers = {"content-type": "application/json", "origin": address}
            answer = context.request.post(f"{address}/api/v1/login", data=log_in, headers=headers)
            if not answer.ok:
                raise RuntimeError(f"log-in as {user} was answered with {answer.status}")
        yield context
    finally:
        context.close()


def opened(page: Page, address: str, useful: Sequence[str]) -> Seen:
    """Open an address and return when it was useful: when something of each selector was on a frame.

    Raises:
        RuntimeError: it never was.
    """
    page.add_init_script(_WATCH.replace("SELECTORS", json.dumps([*useful])))
    page.goto(address)
    until_s = time.monotonic() + _PATIENCE_S
    # Playwright's own waiting evaluates texts in the page, which its policy forbids.
    while len(seen := page.evaluate("window.benchSeenMs")) < len(useful):
        if time.monotonic() > until_s:
            lacking = ", ".join(each for each in useful if each not in seen)
            raise RuntimeError(f"{address} has not shown {lacking} within {_PATIENCE_S:g} s")
        page.wait_for_timeout(_LOOK_MS)
    first_ms = page.evaluate(_FIRST_PAINT)
    return Seen(first_ms if first_ms is not None else max(seen.values()), seen)


class MainThread:
    """What the main thread of a page does, by its own account (CDP)."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._devtools: CDPSession = page.context.new_cdp_session(page)
        # CPU time of the thread: what neighbours on the machine take is not counted.
        self._devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy_s(self) -> float:
        """Return the CPU seconds it has spent in tasks since the page was opened."""
        return self._metrics()["TaskDuration"]

    def heap_mb(self) -> float:
        """Return the size of what its scripts keep."""
        self._devtools.send("HeapProfiler.collectGarbage")
        return self._metrics()["JSHeapUsedSize"] / 1e6

    def long_tasks_ms(self) -> list[float]:
        """Return the tasks over 50 ms since the last call."""
        found: list[float] = self._page.evaluate("window.benchLongMs.splice(0)")
        return found

    def _metrics(self) -> dict[str, float]:
        found: dict[str, Any] = self._devtools.send("Performance.getMetrics")
        return {each["name"]: float(each["value"]) for each in found["metrics"]}
