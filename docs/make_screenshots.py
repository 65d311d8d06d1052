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
FOR_README = {"wall-zh-1920", "wall-alarm-zh-1920", "duty-zh-1920", "device-zh-1920"}
# Long enough for lines on the charts and, in the second run, for the leak to reach its second level.
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
        with demo() as address:
            for size in ("1920", "3840"):
                shoot(browser, address, "wall", "/wall", "zh", size)
            for size in ("1920", "390"):
                shoot(browser, address, "overview-calm", "/", "zh", size)
        with demo("gas_leak", "dark_street", "low_battery_drone") as address:
            for language in ("zh", "en"):
                for size in SIZES:
                    if size != "390":
                        shoot(browser, address, "wall-alarm", "/wall", language, size)
                    shoot(browser, address, "overview", "/", language, size)
                    shoot(browser, address, "duty", "/duty", language, size)
                    shoot(browser, address, "device", "/device/gas-0042", language, size)
                    shoot(browser, address, "health", "/health", language, size)
        browser.close()


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
    page.request.post(f"{address}/api/v1/login", data={"user": "officer", "password": PASSWORD})
    page.goto(f"{address}{path}?lang={language}")
    page.wait_for_selector(".live-badge")
    if name == "duty" and size != "390":
        page.keyboard.press("j")
    settle(page)
    title = f"{name}-{language}-{size}"
    page.screenshot(path=ALL / f"{title}.png", full_page=size == "390")
    if title in FOR_README:
        shutil.copy(ALL / f"{title}.png", README / f"{title}.png")
    print(title, flush=True)
    page.close()


def settle(page: Page) -> None:
    """Give map and charts the time to draw."""
    page.wait_for_timeout(8_000)


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
