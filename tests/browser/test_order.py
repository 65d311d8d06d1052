"""What a page shows does not hang on the order in which its parts, the live city and the answers to it arrive."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from tests.cockpit.acting import lamp, leak
from tests.cockpit.gas_town import gas_town
from tests.cockpit.town import PASSWORD, Town
from tests.servers.chromium import local_page
from tests.servers.waiting import wait_until

pytestmark = pytest.mark.timeout(300)
PATIENCE_MS = 60_000
READY = "async () => (await import('/static/live.mjs')).live.ready"
OPEN_ALARM = """async (device) => {
  const { live } = await import("/static/live.mjs");
  return [...live.alarms.values()].some((alarm) => alarm.device === device);
}"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a town with houses in which gas can leak."""
    with gas_town(tmp_path_factory.mktemp("order")) as running:
        yield running


@contextmanager
def held_back(page: Page, url: str) -> Iterator[None]:
    """Keep requests to an address waiting until the block ends."""
    waiting: list[Route] = []

    def wait(route: Route) -> None:
        waiting.append(route)

    page.route(url, wait)
    yield
    for route in waiting:
        route.continue_()
    page.unroute(url)


def test_a_tile_that_comes_after_the_alarm_stands_in_front(town: Town, page: Page) -> None:
    # The only one: several would take turns, and each turn puts its tile in front.
    leak(town, "gas-0042", 60)
    with held_back(page, "**/static/tiles.mjs*"):
        page.goto(f"{town.address}/wall?lang=en")
        expect(page.locator(".takeover.is-shown")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".tile[data-tile=gas_alarm].is-front")).to_be_visible(timeout=PATIENCE_MS)


def test_alarms_of_a_device_that_come_while_it_is_asked_for_them(town: Town, page: Page) -> None:
    """The answer is older than the alarm, and comes later."""
    page.goto(f"{town.address}/device/pole-1?lang=en")
    expect(page.locator(".device-alarms")).to_contain_text("no alarms on record", timeout=PATIENCE_MS)
    old: list[tuple[Route, APIResponse]] = []
    failing: list[bool] = []

    def answer(route: Route) -> None:
        if failing:
            route.continue_()
        else:
            old.append((route, route.fetch(max_retries=3)))

    page.route("**/api/v1/alarms?device=*", answer)
    page.reload()
    wait_until(lambda: page.evaluate(READY) and old, PATIENCE_MS / 1000)
    failing.append(True)
    lamp(town, "pole-1")
    wait_until(lambda: page.evaluate(OPEN_ALARM, "pole-1"), PATIENCE_MS / 1000)
    for route, told in old:
        route.fulfill(response=told)
    expect(page.locator(".device-alarms li").first).to_contain_text("P4", timeout=PATIENCE_MS)


def test_a_trend_whose_history_was_refused_is_asked_for_again(town: Town, page: Page) -> None:
    now_ms = time.time_ns() // 1_000_000
    for minutes in (30, 20, 10, 0):
        town.say("gas_alarm", "gas-1", {"conc_pct_lel": 3 + minutes / 10, "state": 0}, ts=now_ms - minutes * 60_000)
    span: dict[str, Any] = {"start": now_ms - 3_600_000, "stop": now_ms + 1}
    path = "/api/v1/devices/gas-1/series"
    town.until(path, lambda found: len(found["points"]) >= 4, field="conc_pct_lel", width=300, **span)
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        route.fulfill(status=503, body="")

    page.route("**/devices/gas-1/series?*", refuse)
    page.goto(f"{town.address}/wall?lang=en")
    chart = page.locator(".chart-gas_alarm")
    expect(chart).to_have_attribute("data-lines", re.compile("gas-1"), timeout=PATIENCE_MS)
    wait_until(lambda: page.evaluate("1") and refused, PATIENCE_MS / 1000)
    page.unroute("**/devices/gas-1/series?*")
    wait_until(lambda: int(chart.locator("canvas").first.get_attribute("data-points") or 0) >= 4, PATIENCE_MS / 1000)


def test_a_run_that_is_told_before_the_scenarios_has_its_name(town: Town, browser: Browser) -> None:
    with local_page(browser, viewport={"width": 1920, "height": 1080}) as page:
        page.request.post(f"{town.address}/api/v1/login", data={"user": "engineer", "password": PASSWORD})
        begun = page.request.post(f"{town.address}/api/v1/bench/runs", data={"scenario": "gas_leak", "paused": True})
        assert begun.status == 201, begun.text()
        with held_back(page, "**/api/v1/bench/sources"):
            page.goto(f"{town.address}/bench?lang=zh")
            expect(page.locator("[data-act=pause]")).to_be_enabled(timeout=PATIENCE_MS)
            expect(page.locator(".bench-head b")).to_have_text("gas_leak")
        expect(page.locator(".bench-head b")).to_have_text("燃气泄漏", timeout=PATIENCE_MS)
        assert page.request.delete(f"{town.address}/api/v1/bench/runs/{begun.json()['id']}").status == 204


def test_figures_of_a_back_test_are_in_the_readers_words(town: Town, page: Page) -> None:
    """A priority is no key of a table, a unit no key of a list, and readings have as many digits as each other."""
    page.goto(f"{town.address}/rules?lang=zh")
    expect(page.locator(".rules-table tbody tr").first).to_be_visible(timeout=PATIENCE_MS)
    words = page.evaluate(
        """async () => {
          const { itemList } = await import("/static/rules_items.mjs");
          const at = "2026-03-01T08:00:00+08:00";
          const label = { zh: "米/秒", en: "m/s" };
          const readings = [3, 3.4].map((value) => ({ at, value, quality: 0 }));
          const measured = { value: 12, unit: "m/s", unit_label: label, readings_of: 2, readings_unit: label };
          const about = { priority: "P3", was: "health", device: "d", rule_name: { zh: "风速过大" }, at };
          const codes = { 0: { zh: "否", en: "no" }, 1: { zh: "是", en: "yes" } };
          const told = [0, 1].map((value) => ({ at, value, quality: 0 }));
          const none = { zh: "" };
          const flag = { value: 1, unit: "1", unit_label: none, readings_of: 2, readings_unit: none, readings: told };
          const open = { ...about, ...flag, codes, rule_name: { zh: "井盖开启" } };
          const items = [{ ...about, ...measured, readings }, open];
          return itemList("moved", { count: 1, items }, () => ({ href: "x" })).textContent;
        }"""
    )
    for expected in ("设备健康 → P3", "12 米/秒", "3.0 米/秒", "3.4 米/秒", "井盖开启是", "08:00:00 否", "08:00:00 是"):
        assert expected in words


def test_a_moment_without_news_is_no_break_because_a_replay_runs_fast(town: Town, page: Page) -> None:
    """Its clock goes on by minutes meanwhile; of a live city, or of a slow replay, it is one."""
    page.goto(f"{town.address}/device/pole-1?lang=en")
    told = page.evaluate(
        """async () => {
          const { Live } = await import("/static/live.mjs");
          const stale = (replay) => {
            const listener = new Live("ws://127.0.0.1:9/nobody");
            listener.receive({ type: "beat", now: 1e12, data_at: 1e12 - 20_000, ...(replay && { replay }) });
            listener.watch();
            listener.stop();
            return listener.stale;
          };
          return [null, { rate: 0.5 }, { rate: 0 }, { rate: 1.5 }, { rate: 10 }, { rate: 600 }].map(stale);
        }"""
    )
    assert told == [True, True, True, True, False, False]
