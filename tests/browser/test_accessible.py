"""Pages that no other test shows to axe-core, filled and in both languages: nothing serious stands in anybody's way."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import serious_findings
from tests.browser.wall_city import FULL_HD, PATIENCE_MS, furnished
from tests.cockpit.town import PASSWORD, Town
from tests.servers.chromium import local_page

pytestmark = pytest.mark.timeout(600)
# Who looks at what, and what is to be seen before axe-core is asked.
PAGES = {
    "/": ("leader", ".overview-kinds .tile", ".headline-words", ".map canvas"),
    "/cases": ("leader", ".case-rows .case-row:not(.case-row-head)", ".street-map polygon[data-heat]"),
    "/cases?case=": ("leader", ".case-acts button", ".case-history"),
    "/device/gas-0100": ("leader", ".device-values tbody tr:not([hidden]) td", ".device-history .main-svg"),
    "/device/wim-04": ("leader", ".device-values tbody tr:not([hidden]) td", ".device-history .main-svg"),
    "/device/truck-001": ("engineer", ".device-values tbody tr:not([hidden]) td", ".device-history .main-svg"),
    "/device/drone-03": ("engineer", ".device-values tbody tr:not([hidden]) td", ".device-history .main-svg"),
    "/device/nothing-1": ("leader", ".missing .button"),
    "/no-such-page": ("leader", ".missing .button"),
    "/report": ("leader", "main table td"),
    "/bench": ("engineer", ".bench-list li", ".file-input input"),
    "/rules": ("leader", ".rules-table tbody tr"),
    "/lamps": ("leader", ".lamps-circuit"),
}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a city in which something of every kind has happened."""
    with furnished(tmp_path_factory.mktemp("accessible")) as town:
        yield town


@pytest.mark.parametrize("language", ["zh", pytest.param("en", marks=pytest.mark.long)])
@pytest.mark.parametrize("path", PAGES)
def test_nothing_serious(city: Town, browser: Browser, path: str, language: str) -> None:
    """Each page once it is filled; nothing is written in the console as an error either."""
    user, *filled = PAGES[path]
    address = city.address + path
    if path.endswith("="):
        address += str(city.get("/api/v1/cases")["items"][0]["id"])
    with local_page(browser, viewport=FULL_HD) as page:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        assert page.request.post(f"{city.address}/api/v1/login", data={"user": user, "password": PASSWORD}).ok
        page.goto(f"{address}{'&' if '?' in address else '?'}lang={language}")
        for selector in filled:
            expect(page.locator(selector).first).to_be_visible(timeout=PATIENCE_MS)
        assert serious_findings(page) == []
        assert errors == []
