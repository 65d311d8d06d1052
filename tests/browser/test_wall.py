"""The wall in a real browser: its scenes, what they show, and how it bears a break."""

import itertools
import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.wall_city import FULL_HD, GAPS, LOADS, LORRY, PATIENCE_MS, SCENES, furnished, look, ticks, turn
from tests.cockpit.town import Town
from tests.servers.chromium import local_page
from tests.servers.waiting import wait_until

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a city with something in every scene."""
    with furnished(tmp_path_factory.mktemp("wall")) as town:
        yield town


def test_scenes_turn_and_wait_for_an_urgent_alarm(city: Town, browser: Browser) -> None:
    """Each has its turn in order and is told before; a P1 holds them, and they go on where they stood."""
    with local_page(browser, viewport=FULL_HD) as page:
        look(page, city, scene_s=3)
        page.evaluate(
            """() => {
              const strip = document.querySelector(".scene");
              window.turned = [strip.dataset.scene];
              window.announced = [];
              new MutationObserver(() => {
                const last = window.turned[window.turned.length - 1];
                if (strip.dataset.scene !== last) window.turned.push(strip.dataset.scene);
                window.announced.push([strip.dataset.scene, strip.querySelector(".scene-next").textContent]);
              }).observe(strip, { attributes: true, subtree: true, childList: true, characterData: true });
            }"""
        )
        wait_until(lambda: len(page.evaluate("window.turned")) > len(SCENES), 120, 0.2)
        turned = page.evaluate("window.turned")
        start = SCENES.index(turned[0])
        expected = [SCENES[(start + step) % len(SCENES)] for step in range(len(turned))]
        assert turned == expected
        names = {key: page.locator(f".chart-{key} h2").text_content() for key in SCENES[1:-1]}
        announced = page.evaluate("window.announced")
        assert any(scene == "city" and names["drone"] in words for scene, words in announced), announced

        city.say("gas_alarm", "gas-0042", {"conc_pct_lel": 60, "state": 0})
        banner = page.locator(".takeover.is-shown")
        expect(banner).to_contain_text("P1", timeout=PATIENCE_MS)
        expect(page.locator(".scene")).to_have_class("scene is-held", timeout=PATIENCE_MS)
        held = page.evaluate("window.turned")
        # What the alarm is about stands beside it: the trend of gas with its limits.
        beside = page.locator(".chart-gas_alarm.is-front")
        expect(beside).to_have_attribute("data-lines", re.compile("gas-0042"), timeout=PATIENCE_MS)
        expect(page.locator(".wall-map .map-surface[data-flash=inverse]")).to_have_count(1, timeout=PATIENCE_MS)
        expect(page.locator(".wall-map .map-surface[data-flash=on]")).to_have_count(1, timeout=PATIENCE_MS)
        # On the map stands what the detector says now, not what it said when it raised.
        label = page.locator(".map-label-alarm.P1")
        expect(label).to_contain_text("60.0", timeout=PATIENCE_MS)
        city.say("gas_alarm", "gas-0042", {"conc_pct_lel": 72, "state": 0})
        expect(label).to_contain_text("72.0", timeout=PATIENCE_MS)
        ticks(page, 5)
        assert page.evaluate("window.turned") == held
        alarm = city.alarm("gas-0042")
        with city.client("officer") as officer:
            for each in officer.get("/api/v1/alarms", params={"device": "gas-0042"}).json()["items"]:
                body = {"seen_level": each["level_now"], "idempotency_key": uuid.uuid4().hex}
                assert officer.post(f"/api/v1/alarms/{each['id']}/ack", json=body).status_code == 200
        assert alarm["priority"] == "P1"
        expect(banner).to_have_count(0, timeout=PATIENCE_MS)
        wait_until(lambda: len(page.evaluate("window.turned")) > len(held), 60, 0.2)
        following = SCENES[(SCENES.index(held[-1]) + 1) % len(SCENES)]
        assert page.evaluate("window.turned")[len(held)] == following


VIEW = "async ([values, size]) => (await import('/static/axles.mjs')).sideView(values, size)"


def side_view(page: Page, values: dict[str, Any], **size: float) -> dict[str, Any]:
    view: dict[str, Any] = page.evaluate(VIEW, [values, {"width": 500, "height": 300, "em": 16, **size}])
    return view


def test_axles_stand_to_scale(city: Town, page: Page) -> None:
    """The last overloaded vehicle: distances as measured, bars as heavy as the axles, groups with their limits."""
    page.set_viewport_size(FULL_HD)
    look(page, city)
    turn(page, "bridge_wim")
    panel = page.locator(".chart-bridge_wim")
    expect(panel).to_have_attribute("data-pass", "w1", timeout=PATIENCE_MS)
    for words in ("P3", "31.0 %", "49.0 吨", "ab12cd34", "归帆桥", "64.2 吨"):
        expect(panel).to_contain_text(words)
    drawn = page.locator(".chart-bridge_wim canvas")
    wait_until(lambda: drawn.get_attribute("data-view") is not None, 30)
    view = page.evaluate("JSON.parse(document.querySelector('.chart-bridge_wim canvas').dataset.view)")
    places = [wheel[0] for wheel in view["wheels"]]
    assert [round((b - a) / view["perM"], 3) for a, b in itertools.pairwise(places)] == list(GAPS)
    assert [round(wheel[2] / view["perKg"]) for wheel in view["wheels"]] == list(LOADS)
    groups = [(group["load_kg"], group["limit_kg"], group["over"]) for group in view["groups"]]
    assert groups == [(6_700, 7_000, False), (25_000, 18_000, True), (32_500, 21_000, True)]


def test_axles_of_other_vehicles(city: Town, page: Page) -> None:
    """Without groups or distances the usual ones; what does not fit together is not believed; all stays inside."""
    page.set_viewport_size(FULL_HD)
    look(page, city)
    plain = {"axle_count": 2, "axle1_kg": 6_000, "axle2_kg": 12_000, "gvw_kg": 18_000}
    view = side_view(page, plain)
    assert [(g["first"], g["last"], g["limit_kg"], g["over"]) for g in view["groups"]] == [
        (0, 0, 7_000, False),
        (1, 1, 10_000, True),
    ]
    # Two of the three axles the station groups are there: by distance then.
    wrong = {"axle_count": 3, "axle_groups": "13", "axle_gap1_m": 4.0, "axle_gap2_m": 1.2}
    view = side_view(page, wrong)
    assert [(g["first"], g["last"], g["load_kg"], g["limit_kg"]) for g in view["groups"]] == [
        (0, 0, None, 7_000),
        (1, 2, None, 16_000),
    ]
    assert side_view(page, {"axle_count": 1}) is None
    for height in (60, 120, 300, 900):
        view = side_view(page, {**LORRY, "axle2_kg": 30_000}, height=height)
        assert all(0 <= wheel["x"] <= 500 for wheel in view["wheels"])
        assert max(w["bar"]["top"] + w["bar"]["height"] for w in view["wheels"]) <= height
        assert view["low"] or view["body"]["y"] >= 0


def test_streets_have_the_colour_of_their_most_urgent_case(city: Town, page: Page) -> None:
    """In the scene of cases each street with cases is named with shape and count; colours follow the worst."""
    page.set_viewport_size(FULL_HD)
    look(page, city)
    turn(page, "cases")
    for key in ("s03", "s05"):
        name = next(s["name"]["zh"] for s in city.get("/api/v1/site")["districts"][0]["streets"] if s["key"] == key)
        label = page.locator(".map-label-heat.heat-green", has_text=name)
        expect(label).to_have_count(1, timeout=PATIENCE_MS)
        expect(label.locator("svg")).to_have_count(1)
        expect(label).to_contain_text("1")
    expect(page.locator(".map-label-heat")).to_have_count(2)
    found = page.evaluate(
        """async () => {
          const { heatShade, litShade, painted } = await import("/static/street_shade.mjs");
          const shade = (counts) => heatShade(counts)?.name ?? null;
          return {
            heat: [{ red: 1, green: 9 }, { amber: 1, green: 3 }, { green: 1 }, { reported: 2 }, {}].map(shade),
            lit: [1, 0.99, 0.95, 0.9, 0.5].map((share) => litShade(share)),
            none: painted(null)[1],
            red: painted(heatShade({ red: 1 })),
          };
        }"""
    )
    assert found["heat"] == ["--due-red", "--due-amber", "--due-green", None, None]
    assert [each["name"] for each in found["lit"]] == ["--map-lit"] * 2 + ["--map-unlit"] * 3
    dark = [each["opacity"] for each in found["lit"][2:]]
    assert dark == sorted(dark)
    assert dark[0] < dark[-1]
    assert found["none"] == 0
    assert found["red"][0] == page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--due-red').trim()"
    )


def test_dark_streets_are_named(city: Town, page: Page) -> None:
    """The street where a quarter of the lamps is dark stands first in the chart's line and is marked on the map."""
    page.set_viewport_size(FULL_HD)
    look(page, city, language="en")
    turn(page, "light_pole")
    expect(page.locator(".map-label-lit.is-dark")).to_have_text("Liu'an Street 75.0 %", timeout=PATIENCE_MS)
    expect(page.locator(".chart-light_pole .chart-words")).to_contain_text("35 lit of 40 due", timeout=PATIENCE_MS)
    expect(page.locator(".chart-light_pole .chart-figure")).to_have_text("87.5%")


