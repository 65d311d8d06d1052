"""The language in a real browser: its switch keeps the whole address, and refusals speak the reader's language."""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from cockpit.problem_words import problem_text, trouble_text
from cockpit.problems import Problem
from cockpit.texts import LANGUAGES, texts
from cockpit.trouble_words import parted
from tests.cockpit.town import PASSWORD, Town
from tests.servers.chromium import local_page
from tests.sites import small_site_text

pytestmark = pytest.mark.timeout(300)
DESK = {"width": 1920, "height": 1080}
PATIENCE_MS = 60_000
WORDS = "import('/static/problem_words.mjs').then((words) => words.problemText(403, {told}))"
# A viewer reports a case, by the module that all pages ask with.
REFUSED = """
    import('/static/api.mjs')
        .then((api) => api.post('cases', {sub_class: 'other', street: 's01', description: 'x', idempotency_key: 'x1'}))
        .catch((error) => error.message)
"""

# How wide an opening quote is, in the size of its type.
QUOTE_EM = """async () => {
  const words = document.createElement("span");
  words.style.cssText = "position: absolute; font-size: 100px; line-height: 1";
  words.textContent = "\u201c";
  document.body.append(words);
  await document.fonts.load("100px 'Noto Sans SC Variable'", words.textContent);
  await document.fonts.ready;
  return words.getBoundingClientRect().width / 100;
}"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a small town."""
    with Town(tmp_path_factory.mktemp("language"), small_site_text()) as running:
        yield running


def log_in(page: Page, town: Town, user: str) -> None:
    answer = page.request.post(f"{town.address}/api/v1/login", data={"user": user, "password": PASSWORD})
    assert answer.status == 204


def parameters(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_the_switch_keeps_the_whole_address(town: Town, browser: Browser) -> None:
    """What was chosen on the page goes along, and the window, by mouse and by keyboard."""
    body = {"sub_class": "other", "street": "s01", "description": "x", "idempotency_key": "language"}
    with town.client("officer") as officer:
        case = officer.post("/api/v1/cases", json=body).json()["id"]
    with local_page(browser, viewport=DESK) as page:
        log_in(page, town, "officer")
        page.goto(f"{town.address}/cases?lang=zh&case={case}#content")
        expect(page.locator(".case-detail")).to_contain_text(case, timeout=PATIENCE_MS)
        page.locator("a.language").click()
        expect(page.locator("html")).to_have_attribute("lang", "en", timeout=PATIENCE_MS)
        assert parameters(page) == {"lang": ["en"], "case": [case]} and page.url.endswith("#content")
        expect(page.locator(".case-detail")).to_contain_text(case, timeout=PATIENCE_MS)

        at = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        page.goto(f"{town.address}/duty?lang=en&at={at}&alarm=a1")
        expect(page.locator(".past-band strong")).to_be_visible(timeout=PATIENCE_MS)
        page.locator("a.language").focus()
        page.keyboard.press("Enter")
        expect(page.locator("html")).to_have_attribute("lang", "zh-CN", timeout=PATIENCE_MS)
        assert parameters(page) == {"lang": ["zh"], "at": [at], "alarm": ["a1"]}

        page.goto(f"{town.address}/kpi?lang=en&period=month&street=s02")
        expect(page.locator(".kpi-span")).to_contain_text("to", timeout=PATIENCE_MS)
        page.locator("a.language").click()
        page.wait_for_url(re.compile("lang=zh"))
        assert parameters(page) == {"lang": ["zh"], "period": ["month"], "street": ["s02"]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_refusals_speak_the_readers_language(town: Town, browser: Browser, language: str) -> None:
    """A refusal of the server, by its code; one without a code by its status; as the server's own pages say them."""
    with local_page(browser, viewport=DESK) as page:
        log_in(page, town, "viewer")
        page.goto(f"{town.address}/duty?lang={language}")
        expect(page.locator(".live-badge.is-live")).to_be_visible(timeout=PATIENCE_MS)
        for refused in (
            Problem(403, "x", code="role_missing", values={"roles": ["dispatcher", "officer"]}),
            Problem(403, "x", code="fault_amount_missing", values={"fault": "drift:gas-1", "needs": "drift"}),
            Problem(403, "x", code="run_unstartable", values={"why": "disk_full"}),
        ):
            told = json.dumps({"code": refused.code, "values": refused.values})
            assert page.evaluate(WORDS.replace("{told}", told)) == problem_text(refused, texts(language))
        said = page.evaluate(REFUSED)
        assert said.startswith("需要以下角色之一：" if language == "zh" else "This takes one of the roles ")
        assert page.evaluate(WORDS.replace("{told}", "null")) == texts(language)("problem.status_403")
        page.goto(f"{town.address}/report?day=2199-01-01&lang={language}")
        day = Problem(422, "x", code="day_to_come", values={"day": "2199-01-01"})
        expect(page.locator("main p")).to_have_text(problem_text(day, texts(language)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_nobody_refused_speaks_it_too(town: Town, browser: Browser, language: str) -> None:
    """A server that cannot be reached, for which a browser has words of its own; and why an exercise failed."""
    say = texts(language)
    sentence = "scenario lost_drone, target lost: the site has no device 'drone-09'"
    failed = json.dumps({"running": False, "outcome": "failed", "sentence": sentence, "problem": parted(sentence)})
    with local_page(browser, viewport=DESK) as page:
        page.goto(f"{town.address}/duty?lang={language}")
        expect(page.locator(".live-badge.is-live")).to_be_visible(timeout=PATIENCE_MS)
        told = page.evaluate(f"import('/static/drill_words.mjs').then((words) => words.outcomeText({failed}))")
        assert told == say("drill.outcome_failed", detail=trouble_text(sentence, say))
        page.route("**/api/v1/cases**", lambda route: route.abort())
        for asked in ("api.get('cases')", "api.post('cases', {})"):
            lost = f"import('/static/api.mjs').then((api) => {asked}).catch((error) => error.message)"
            assert page.evaluate(lost) == say("login.unreachable")


@pytest.mark.parametrize(("language", "wide"), [("zh", True), ("en", False)])
def test_quotes_have_the_width_of_the_language(town: Town, browser: Browser, language: str, wide: bool) -> None:
    """One Chinese typeface for both: its quotes are as wide as a character in Chinese words alone."""
    with local_page(browser, viewport=DESK) as page:
        page.goto(f"{town.address}/rules?lang={language}")
        expect(page.locator(".live-badge.is-live")).to_be_visible(timeout=PATIENCE_MS)
        assert (page.evaluate(QUOTE_EM) > 0.9) is wide


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_happens_by_itself_is_told_in_words(town: Town, browser: Browser, language: str) -> None:
    """A case that opened by itself was decided by the system, and by nobody of that name."""
    with local_page(browser, viewport=DESK) as page:
        page.goto(f"{town.address}/duty?lang={language}")
        expect(page.locator(".live-badge.is-live")).to_be_visible(timeout=PATIENCE_MS)
        actors = "import('/static/contacts.mjs').then((words) => ['system', 'officer'].map(words.actor))"
        assert page.evaluate(actors) == [texts(language)("act.system"), "officer"]
