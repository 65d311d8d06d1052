"""A rule changed by two people in a real browser: drafted from the rules in force, tested, approved; and on a phone."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import serious_findings
from tests.cockpit.town import PASSWORD, Town
from tests.servers.chromium import local_page

pytestmark = pytest.mark.timeout(900)
DESK, PHONE = {"width": 1920, "height": 1080}, {"width": 390, "height": 844}
PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a town whose rules nobody else needs."""
    with Town(tmp_path_factory.mktemp("rules")) as town:
        yield town


def sit_down(page: Page, town: Town, user: str, language: str = "zh") -> None:
    """Log in and open the page of rules."""
    page.request.post(f"{town.address}/api/v1/login", data={"user": user, "password": PASSWORD})
    page.goto(f"{town.address}/rules?lang={language}")
    # On a phone the kinds are folded.
    expect(page.locator(".rules-table tbody tr, .rules-kind summary").filter(visible=True).first).to_be_visible(
        timeout=PATIENCE_MS
    )


def test_from_the_table_into_force(ruled: Town, browser: Browser) -> None:
    """The engineer drafts and tests, is refused approval; the leader approves; both see it in force."""
    ruled.say("gas_alarm", "gas-1", {"conc_pct_lel": 12, "state": 0}, id="r1")
    ruled.until("/api/v1/devices/gas-1", lambda device: device["latest"].get("conc_pct_lel"))
    with ExitStack() as desks:
        engineer, leader = (desks.enter_context(local_page(browser, viewport=DESK)) for _ in range(2))
        sit_down(engineer, ruled, "engineer")
        row = engineer.locator("tr", has=engineer.get_by_text("gas_alarm.conc_pct_lel.high", exact=True))
        expect(row).to_contain_text("25")
        row.get_by_role("button").click()
        form = engineer.locator("dialog")
        form.get_by_label("1 级限值").fill("60")
        form.get_by_label("依据").fill("GB/T 50493 <b>")
        form.get_by_label("理由").fill("夜间从严")
        form.locator("button[type=submit]").click()
        # What is wrong with it is told in the reader's language, each fault behind its place.
        wrong = form.locator(".problem")
        expect(wrong).to_contain_text("草案有误", timeout=PATIENCE_MS)
        expect(wrong).to_contain_text("limits.gas_alarm.conc_pct_lel.high：第 2 级：50 须比前一级更严重")
        expect(wrong).not_to_contain_text("must be")
        form.get_by_label("1 级限值").fill("10")
        form.locator("button[type=submit]").click()
        expect(engineer.locator(".rules-head h2")).to_have_text("修订 #1", timeout=PATIENCE_MS)
        expect(engineer.locator(".rules-facts")).to_contain_text("GB/T 50493 <b>")
        expect(engineer.locator(".rules-changes")).to_have_text("gas_alarm.conc_pct_lel.high 限值 10, 50")
        engineer.locator("[data-act=test_1]").click()
        expect(engineer.locator(".rules-items.is-appear > ul > li")).to_contain_text("gas-1", timeout=PATIENCE_MS)
        expect(engineer.locator(".rules-head .rules-state")).to_have_text("已回测")
        expect(engineer.locator("[data-act=test_720]")).to_be_hidden()
        engineer.get_by_label("历史库").check()
        expect(engineer.locator(".rules-source p")).to_contain_text("按列读取历史读数")
        expect(engineer.locator("[data-act=test_720]")).to_be_visible()
        engineer.locator("[data-act=test_24]").click()
        expect(engineer.locator(".rules-detail")).to_contain_text("对比 · 历史库", timeout=PATIENCE_MS)
        expect(engineer.locator(".rules-items.is-appear > ul > li")).to_contain_text("gas-1")
        engineer.locator("[data-act=approve]").click()
        engineer.locator("dialog button[type=submit]").click()
        expect(engineer.locator("dialog .problem")).to_contain_text("草案作者不能自己批准", timeout=PATIENCE_MS)

        sit_down(leader, ruled, "leader")
        leader.locator("[data-act=approve]").click(timeout=PATIENCE_MS)
        leader.locator("dialog button[type=submit]").click()
        expect(leader.locator(".rules-head .rules-state")).to_have_text("现行", timeout=PATIENCE_MS)
        expect(leader.locator(".rules-facts")).to_contain_text("main @", timeout=PATIENCE_MS)
        expect(leader.locator("tr.is-revised")).to_contain_text("≥ 10")
        assert serious_findings(leader) == []


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "zh",
            [
                "gas_alarm.conc_pct_lel.high 限值 12, 40 · 告警等级 P2, P1 · 回差 3 · 离开延时（秒） 90",
                "街道 s01 · light_pole.supply_v.low 时段 22:00-06:00 · 星期 周一-周五 · 节假日除外",
            ],
        ),
        (
            "en",
            [
                "gas_alarm.conc_pct_lel.high Levels 12, 40 · Priority P2, P1 · Deadband 3 · Delay off (s) 90",
                "street s01 · light_pole.supply_v.low Hours 22:00-06:00 · Days Mon-Fri · not on holidays",
            ],
        ),
    ],
)
def test_what_a_draft_changes_is_said_in_the_readers_language(
    ruled: Town, browser: Browser, language: str, lines: list[str]
) -> None:
    """Rules keep their own names; each setting is called as in the table of rules."""
    high = {"levels": [12, 40], "priorities": ["P2", "P1"], "deadband": 3, "off_s": 90}
    low = {"kind": "light_pole", "field": "supply_v", "limit": "low", "hours": "22:00-06:00", "days": "mon-fri"}
    body = {
        "idempotency_key": f"words-{language}",
        "reason": "x",
        "source": "x",
        "limits": {"gas_alarm": {"conc_pct_lel": {"high": high}}},
        "limits_for": [{"street": "s01", **low, "holidays": False}],
    }
    with ruled.client("engineer") as engineer:
        answer = engineer.post("/api/v1/rules/revisions", json=body)
    assert answer.status_code == 201, answer.text
    with local_page(browser, viewport=DESK) as page:
        page.request.post(f"{ruled.address}/api/v1/login", data={"user": "engineer", "password": PASSWORD})
        page.goto(f"{ruled.address}/rules?lang={language}&revision={answer.json()['number']}")
        expect(page.locator(".rules-changes li")).to_have_text(lines, timeout=PATIENCE_MS)


def test_on_a_phone(ruled: Town, browser: Browser) -> None:
    """One column that is not wider than the screen, in English too."""
    with local_page(browser, viewport=PHONE) as page:
        sit_down(page, ruled, "officer", "en")
        page.locator(".rules-kind summary").first.click()
        expect(page.locator(".rules-table tbody tr").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert serious_findings(page) == []
