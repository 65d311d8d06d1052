"""The page of indicators, the records behind its figures and the daily report in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.axe import serious_findings
from tests.cockpit.town import PASSWORD, Town
from tests.servers.chromium import local_page

pytestmark = pytest.mark.timeout(300)
DESK: ViewportSize = {"width": 1920, "height": 1080}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE_MS = 30_000
AREAS = ("bridge_wim", "refuse_truck", "light_pole", "gas_alarm", "drone", "cases", "load", "ranking")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give the demo city without its devices, with one overloaded vehicle and one case."""
    with Town(tmp_path_factory.mktemp("kpi"), 'base = "demo"\n[simulation]\nrun = false\n') as town:
        for number in range(2):
            told = {"pass_id": f"k{number}", "axle_count": 2, "gvw_kg": 25_000, "lane": "1", "plate_hash": "ab12cd34"}
            town.say("bridge_wim", "wim-01", told, channel="event", id=f"k{number}")
        with town.client("officer") as officer:
            body = {"sub_class": "manhole", "street": "s01", "description": "x", "idempotency_key": "kpi-1"}
            assert officer.post("/api/v1/cases", json=body).status_code == 201
            town.eventually(lambda: len(officer.get("/api/v1/kpi/bridge_wim").json()["plates"]) == 1)
            rate = "/api/v1/kpi/bridge_wim"
            town.eventually(lambda: officer.get(rate).json()["total"]["overload"]["denominator"] == 2)
        yield town


def look(page: Page, demo: Town, path: str) -> None:
    """Log in as the one who may only look, and open a page."""
    page.request.post(f"{demo.address}/api/v1/login", data={"user": "viewer", "password": PASSWORD})
    page.goto(f"{demo.address}{path}")


def drawn(page: Page) -> None:
    """Wait until every area of the page has its figures."""
    for area in AREAS:
        expect(page.locator(f".kpi-{area} .kpi-body > *").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".kpi-panel[aria-busy]")).to_have_count(0, timeout=PATIENCE_MS)


