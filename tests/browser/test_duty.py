"""The duty desk in a real browser: every act by the keyboard, two persons, what is hidden, the change of shifts."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.axe import serious_findings
from tests.cockpit.acting import act, gas_over, lamp, leak, shelvable_s
from tests.cockpit.town import PASSWORD, Town
from tests.servers.chromium import local_page
from tests.sites import small_site_text

pytestmark = pytest.mark.timeout(300)
DESK: ViewportSize = {"width": 1920, "height": 1080}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a small town."""
    with Town(tmp_path_factory.mktemp("duty"), small_site_text()) as town:
        yield town


def sit_down(page: Page, demo: Town, user: str | None, language: str = "zh") -> None:
    """Log in and open the duty desk."""
    if user is not None:
        page.request.post(f"{demo.address}/api/v1/login", data={"user": user, "password": PASSWORD})
    page.goto(f"{demo.address}/duty?lang={language}")
    expect(page.locator(".live-badge")).to_contain_text("实时" if language == "zh" else "Live", timeout=PATIENCE_MS)
    expect(page.locator("[aria-keyshortcuts]")).to_be_visible(timeout=PATIENCE_MS)


def choose(page: Page, device: str) -> None:
    """Go down the list by the keyboard to the alarm of a device."""
    expect(page.locator(".duty-grid").get_by_text(device)).to_be_visible(timeout=PATIENCE_MS)
    for _ in range(20):
        page.keyboard.press("j")
        if device in page.locator(".evidence-facts").inner_text():
            return
    raise AssertionError(f"{device} was not reached by the keyboard")


def count(page: Page, view: str) -> str:
    """Return how many alarms stand in a view."""
    return page.locator(f"[data-view={view}] b").inner_text()


def test_every_act_by_the_keyboard(demo: Town, page: Page) -> None:
    """Acknowledge in one key; comment, shelve, unshelve and decide in two; what is hidden is counted all the time."""
    page.set_viewport_size(DESK)
    lamp(demo, "duty-1")
    sit_down(page, demo, "officer")
    choose(page, "duty-1")
    page.keyboard.press("a")
    expect(page.locator("#toasts")).to_contain_text("已确认", timeout=PATIENCE_MS)

    page.keyboard.press("c")
    expect(page.locator("dialog textarea")).to_be_focused(timeout=PATIENCE_MS)
    page.keyboard.type("已电话联系")
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_have_count(0, timeout=PATIENCE_MS)
    expect(page.locator(".evidence-history").first).to_contain_text("已电话联系", timeout=PATIENCE_MS)

    page.keyboard.press("s")
    expect(page.locator("dialog")).to_be_visible(timeout=PATIENCE_MS)
    assert not serious_findings(page)
    page.keyboard.press("1")
    expect(page.locator("[data-view=shelved] b")).to_have_text("1", timeout=PATIENCE_MS)
    assert count(page, "none") == "0"
    expect(page.locator(".duty-grid").get_by_text("duty-1")).to_have_count(0)
    page.locator("[data-view=shelved]").click()
    choose(page, "duty-1")
    expect(page.locator(".evidence-facts")).to_contain_text("现场施工", timeout=PATIENCE_MS)
    page.keyboard.press("s")
    page.locator("dialog button[type=submit]").click(timeout=PATIENCE_MS)
    expect(page.locator("[data-view=none] b")).to_have_text("1", timeout=PATIENCE_MS)

    page.locator("[data-view=none]").click()
    choose(page, "duty-1")
    page.keyboard.press("d")
    expect(page.locator("dialog")).to_be_visible(timeout=PATIENCE_MS)
    page.keyboard.press("1")
    expect(page.locator(".evidence-facts a[href*='cases?case=']")).to_be_visible(timeout=PATIENCE_MS)
    assert demo.alarm("duty-1")["decision"] == "case"
    # The act's message may be here before its answer, which closes the dialog; until then keys are the dialog's.
    expect(page.locator("dialog")).to_have_count(0, timeout=PATIENCE_MS)
    page.keyboard.press("r")
    expect(page.locator("#toasts")).to_contain_text("不能这样操作", timeout=PATIENCE_MS)


