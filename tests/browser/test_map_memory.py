"""A map that has looked everywhere keeps no more than one that has just begun: walls stand for months."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.browser.wall_city import FULL_HD, PATIENCE_MS
from tests.cockpit.town import Town
from tests.servers.chromium import local_page

pytestmark = pytest.mark.timeout(600)

# What a map keeps of a part of the city lies in buffers of the graphics card, and beside them in the page's heap.
COUNT_BUFFERS = """(() => {
  window.buffers = 0;
  const { createBuffer, deleteBuffer } = WebGL2RenderingContext.prototype;
  WebGL2RenderingContext.prototype.createBuffer = function () {
    window.buffers += 1;
    return createBuffer.call(this);
  };
  WebGL2RenderingContext.prototype.deleteBuffer = function (buffer) {
    if (buffer) window.buffers -= 1;
    return deleteBuffer.call(this, buffer);
  };
})()"""
MAPLIBRE = "import('/static/vendor/maplibre-gl/maplibre-gl.mjs').then((module) => module.Map.prototype)"
KEEP_THE_MAP = "function () { window.map = this[0]; return this.length; }"
# Places in a spiral around where it stands, as near as alarms and scenes bring it, and back.
LOOK_AROUND = """async () => {
  const { map } = window;
  const home = { center: map.getCenter(), zoom: map.getZoom() };
  const goTo = async (camera) => {
    map.jumpTo(camera);
    await map.once("idle");
  };
  for (let turn = 1; turn <= 15; turn++) {
    const [east, north] = [Math.cos(2.4 * turn), Math.sin(2.4 * turn)].map((share) => (share * turn) / 15);
    const center = [home.center.lng + 0.1 * east, home.center.lat + 0.07 * north];
    await goTo({ center, zoom: [11.5, 12.5, 13.2, 13.6, 14.5][turn % 5] });
  }
  await goTo(home);
  return window.buffers;
}"""


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Town]:
    """Give the demo city, in which nothing moves."""
    with Town(tmp_path, 'base = "demo"\n[simulation]\nrun = false\n') as town:
        yield town


def hold_the_map(page: Page) -> None:
    """Find the map among the objects of the page: no module gives it away."""
    devtools: CDPSession = page.context.new_cdp_session(page)
    prototype = devtools.send("Runtime.evaluate", {"expression": MAPLIBRE, "awaitPromise": True})["result"]
    found = devtools.send("Runtime.queryObjects", {"prototypeObjectId": prototype["objectId"]})["objects"]
    call = {"objectId": found["objectId"], "functionDeclaration": KEEP_THE_MAP, "returnByValue": True}
    assert devtools.send("Runtime.callFunctionOn", call)["result"]["value"] == 1


@pytest.mark.long
def test_a_map_that_has_looked_everywhere_forgets_it(quiet: Town, browser: Browser) -> None:
    with local_page(browser, viewport=FULL_HD) as page:
        page.add_init_script(COUNT_BUFFERS)
        page.goto(f"{quiet.address}/wall?scene_s=600")
        expect(page.locator(".map-surface[data-drawn]")).to_have_count(1, timeout=PATIENCE_MS)
        hold_the_map(page)
        at_first = page.evaluate("window.buffers")
        assert at_first > 50
        # MapLibre left to itself comes to five times as many in these places.
        assert page.evaluate(LOOK_AROUND) < 3 * at_first
