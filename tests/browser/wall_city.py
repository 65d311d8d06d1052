"""The demo city without simulators, in which something of every scene of the wall has happened; and how to see it."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize, expect

from tests.cockpit.town import Town

FULL_HD: ViewportSize = {"width": 1920, "height": 1080}
UHD: ViewportSize = {"width": 3840, "height": 2160}
PATIENCE_MS = 90_000
SCENES = ("city", "drone", "refuse_truck", "bridge_wim", "light_pole", "gas_alarm", "cases")
DAY_MS = 86_400_000
# A six-axle train at 30 % over its limit: no more than a P3, so that it does not take the wall.
GAPS = (3.2, 1.35, 6.2, 1.3, 1.3)
LOADS = (6_700, 13_000, 12_000, 11_000, 11_000, 10_500)
LORRY = {
    "axle_count": 6,
    **{f"axle{n}_kg": load for n, load in enumerate(LOADS, 1)},
    **{f"axle_gap{n}_m": gap for n, gap in enumerate(GAPS, 1)},
    "axle_groups": "123",
    "gvw_kg": sum(LOADS),
    "length_m": 16.6,
    "height_m": 3.2,
    "lane": "1",
    "plate_hash": "ab12cd34ef56ab12",
}


@contextmanager
def furnished(folder: Path) -> Iterator[Town]:
    """Give that city, running."""
    with Town(folder, 'base = "demo"\n[simulation]\nrun = false\n') as town:
        now_ms = time.time_ns() // 1_000_000
        for number, minutes in enumerate((50, 40, 30, 20, 10, 0)):
            at_ms = now_ms - minutes * 60_000
            town.say("gas_alarm", "gas-0100", {"conc_pct_lel": 2.0 + number, "state": 0}, ts=at_ms)
        town.say("bridge_wim", "wim-04", {"pass_id": "w1", **LORRY}, channel="event", id="w1")
        town.say("bridge_wim", "wim-05", {"pass_id": "w2", "axle_count": 2, "gvw_kg": 9_000}, channel="event", id="w2")
        for lamp in lamps(town, "s01", 20):
            town.say("light_pole", lamp, {"dim_pct": 80, "cmd_pct": 80})
        for number, lamp in enumerate(lamps(town, "s02", 20)):
            # Five of twenty stay dark.
            town.say("light_pole", lamp, {"dim_pct": 0 if number < 5 else 80, "cmd_pct": 80})
        town.say("drone", "drone-03", {"mode": 5, "lat": 30.349, "lon": 120.108, "alt_rel_m": 80, "batt_pct": 71,
                                       "speed_mps": 8, "route_id": "route-020"})  # fmt: skip
        lift = {"bin_rfid": "x", "gross_kg": 560, "tare_kg": 60}
        town.say("refuse_truck", "truck-001", {"lift_id": "l1", **lift}, channel="event", id="l1")
        week = {"lift_id": "l0", **lift}
        town.say("refuse_truck", "truck-001", week, channel="event", id="l0", ts=now_ms - 7 * DAY_MS)
        opened(town, "manhole", "s03")
        opened(town, "exposed_refuse", "s05")
        town.until("/api/v1/passages", lambda page: len(page["items"]) == 2, kind="bridge_wim")
        # Days long over are reckoned once: not before the store has what they are reckoned from.
        span: dict[str, Any] = {"start": instant(now_ms - 7 * DAY_MS - 1), "stop": instant(now_ms - 7 * DAY_MS + 1)}
        town.until("/api/v1/devices/truck-001/series", lambda found: found["points"], field="net_kg", step="0", **span)
        town.until("/api/v1/kpi/refuse_truck/hours", lambda page: page["against"]["basis"] == "week", patience_s=90)
        yield town


def instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()


def lamps(town: Town, street: str, count: int) -> list[str]:
    found = town.get("/api/v1/devices", kind="light_pole", street=street)["items"]
    return [each["id"] for each in found[:count]]


def opened(town: Town, sub_class: str, street: str) -> str:
    """Open a case whose clock runs, and return its number."""
    with town.client("officer") as officer:
        body = {"sub_class": sub_class, "street": street, "description": "x", "idempotency_key": uuid.uuid4().hex}
        case = officer.post("/api/v1/cases", json=body).json()
        accepted = {"seen_version": case["version"], "idempotency_key": uuid.uuid4().hex}
        answer = officer.post(f"/api/v1/cases/{case['id']}/register", json=accepted)
        assert answer.status_code == 200, answer.text
    return str(case["id"])


def look(page: Page, town: Town, *, scene_s: int = 600, language: str = "zh") -> None:
    """Open the wall and wait until it is drawn."""
    page.goto(f"{town.address}/wall?scene_s={scene_s}&lang={language}")
    expect(page.locator(".live-badge.is-live")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".map canvas").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".wall-cases .case-cell").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".scene")).to_have_attribute("data-scene", "city", timeout=PATIENCE_MS)


def turn(page: Page, scene: str) -> None:
    """Put a scene on, as its turn would."""
    page.evaluate(
        """async (key) => {
          const { stage } = await import("/static/stage.mjs");
          stage.show({ key, kind: key === "city" ? null : key });
        }""",
        scene,
    )
    if scene != "city":
        expect(page.locator(f".chart-{scene}.is-front")).to_be_visible()


def ticks(page: Page, count: int) -> None:
    """Wait until the clock has gone on some seconds."""
    for _ in range(count):
        shown = page.locator(".clock .time").inner_text()
        expect(page.locator(".clock .time")).not_to_have_text(shown, timeout=PATIENCE_MS)