def test_countdowns_are_exact_to_the_second(city: Town, page: Page) -> None:
    """What the wall counts down is the deadline by the server's clock, each second anew, the most urgent first."""
    page.set_viewport_size(FULL_HD)
    look(page, city)
    cells = page.locator(".wall-cases .case-cell")
    expect(cells).to_have_count(2)
    deadlines = {case["id"]: case["deadline_at"] for case in city.get("/api/v1/cases")["items"]}
    first = cells.nth(0).get_attribute("data-case")
    assert first == min(deadlines, key=lambda case: deadlines[case])
    compare = """async (deadline) => {
      const { live } = await import("/static/live.mjs");
      const { hoursText } = await import("/static/case_words.mjs");
      const shown = document.querySelector(".wall-cases .due-time").textContent;
      const left = Date.parse(deadline) - live.now();
      return [shown, ...[-1000, 0, 1000, 2000].map((ms) => hoursText(left + ms))];
    }"""
    seen = set()
    for _ in range(3):
        shown, *right = page.evaluate(compare, deadlines[first])
        # The page draws once a second, and messages that come late shift its clock a little.
        assert shown in right
        seen.add(shown)
        ticks(page, 1)
    assert len(seen) >= 2


def test_the_camera_keeps_the_city_in_the_picture(city: Town, page: Page) -> None:
    """An alarm at the very edge is seen below the banner, and city, not nothing, fills the rest."""
    page.set_viewport_size(FULL_HD)
    look(page, city)
    found = page.evaluate(
        """async () => {
          const { cameraFor, worldX, worldY } = await import("/static/map_camera.mjs");
          const city = [[120.0, 30.0], [120.2, 30.17]];
          const view = { width: 1000, height: 840, inset: { top: 240, right: 12, bottom: 56, left: 12 }, margin: 80 };
          return [[120.2, 30.17], [120.0, 30.0], [120.1, 30.085]].map((at) => {
            const { center, zoom } = cameraFor([at, at], view, city, 13.2);
            const scale = 512 * 2 ** zoom;
            const x = (lon) => (worldX(lon) - worldX(center[0])) * scale + view.width / 2;
            const y = (lat) => (worldY(lat) - worldY(center[1])) * scale + view.height / 2;
            return { zoom, at: [x(at[0]), y(at[1])], west: x(120.0), east: x(120.2), north: y(30.17), south: y(30.0) };
          });
        }"""
    )
    left, right, top, bottom = 12, 1000 - 12, 240, 840 - 56
    for each in found:
        assert each["zoom"] == 13.2
        x, y = each["at"]
        assert left + 79 <= x <= right - 79
        assert top + 79 <= y <= bottom - 79
        # No more of the outside than the margin that the alarm's own sign needs.
        assert each["west"] <= left + 81
        assert each["east"] >= right - 81
        assert each["north"] <= top + 81
        assert each["south"] >= bottom - 81


