"""The demo path in a real browser: a living wall, a leak, an officer who acknowledges it, everybody sees it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cockpit.town import PASSWORD, Town
from tests.servers.chromium import local_page
from tests.servers.waiting import wait_until

pytestmark = pytest.mark.timeout(900)
WALL, PHONE = {"width": 1920, "height": 1080}, {"width": 390, "height": 844}
PATIENCE_MS = 60_000
DEMO_WITHOUT_SIMULATORS = 'base = "demo"\n[simulation]\nrun = false\n'


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give the demo city, running, its devices still silent."""
    with Town(tmp_path_factory.mktemp("demo"), DEMO_WITHOUT_SIMULATORS) as town:
        yield town


@pytest.fixture(scope="module")
def leak(demo: Town) -> Iterator[None]:
    """Let the city live, with a gas leak from the start."""
    command = [sys.executable, "-m", "cockpit.cli", "simulate", "--mqtt-port", str(demo.mqtt_port)]
    with (demo.folder / "simulators.log").open("wb") as log:
        simulators = subprocess.Popen([*command, "--scenario", "gas_leak"], stdout=log, stderr=log, env={**os.environ})
        yield
        simulators.send_signal(signal.SIGTERM)
        assert simulators.wait(30) == 0


def test_demo_path(demo: Town, browser: Browser, request: pytest.FixtureRequest) -> None:
    """Wall, leak, log-in, acknowledge, and the change on every screen."""
    with local_page(browser, viewport=WALL) as wall, local_page(browser, viewport=WALL) as desk:
        wall.goto(f"{demo.address}/wall")
        expect(wall.locator(".live-badge")).to_contain_text("实时", timeout=PATIENCE_MS)
        expect(wall.get_by_text("模拟数据")).to_be_visible()
        request.getfixturevalue("leak")
        _markers_move(demo, wall)
        takeover = wall.locator(".takeover.is-shown")
        expect(takeover).to_contain_text("gas-0042", timeout=2 * PATIENCE_MS)
        expect(takeover).to_contain_text("P1")
        _acknowledge_by_keyboard(demo, desk)
        acked = wait_until(lambda: demo.get("/api/v1/alarms", state="ACKED")["items"], 30)
        assert acked[0]["acked_by"] == "officer"
        row = wall.locator(".ticker", has_text="已确认")
        expect(row).to_be_visible(timeout=PATIENCE_MS)


def _markers_move(demo: Town, wall: Page) -> None:
    """Wait until a drone has been at two places, and the picture of the map has changed with it."""

    def flying() -> dict[str, tuple[float, float]]:
        drones = demo.get("/api/v1/devices", kind="drone")["items"]
        return {d["id"]: (d["lat"], d["lon"]) for d in drones if d["latest"].get("speed_mps", {}).get("value", 0) > 1}

    before = wait_until(flying, 90, 0.5)
    picture = _picture(wall)
    wait_until(lambda: [name for name, at in flying().items() if before.get(name, at) != at], 60, 0.5)
    wait_until(lambda: _picture(wall) != picture, 60, 0.5)


def _picture(wall: Page) -> bytes:
    # A picture of the element waits for it to stand still for two frames, which a busy machine may not draw in time.
    box = wall.locator(".map canvas").first.bounding_box()
    assert box is not None
    return wall.screenshot(
        clip={"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}, timeout=PATIENCE_MS
    )


def _acknowledge_by_keyboard(demo: Town, desk: Page) -> None:
    desk.goto(f"{demo.address}/duty")
    expect(desk.get_by_role("gridcell", name="gas-0042").first).to_be_visible(timeout=PATIENCE_MS)
    desk.keyboard.press("j")
    desk.keyboard.press("a")
    dialog = desk.get_by_role("dialog")
    expect(dialog).to_be_visible(timeout=PATIENCE_MS)
    dialog.locator("input").first.fill("officer")
    dialog.locator("input[type=password]").fill(PASSWORD)
    dialog.locator("button[type=submit]").click()
    expect(desk.locator("#toasts")).to_contain_text("已确认", timeout=PATIENCE_MS)
    expect(desk.locator(".evidence-map .street-pin")).to_be_visible(timeout=PATIENCE_MS)


@pytest.mark.parametrize("path", ["/", "/duty", "/device/gas-0042"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_phone(demo: Town, leak: None, browser: Browser, path: str, language: str) -> None:
    """On a phone nothing is wider than the screen, in both languages, and the words are those of the language."""
    with local_page(browser, viewport=PHONE) as phone:
        phone.goto(f"{demo.address}{path}?lang={language}")
        expect(phone.locator(".live-badge")).to_contain_text(
            "实时" if language == "zh" else "Live", timeout=PATIENCE_MS
        )
        assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert phone.locator("html").get_attribute("lang") == ("zh-CN" if language == "zh" else "en")


def test_device_history_has_its_limits(demo: Town, leak: None, page: Page) -> None:
    """The page of the leaking detector draws history and both limits."""
    page.set_viewport_size(WALL)
    page.goto(f"{demo.address}/device/gas-0042")
    expect(page.locator("#device-graph .js-plotly-plot")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#device-graph")).to_contain_text("25", timeout=PATIENCE_MS)
    shapes = page.evaluate("document.querySelector('#device-graph .js-plotly-plot').layout.shapes.length")
    assert shapes >= 2


def test_unknown_page_helps(demo: Town, page: Page) -> None:
    """An address that is none leads back to the city."""
    page.goto(f"{demo.address}/nowhere")
    expect(page.locator(".page-missing")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".page-missing a").first).to_be_visible()
