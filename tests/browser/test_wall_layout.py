"""How the wall is laid out: legible from eight metres, nothing over anything else, both sizes, both languages."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.browser.axe import serious_findings
from tests.browser.wall_city import FULL_HD, PATIENCE_MS, SCENES, UHD, furnished, look, ticks, turn
from tests.cockpit.town import Town
from tests.servers.chromium import local_page
from tests.servers.waiting import wait_until

pytestmark = pytest.mark.timeout(600)
FULLEST = ("city", "bridge_wim", "cases")
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a city with something in every scene."""
    with furnished(tmp_path_factory.mktemp("wall")) as town:
        yield town


# Everything written: the text of elements by its computed size, and what canvases write by the pen's own.
RECORD_PENS = """
window.penned = [];
const fillText = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (words, ...rest) {
  window.penned.push([parseFloat(/([\\d.]+)px/.exec(this.font)[1]), words]);
  return fillText.call(this, words, ...rest);
};
"""
SMALL = """(least) => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const own = node.parentElement;
    const unseen = own.closest(".visually-hidden, .skip, noscript, script");
    if (!node.data.trim() || unseen || !own.checkVisibility()) continue;
    const size = parseFloat(getComputedStyle(own).fontSize);
    if (size < least) found.push([size, node.data]);
  }
  return [...found, ...window.penned.filter(([size]) => size < least - 0.01)];
}"""
FIGURES = (".wall-tiles .tile-head b", ".chart-panel .chart-figure", ".case-cell .due-time")
BOXES = [
    ".header", ".tile", ".tiles-at", ".scene", ".map", ".chart-panel", ".ticker-counts", ".ticker .alarm-card",
    ".wall-cases",
]  # fmt: skip
FULL = [
    ".ticker-counts", ".ticker-counts li", ".wall-cases", ".wall-cases header", ".case-cell", ".tile", ".alarm-card",
    ".chart-panel header", ".scene-turn",
]  # fmt: skip
# Rectangles that lie over each other, leave the screen, or hold more than they show.
LAID_OUT = """([boxes, full]) => {
  const seen = (selectors) =>
    selectors.flatMap((selector) => [...document.querySelectorAll(selector)].filter((own) => own.checkVisibility()));
  const found = [];
  const placed = seen(boxes).map((own) => [own.className, own.getBoundingClientRect()]);
  placed.forEach(([name, a], i) => {
    const within = a.left >= -1 && a.top >= -1 && a.right <= innerWidth + 1 && a.bottom <= innerHeight + 1;
    if (!within) found.push([name, "leaves the screen"]);
    for (const [other, b] of placed.slice(i + 1)) {
      const beside = a.left >= b.right - 1 || b.left >= a.right - 1 || a.top >= b.bottom - 1 || b.top >= a.bottom - 1;
      if (!beside) found.push([name, "lies over", other]);
    }
  });
  for (const own of seen(full)) {
    const wide = own.scrollWidth > own.clientWidth + 1;
    // Tall figures in a low line reach beyond it without being cut.
    const high = own.tagName !== "HEADER" && own.scrollHeight > own.clientHeight + 2;
    if (wide || high) found.push([own.className, own.textContent, "holds more than it shows", wide, high]);
  }
  return found;
}"""


LEGEND_LINES = """() => {
  const lines = [...document.querySelectorAll(".map-legend li")].map((own) => own.getBoundingClientRect().bottom);
  return new Set(lines.map(Math.round)).size;
}"""


# Everything is sized by the height of the screen: the longer words and the fullest scenes are enough to see that it is.
@pytest.mark.parametrize(
    ("size", "language", "scenes"),
    [
        (FULL_HD, "zh", FULLEST),
        pytest.param(FULL_HD, "zh", SCENES, marks=pytest.mark.long),
        pytest.param(FULL_HD, "en", SCENES, marks=pytest.mark.long),
        pytest.param(UHD, "en", FULLEST, marks=pytest.mark.long),
    ],
    ids=["1080p-zh-fullest", "1080p-zh", "1080p-en", "4k-en"],
)
def test_it_reads_from_eight_metres(
    city: Town, browser: Browser, size: ViewportSize, language: str, scenes: tuple[str, ...]
) -> None:
    """In every scene nothing is smaller than 16 pixels at 1080 lines, key figures have 40, and nothing overlaps."""
    times = size["height"] / 1080
    with local_page(browser, viewport=size) as page:
        page.add_init_script(RECORD_PENS)
        look(page, city, language=language)
        wait_until(lambda: page.evaluate("document.querySelectorAll('.ticker .alarm-card').length") > 0, 60)
        for scene in scenes:
            page.evaluate("window.penned = []")
            turn(page, scene)
            ticks(page, 2)
            assert page.evaluate(SMALL, 16 * times) == [], scene
            for selector in FIGURES:
                sizes = page.evaluate(
                    """(selector) => [...document.querySelectorAll(selector)].filter((own) => own.checkVisibility())
                      .map((own) => parseFloat(getComputedStyle(own).fontSize))""",
                    selector,
                )
                assert sizes, (scene, selector)
                assert min(sizes) >= 40 * times, (scene, selector, sizes)
            assert page.evaluate(LAID_OUT, [BOXES, FULL]) == [], scene
            assert page.evaluate(LEGEND_LINES) <= 2, scene
            # The same elements at both sizes: once is enough of what takes long.
            if size is FULL_HD:
                assert serious_findings(page) == [], scene
            words = page.locator(".page-wall").inner_text()
            assert "wall." not in words
            assert "scene." not in words
        assert page.evaluate("document.documentElement.scrollHeight") <= size["height"]


@pytest.mark.parametrize("language", ["zh", pytest.param("en", marks=pytest.mark.long)])
def test_on_a_phone_it_stands_in_one_column(city: Town, browser: Browser, language: str) -> None:
    """What hangs side by side on a wall is scrolled to: nothing lies over anything else or is pushed aside."""
    with local_page(browser, viewport=PHONE) as page:
        look(page, city, language=language)
        wait_until(lambda: page.evaluate("document.querySelectorAll('.ticker .alarm-card').length") > 0, 60)
        for scene in ("city", "drone", "gas_alarm", "cases"):
            turn(page, scene)
            ticks(page, 2)
            # Of no device of the city there need be news for long.
            page.evaluate("document.querySelector('.ticker-counts li:last-child b').textContent = '5,215'")
            # Most of it is below what a phone shows at once.
            found = [*page.evaluate(LAID_OUT, [BOXES, FULL]), *page.evaluate(LAID_OUT, [[".brand", ".header-end"], []])]
            assert [each for each in found if each[1] != "leaves the screen"] == [], scene
            assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], scene
            streets, legend = (page.locator(f".wall-map .map-{part}").bounding_box() for part in ("labels", "legend"))
            assert streets is not None and legend is not None
            assert legend["y"] >= streets["y"] + streets["height"] - 1, scene


def test_a_drone_is_told_by_its_name(city: Town, browser: Browser) -> None:
    """Its name is there with its first label, and no number of the name runs into that of the height."""
    with local_page(browser, viewport=FULL_HD) as page:
        look(page, city)
        # What flies and is silent for long is not taken to be flying still.
        flying = {"mode": 5, "lat": 30.349, "lon": 120.108, "alt_rel_m": 80, "batt_pct": 71}
        city.say("drone", "drone-03", flying)
        turn(page, "drone")
        label = page.locator(".map-label-scene").first
        expect(label).to_have_text("巡查03号 · 80 米 · 71 %", timeout=PATIENCE_MS)
