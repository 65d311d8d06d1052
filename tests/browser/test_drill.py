"""An exercise in a real browser: a leader starts it, an officer acts, a real alarm breaks in, a report is read."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import serious_findings
from tests.cockpit.acting import act, leak
from tests.cockpit.gas_town import gas_town
from tests.cockpit.town import PASSWORD, Town
from tests.servers.chromium import local_page

pytestmark = pytest.mark.timeout(900)
DESK, PHONE = {"width": 1920, "height": 1080}, {"width": 390, "height": 844}
PATIENCE_MS = 90_000
# What lies in the middle of the band that tells of real alarms.
ON_TOP = """() => {
  const box = document.querySelector(".drill-break-in").getBoundingClientRect();
  return Boolean(document.elementFromPoint(box.x + 20, box.y + box.height / 2)?.closest(".drill-break-in"));
}"""
# Where that band ends, and where what it must not hide begins.
BENEATH = """() => [
  document.querySelector(".drill-break-in").getBoundingClientRect().bottom,
  document.querySelector(".header").getBoundingClientRect().top + window.scrollY,
  document.documentElement.scrollWidth,
]"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a town with houses in which gas can leak."""
    with gas_town(tmp_path_factory.mktemp("drill")) as town:
        yield town


def sit_down(page: Page, demo: Town, user: str, path: str = "duty", language: str = "zh") -> None:
    page.request.post(f"{demo.address}/api/v1/login", data={"user": user, "password": PASSWORD})
    page.goto(f"{demo.address}/{path}?lang={language}")
    if path == "duty":
        # The first news moves what stands in the bar: who presses meanwhile may press beside it.
        expect(page.locator(".live-badge")).to_contain_text("实时", timeout=PATIENCE_MS)


