"""The bench in a real browser: an engineer plays a scenario in a city marked as a replay; others are refused."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FileChooser, Page, expect

from devices.site_file import load_site
from tests.browser.axe import serious_findings
from tests.cockpit.bench.recorded import messages, write
from tests.cockpit.gas_town import gas_town
from tests.cockpit.town import PASSWORD, Town
from tests.servers.chromium import local_page
from tests.servers.waiting import wait_until

pytestmark = pytest.mark.timeout(400)
DESK, PHONE = {"width": 1920, "height": 1080}, {"width": 390, "height": 844}
PATIENCE_MS = 90_000
STRICTER = b"[limits.gas_alarm.conc_pct_lel.high]\nlevels = [5, 10]\ndeadband = 1\n"


@pytest.fixture(scope="module")
def benched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a town with houses in which gas can leak."""
    with gas_town(tmp_path_factory.mktemp("bench")) as town:
        yield town


def sit_down(page: Page, town: Town, user: str, language: str = "zh") -> None:
    page.request.post(f"{town.address}/api/v1/login", data={"user": user, "password": PASSWORD})
    page.goto(f"{town.address}/bench?lang={language}")


def test_a_scenario_is_played_and_a_rule_tried(benched: Town, browser: Browser) -> None:
    with local_page(browser, viewport=DESK) as page:
        sit_down(page, benched, "engineer")
        expect(page.locator(".bench-empty")).to_contain_text("还没有录制文件", timeout=PATIENCE_MS)
        page.locator(".bench-sources").get_by_label("速度").select_option("max")
        page.locator("[data-scenario=gas_leak]").click()
        wall = page.frame_locator("iframe")
        expect(wall.locator(".live-badge")).to_contain_text("回放 REPLAY", timeout=PATIENCE_MS)
        expect(wall.locator(".replay-mark span").first).to_have_text("回放 REPLAY")
        expect(page.locator(".bench-alarm-list")).to_contain_text("gas-0042", timeout=PATIENCE_MS)
        expect(page.locator(".bench-state")).to_have_text("已播完", timeout=PATIENCE_MS)
        # A state by its name, as on the duty desk.
        detector = page.locator(".bench-alarm-list li", has_text="探测器报警").first
        expect(detector.locator(".bench-value")).to_have_text("高限报警", timeout=PATIENCE_MS)
        expect(page.locator(".bench-stated summary")).to_contain_text("3 / 3", timeout=PATIENCE_MS)
        expect(wall.locator(".ticker")).to_contain_text("gas-0042", timeout=PATIENCE_MS)
        # The live badge of the page around it is the live one.
        expect(page.locator(".live-badge")).to_have_text("实时")

        page.locator(".file-input input").set_input_files(
            {"name": "r.toml", "mimeType": "text/plain", "buffer": STRICTER}
        )
        expect(page.locator(".bench-outcome .rules-items.is-appear > ul > li").first).to_be_visible(timeout=PATIENCE_MS)

        # Each with what its device measured, and the way to the played city at that instant.
        appear = page.locator(".bench-outcome .rules-items.is-appear > ul > li").first
        expect(appear.locator(".rules-readings summary")).to_contain_text("读数")
        expect(appear.locator("a")).to_have_attribute("href", re.compile(r"/bench/city/[0-9a-f]+/device/.+\?at=20"))

        page.get_by_role("button", name="值班").click()
        desk = page.frame_locator("iframe")
        expect(desk.locator(".replay-mark")).to_have_count(1, timeout=PATIENCE_MS)
        expect(desk.locator(".session")).to_have_count(0)
        assert serious_findings(page) == []
        assert benched.get("/api/v1/alarms", state="all", device="gas-0042")["items"] == []

        page.locator("[data-act=remove]").click()
        expect(page.locator(".bench-run")).to_contain_text("没有运行", timeout=PATIENCE_MS)
        expect(page.locator("iframe")).to_have_count(0)