def test_a_false_alarm_takes_two(demo: Town, browser: Browser) -> None:
    """An urgent one waits for a second person, at whose desk the request stands; the asker cannot agree."""
    leak(demo, "duty-gas-1", 60)
    with ExitStack() as desks:
        officer, leader = (desks.enter_context(local_page(browser, viewport=DESK)) for _ in range(2))
        sit_down(officer, demo, "officer")
        sit_down(leader, demo, "leader")
        choose(officer, "duty-gas-1")
        officer.keyboard.press("d")
        expect(officer.locator("dialog")).to_be_visible(timeout=PATIENCE_MS)
        officer.keyboard.press("5")
        officer.locator("dialog button[type=submit]").click()
        expect(officer.locator("dialog .problem")).to_have_text("请说明原因", timeout=PATIENCE_MS)
        officer.locator("dialog textarea").fill("厨房油烟")
        officer.keyboard.press("Enter")
        expect(officer.locator("#toasts")).to_contain_text("等待第二人同意", timeout=PATIENCE_MS)
        own = officer.locator(".requests li", has_text="厨房油烟")
        expect(own).to_contain_text("须由他人同意", timeout=PATIENCE_MS)
        asked = leader.locator(".requests li", has_text="厨房油烟")
        expect(asked).to_contain_text("officer 申请判定误报", timeout=PATIENCE_MS)
        asked.get_by_role("button", name="同意", exact=True).click()
        leader.locator("dialog button[type=submit]").click(timeout=PATIENCE_MS)
        expect(asked).to_have_count(0, timeout=PATIENCE_MS)
        expect(own).to_have_count(0, timeout=PATIENCE_MS)
    assert demo.alarm("duty-gas-1")["verdict"] == "false_alarm"


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_address_names_an_alarm(demo: Town, browser: Browser, size: ViewportSize) -> None:
    """It is opened with its evidence, also where it is shelved or closed; where there is none, a sentence says so."""
    name = f"duty-named-{size['width']}"
    shelved, closed = lamp(demo, f"{name}-s"), leak(demo, f"{name}-c", 30)
    act(demo, "officer", f"/alarms/{shelved['id']}/shelve", reason="x", duration_s=shelvable_s(1800))
    act(demo, "officer", f"/alarms/{closed['id']}/ack", seen_level=closed["level_now"])
    gas_over(demo, f"{name}-c")
    assert act(demo, "officer", f"/alarms/{closed['id']}/reset", reason="x")["alarm"]["state"] == "CLOSED"
    with local_page(browser, viewport=size) as page:
        page.request.post(f"{demo.address}/api/v1/login", data={"user": "officer", "password": PASSWORD})

        def follow(alarm: str) -> None:
            page.goto("about:blank")
            page.goto(f"{demo.address}/duty?alarm={alarm}&lang=zh")

        facts = page.locator(".evidence-facts")
        follow(shelved["id"])
        expect(facts).to_contain_text(f"{name}-s", timeout=PATIENCE_MS)
        expect(page.locator("[data-view=shelved]")).to_have_attribute("aria-pressed", "true")
        expect(facts.locator("[data-act=unshelve]")).to_be_visible()

        follow(closed["id"])
        expect(facts.locator(".evidence-head")).to_contain_text("已消除", timeout=PATIENCE_MS)
        expect(facts).to_contain_text(f"{name}-c")
        expect(facts).to_contain_text("消除时间")
        expect(facts.locator("[data-act]")).to_have_count(0)
        # It stays while the list lives on.
        lamp(demo, f"{name}-n")
        expect(page.locator(".duty-list")).to_contain_text(f"{name}-n", timeout=PATIENCE_MS)
        expect(facts).to_contain_text(f"{name}-c")
        expect(page.locator(".evidence-history").first).to_contain_text("officer", timeout=PATIENCE_MS)
        assert serious_findings(page) == []
        if size is DESK:
            page.keyboard.press("a")
            expect(page.locator("#toasts")).to_contain_text("该告警已消除", timeout=PATIENCE_MS)
            page.keyboard.press("j")
            expect(facts).not_to_contain_text(f"{name}-c")
            assert "alarm=" not in page.url

        follow("nobody")
        expect(facts.get_by_role("alert")).to_have_text("没有编号为 nobody 的告警", timeout=PATIENCE_MS)
        expect(facts.get_by_role("alert")).to_be_visible()
        if size is PHONE:
            facts.get_by_role("button").click()
            expect(facts).to_be_hidden()


def test_no_priority_is_cut_off(demo: Town, page: Page) -> None:
    """On a screen of 1920 pixels the longest word of a priority has its room, and that of a state."""
    page.set_viewport_size(DESK)
    lamp(demo, "duty-wide")
    sit_down(page, demo, "officer", "en")
    cell = page.locator(".duty-grid .ag-cell[col-id=priority]").first
    expect(cell).to_be_visible(timeout=PATIENCE_MS)
    for column, words in (("priority", "device health"), ("state_text", "returned, unacked")):
        needed, there = page.evaluate(
            """([column, words]) => {
              const cell = document.querySelector(`.duty-grid .ag-cell[col-id=${column}]`);
              const inner = cell.querySelector(".priority, .state") ?? cell;
              [...inner.childNodes].findLast((node) => node.nodeType === 3).data = words;
              return [cell.scrollWidth, cell.clientWidth];
            }""",
            [column, words],
        )
        assert needed <= there, words


