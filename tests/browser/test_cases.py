"""The closed loop in a real browser: three people at three desks, from a report to its closing; and on a phone."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cockpit.town import PASSWORD, Town
from tests.servers.chromium import local_page
from tests.servers.waiting import wait_until

pytestmark = pytest.mark.timeout(900)
DESK, PHONE = {"width": 1920, "height": 1080}, {"width": 390, "height": 844}
PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give the demo city without its devices."""
    with Town(tmp_path_factory.mktemp("cases"), 'base = "demo"\n[simulation]\nrun = false\n') as town:
        yield town


def sit_down(page: Page, demo: Town, user: str | None, language: str = "zh", case: str = "") -> None:
    """Log in and open the page of cases."""
    if user is not None:
        page.request.post(f"{demo.address}/api/v1/login", data={"user": user, "password": PASSWORD})
    page.goto(f"{demo.address}/cases?lang={language}{case}")
    expect(page.locator(".case-foot, .case-rows li").first).to_be_visible(timeout=PATIENCE_MS)


def press(page: Page, act: str, words: str = "") -> None:
    """Press an act of the open case, fill in the words, confirm, and wait for the notice."""
    page.locator(f".case-acts [data-act={act}]").click(timeout=PATIENCE_MS)
    dialog = page.locator("dialog")
    if words:
        dialog.locator("textarea").fill(words)
    dialog.locator("button[type=submit]").click()
    expect(dialog).to_have_count(0, timeout=PATIENCE_MS)


def test_the_whole_loop(demo: Town, browser: Browser) -> None:
    """Report, register, dispatch, accept, done, failed, done, passed; each desk sees what the others did by itself."""
    with ExitStack() as desks:
        officer, leader, handler = (desks.enter_context(local_page(browser, viewport=DESK)) for _ in range(3))
        sit_down(officer, demo, "officer")
        expect(officer.get_by_text("当前无在办案件").first).to_be_visible(timeout=PATIENCE_MS)
        officer.get_by_role("button", name="上报案件").click()
        form = officer.locator("dialog")
        form.get_by_label("小类").select_option("manhole")
        form.get_by_label("街道").select_option("s05")
        form.get_by_label("情况描述").fill("井盖 <b>缺失</b>")
        form.locator("button[type=submit]").click()
        expect(officer.locator(".case-head h2")).to_contain_text("井盖", timeout=PATIENCE_MS)
        expect(officer.locator(".case-description")).to_have_text("井盖 <b>缺失</b>")
        press(officer, "register")
        expect(officer.locator(".case-head .due-green")).to_contain_text("正常", timeout=PATIENCE_MS)
        name = demo.get("/api/v1/cases")["items"][0]["id"]
        expect(officer.locator("[data-street=s05]")).to_have_attribute("data-heat", "green", timeout=PATIENCE_MS)
        expect(officer.locator(".case-acts [data-act=dispatch]")).to_have_count(0)

        shown = officer.locator(".case-rows .due-time")
        before = shown.inner_text()
        wait_until(lambda: shown.inner_text() < before, PATIENCE_MS / 1000, 0.2)
        assert re.fullmatch(r"03:5\d:\d\d|04:00:00", before)

        for page, user in ((leader, "leader"), (handler, "officer2")):
            sit_down(page, demo, user)
            page.locator(".case-row[data-case]").click(timeout=PATIENCE_MS)
        press(leader, "dispatch")
        press(handler, "accept")
        press(handler, "done", "已补装")
        expect(handler.locator(".case-acts [data-act=verify]")).to_have_count(0)
        press(leader, "rework", "仍有缝隙")
        expect(handler.locator(".case-rows")).to_contain_text("返工 1 次", timeout=PATIENCE_MS)
        press(handler, "done")
        press(leader, "verify")
        expect(officer.locator(".case-head .due")).to_contain_text("按期结案", timeout=PATIENCE_MS)
        expect(officer.locator(".case-history")).to_contain_text("核查通过", timeout=PATIENCE_MS)
        expect(officer.locator(".case-rows li")).to_have_count(0, timeout=PATIENCE_MS)
        assert demo.get(f"/api/v1/cases/{name}")["state"] == "CLOSED"