def unfold(page: Page) -> None:
    """Open what a phone keeps folded."""
    expect(page.locator(".kpi-bridge_wim .kpi-more > summary")).to_be_attached(timeout=PATIENCE_MS)
    page.evaluate("for (const fold of document.querySelectorAll('.kpi-more, .kpi-choice')) fold.open = true")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_everything_is_there(demo: Town, browser: Browser, language: str, size: ViewportSize) -> None:
    """Every area has figures or says that there are none; nothing is too wide, nothing stops a screen reader."""
    with local_page(browser, viewport=size) as page:
        look(page, demo, f"/kpi?period=today&lang={language}")
        drawn(page)
        unfold(page)
        expect(page.locator(".kpi-bridge_wim .kpi-headline b").first).to_have_text("100.00 %")
        # Of nothing there is no share: a dash.
        expect(page.locator(".kpi-drone .kpi-headline b").first).to_have_text("0.0 %")
        expect(page.locator(".kpi-light_pole .kpi-headline b").first).to_have_text("—")
        expect(page.locator(".kpi-light_pole .chart-empty")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert serious_findings(page) == []
        expect(page.locator("html")).to_have_attribute("lang", "zh-CN" if language == "zh" else "en")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_phone_shows_the_figures_of_today(demo: Town, browser: Browser, language: str) -> None:
    """A leader sees each area's figure of today, and opens what is behind one; on a desk nothing is folded."""
    with local_page(browser, viewport=PHONE) as page:
        look(page, demo, f"/kpi?lang={language}")
        drawn(page)
        expect(page.locator("[data-preset=today]")).to_have_attribute("aria-pressed", "true")
        for area in AREAS:
            expect(page.locator(f".kpi-{area} :is(.kpi-headline, .kpi-shares) b").first).to_be_visible()
        expect(page.locator(".kpi-figure").filter(visible=True)).to_have_count(0)
        expect(page.locator(".kpi-table").filter(visible=True)).to_have_count(0)
        expect(page.locator("input[name=from]")).to_be_hidden()
        # Two and a half screens, not eight.
        assert page.evaluate("document.documentElement.scrollHeight") <= 2.5 * PHONE["height"]
        assert serious_findings(page) == []
        fold = page.locator(".kpi-bridge_wim .kpi-more > summary")
        fold.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".kpi-bridge_wim .kpi-figure")).to_be_visible()
        expect(page.locator(".kpi-table").filter(visible=True)).not_to_have_count(0)
        # What was opened stays open when the figures are asked for anew.
        page.locator("[data-preset=week]").click()
        expect(page.locator("[data-preset=week]")).to_have_attribute("aria-pressed", "true", timeout=PATIENCE_MS)
        drawn(page)
        expect(page.locator(".kpi-bridge_wim .kpi-figure")).to_be_visible()
        expect(page.locator(".kpi-drone .kpi-figure")).to_be_hidden()
        page.locator(".kpi-choice > summary").click()
        expect(page.locator("input[name=from]")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.set_viewport_size(DESK)
        expect(page.locator(".kpi-drone .kpi-figure")).to_be_visible()
        expect(page.locator(".kpi-more > summary").filter(visible=True)).to_have_count(0)


def test_a_figure_leads_to_its_records(demo: Town, page: Page) -> None:
    """From the overloads to the two alarms and on to the bridge; from a share to its case."""
    page.set_viewport_size(DESK)
    look(page, demo, "/kpi?period=today&lang=en")
    drawn(page)
    page.locator(".kpi-bridge_wim .kpi-headline a").click()
    rows = page.locator(".kpi-records tbody tr")
    expect(rows).to_have_count(2, timeout=PATIENCE_MS)
    expect(rows.first).to_contain_text("Vehicle over the limit")
    assert serious_findings(page) == []
    with page.expect_download() as taken:
        page.get_by_role("link", name="CSV").click()
    assert taken.value.path().read_bytes().count(b"bridge_wim.over_pct.overload") == 2
    page.get_by_role("link", name="中文").click()
    expect(rows.first).to_contain_text("车辆超限", timeout=PATIENCE_MS)
    expect(rows).to_have_count(2)
    expect(rows.first.locator("a[href*='duty?alarm=']")).to_have_text("车辆超限")
    rows.first.locator("a[href*='/device/']").click()
    expect(page).to_have_url(f"{demo.address}/device/wim-01", timeout=PATIENCE_MS)
    look(page, demo, "/kpi?period=today&lang=en")
    drawn(page)
    page.locator(".kpi-cases").get_by_role("link", name="Registered: all 1 cases").click()
    expect(rows).to_have_count(1, timeout=PATIENCE_MS)
    rows.first.locator("a").first.click()
    expect(page.locator(".case-head")).to_be_visible(timeout=PATIENCE_MS)


def test_other_days_and_one_street(demo: Town, page: Page) -> None:
    """The period and the street stay in the address; days that are none are refused with a sentence."""
    page.set_viewport_size(DESK)
    look(page, demo, "/kpi?lang=en")
    drawn(page)
    expect(page.locator("[data-preset=week]")).to_have_attribute("aria-pressed", "true")
    page.locator("[name=from]").fill("2026-01-01")
    page.locator("[name=to]").fill("2026-01-03")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".kpi-span")).to_contain_text("2026-01-01 to 2026-01-03", timeout=PATIENCE_MS)
    expect(page.locator(".kpi-bridge_wim .kpi-headline b").first).to_have_text("—", timeout=PATIENCE_MS)
    page.locator(".kpi-bar select").select_option("s05")
    expect(page.locator(".kpi-gas_alarm tbody tr")).to_have_count(5, timeout=PATIENCE_MS)
    page.reload()
    drawn(page)
    expect(page.locator(".kpi-span")).to_contain_text("2026-01-01 to 2026-01-03")
    expect(page.locator(".kpi-bar select")).to_have_value("s05")
    page.locator("[name=from]").fill("2025-01-01")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".kpi-span")).to_contain_text("expected 92 days at most", timeout=PATIENCE_MS)
    expect(page.locator(".kpi-bridge_wim")).to_have_class("panel kpi-panel kpi-bridge_wim is-stale")
    page.locator("[data-preset=today]").click()
    expect(page.locator(".is-stale")).to_have_count(0, timeout=PATIENCE_MS)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_report_prints(demo: Town, browser: Browser, language: str) -> None:
    """One document with plots and no script, for the screen, a phone and paper."""
    with local_page(browser, viewport=PHONE) as page:
        look(page, demo, f"/kpi?period=today&lang={language}")
        drawn(page)
        unfold(page)
        page.locator(".kpi-take a").first.click()
        expect(page.locator("figure svg").first).to_be_visible(timeout=PATIENCE_MS)
        page.wait_for_load_state("load")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert page.locator("script").count() == 0
        assert serious_findings(page) == []
        page.emulate_media(media="print")
        expect(page.locator("nav")).to_be_hidden()
        assert page.pdf(format="A4").startswith(b"%PDF")
