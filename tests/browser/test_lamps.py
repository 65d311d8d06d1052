"""Lighting control in a real browser: an officer asks for a circuit, a leader approves on a phone, the poles answer."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import serious_findings
from tests.cockpit.lit_town import Pole, lit_town
from tests.cockpit.town import PASSWORD, Town
from tests.servers.chromium import local_page

pytestmark = pytest.mark.timeout(900)
DESK, PHONE = {"width": 1920, "height": 1080}, {"width": 390, "height": 844}
PATIENCE_MS = 30_000
# What the map does with a click on a pole; where a pole is drawn depends on how the map is drawn here.
PICKED = """
    import('/static/map_card.mjs')
        .then((card) => card.pick(document.querySelector('.map'), {kind: 'light_pole'}, 'lamp-5'))
"""


# Every answer takes two seconds, and the page believes that something is under way.
SLOW = """
    const asked = window.fetch;
    window.fetch = (...what) => new Promise((done) => setTimeout(done, 2000)).then(() => asked(...what));
    import('/static/lamps_desk.mjs').then(({lampsDesk}) => Object.defineProperty(lampsDesk, 'busy', {get: () => true}));
"""


@pytest.fixture(scope="module")
def lit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a town with lighting circuits, whose poles the test plays."""
    with lit_town(tmp_path_factory.mktemp("lamps")) as town:
        yield town


@pytest.fixture
def pole(lit: Town) -> Pole:
    """Give the poles; they answer, and say at once how they shine."""
    return Pole(lit, shines=True)


def sit_down(page: Page, lit: Town, user: str | None, path: str = "lamps", language: str = "zh") -> None:
    """Log in and open a page."""
    if user is not None:
        page.request.post(f"{lit.address}/api/v1/login", data={"user": user, "password": PASSWORD})
    page.goto(f"{lit.address}/{path}?lang={language}")
    where = ".lamps-circuit" if path == "lamps" else ".lamp-panel-head"
    expect(page.locator(where).first).to_be_visible(timeout=PATIENCE_MS)


def test_a_circuit_by_two(lit: Town, pole: Pole, browser: Browser) -> None:
    """Asked at the desk, with a reason and a confirmation; approved on a phone; obeyed before the eyes of both."""
    with ExitStack() as desks:
        officer = desks.enter_context(local_page(browser, viewport=DESK))
        leader = desks.enter_context(local_page(browser, viewport=PHONE))
        sit_down(officer, lit, "officer")
        row = officer.locator("[data-circuit=F-1]")
        row.locator("[data-act=switch]").click()
        dialog = officer.locator("dialog")
        expect(dialog.get_by_label("亮度")).to_be_hidden()
        dialog.get_by_label("调光").check()
        dialog.get_by_label("亮度").fill("40")
        dialog.get_by_label("理由").fill("节能 <b>试验</b>")
        dialog.locator("button[type=submit]").click()
        # Without the confirmation nothing leaves.
        expect(dialog).to_be_visible()
        assert lit.get("/api/v1/lamp-orders")["items"] == []
        dialog.get_by_label("确认申请对 F-1 回路全部 3 盏灯执行：调光至 40 %").check()
        dialog.locator("button[type=submit]").click()
        expect(row.locator(".lamp-request")).to_contain_text("officer 申请：调光至 40 %（3 盏）", timeout=PATIENCE_MS)
        expect(row.locator(".lamp-request")).to_contain_text("节能 <b>试验</b>")
        expect(row.locator("[data-act=approve]")).to_have_count(0)
        expect(row.locator("[data-act=switch]")).to_be_disabled()
        assert pole.heard == []

        sit_down(leader, lit, "leader")
        assert leader.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        leader.locator("[data-circuit=F-1] [data-act=approve]").click()
        leader.locator("dialog button[type=submit]").click()
        for page in (officer, leader):
            expect(page.locator("[data-circuit=F-1] .lamp-obeyed")).to_have_text("已执行 3", timeout=PATIENCE_MS)
        expect(row.locator(".lamps-fact").nth(1)).to_contain_text("调光至 40 %")
        expect(row.locator(".lamps-fact").nth(2)).to_contain_text("40 %")
        row.locator("[data-act=open]").click()
        expect(row.locator("tbody tr")).to_have_count(3, timeout=PATIENCE_MS)
        expect(row.locator("tbody tr").first).to_contain_text("已执行")
        order = officer.locator(".lamps-orders li").first
        expect(order).to_contain_text("officer 申请，leader 批准")
        expect(order).to_contain_text("已应答 3", timeout=PATIENCE_MS)
        assert serious_findings(officer) == []
        assert serious_findings(leader) == []


