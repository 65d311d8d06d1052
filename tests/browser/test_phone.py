"""What has no room beside each other on a phone: a device's values stand in two lines, headings break between words."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.browser.axe import serious_findings
from tests.cockpit.town import PASSWORD, Town
from tests.servers.chromium import local_page
from tests.sites import small_site_text

pytestmark = pytest.mark.timeout(300)
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE_MS = 60_000
LONG = "wim-1-1a203961c17-5125"
# Cells that leave the screen, and short words that are broken into pieces.
TORN = """() => {
  const found = [];
  for (const cell of document.querySelectorAll(".values tbody :is(th, td)")) {
    if (!cell.checkVisibility() || !cell.textContent) continue;
    const words = document.createRange();
    words.selectNodeContents(cell);
    const lines = new Set([...words.getClientRects()].map((box) => Math.round(box.top))).size;
    if (lines > 1) found.push([cell.textContent, lines]);
    if (words.getBoundingClientRect().right > innerWidth) found.push([cell.textContent, "leaves the screen"]);
  }
  return found;
}"""
BROKEN = """() => [...document.querySelectorAll(".numbers th")].flatMap((cell) => {
  const text = cell.firstChild;
  return [...(text?.data ?? "").matchAll(/\\S+/g)].filter(({ 0: word, index }) => {
    const part = document.createRange();
    part.setStart(text, index);
    part.setEnd(text, index + word.length);
    return new Set([...part.getClientRects()].map((box) => Math.round(box.top))).size > 1;
  }).map(([word]) => word);
})"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a small town in which a lorry has passed a bridge."""
    gateway = 'id = "gw-1"\n', 'id = "gw-1"\nname_zh = "甲街道网关"\nname_en = "Feeder gateway of First Street"\n'
    with Town(tmp_path_factory.mktemp("phone"), small_site_text().replace(*gateway)) as running:
        lorry = {"pass_id": LONG, "plate_hash": "5ff7326ea33404b8", "plate_color": "yellow", "speed_kmh": 57.8}
        lorry |= {"axle_count": 2, "gvw_kg": 7_160, "limit_kg": 18_000}
        running.say("bridge_wim", "wim-1", lorry, channel="event", id="w1")
        running.say("gateway", "gw-1", {"uptime_s": 5_205_600, "rssi_dbm": -72})
        running.until("/api/v1/passages", lambda page: page["items"], kind="bridge_wim")
        yield running


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("device", ["wim-1", "gw-1"])
def test_the_values_of_a_device(town: Town, browser: Browser, device: str, language: str) -> None:
    """Every value has its unit, quality and time on the screen, each in one piece, and nothing is pushed aside."""
    with local_page(browser, viewport=PHONE) as page:
        page.request.post(f"{town.address}/api/v1/login", data={"user": "leader", "password": PASSWORD})
        page.goto(f"{town.address}/device/{device}?lang={language}")
        row = page.locator(".values tbody tr:not(.group):not([hidden])").first
        expect(row).to_be_visible(timeout=PATIENCE_MS)
        expect(page.locator(".device-facts")).to_be_visible(timeout=PATIENCE_MS)
        page.evaluate("document.fonts.ready")
        assert page.evaluate(TORN) == []
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        assert serious_findings(page) == []


BEYOND = """[...document.querySelectorAll("figure.week svg, figure.week text")].filter(
  (own) => own.getBoundingClientRect().right > innerWidth).map((own) => own.textContent)"""


@pytest.mark.parametrize("language", ["zh", "en"])
def test_headings_of_the_daily_report(town: Town, browser: Browser, language: str) -> None:
    """No word is cut in two, a week is seen whole; a table that is wider than the phone is scrolled by itself."""
    with local_page(browser, viewport=PHONE) as page:
        page.goto(f"{town.address}/report?lang={language}")
        expect(page.locator(".numbers").first).to_be_visible(timeout=PATIENCE_MS)
        page.evaluate("document.fonts.ready")
        if language == "en":
            assert page.evaluate(BROKEN) == []
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        expect(page.locator("figure.week").first).to_be_visible()
        assert page.evaluate(BEYOND) == []
