"""Lighting control of a whole city on a phone: street, circuit, lamp are three taps; or its number."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import serious_findings
from tests.cockpit.town import PASSWORD, Town
from tests.servers.chromium import local_page

pytestmark = pytest.mark.timeout(300)
PHONE = {"width": 390, "height": 844}
PATIENCE_MS = 60_000
# Three screens of a phone: a thumb is through them in a moment.
LONGEST = 3 * PHONE["height"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give the demo city without its simulated devices: 144 circuits."""
    with Town(tmp_path_factory.mktemp("lamps"), 'base = "demo"\n[simulation]\nrun = false\n') as town:
        yield town


@pytest.fixture
def phone(demo: Town, browser: Browser) -> Iterator[Page]:
    """Give the page on an officer's phone."""
    with local_page(browser, viewport=PHONE) as page:
        page.request.post(f"{demo.address}/api/v1/login", data={"user": "officer", "password": PASSWORD})
        page.goto(f"{demo.address}/lamps?lang=en")
        expect(page.locator("[data-group]")).to_have_count(18, timeout=PATIENCE_MS)
        yield page


def test_three_taps_find_a_lamp(phone: Page) -> None:
    assert phone.locator(".lamps-circuit").count() == 0
    assert phone.evaluate("document.documentElement.scrollHeight") <= LONGEST
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    street = phone.locator("[data-group=s03]")
    expect(street).to_contain_text(re.compile(r"Circuits: \d+ · 0 of \d+ lamps lit"))
    street.locator("button").click()
    circuit = phone.locator(".lamps-circuit").first
    circuit.locator("[data-act=open]").click()
    lamp = circuit.locator("tbody a").first
    expect(lamp).to_be_visible(timeout=PATIENCE_MS)
    assert serious_findings(phone) == []
    name = lamp.text_content()
    lamp.click()
    expect(phone).to_have_url(re.compile(f"/device/{name}"), timeout=PATIENCE_MS)
    street_again = phone.go_back()
    assert street_again is not None


def test_a_number_finds_lamp_and_circuit(phone: Page) -> None:
    phone.get_by_label("Circuit or lamp number").fill("pole-0123")
    expect(phone.locator(".lamps-found a")).to_have_count(1, timeout=PATIENCE_MS)
    expect(phone.locator(".lamps-found a")).to_contain_text("pole-0123")
    expect(phone.locator(".lamps-circuit")).to_have_count(1)
    phone.get_by_label("Circuit or lamp number").fill("F-0")
    expect(phone.locator("[data-group]").first).to_be_visible()
    expect(phone.locator(".lamps-found")).to_be_hidden()
    phone.get_by_label("Circuit or lamp number").fill("nowhere")
    expect(phone.locator(".lamps-circuits-area")).to_contain_text("No circuit fits")
