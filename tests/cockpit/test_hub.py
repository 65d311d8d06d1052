"""The hub: one snapshot for whoever comes at the same moment, and one anew where something was lacking."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.board import Board
from cockpit.city import City
from cockpit.hub import Hub
from cockpit.link import LiveLink
from cockpit.live import LiveCity
from cockpit.watch import Watch
from cockpit.world import WallClock, World
from ingest.address import BrokerAddress
from ingest.alarms import occurrences
from ingest.alarms.database import AlarmDatabase
from tests.ingest.alarms.keeping import transition
from tests.sites import small_site

pytestmark = pytest.mark.anyio

_SOON_S = 60.0


class Page:
    """What one page was sent."""

    def __init__(self, hub: Hub) -> None:
        self.heard: list[dict[str, Any]] = []
        self._changed = asyncio.Condition()
        self._serving = asyncio.create_task(hub.serve(self._send))

    async def _send(self, text: str) -> None:
        async with self._changed:
            self.heard.append(json.loads(text))
            self._changed.notify_all()

    async def until(self, told: Callable[[], bool]) -> None:
        async with asyncio.timeout(_SOON_S), self._changed:
            await self._changed.wait_for(told)

    async def leave(self) -> None:
        self._serving.cancel()
        await asyncio.gather(self._serving, return_exceptions=True)


async def test_one_snapshot_for_all_who_come_before_the_next_message() -> None:
    made: list[int] = []

    def snapshot(seq: int) -> Iterator[dict[str, Any]]:
        made.append(seq)
        yield {"type": "snapshot", "seq": seq}
        yield {"type": "snapshot_end", "seq": seq}

    hub = Hub(snapshot)
    first, second = Page(hub), Page(hub)
    await first.until(lambda: len(first.heard) == 2)
    await second.until(lambda: len(second.heard) == 2)
    assert made == [0]
    hub.broadcast({"type": "beat"})
    third = Page(hub)
    await third.until(lambda: len(third.heard) == 2)
    await first.until(lambda: len(first.heard) == 3)
    assert made == [0, 1]
    assert [each["seq"] for each in third.heard] == [1, 1]
    for page in (first, second, third):
        await page.leave()
    assert len(hub) == 0


async def test_everybody_begins_anew_also_with_a_full_queue() -> None:
    hub = Hub(lambda seq: iter([{"type": "snapshot", "seq": seq}]))
    page = Page(hub)
    await page.until(lambda: len(page.heard) == 1)
    # Nobody gives way here: the queue runs over.
    for _ in range(1_000):
        hub.broadcast({"type": "beat"})
    hub.renew()
    await page.until(lambda: len(page.heard) == 2)
    assert page.heard[1] == {"type": "snapshot", "seq": 1_000}
    hub.renew()
    await page.until(lambda: len(page.heard) == 3)
    hub.broadcast({"type": "beat"})
    await page.until(lambda: len(page.heard) == 4)
    assert page.heard[3] == {"type": "beat", "seq": 1_001}
    await page.leave()


async def test_who_came_before_the_open_alarms_were_read_is_shown_them(tmp_path: Path) -> None:
    """After a restart of the cockpit a wall is back before the database has told which alarms are open."""
    site = small_site(tmp_path)
    ready, away = tmp_path / "ready", tmp_path / "away"
    ready.mkdir()
    before = AlarmDatabase(f"sqlite:///{ready / 'alarms.db'}")
    before.migrate()
    occurrences.apply(before, "main", [transition("raise", 1)], 1, 1000)
    before.close()
    database = AlarmDatabase(f"sqlite:///{away / 'alarms.db'}")
    world = World(LiveLink(BrokerAddress("127.0.0.1", 1), b""), WallClock(), {})
    live = LiveCity(site, City(site), Board(database, site), "1", Watch(database, site, 0), world)
    pages = [Page(live.hub), Page(live.alarm_hub)]
    running = asyncio.create_task(live.run())
    try:
        async with asyncio.timeout(_SOON_S):
            while live.parts()["alarms"] == "ok" or not all(page.heard for page in pages):
                await asyncio.sleep(0.01)
        assert [page.heard[0]["alarms"] for page in pages] == [[], []]
        ready.rename(away)
        for page in pages:
            await page.until(lambda page=page: any(each.get("alarms") for each in page.heard))  # type: ignore[misc]
        # No message told of it: it was open before anybody looked.
        assert all(each["type"] != "alarm" for page in pages for each in page.heard)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        for page in pages:
            await page.leave()
        database.close()
