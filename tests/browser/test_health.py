"""The health page in a real browser: the ledger balances, a difference is told, silence and quarantine are shown."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from cockpit.trouble_words import parted
from tests.browser.axe import serious_findings
from tests.cockpit.town import PASSWORD, Town
from tests.servers.chromium import local_page
from tests.sites import small_site_text

pytestmark = pytest.mark.timeout(300)
DESK, PHONE = {"width": 1920, "height": 1080}, {"width": 390, "height": 844}
PATIENCE_MS = 60_000
BAD = "city/v1/demo/gas_alarm/gas-2/telemetry"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a town that has said something of every sort: readings, a repeat, and what nobody can read."""
    with Town(tmp_path_factory.mktemp("health"), small_site_text(head="simulated = true")) as running:
        for _ in range(8):
            running.say("gas_alarm", "gas-2", {"conc_pct_lel": 2.0, "state": 0})
        for _ in range(2):
            running.say("refuse_truck", "truck-1", {"load_kg": 900.0}, id="once")
        for _ in range(3):
            running.send(BAD, b"{not json")
        running.until("/api/v1/ledger", lambda found: found["messages"]["journaled"] >= 13)
        yield running


@pytest.fixture
def desk(browser: Browser, town: Town) -> Iterator[Page]:
    """Give the page of an engineer who is logged in."""
    with local_page(browser, viewport=DESK) as page:
        log_in(page, town, "engineer")
        page.goto(f"{town.address}/health?lang=en")
        expect(page.locator(".flow")).to_be_visible(timeout=PATIENCE_MS)
        yield page


def log_in(page: Page, town: Town, user: str) -> None:
    answer = page.request.post(f"{town.address}/api/v1/login", data={"user": user, "password": PASSWORD})
    assert answer.status == 204


def test_the_ledger_balances(town: Town, desk: Page) -> None:
    """The figures are those of the API, and each of the three equations holds."""
    settled = town.until("/api/v1/ledger", lambda found: found["readings"]["waiting"] == 0)
    expect(desk.locator(".equation.is-even")).to_have_count(3, timeout=PATIENCE_MS)
    messages, readings = settled["messages"], settled["readings"]
    assert (messages["quarantined"], messages["duplicate"]) == (3, 1)
    equations = desk.locator(".equation")
    expect(equations.nth(1)).to_contain_text(f"Journaled{messages['journaled']}", timeout=PATIENCE_MS)
    expect(equations.nth(1)).to_contain_text("Quarantined3")
    expect(equations.nth(1)).to_contain_text("Duplicate1")
    expect(equations.nth(2)).to_contain_text(f"Stored{readings['stored']}", timeout=PATIENCE_MS)
    expect(desk.locator(".flow")).to_have_attribute("aria-label", re.compile("Quarantined 3"))
    expect(desk.locator(".headline-words")).to_contain_text("Nothing lost")
    expect(desk.locator(".part-states .is-well")).to_have_count(6, timeout=PATIENCE_MS)
    expect(desk.locator(".nav [aria-current=page]")).to_have_text("Health")


def test_each_kind_balances(town: Town, desk: Page) -> None:
    """A row for each kind that spoke, with its own verdict."""
    row = desk.locator(".health-kinds tbody tr", has_text="Gas alarm")
    expect(row).to_contain_text("balances", timeout=PATIENCE_MS)
    expect(row.locator("td").nth(2)).to_have_text("3")
    expect(desk.locator(".health-kinds tbody tr", has_text="Refuse truck").locator("td").nth(3)).to_have_text("1")


def test_a_difference_is_told(browser: Browser, town: Town) -> None:
    """What stays missing is told in the headline and marked in the equation; it is not called on its way for ever."""

    def without_two(route: Route) -> None:
        ledger = json.loads(route.fetch(max_retries=3).text())
        ledger["messages"]["decoded"] -= 2
        route.fulfill(json=ledger)

    with local_page(browser, viewport=DESK) as page:
        page.route("**/api/v1/ledger", without_two)
        page.goto(f"{town.address}/health?lang=en")
        expect(page.locator(".equation").nth(1)).to_contain_text("On the way2", timeout=PATIENCE_MS)
        expect(page.locator(".equation.is-off")).to_contain_text("differs by 2", timeout=PATIENCE_MS)
        expect(page.locator(".headline-words.P1")).to_have_text("Not accounted for: 2", timeout=PATIENCE_MS)


def test_trouble_is_told_in_the_readers_language(browser: Browser, town: Town) -> None:
    """Of every part, and of a collector whose store does not take anything."""
    store = parted("InfluxDB at http://10.0.0.8:8086 refuses the token (401); check CITYDECK_INFLUX_TOKEN")

    def refused(route: Route) -> None:
        ledger = json.loads(route.fetch(max_retries=3).text())
        ledger["shards"]["main"]["problem"] = store
        route.fulfill(json=ledger)

    def ill(route: Route) -> None:
        found = json.loads(route.fetch(max_retries=3).text())
        route.fulfill(json={**found, "parts": dict.fromkeys(found["parts"], "the sentence of a log")})

    with local_page(browser, viewport=DESK) as page:
        page.route("**/api/v1/ledger", refused)
        page.route("**/healthz", ill)
        page.goto(f"{town.address}/health?lang=zh")
        parts = page.locator(".part-states .is-ill")
        expect(parts).to_have_count(6, timeout=PATIENCE_MS)
        expect(parts.first).to_contain_text("未连接，正在重试")
        assert not re.search("[a-z]{3}", " ".join(parts.all_inner_texts()))
        expect(page.locator(".shard .trouble")).to_contain_text("拒绝了令牌", timeout=PATIENCE_MS)
        expect(page.locator(".shard .trouble")).not_to_contain_text("refuses")


