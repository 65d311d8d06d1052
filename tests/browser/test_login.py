"""Logging in, being thrown out and walls with tokens in a real browser, and the policy of the pages' content."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from cockpit.accounts.picture import LONGEST_MS
from cockpit.accounts.tables import login_session
from cockpit.pages import shell
from ingest.alarms.database import AlarmDatabase
from ingest.places import Places
from tests.browser.axe import serious_findings
from tests.cockpit.town import PASSWORD, Town
from tests.servers.chromium import local_page
from tests.servers.waiting import wait_until
from tests.sites import small_site_text

pytestmark = pytest.mark.timeout(300)
WALL, PHONE = {"width": 1920, "height": 1080}, {"width": 390, "height": 844}
PATIENCE_MS = 60_000
# Runs before anything of the page does.
_WATCH = """
window.refusedByPolicy = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.refusedByPolicy.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a town that is not simulated: nothing is open."""
    with Town(tmp_path_factory.mktemp("real"), small_site_text(), simulated=False) as town:
        yield town


def type_in(page: Page, user: str, password: str) -> None:
    page.fill("dialog [name=user]", user)
    page.fill("dialog [name=password]", password)
    page.click("dialog button[type=submit]")


def test_failures_and_the_way_in(real: Town, page: Page) -> None:
    """A stranger meets the dialog; wrong passwords are told, then held up; a colleague gets to where they meant."""
    page.goto(f"{real.address}/duty?lang=en")
    expect(page.locator("dialog")).to_be_visible(timeout=PATIENCE_MS)
    assert "/login?next=" in page.url
    for _ in range(5):
        page.fill("dialog [name=password]", "")
        type_in(page, "engineer", "a guess")
        expect(page.locator("dialog .problem")).to_have_text("User or password is not right.", timeout=PATIENCE_MS)
    type_in(page, "engineer", "a guess")
    expect(page.locator("dialog .problem")).to_contain_text("Too many failed log-ins", timeout=PATIENCE_MS)
    type_in(page, "officer", PASSWORD)
    page.wait_for_url(f"{real.address}/duty?lang=en", timeout=PATIENCE_MS)
    expect(page.locator("header .name")).to_have_text("officer", timeout=PATIENCE_MS)
    expect(page.locator(".live-badge")).to_contain_text("Live", timeout=PATIENCE_MS)


@pytest.mark.parametrize(("language", "said"), [("zh", "登录失败次数过多"), ("en", "Too many failed log-ins")])
def test_a_refused_log_in_is_told_in_the_readers_language(real: Town, page: Page, language: str, said: str) -> None:
    page.goto(f"{real.address}/login?lang={language}")
    user = f"nobody-{language}"
    for _ in range(5):
        assert page.request.post(f"{real.address}/api/v1/login", data={"user": user, "password": "x"}).status == 401
    type_in(page, user, "a guess")
    expect(page.locator("dialog .problem")).to_contain_text(said, timeout=PATIENCE_MS)


def test_giving_up_and_coming_back(real: Town, page: Page) -> None:
    """Whoever closes the dialog finds a button that opens it again; another site as the target is not gone to."""
    page.goto(f"{real.address}/login?next=https://elsewhere.example/")
    expect(page.locator("dialog")).to_be_visible(timeout=PATIENCE_MS)
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    page.click("#log-in")
    type_in(page, "viewer", PASSWORD)
    page.wait_for_url(f"{real.address}/", timeout=PATIENCE_MS)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_is_accessible_and_fits_a_phone(real: Town, browser: Browser, language: str) -> None:
    with local_page(browser, viewport=PHONE) as phone:
        phone.goto(f"{real.address}/login?lang={language}")
        expect(phone.locator("dialog")).to_be_visible(timeout=PATIENCE_MS)
        assert serious_findings(phone) == []
        phone.keyboard.press("Escape")
        assert serious_findings(phone) == []
        assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert phone.locator("html").get_attribute("lang") == ("zh-CN" if language == "zh" else "en")
        phone.click(".language")
        other = "en" if language == "zh" else "zh-CN"
        expect(phone.locator("html")).to_have_attribute("lang", other, timeout=PATIENCE_MS)


def test_log_out(real: Town, page: Page) -> None:
    """It leads to the page to log in; the way back shows nothing."""
    page.request.post(f"{real.address}/api/v1/login", data={"user": "officer", "password": PASSWORD})
    page.goto(f"{real.address}/?lang=en")
    page.get_by_role("button", name="Log out").click(timeout=PATIENCE_MS)
    page.wait_for_url("**/login*", timeout=PATIENCE_MS)
    assert page.request.get(f"{real.address}/api/v1/summary").status == 401
    page.goto(f"{real.address}/cases")
    assert "/login?next=" in page.url


def test_expiry_under_an_open_page(real: Town, page: Page) -> None:
    """The session ends while somebody looks: the dialog comes over the page, and afterwards the page goes on."""
    real.citydeck("user", "add", "dawn", "--role", "officer")
    page.request.post(f"{real.address}/api/v1/login", data={"user": "dawn", "password": PASSWORD})
    page.goto(f"{real.address}/cases?lang=en")
    expect(page.locator(".live-badge")).to_contain_text("Live", timeout=PATIENCE_MS)
    database = AlarmDatabase(f"sqlite:///{Places(real.folder / 'var').alarms}")
    with database.write() as connection:
        old = login_session.update().where(login_session.c.account == "dawn")
        connection.execute(old.values(begun_at=login_session.c.begun_at - LONGEST_MS))
    database.close()
    expect(page.locator("dialog")).to_contain_text("Your log-in has ended", timeout=PATIENCE_MS)
    page.evaluate("window.untouched = true")
    type_in(page, "dawn", PASSWORD)
    expect(page.locator("dialog")).to_have_count(0, timeout=PATIENCE_MS)
    expect(page.locator("header .name")).to_have_text("dawn", timeout=PATIENCE_MS)
    expect(page.locator(".live-badge")).to_contain_text("Live", timeout=PATIENCE_MS)
    assert page.evaluate("window.untouched") is True


def test_a_wall_with_a_token(real: Town, browser: Browser) -> None:
    """The token leaves the address bar, the wall lives, survives a reload, and goes dark when it is revoked."""
    token = real.citydeck("screen", "add", "hall").strip()
    with local_page(browser, viewport=WALL) as wall:
        wall.goto(f"{real.address}/wall?token={token}&lang=en")
        assert wall.url == f"{real.address}/wall?lang=en"
        expect(wall.locator(".live-badge")).to_contain_text("Live", timeout=PATIENCE_MS)
        wall.reload()
        expect(wall.locator(".live-badge")).to_contain_text("Live", timeout=PATIENCE_MS)
        assert token not in wall.evaluate("document.cookie + document.documentElement.outerHTML + location.href")
        answer = wall.evaluate("fetch('/api/v1/cases', {method: 'POST', body: '{}'}).then((answer) => answer.status)")
        assert answer == 403
        real.citydeck("screen", "revoke", "hall")
        wall.wait_for_url("**/login?next=%2Fwall", timeout=PATIENCE_MS)
        wall.goto(f"{real.address}/wall?token={token}&lang=en")
        expect(wall.locator("main")).to_contain_text("was revoked", timeout=PATIENCE_MS)


# Every page of the navigation, and what tells that those with a library of their own are drawn.
PAGES = {
    **{f"/{path}": "main h1" for _, path in shell.PAGES},
    "/": ".map canvas",
    "/wall": ".map canvas",
    "/duty": ".ag-root",
    "/device/gas-0042": "#device-graph .js-plotly-plot",
    "/nowhere": ".page-missing",
    "/login": "dialog",
    "/docs": ".swagger-ui .opblock",
}


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give the demo city with an alarm."""
    with Town(tmp_path_factory.mktemp("lively"), 'base = "demo"\n[simulation]\nrun = false\n') as town:
        town.say("gas_alarm", "gas-0042", {"conc_pct_lel": 60, "state": 2})
        town.say("bridge_wim", "wim-1", {"pass_id": "p1", "axle_count": 2, "gvw_kg": 29_000}, channel="event", id="p1")
        town.alarm("gas-0042")
        yield town


