"""Take pictures of every page from a running demo: `make screenshots`.

All of them go to ``var/screenshots/``; the few that stand in the README are written to ``docs/pictures/`` as well.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
ALL, README = HERE.parent / "var" / "screenshots", HERE / "pictures"
SIZES = {"1920": (1920, 1080), "3840": (3840, 2160), "390": (390, 844)}
LARGE = ("1920", "3840")
# Name of the picture, path, and the sizes it is taken in.
PAGES = (
    ("overview", "", tuple(SIZES)),
    ("wall-alarm", "wall", LARGE),
    ("duty", "duty", tuple(SIZES)),
    ("cases", "cases", tuple(SIZES)),
    ("device", "device/gas-0042", LARGE),
    ("device-pole", "device/pole-0001", LARGE),
    ("device-bridge", "device/wim-01", LARGE),
    ("lamps", "lamps", LARGE),
    ("kpi", "kpi", LARGE),
    ("report", "report", LARGE),
    ("rules", "rules", LARGE),
    ("bench", "bench", LARGE),
    ("health", "health", LARGE),
)
IN_ENGLISH = {"overview", "duty", "health"}
FOR_README = {
    "wall-zh-1920", "wall-alarm-zh-1920", "overview-zh-1920", "duty-zh-1920", "cases-zh-1920", "device-zh-1920",
    "kpi-zh-1920", "health-zh-1920", "overview-zh-390", "duty-zh-390",
}  # fmt: skip
CASES = (("manhole", "s03", "井盖翘起，挡住人行道"), ("exposed_refuse", "s05", "垃圾外溢"))
# PNG is five times as large, and nothing here has hard edges that JPEG would spoil.
QUALITY = 85
# Long enough for lines on the charts and, in the first run, for the leak to reach its second level.
SETTLE_S = 150
PASSWORD = secrets.token_urlsafe(9)
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-sync "
    "--disable-component-update --use-gl=angle --use-angle=swiftshader --enable-unsafe-swiftshader"
)


def main() -> None:
    """Run the demo calm and with incidents, and photograph both."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("make screenshots needs Chromium: `make servers` installs it where it may")
    for folder in (ALL, README):
        folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS.split())
        with demo("gas_leak", "dark_street", "low_battery_drone") as address:
            report_cases(browser, address)
            for language in ("zh", "en"):
                for name, path, sizes in PAGES:
                    if language == "zh" or name in IN_ENGLISH:
                        for size in sizes if language == "zh" else LARGE:
                            shoot(browser, address, name, path, language, size)
        with demo() as address:
            for size in LARGE:
                shoot(browser, address, "wall", "wall", "zh", size)
            shoot(browser, address, "overview-calm", "", "zh", "1920")
        browser.close()


def log_in(page: Page, address: str, user: str) -> None:
    """Let a page's browser be known to the cockpit."""
    answer = page.request.post(f"{address}/api/v1/login", data={"user": user, "password": PASSWORD})
    if not answer.ok:
        sys.exit(f"the log-in of {user} was answered with {answer.status}: {answer.text()}")


def report_cases(browser: Browser, address: str) -> None:
    """Report and register a few cases, for their page to have something to show."""
    page = browser.new_page()
    log_in(page, address, "officer")
    cases, headers = f"{address}/api/v1/cases", {"Origin": address}
    for sub_class, street, description in CASES:
        key = {"idempotency_key": secrets.token_hex(16)}
        body = {"sub_class": sub_class, "street": street, "description": description, **key}
        case = page.request.post(cases, data=body, headers=headers).json()
        accepted = {"seen_version": case["version"], "idempotency_key": secrets.token_hex(16)}
        page.request.post(f"{cases}/{case['id']}/register", data=accepted, headers=headers)
    page.close()


@contextmanager
def demo(*scenarios: str) -> Iterator[str]:
    """Run the demo city in a folder of its own and give its address once there is something to see."""
    port, mqtt_port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "cockpit.cli", "up", "--data", folder]
        command += ["--port", str(port), "--mqtt-port", str(mqtt_port)]
        command += [part for name in scenarios for part in ("--scenario", name)]
        running = subprocess.Popen(command, env={**os.environ, "CITYDECK_DEMO_PASSWORD": PASSWORD})
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for(address, running)
            print(f"letting the city live for {SETTLE_S} s …", flush=True)
            time.sleep(SETTLE_S)
            yield address
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)


def wait_for(address: str, running: subprocess.Popen[bytes]) -> None:
    """Wait until the cockpit answers."""
    for _ in range(300):
        if running.poll() is not None:
            sys.exit("the demo did not start; its messages above say why")
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=1).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    sys.exit("the demo did not answer within a minute")


def shoot(browser: Browser, address: str, name: str, path: str, language: str, size: str) -> None:
    """Take one picture."""
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height})
    log_in(page, address, "leader")
    page.goto(f"{address}/{path}?lang={language}")
    if name != "report":
        page.wait_for_selector(".live-badge.is-live", timeout=60_000)
    settle(page)
    if name == "duty" and size != "390":
        page.keyboard.press("j")
        page.wait_for_timeout(4_000)
    title = f"{name}-{language}-{size}"
    picture = ALL / f"{title}.jpg"
    page.screenshot(path=picture, type="jpeg", quality=QUALITY)
    if title in FOR_README:
        shutil.copy(picture, README / picture.name)
    print(title, flush=True)
    page.close()


def settle(page: Page) -> None:
    """Give map and charts the time to draw, and the typeface the time to come."""
    page.wait_for_timeout(7_000)
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(1_000)


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
