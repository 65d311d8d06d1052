"""The time window in a real browser: the city as it was, marked, with nothing to do in it, on pages and a phone."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.axe import serious_findings
from tests.cockpit.acting import act, leak
from tests.cockpit.town import PASSWORD, Town
from tests.servers.chromium import local_page

pytestmark = pytest.mark.timeout(300)
DESK: ViewportSize = {"width": 1920, "height": 1080}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE_MS = 60_000
WORDS = {"zh": ("历史：", "返回实时", "这是历史画面"), "en": ("PAST:", "Back to live", "This is the past")}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give the demo city without its simulated devices."""
    with Town(tmp_path_factory.mktemp("past"), 'base = "demo"\n[simulation]\nrun = false\n') as town:
        yield town


@pytest.fixture(scope="module")
def then(demo: Town) -> str:
    """Give an instant at which one alarm was not acknowledged and had no case; now it has both."""
    alarm = leak(demo, "gas-0042", 60)
    at_ms = time.time_ns() // 1_000_000
    demo.until("/api/v1/devices/gas-0042", lambda found: found["latest"], at=at_ms)
    act(demo, "officer", f"/alarms/{alarm['id']}/ack", seen_level=2, decision="case")
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def open_page(page: Page, demo: Town, path: str, at: str, language: str, user: str = "officer") -> None:
    page.request.post(f"{demo.address}/api/v1/login", data={"user": user, "password": PASSWORD})
    page.goto(f"{demo.address}{path}?lang={language}&at={quote(at)}")
    expect(page.locator(".past-band strong")).to_contain_text(WORDS[language][0], timeout=PATIENCE_MS)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_overview_duty_and_cases_stand_as_they_stood(demo: Town, then: str, browser: Browser, language: str) -> None:
    """The alarm is open and nobody is on it, there is no case, and nothing can be done; links keep the window."""
    _, back, no_acts = WORDS[language]
    with local_page(browser, viewport=DESK) as page:
        open_page(page, demo, "/", then, language)
        card = page.locator(".overview-alarms .alarm-card", has_text="gas-0042").first
        expect(card).to_contain_text("未确认" if language == "zh" else "unacked", timeout=PATIENCE_MS)
        expect(page.locator(".live-badge.is-past")).to_be_visible()
        assert page.locator(".live-badge.is-live").count() == 0
        assert serious_findings(page) == []
        page.locator(".nav a", has_text="值班" if language == "zh" else "Duty desk").click()
        expect(page.locator(".past-band strong")).to_be_visible(timeout=PATIENCE_MS)
        assert "at=" in page.url and "/duty" in page.url
        page.get_by_role("gridcell", name="gas-0042").first.click(timeout=PATIENCE_MS)
        expect(page.locator(".evidence-act")).to_contain_text(no_acts, timeout=PATIENCE_MS)
        assert page.locator("#ack-comment, .evidence-act .primary, .evidence [data-act]").count() == 0
        page.keyboard.press("a")
        expect(page.locator("#toasts")).to_contain_text(no_acts, timeout=PATIENCE_MS)
        page.locator(".nav a", has_text="案件" if language == "zh" else "Cases").click()
        empty = "当前无在办案件" if language == "zh" else "No open cases"
        expect(page.get_by_text(empty).first).to_be_visible(timeout=PATIENCE_MS)
        assert page.get_by_role("button", name="上报案件" if language == "zh" else "Report a case").count() == 0
        page.locator(".past-band .button", has_text=back).click()
        expect(page.locator(".case-row[data-case]")).to_have_count(1, timeout=PATIENCE_MS)
        assert "at=" not in page.url
        assert page.locator("body.is-past").count() == 0
    (alarm,) = [a for a in demo.get("/api/v1/alarms")["items"] if a["rule"].endswith("conc_pct_lel.high")]
    assert [each["action"] for each in demo.get(f"/api/v1/alarms/{alarm['id']}/history")["items"]].count("ack") == 1