def test_one_lamp_on_its_page(lit: Town, pole: Pole, browser: Browser) -> None:
    """Whoever is not logged in is asked to; the pole refuses, and its reason stands there."""
    pole.reason = "检修锁定"
    with local_page(browser, viewport=DESK) as page:
        sit_down(page, lit, None, "device/lamp-4")
        page.locator(".device-lamp [data-act=switch]").click()
        form = page.locator("dialog.act-dialog")
        form.get_by_label("关灯").check()
        form.get_by_label("理由").fill("施工")
        form.get_by_label("确认对 lamp-4 执行：关灯").check()
        form.locator("button[type=submit]").click()
        login = page.locator("dialog:not(.act-dialog)")
        login.locator("input").first.fill("officer2")
        login.locator("input[type=password]").fill(PASSWORD)
        login.locator("button[type=submit]").click()
        expect(page.locator(".device-lamp .lamp-refused").first).to_have_text("拒绝", timeout=PATIENCE_MS)
        expect(page.locator(".lamp-panel-head")).to_contain_text("检修锁定")
        assert serious_findings(page) == []


def test_a_line_slower_than_the_page_looks(lit: Town, browser: Browser) -> None:
    """While something is on its way the page looks more often: no look may overtake the one before for ever."""
    with local_page(browser, viewport=DESK) as page:
        page.add_init_script(SLOW)
        sit_down(page, lit, None)


def test_a_viewer_cannot(lit: Town, browser: Browser) -> None:
    """No buttons on the page of lamps, of a pole, or on the map's card; in English, on a phone."""
    with local_page(browser, viewport=PHONE) as page:
        sit_down(page, lit, "viewer", language="en")
        expect(page.locator("[data-circuit=F-3]")).to_contain_text("own schedule")
        expect(page.locator(".lamps-circuit [data-act=switch]:visible")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        sit_down(page, lit, "viewer", "device/lamp-5", "en")
        expect(page.locator(".device-lamp")).to_contain_text("may not control lamps")
        expect(page.locator(".device-lamp [data-act=switch]")).to_be_hidden()
        assert serious_findings(page) == []


def test_from_the_map(lit: Town, pole: Pole, browser: Browser) -> None:
    """A pole picked on the map shows what it says, its switch, and the ways to its page and circuit."""
    lit.say("light_pole", "lamp-5", {"dim_pct": 80, "cmd_pct": 80})
    lit.until("/api/v1/lamps/lamp-5", lambda lamp: lamp["dim_pct"] == 80)
    with local_page(browser, viewport=PHONE) as page:
        page.request.post(f"{lit.address}/api/v1/login", data={"user": "officer", "password": PASSWORD})
        page.goto(f"{lit.address}/?lang=zh")
        expect(page.locator(".overview-map .map-legend")).to_be_visible(timeout=PATIENCE_MS)
        page.evaluate(PICKED)
        card = page.locator(".map-card")
        expect(card).to_contain_text("实际亮度 80 %")
        card.locator("[data-act=switch]").click()
        dialog = page.locator("dialog")
        dialog.get_by_label("恢复自身计划").check()
        dialog.get_by_label("理由").fill("恢复")
        dialog.get_by_label("确认对 lamp-5 执行：恢复自身计划").check()
        dialog.locator("button[type=submit]").click()
        expect(card).to_have_count(0, timeout=PATIENCE_MS)
        lit.until("/api/v1/lamps/lamp-5", lambda lamp: lamp["command"]["accepted"])
        page.evaluate(PICKED)
        page.locator(".map-card").get_by_role("link", name="F-3 回路").click()
        expect(page.locator("[data-circuit=F-3] tbody tr")).to_have_count(1, timeout=PATIENCE_MS)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