@pytest.mark.parametrize("path", PAGES)
def test_no_page_needs_more_than_the_policy_allows(lively: Town, page: Page, path: str) -> None:
    """Nothing of a page is refused by its policy, and nothing is wrong in its console."""
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.add_init_script(_WATCH)
    page.set_viewport_size(WALL)
    page.request.post(f"{lively.address}/api/v1/login", data={"user": "engineer", "password": PASSWORD})
    page.goto(f"{lively.address}{path}")
    expect(page.locator(PAGES[path]).first).to_be_visible(timeout=PATIENCE_MS)
    if path not in ("/login", "/docs"):
        expect(page.locator(".live-badge")).to_contain_text("实时", timeout=PATIENCE_MS)
        # Everything of the page has been drawn once and drawn anew by the next tick.
        for _ in range(3):
            shown = page.locator(".clock").inner_text()
            expect(page.locator(".clock")).not_to_have_text(shown, timeout=PATIENCE_MS)
    assert page.evaluate("window.refusedByPolicy") == []
    assert faults == []


def test_the_policy_is_in_force(lively: Town, page: Page) -> None:
    """A script that somebody gets into a page does not run, nor a text that is made into one; and that is noticed."""
    page.add_init_script(_WATCH)
    page.goto(f"{lively.address}/login")
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.injected = true";
          document.body.append(script);
        }"""
    )
    wait_until(lambda: page.evaluate("window.refusedByPolicy.length") == 1, 10)
    assert page.evaluate("window.injected") is None