def test_nothing_starts_empty(city: Town, page: Page) -> None:
    """A fresh page has the last hour, the tonnage with what it is compared with, and the last overloaded vehicle."""
    page.set_viewport_size(FULL_HD)
    look(page, city)
    gas = page.locator(".chart-gas_alarm canvas")
    wait_until(lambda: int(gas.get_attribute("data-points") or 0) >= 6, 60)
    # The panel is low and its limits stand close: no word of one lies on a word of the other.
    first, second = json.loads(gas.get_attribute("data-limits") or "[]")
    assert {first["text"], second["text"]} == {"P2 25.0", "P1 50.0"}
    assert second["left"] >= first["right"] or first["at"] - second["at"] >= 20
    assert "gas-0100" in (page.locator(".chart-gas_alarm").get_attribute("data-lines") or "")
    turn(page, "refuse_truck")
    panel = page.locator(".chart-refuse_truck")
    expect(panel).to_have_attribute("data-basis", "week", timeout=PATIENCE_MS)
    expect(panel.locator(".chart-figure")).to_have_text("0.5吨")
    expect(panel.locator(".chart-words")).to_contain_text("无记录，对比上周同日")
    change = page.evaluate(
        """async () => {
          const { comparison, cumulated } = await import("/static/tonnage.mjs");
          const against = { basis: "week", day: "2026-01-01", hours: [1, 1, 4, 0] };
          const none = { basis: null, day: null, hours: [] };
          return [
            comparison({ hours: [1, 1, 2.4], against }, 2.5),
            comparison({ hours: [1], against: none }, 0.5),
            comparison({ hours: [1], against: { ...against, hours: [0, 0] } }, 0.5).change,
            cumulated([1, 2]),
            cumulated([]),
          ];
        }"""
    )
    assert change[0]["today"] == pytest.approx(4.4)
    assert change[0]["other"] == pytest.approx(4.0)
    assert change[0]["change"] == pytest.approx(0.1)
    assert change[1:] == [{"today": 1, "other": None, "change": None}, None, [0, 1, 3], []]


