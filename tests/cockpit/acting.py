"""Acts of people on alarms of a town, over its API."""

import itertools
import time
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from ingest.alarms.shifts import shift_end_ms
from tests.cockpit.town import Town
from tests.servers.waiting import wait_until

CHINA = ZoneInfo("Asia/Shanghai")
_KEYS = itertools.count()


def post(client: httpx.Client, path: str, **body: Any) -> httpx.Response:
    """Send a request with a key of its own."""
    return client.post(f"/api/v1{path}", json={"idempotency_key": f"acts{next(_KEYS)}", **body})


def act(town: Town, user: str, path: str, **body: Any) -> dict[str, Any]:
    """Do an act that must succeed."""
    with town.client(user) as client:
        answer = post(client, path, **body)
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    return done


def refused(town: Town, user: str | None, path: str, **body: Any) -> tuple[int, str]:
    """Do an act that must be refused; return the status and the type of the problem."""
    with town.client(user) as client:
        answer = post(client, path, **body)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert answer.json()["detail"]
    return answer.status_code, answer.json()["type"]


def shelvable_s(most_s: int) -> int:
    """Return for how long an alarm may be shelved now: not beyond the shift, whose last moments are let pass."""

    def left_s() -> float:
        return shift_end_ms(time.time_ns() // 1_000_000, CHINA) / 1000 - time.time()

    wait_until(lambda: left_s() >= 90, 120, 1)
    return min(most_s, int(left_s()) - 10)


def lamp(town: Town, device: str, failed: bool = True) -> dict[str, Any]:
    """Raise (or end) the failure of a lamp, a calm alarm that is not latched, and return it."""
    town.say("light_pole", device, {"lamp_fail": failed})
    return town.alarm(device)


def leak(town: Town, device: str, percent: float) -> dict[str, Any]:
    """Raise gas at 30 % (level 1, P2) or 60 % (level 2, P1), latched, and return the alarm."""
    level = 2 if percent >= 50 else 1
    town.say("gas_alarm", device, {"conc_pct_lel": percent})
    found = town.until(
        "/api/v1/alarms", lambda page: page["items"] and page["items"][0]["level_peak"] == level, device=device
    )
    alarm: dict[str, Any] = found["items"][0]
    return alarm


def gas_over(town: Town, device: str) -> None:
    """Let the gas be gone for longer than the off-delay, by the device's own clock."""
    now_ms = time.time_ns() // 1_000_000
    for second in (0, 30, 61):
        town.say("gas_alarm", device, {"conc_pct_lel": 0.5}, ts=now_ms + second * 1000)
    town.until("/api/v1/alarms", lambda page: not page["items"][0]["active"], device=device)


def history(town: Town, alarm: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return (actor, role, action) of everything that was done."""
    found = town.get(f"/api/v1/alarms/{alarm['id']}/history")["items"]
    return [(row["actor"], row["role"], row["action"]) for row in found]