def test_the_panel_chooses_an_instant_a_span_and_the_way_back(demo: Town, then: str, page: Page) -> None:
    page.set_viewport_size(DESK)
    page.goto(f"{demo.address}/device/gas-0042?lang=en")
    expect(page.locator(".live-badge.is-live")).to_be_visible(timeout=PATIENCE_MS)
    control = page.locator(".time-control > button")
    expect(control).to_have_text("History")
    control.click()
    page.locator(".time-panel [data-step=hour]").click()
    expect(page.locator(".past-band strong")).to_contain_text("PAST", timeout=PATIENCE_MS)
    expect(page.locator(".past-band")).to_contain_text("no readings", timeout=PATIENCE_MS)
    control.click()
    page.locator(".time-panel input[name=to]").fill("2020-01-01T00:00:00")
    page.get_by_role("button", name="Show this span").click()
    expect(page.locator(".time-panel .problem")).to_contain_text("must end after", timeout=PATIENCE_MS)
    page.locator(".time-panel input[name=from]").fill("2019-12-31T00:00:00")
    page.get_by_role("button", name="Show this span").click()
    expect(page.locator(".past-band")).to_contain_text("no longer kept", timeout=PATIENCE_MS)
    assert "from=2019-12-31T00%3A00%3A00%2B08%3A00" in page.url
    page.goto(f"{demo.address}/device/gas-0042?at={quote(then)}")
    expect(page.locator(".device-head .presence")).to_have_attribute("data-state", "online", timeout=PATIENCE_MS)
    expect(page.locator(".device-alarms")).to_contain_text("Not acknowledged yet", timeout=PATIENCE_MS)


def test_what_is_always_live_says_so_and_keeps_the_window(demo: Town, then: str, page: Page) -> None:
    page.set_viewport_size(DESK)
    page.goto(f"{demo.address}/health?lang=en&at={quote(then)}")
    expect(page.locator(".past-band")).to_contain_text("always live", timeout=PATIENCE_MS)
    expect(page.locator(".live-badge.is-live")).to_be_visible(timeout=PATIENCE_MS)
    page.locator(".nav a", has_text="Overview").click()
    expect(page.locator(".past-band strong")).to_contain_text("PAST", timeout=PATIENCE_MS)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", ["/", "/duty", "/cases"])
def test_phone(demo: Town, then: str, browser: Browser, path: str, language: str) -> None:
    """On a phone nothing is wider than the screen, the open panel neither."""
    with local_page(browser, viewport=PHONE) as phone:
        open_page(phone, demo, path, then, language)
        phone.locator(".time-control > button").click()
        expect(phone.locator(".time-panel")).to_be_visible()
        assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_wall_of_the_past_is_marked(demo: Town, then: str, page: Page) -> None:
    page.set_viewport_size(DESK)
    page.goto(f"{demo.address}/wall?lang=zh&at={quote(then)}")
    expect(page.locator(".past-band strong")).to_contain_text("历史：", timeout=PATIENCE_MS)
    expect(page.locator(".live-badge.is-past")).to_be_visible()
    assert cut_tiles(page) == []
    assert page.evaluate("document.documentElement.scrollHeight") <= DESK["height"]


def cut_tiles(page: Page) -> list[str]:
    """Return the tiles whose words do not fit into them."""
    expect(page.locator(".wall-tiles .tile-head b").last).not_to_be_empty(timeout=PATIENCE_MS)
    return cast(
        list[str],
        page.evaluate(
            "[...document.querySelectorAll('.wall-tiles .tile')]"
            ".filter((tile) => tile.scrollHeight > tile.clientHeight).map((tile) => tile.innerText)"
        ),
    )


def test_a_wall_of_which_no_readings_are_left_shows_no_figure(demo: Town, page: Page) -> None:
    """Not nought vehicles, not nought online: nothing is known, and each chart says why it is empty."""
    page.set_viewport_size(DESK)
    page.goto(f"{demo.address}/wall?lang=zh&at={quote('2020-01-01T08:00:00+08:00')}")
    expect(page.locator(".past-band")).to_contain_text("已不再保存", timeout=PATIENCE_MS)
    for figures in (".tile-head b", ".tile-online b", ".count-silent b"):
        expect(page.locator(f".wall-tiles {figures}")).to_have_text(["—"] * 7, timeout=PATIENCE_MS)
    kept = ["该时刻的数值已不再保存"] * 5
    expect(page.locator(".chart-panel:not(.chart-cases) .chart-empty")).to_have_text(kept, timeout=PATIENCE_MS)
    expect(page.locator(".scene-facts")).to_contain_text("在线 — /")
    expect(page.locator(".nothing-open")).to_contain_text("均无未处理告警")
    assert cut_tiles(page) == []


def test_a_wall_of_an_hour_in_which_nobody_spoke_shows_no_figure(demo: Town, page: Page) -> None:
    """Readings of that time would be kept; there are none, and nought tonnes would be one."""
    page.set_viewport_size(DESK)
    before = datetime.fromtimestamp(time.time() - 2 * 86_400, UTC).isoformat(timespec="seconds")
    page.goto(f"{demo.address}/wall?lang=en&at={quote(before)}")
    expect(page.locator(".past-band")).to_contain_text("no readings", timeout=PATIENCE_MS)
    expect(page.locator(".wall-tiles .tile-head b")).to_have_text(["—"] * 7, timeout=PATIENCE_MS)
    expect(page.locator(".wall-tiles .tile-online b")).to_have_text(["0"] * 7)
