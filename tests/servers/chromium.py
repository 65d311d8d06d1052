"""A real browser that may not leave this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, WebSocket, expect, sync_playwright

from tests.servers.programs import require

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # WebGL2 in software: maps are drawn on machines without a graphics card.
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    # Whatever is not on this machine is asked of a proxy that is not there.
    "--proxy-server=127.0.0.1:9",
)
_LOCAL_HOSTS = {"127.0.0.1", "localhost", "::1"}
_LOCAL_SCHEMES = {"about", "blob", "data"}
# What is right comes at once; five seconds, the usual end of a wait, are short on a busy machine.
expect.set_options(timeout=30_000)


@contextmanager
def local_page(browser: Browser, **context_options: Any) -> Iterator[Page]:
    """Open a page in a browser context of its own, whose requests to other machines find nobody and are told.

    Args:
        browser: the running browser.
        context_options: Playwright's, such as `viewport`, `locale` or `has_touch`.

    Raises:
        AssertionError: at the end, when there was such a request.
    """
    outside: list[str] = []

    def record(asked: Request | WebSocket) -> None:
        if _leaves(asked.url):
            outside.append(asked.url)

    # A service worker's requests would not be told.
    context = browser.new_context(service_workers="block", **context_options)
    try:
        # Listened to and not routed: a browser whose requests are routed keeps nothing in its cache.
        context.on("request", record)
        context.on("page", lambda page: page.on("websocket", record))
        yield context.new_page()
    finally:
        context.close()
    assert not outside, f"requests left this machine: {outside}"


def _leaves(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in _LOCAL_SCHEMES and parts.hostname not in _LOCAL_HOSTS


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One headless Chromium for all tests of a file; what differs between tests is a context, see `local_page`.

    Playwright keeps an event loop running in this thread, where no async test could start its own; it ends with the
    file.
    """
    program = require("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails its test at the end when anything on it asked another machine."""
    with local_page(browser) as local:
        yield local