def test_never_heard_devices_fold_below_their_parent(town: Town, desk: Page) -> None:
    """The dock stands for the drone in it."""
    dock = desk.locator(".health-aside li", has_text="dock-1")
    expect(dock).to_contain_text("+1", timeout=PATIENCE_MS)
    expect(desk.locator(".health-aside a", has_text="drone-1")).to_have_count(0)


def test_an_engineer_sees_samples_and_retries(town: Town, desk: Page) -> None:
    """Samples show the bytes as they came; a retry asks once, and what became of it is told."""
    row = desk.locator(".quarantine-table tbody tr", has_text="gas-2")
    expect(row.locator(".count")).to_have_text("3", timeout=PATIENCE_MS)
    row.get_by_role("button", name="Samples").click()
    expect(desk.locator("dialog pre").first).to_have_text("{not json", timeout=PATIENCE_MS)
    assert serious_findings(desk) == []
    desk.locator("dialog").get_by_role("button", name="Close").click()
    row.get_by_role("button", name="Retry").click()
    desk.get_by_role("button", name="Cancel").click()
    row.get_by_role("button", name="Retry").click()
    desk.get_by_role("button", name="Try 3 again").click()
    expect(desk.locator(".toast.is-problem")).to_contain_text(
        "0 of 3 landed; the rest stays: Not JSON", timeout=PATIENCE_MS
    )
    assert town.get("/api/v1/ledger")["messages"]["quarantined"] == 3


def test_an_officer_may_not_retry(browser: Browser, town: Town) -> None:
    """Asked to log in as an engineer, an officer who logs in as an officer is told why not."""
    with local_page(browser, viewport=DESK) as page:
        page.goto(f"{town.address}/health?lang=en")
        row = page.locator(".quarantine-table tbody tr", has_text="gas-2")
        row.get_by_role("button", name="Retry").click(timeout=PATIENCE_MS)
        page.fill("dialog [name=user]", "officer")
        page.fill("dialog [name=password]", PASSWORD)
        page.locator("dialog [type=submit]").click()
        expect(page.locator(".toast.is-problem")).to_contain_text("Only an engineer", timeout=PATIENCE_MS)
        expect(page.locator("dialog")).to_have_count(0)


def test_a_part_that_fails_costs_only_itself(browser: Browser, town: Town) -> None:
    """An area whose figures cannot be had says so; the others go on."""
    with local_page(browser, viewport=DESK) as page:
        page.route("**/api/v1/quarantine", lambda route: route.fulfill(status=404, json={"status": 404}))
        page.route(
            "**/api/v1/silence?state=silent*", lambda route: route.fulfill(status=503, json={"detail": "Away for now."})
        )
        page.goto(f"{town.address}/health?lang=en")
        expect(page.locator(".equation.is-even")).to_have_count(3, timeout=PATIENCE_MS)
        expect(page.locator(".health-quarantine")).to_contain_text("does not offer this figure", timeout=PATIENCE_MS)
        expect(page.locator(".health-silent")).to_contain_text("Away for now.", timeout=PATIENCE_MS)


def test_an_old_figure_says_so(browser: Browser, town: Town) -> None:
    """When the ledger can no longer be read, the last one stays and says as of when."""
    with local_page(browser, viewport=DESK) as page:
        page.goto(f"{town.address}/health?lang=en")
        expect(page.locator(".equation.is-even")).to_have_count(3, timeout=PATIENCE_MS)
        page.route("**/api/v1/ledger", lambda route: route.fulfill(status=503, json={"detail": "Away for now."}))
        expect(page.locator(".health-flow .health-old")).to_contain_text("As it stood at", timeout=PATIENCE_MS)
        expect(page.locator(".flow")).to_be_visible()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_sizes_languages_and_accessibility(browser: Browser, town: Town, language: str, size: dict[str, int]) -> None:
    """Nothing is wider than the screen, the words are those of the language, and axe finds nothing serious."""
    with local_page(browser, viewport=size) as page:
        page.goto(f"{town.address}/health?lang={language}")
        expect(page.locator(".live-badge")).to_contain_text("实时" if language == "zh" else "Live", timeout=PATIENCE_MS)
        expect(page.locator(".equation.is-even")).to_have_count(3, timeout=PATIENCE_MS)
        expect(page.locator(".quarantine-table")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_text("模拟数据" if language == "zh" else "Simulated data")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert serious_findings(page) == []


def test_the_page_of_a_device_tells_what_happened_to_it(town: Town, desk: Page) -> None:
    """Its last will, its return and the numbers it skipped stand there in words, the newest first."""
    town.say("gateway", "gw-1", {"uptime_s": 1}, seq=1)
    town.send("city/v1/demo/gateway/gw-1/status", b"offline")
    town.until("/api/v1/devices/gw-1/health", lambda found: found["items"])
    town.say("gateway", "gw-1", {"uptime_s": 2}, seq=6)
    town.until("/api/v1/devices/gw-1/health", lambda found: len(found["items"]) >= 3)
    desk.goto(f"{town.address}/device/gw-1?lang=en")
    lines = desk.locator(".health-story li")
    expect(lines).to_have_count(3, timeout=PATIENCE_MS)
    expect(lines.last).to_contain_text("gone: its last will has come")
    expect(desk.locator(".health-story")).to_contain_text("heard again")
    expect(desk.locator(".health-story")).to_contain_text("4 missing")
    assert serious_findings(desk) == []
    desk.goto(f"{town.address}/device/gas-1?lang=zh")
    expect(desk.locator(".device-health")).to_contain_text("近 7 天没有断线", timeout=PATIENCE_MS)