def test_a_break_is_told_and_mended_without_a_reload(city: Town, browser: Browser) -> None:
    """Silence covers the whole wall with since when; when the server is back, so is the wall, the same page."""
    with local_page(browser, viewport=FULL_HD) as page:
        look(page, city)
        page.evaluate("window.untouched = true")
        assert city.stop() == 0
        cover = page.locator(".stale-cover strong")
        expect(cover).to_contain_text("数据中断", timeout=PATIENCE_MS)
        expect(cover).to_contain_text(":")
        expect(page.locator("body")).to_have_class("is-stale")
        city.start()
        expect(page.locator(".live-badge.is-live")).to_be_visible(timeout=PATIENCE_MS)
        expect(cover).to_have_count(0, timeout=PATIENCE_MS)
        assert page.evaluate("window.untouched") is True
        expect(page.locator(".chart-bridge_wim")).to_have_attribute("data-pass", "w1", timeout=PATIENCE_MS)


def test_a_flashing_sign_is_never_faint(city: Town, page: Page) -> None:
    """Both looks of a sign on the map, and of one in a list, are well visible: an urgent one is never gone."""
    look(page, city)
    looks = page.evaluate(
        "import('/static/map_style.mjs').then((style) => [style.flashing(true), style.flashing(false)])"
    )
    opacities = [value for each in looks for _, key, value in each if key.endswith("opacity")]
    assert len(opacities) == 4
    assert min(number for value in opacities for number in numbers(value)) >= 0.6
    frames = page.evaluate(
        """[...document.styleSheets].flatMap((sheet) => [...sheet.cssRules])
            .filter((rule) => rule.name?.startsWith("flash"))
            .flatMap((rule) => [...rule.cssRules].map((frame) => Number(frame.style.opacity)))"""
    )
    assert len(frames) == 4 and min(frames) >= 0.6


def numbers(expression: object) -> list[float]:
    """Return the values that an expression of the map can take; what it compares with are words and whole numbers."""
    if isinstance(expression, list):
        if expression[:1] == ["case"]:
            return [n for value in (*expression[2::2], expression[-1]) for n in numbers(value)]
        return []
    return [float(expression)] if isinstance(expression, int | float) else []