@pytest.mark.parametrize(
    ("language", "button", "nothing"),
    [("zh", "选择文件", "尚未选择文件"), ("en", "Choose a file", "No file chosen yet")],
)
def test_a_file_is_chosen_in_the_readers_language(
    benched: Town, browser: Browser, language: str, button: str, nothing: str
) -> None:
    """The browser's own control is out of sight; ours says what it is, opens by the keyboard and names the file."""
    with local_page(browser, viewport=DESK) as page:
        sit_down(page, benched, "engineer", language)
        control = page.locator(".file-input")
        expect(control.locator(".button")).to_have_text(button, timeout=PATIENCE_MS)
        expect(control.locator("output")).to_have_text(nothing)
        own = control.locator("input")
        assert button in (own.get_attribute("aria-label") or "")
        box = own.bounding_box()
        assert box is not None
        assert max(box["width"], box["height"]) <= 2
        own.focus()
        outline = "getComputedStyle(document.querySelector('.file-input .button')).outlineStyle"
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        expect(own).to_be_focused()
        assert page.evaluate(outline) == "solid"
        asked: list[FileChooser] = []

        def take(chooser: FileChooser) -> None:
            asked.append(chooser)

        page.on("filechooser", take)

        def opened() -> list[FileChooser]:
            own.press("Enter")
            return asked

        # A browser that is still busy with the page lets a first press pass.
        wait_until(opened, PATIENCE_MS / 1000, 0.5)
        asked[-1].set_files({"name": "夜间.toml", "mimeType": "text/plain", "buffer": STRICTER})
        expect(control.locator("output")).to_have_text("夜间.toml")
        assert serious_findings(page) == []


def test_the_space_bar_pauses(benched: Town, browser: Browser) -> None:
    with local_page(browser, viewport=DESK) as page:
        sit_down(page, benched, "engineer", "en")
        page.locator(".bench-sources").get_by_label("Speed").select_option("0.1", timeout=PATIENCE_MS)
        page.locator("[data-scenario=gas_leak]").click()
        expect(page.locator(".bench-state")).to_have_text("playing", timeout=PATIENCE_MS)
        page.locator(".bench-run h2").click()
        page.keyboard.press("Space")
        expect(page.locator(".bench-state")).to_have_text("paused", timeout=PATIENCE_MS)
        page.keyboard.press("Space")
        expect(page.locator(".bench-state")).to_have_text("playing", timeout=PATIENCE_MS)
        page.locator("[data-act=stop]").click()
        expect(page.locator(".bench-state")).to_have_text("stopped", timeout=PATIENCE_MS)
        page.locator("[data-act=remove]").click()
        expect(page.locator(".bench-run")).to_contain_text("There is no run", timeout=PATIENCE_MS)


@pytest.mark.parametrize(
    ("language", "torn", "gone", "lost"),
    [
        (
            "zh",
            "cut.cdrec 不完整或已损坏",
            "读不到 gone.cdrec：没有这个文件或文件夹",
            "情景 lost_drone 需要设备 drone-09，本站没有",
        ),
        (
            "en",
            "cut.cdrec is cut off or damaged.",
            "gone.cdrec cannot be read: no such file or folder.",
            "The scenario lost_drone needs the device drone-09, which the site does not have.",
        ),
    ],
)
def test_what_cannot_be_done_is_told_in_the_readers_language(
    benched: Town, browser: Browser, language: str, torn: str, gone: str, lost: str
) -> None:
    """A damaged recording, a trial on one that went while it was played, and a scenario that the site cannot have."""
    site, folder = load_site(benched.site), benched.folder / "var" / "recordings"
    file = write(folder / "gone.cdrec", site, messages())
    (folder / "cut.cdrec").write_bytes(file.read_bytes()[:-40])
    with local_page(browser, viewport=DESK) as page:
        sit_down(page, benched, "engineer", language)
        row = page.locator(".bench-list li", has_text="cut.cdrec")
        expect(row.locator(".problem")).to_have_text(torn, timeout=PATIENCE_MS)
        page.locator(".bench-sources select").first.select_option("0.1")
        page.locator(".bench-list li", has_text="gone.cdrec").get_by_role("button").click()
        expect(page.locator(".bench-run progress")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.locator("[data-act=pause]")).to_be_enabled(timeout=PATIENCE_MS)
        file.unlink()
        page.locator(".file-input input").set_input_files(
            {"name": "r.toml", "mimeType": "text/plain", "buffer": STRICTER}
        )
        expect(page.locator(".bench-outcome .problem")).to_have_text(gone, timeout=PATIENCE_MS)
        page.locator("[data-act=remove]").click()
        page.locator("[data-scenario=lost_drone]").click()
        expect(page.locator(".bench-run .problem")).to_have_text(lost, timeout=PATIENCE_MS)
        page.locator("[data-act=remove]").click()
        expect(page.locator("[data-act=remove]")).to_have_count(0, timeout=PATIENCE_MS)
    (folder / "cut.cdrec").unlink()


@pytest.mark.parametrize(
    ("user", "language", "said"), [("officer", "zh", "仅供工程师"), ("viewer", "en", "for engineers")]
)
def test_others_are_told_that_it_is_not_for_them(
    benched: Town, browser: Browser, user: str, language: str, said: str
) -> None:
    with local_page(browser, viewport=PHONE) as page:
        sit_down(page, benched, user, language)
        expect(page.locator(".bench-refused")).to_contain_text(said, timeout=PATIENCE_MS)
        assert page.locator("[data-scenario]").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert serious_findings(page) == []