def test_who_may_only_look(demo: Town, page: Page) -> None:
    """A viewer is offered no act, and a key tells them so."""
    page.set_viewport_size(DESK)
    alarm = lamp(demo, "duty-2")
    sit_down(page, demo, "viewer")
    choose(page, "duty-2")
    expect(page.locator(".evidence-acts")).to_have_count(0)
    page.keyboard.press("d")
    expect(page.locator("#toasts")).to_contain_text("不能这样操作", timeout=PATIENCE_MS)
    expect(page.locator("dialog")).to_have_count(0)
    page.keyboard.press("a")
    expect(page.locator("#toasts")).to_contain_text("没有确认告警的权限", timeout=PATIENCE_MS)
    assert demo.alarm("duty-2")["acked"] is alarm["acked"] is False


def test_the_change_of_shifts(demo: Town, browser: Browser) -> None:
    """One writes what the next has to know, another takes it over; the figures stand beside it."""
    lamp(demo, "duty-3")
    with ExitStack() as desks:
        officer, leader = (desks.enter_context(local_page(browser, viewport=DESK)) for _ in range(2))
        sit_down(officer, demo, "officer")
        officer.keyboard.press("h")
        dialog = officer.locator("dialog")
        expect(dialog).to_contain_text("尚无交班记录", timeout=PATIENCE_MS)
        dialog.locator("button.primary").click()
        officer.locator("dialog textarea").fill("河坊街 3 号\n复查")
        officer.locator("dialog button[type=submit]").click()
        expect(officer.locator("#toasts")).to_contain_text("交班记录已保存", timeout=PATIENCE_MS)
        sit_down(leader, demo, "leader")
        leader.keyboard.press("h")
        note = leader.locator(".handover-notes li", has_text="河坊街 3 号")
        expect(note).to_be_visible(timeout=PATIENCE_MS)
        assert not serious_findings(leader)
        note.get_by_role("button", name="接班").click()
        leader.locator("dialog button[type=submit]").click(timeout=PATIENCE_MS)
        expect(leader.locator("#toasts")).to_contain_text("已接班", timeout=PATIENCE_MS)
    (kept,) = demo.get("/api/v1/handovers")["items"]
    assert (kept["written_by"], kept["accepted_by"]) == ("officer", "leader")


def test_before_the_first_news_no_count_is_told(demo: Town, page: Page) -> None:
    """What is not known yet is no zero."""
    page.route_web_socket(re.compile(r"/ws/live"), lambda _socket: None)
    page.goto(f"{demo.address}/duty?lang=zh")
    counts = page.locator(".duty-counts b, .duty-chips b, .duty-views b")
    expect(counts).to_have_text(["—"] * 11, timeout=PATIENCE_MS)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_changed_meanwhile(demo: Town, page: Page, language: str) -> None:
    """Who comes back is told what came since they last looked, until they have seen it."""
    page.set_viewport_size(DESK)
    sit_down(page, demo, None, language)
    page.evaluate("localStorage.setItem('citydeck_looked_at', String(Date.now() - 600000))")
    lamp(demo, f"duty-since-{language}")
    page.goto("about:blank")
    sit_down(page, demo, None, language)
    bar = page.locator(".duty-since")
    expect(bar).to_contain_text("离开期间" if language == "zh" else "While you were away", timeout=PATIENCE_MS)
    bar.get_by_role("button").click()
    expect(bar).to_be_hidden()
    assert not serious_findings(page)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_phone(demo: Town, browser: Browser, language: str) -> None:
    """On a phone the cards, the evidence with its map and the dialogs are no wider than the screen; an act works."""
    lamp(demo, "duty-4")
    with local_page(browser, viewport=PHONE) as phone:
        sit_down(phone, demo, "officer", language)
        phone.locator(".alarm-card", has_text="duty-4").click(timeout=PATIENCE_MS)
        expect(phone.locator(".evidence-place")).to_be_visible(timeout=PATIENCE_MS)
        assert phone.locator(".evidence").evaluate("e => e.scrollWidth <= e.clientWidth")
        assert not serious_findings(phone)
        phone.locator("[data-act=comment]").click()
        assert phone.locator("dialog").evaluate("e => e.scrollWidth <= e.clientWidth")
        phone.locator("dialog textarea").fill("phone")
        phone.locator("dialog button[type=submit]").click()
        expect(phone.locator(".evidence-history").first).to_contain_text("phone", timeout=PATIENCE_MS)
        assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
