"""Ten thousand alarms within a minute: none is lost, the list can still be paged through, the load is told."""

from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from cockpit.app import create_app
from cockpit.world import live_world
from ingest.address import broker_address
from tests.ingest.alarms.collecting import Town, instant
from tests.ingest.alarms.feeding import message, ticks

GAS, PASSAGES = 2_000, 8_000
DEVICES = "\n".join(
    f'[[devices]]\nid = "flood-{n}"\nkind = "gas_alarm"\nstreet = "s0{n % 2 + 1}"' for n in range(GAS)
)  # fmt: skip


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Give a town over which it came: within sixty seconds, 10,000 alarms."""
    flooded = Town(Path(tmp_path_factory.mktemp("flood")), parts={"tail": DEVICES, "head": "simulated = true"})
    leaks = [
        message(round(60 * n / GAS, 1), "gas_alarm", f"flood-{n}", {"conc_pct_lel": 30 + 30 * (n % 2)})
        for n in range(GAS)
    ]
    passages = [
        message(
            round(60 * n / PASSAGES, 1), "bridge_wim", "wim-1",
            {"pass_id": f"p{n}", "axle_count": 2, "gvw_kg": 24_000}, channel="event", id=f"p{n}",
        )
        for n in range(PASSAGES)
    ]  # fmt: skip
    flooded.receive([*leaks, *passages, *ticks(0, 62)])
    flooded.judge()
    return flooded


def test_none_is_lost(town: Town) -> None:
    """The recount knows every one of them, each once."""
    code, found = town.recount(-60, 3_600)
    assert (code, found["missing"], found["phantom"]) == (0, 0, 0)
    assert found["expected"] >= GAS + PASSAGES


@pytest.mark.anyio
async def test_the_list_is_usable(town: Town) -> None:
    """Page by page: every alarm once, the worst first, and the counts say how many there are."""
    world = live_world(town.site, town.places, broker_address(town.site, 1), "secret")
    transport = httpx.ASGITransport(app=create_app(town.site, town.places, world))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        names: list[str] = []
        ranks: list[tuple[str, str]] = []
        cursor: dict[str, Any] = {}
        while True:
            page = (await client.get("/api/v1/alarms", params={"limit": 500, **cursor})).json()
            names += [item["id"] for item in page["items"]]
            ranks += [(item["priority"], item["raised_at"]) for item in page["items"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert len(set(names)) == len(names) == page["counts"]["open"] >= GAS + PASSAGES
        assert [priority for priority, _ in ranks] == sorted(priority for priority, _ in ranks)
        assert Counter(priority for priority, _ in ranks)["P1"] >= GAS // 2
        worst = (await client.get("/api/v1/alarms", params={"priority": "P1", "limit": 10})).json()["items"]
        assert [item["id"] for item in worst] == names[:10]
        span = {"from": instant(0), "to": instant(600)}
        told = (await client.get("/api/v1/alarms/load", params=span)).json()
        assert told["per_10_min_most"] >= GAS + PASSAGES