def test_an_exercise(demo: Town, browser: Browser) -> None:
    with ExitStack() as pages:
        sizes = (DESK, DESK, PHONE, DESK)
        lead, desk, phone, deaf = (pages.enter_context(local_page(browser, viewport=size)) for size in sizes)
        sit_down(lead, demo, "leader", "drill")
        expect(lead.locator(".drill-none")).to_contain_text("还没有", timeout=PATIENCE_MS)
        sit_down(lead, demo, "leader")
        sit_down(desk, demo, "officer")
        lead.locator("button[data-act=drill]").click(timeout=PATIENCE_MS)
        lead.locator("dialog select").first.select_option("gas_leak", timeout=PATIENCE_MS)
        expect(lead.locator(".drill-facts")).to_contain_text("3 条")
        # Enter adds the fault that was written; it does not begin the exercise without it.
        lead.locator(".fault-choice summary").click()
        lead.locator(".fault-choice input").first.fill("gas-1")
        lead.locator(".fault-choice input").first.press("Enter")
        expect(lead.locator(".fault-list li span")).to_have_text("静默 · gas-1")
        lead.locator(".fault-list button").click()
        expect(lead.locator(".fault-list li")).to_have_count(0)
        assert serious_findings(lead) == []
        lead.locator("dialog button[type=submit]").click()

        # The officer sees it apart from the real list, and goes there.
        lane = desk.locator(".drill-lane")
        expect(lane).to_contain_text("由 leader 组织", timeout=PATIENCE_MS)
        expect(
            desk.locator("button[data-act=drill], button[data-act=end-drill]").locator("visible=true")
        ).to_have_count(0)
        lane.locator("[data-act=to-drill]").click(timeout=PATIENCE_MS)
        expect(desk.locator(".replay-mark span").first).to_have_text("演练 DRILL", timeout=PATIENCE_MS)
        expect(desk.locator(".live-badge")).to_contain_text("演练 DRILL", timeout=PATIENCE_MS)
        assert "【演练】" in desk.title()
        # At its highest level nothing rises any more between a look at the alarm and its acknowledgement.
        row = desk.locator(".duty-grid .row-UNACK", has_text="P1").first
        expect(row).to_contain_text("【演练】", timeout=PATIENCE_MS)
        desk.keyboard.press("j")
        expect(desk.locator(".evidence-facts h2")).to_contain_text("【演练】", timeout=PATIENCE_MS)
        desk.keyboard.press("a")
        expect(desk.locator("#toasts")).to_contain_text("已确认", timeout=PATIENCE_MS)
        expect(desk.locator(".session .name")).to_have_text("officer")
        expect(lead.locator(".drill-lane-figures")).to_contain_text("未消除", timeout=PATIENCE_MS)
        assert demo.get("/api/v1/alarms", state="all", device="gas-0042")["items"] == []
        expect(lead.locator(".duty-list")).not_to_contain_text("gas-0042")

        # What is real stands over everything: also over a dialog, also on a phone, where it hides nothing.
        sit_down(phone, demo, "officer2", desk.url.removeprefix(f"{demo.address}/").partition("?")[0])
        # One page hears the exercise and not the live city: it has to say so.
        deaf.route_web_socket(re.compile(r"^ws://[^/]+/ws/live\?only=alarms$"), lambda _socket: None)
        sit_down(deaf, demo, "viewer", desk.url.removeprefix(f"{demo.address}/").partition("?")[0])
        expect(phone.locator(".alarm-card").first).to_contain_text("【演练】", timeout=PATIENCE_MS)
        desk.keyboard.press("c")
        expect(desk.locator("dialog[open]")).to_be_visible(timeout=PATIENCE_MS)
        real = leak(demo, "gas-1", 60)
        for page in (desk, phone):
            band = page.locator(".drill-break-in")
            expect(band).to_be_visible(timeout=PATIENCE_MS)
            expect(band).to_contain_text("真实告警")
            expect(band).to_contain_text("P1")
            expect(band).not_to_contain_text("演练")
            expect(band.locator("button")).to_have_count(0)
            assert page.evaluate(ON_TOP)
            bottom, top, width = page.evaluate(BENEATH)
            assert top >= bottom - 1
            assert width <= page.viewport_size["width"]  # type: ignore[index]
            assert serious_findings(page) == []
        expect(deaf.locator(".break-in-down")).to_contain_text("与实战的连接已中断", timeout=PATIENCE_MS)
        expect(deaf.locator(".live-badge")).to_contain_text("演练 DRILL")
        desk.keyboard.press("Escape")
        act(demo, "officer2", f"/alarms/{real['id']}/ack", seen_level=2)
        expect(desk.locator(".drill-break-in")).to_be_hidden(timeout=PATIENCE_MS)
        expect(lead.locator(".duty-grid")).to_contain_text("gas-1", timeout=PATIENCE_MS)

        lead.locator("[data-act=end-drill]").click()
        expect(lead.locator("dialog")).to_contain_text("确定结束", timeout=PATIENCE_MS)
        lead.locator("dialog button[type=submit]").click()
        expect(lead.locator(".drill-lane")).to_be_hidden(timeout=PATIENCE_MS)
        desk.locator(".drill-band.is-over a.primary").click(timeout=PATIENCE_MS)
        expect(desk.locator(".drill-report")).to_contain_text("演练成绩单", timeout=PATIENCE_MS)
        # Not all of them were acknowledged, and in some hours the day of a truck brings the first.
        expect(desk.locator(".drill-chart li", has_text="按时").first).to_be_visible()
        assert serious_findings(desk) == []
        phone.goto(desk.url.replace("lang=zh", "lang=en"))
        expect(phone.locator(".drill-people")).to_contain_text("officer", timeout=PATIENCE_MS)
        expect(phone.locator(".drill-score")).to_contain_text("Acknowledged in time")
        assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert serious_findings(phone) == []
        lead.goto(f"{demo.address}/drill?lang=en")
        expect(lead.locator(".drill-items li")).to_contain_text("ended by leader", timeout=PATIENCE_MS)