def test_log_in_on_the_way(demo: Town, page: Page) -> None:
    """Who is not logged in is asked when they want to act, and told what the account may not do."""
    page.set_viewport_size(DESK)
    sit_down(page, demo, None)
    page.get_by_role("button", name="待我办理").click()
    dialog = page.locator("dialog")
    dialog.locator("input").first.fill("viewer")
    dialog.locator("input[type=password]").fill(PASSWORD)
    dialog.locator("button[type=submit]").click()
    expect(page.get_by_text("没有符合条件的案件")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="上报案件").click()
    form = page.locator("dialog")
    form.get_by_label("小类").select_option("other")
    form.get_by_label("街道").select_option("s01")
    form.get_by_label("情况描述").fill("x")
    form.locator("button[type=submit]").click()
    expect(form.locator(".problem")).to_have_text("该账号没有此项权限", timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def case(demo: Town) -> str:
    """Give a registered case with long words."""
    with demo.client("officer") as officer:
        body = {"sub_class": "street_trading", "street": "s03", "description": "x" * 300, "place": "y" * 120}
        found = officer.post("/api/v1/cases", json={**body, "severe": True, "idempotency_key": "phone-1"}).json()
        officer.post(f"/api/v1/cases/{found['id']}/register", json={"idempotency_key": "phone-2"})
    return str(found["id"])


@pytest.mark.parametrize("language", ["zh", "en"])
def test_phone(demo: Town, case: str, browser: Browser, language: str) -> None:
    """On a phone nothing is wider than the screen: neither the cards, nor a case with long words, nor the form."""
    with local_page(browser, viewport=PHONE) as phone:
        sit_down(phone, demo, "leader", language, f"&case={case}")
        expect(phone.locator(".case-description")).to_be_visible(timeout=PATIENCE_MS)
        width = "document.documentElement.scrollWidth"
        assert phone.evaluate(width) <= PHONE["width"]
        assert phone.locator(".case-detail").evaluate("e => e.scrollWidth <= e.clientWidth")
        phone.locator(".case-close").click()
        expect(phone.locator(".case-detail")).to_be_hidden()
        expect(phone.locator(".case-row[data-case]").first).to_be_visible()
        assert phone.evaluate(width) <= PHONE["width"]
        phone.locator(".case-filters .primary").click()
        assert phone.locator("dialog").evaluate("e => e.scrollWidth <= e.clientWidth")
        assert phone.locator("html").get_attribute("lang") == ("zh-CN" if language == "zh" else "en")


def test_filters(demo: Town, case: str, page: Page) -> None:
    """A street of the map, a colour and a step narrow the list; what finds nothing says so and leads back."""
    page.set_viewport_size(DESK)
    sit_down(page, demo, None)
    rows = page.locator(".case-row[data-case]")
    expect(rows).to_have_count(1, timeout=PATIENCE_MS)
    page.locator("[data-street=s03]").click()
    expect(rows).to_have_count(1)
    page.locator("[data-street=s04]").click()
    expect(rows).to_have_count(0, timeout=PATIENCE_MS)
    page.locator(".case-foot button").click()
    expect(rows).to_have_count(1, timeout=PATIENCE_MS)
    page.locator(".chip-red").click()
    expect(rows).to_have_count(0, timeout=PATIENCE_MS)
    page.locator(".chip-red").click()
    page.locator(".chip-REGISTERED").click()
    expect(rows).to_have_count(1, timeout=PATIENCE_MS)
    rows.first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".case-head")).to_be_visible(timeout=PATIENCE_MS)
    page.keyboard.press("Escape")
    expect(page.locator(".case-detail")).to_be_hidden()
    expect(rows.first).to_be_focused()


def test_unknown_case(demo: Town, page: Page) -> None:
    """A link to a case that is none does not leave the page loading for ever."""
    sit_down(page, demo, None, case="&case=C20200101-00001")
    expect(page.locator(".case-detail")).to_contain_text("没有编号", timeout=PATIENCE_MS)
