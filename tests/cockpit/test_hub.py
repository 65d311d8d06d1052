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
from ingest.errors import AlarmError
from tests.ingest.alarms.keeping import transition
from tests.sites import small_site

pytestmark = pytest.mark.anyio

_SOON_S = 60.0


class Page:
    """What one page was sent."""

    def __init__(self, hub: Hub) -> None:
        self.heard: list[dict[str, Any]] = []
        self.on_message: Callable[[dict[str, Any]], None] = lambda _message: None
        self._changed = asyncio.Condition()
        self._serving = asyncio.create_task(hub.serve(self._send))

    async def _send(self, text: str) -> None:
        async with self._changed:
            self.heard.append(json.loads(text))
            self._changed.notify_all()
        self.on_message(self.heard[-1])

    async def until(self, told: Callable[[], bool]) -> None:
        async with asyncio.timeout(_SOON_S), self._changed:
            await self._changed.wait_for(told)

    async def leave(self) -> None:
        self._serving.cancel()
        await asyncio.gather(self._serving, return_exceptions=True)


def snapshots(made: list[int]) -> Callable[[], Iterator[dict[str, Any]]]:
    """Return what makes a snapshot, and notes that it did."""

    def snapshot() -> Iterator[dict[str, Any]]:
        made.append(len(made))
        yield {"type": "snapshot", "made": made[-1]}
        yield {"type": "snapshot_end"}

    return snapshot


async def opened(hub: Hub, count: int) -> list[Page]:
    """Open pages, and return when each has its snapshot."""
    pages = [Page(hub) for _ in range(count)]
    for page in pages:
        await page.until(lambda page=page: len(page.heard) == 2)  # type: ignore[misc]
    return pages


async def left(hub: Hub, pages: list[Page]) -> None:
    """Close pages; nothing of them is kept."""
    for page in pages:
        await page.leave()
    assert len(hub) == 0


def nowhere() -> World:
    """Return a world whose broker never answers."""
    return World(LiveLink(BrokerAddress("127.0.0.1", 1), b""), WallClock(), {})


async def test_one_snapshot_for_all_who_come_before_the_next_message() -> None:
    made: list[int] = []
    hub = Hub(snapshots(made))
    pages = await opened(hub, 2)
    assert made == [0]
    hub.broadcast({"type": "beat"})
    pages += await opened(hub, 1)
    assert made == [0, 1]
    await pages[0].until(lambda: len(pages[0].heard) == 3)
    # Numbers are those of the connection.
    assert [each["seq"] for each in pages[0].heard] == [0, 0, 1]
    assert [each["seq"] for each in pages[2].heard] == [0, 0]
    await hub.spread({"type": "tick"})
    pages += await opened(hub, 1)
    assert made == [0, 1, 2]
    await left(hub, pages)


async def test_everybody_begins_anew_also_with_a_full_queue() -> None:
    hub = Hub(snapshots([]))
    (page,) = pages = await opened(hub, 1)
    # Nobody gives way here: the queue runs over.
    for _ in range(1_000):
        hub.broadcast({"type": "beat"})
    hub.renew()
    await page.until(lambda: len(page.heard) == 4)
    hub.renew()
    await page.until(lambda: len(page.heard) == 6)
    hub.broadcast({"type": "beat"})
    await page.until(lambda: len(page.heard) == 7)
    assert [each.get("made") for each in page.heard] == [0, None, 1, None, 2, None, None]
    assert [each["seq"] for each in page.heard] == [0] * 6 + [1]
    await left(hub, pages)


async def test_what_is_short_overtakes_what_is_long() -> None:
    """An alarm that comes while a tick goes round is not behind the ticks of all pages."""
    hub = Hub(snapshots([]))
    pages = await opened(hub, 5)
    told: list[str] = []

    def alarm_comes(message: dict[str, Any]) -> None:
        told.append(message["type"])
        if told == ["tick"]:
            hub.broadcast({"type": "alarm"})

    for page in pages:
        page.on_message = alarm_comes
    await hub.spread({"type": "tick"})
    for page in pages:
        await page.until(lambda page=page: len(page.heard) == 4)  # type: ignore[misc]
        assert [each["seq"] for each in page.heard] == [0, 0, 1, 2]
    assert sorted(told) == ["alarm"] * 5 + ["tick"] * 5
    # The tick of one page, and perhaps of the next, was on its way; all others had the alarm first.
    assert sum(page.heard[2]["type"] == "alarm" for page in pages) >= 3
    await left(hub, pages)


async def test_a_tick_does_not_set_back_who_has_a_newer_snapshot() -> None:
    hub = Hub(snapshots([]))
    pages = await opened(hub, 5)

    def renewed(message: dict[str, Any]) -> None:
        if message["type"] == "tick":
            hub.renew()

    for page in pages:
        page.on_message = renewed
    await hub.spread({"type": "tick"})
    hub.broadcast({"type": "beat"})
    for page in pages:
        await page.until(lambda page=page: page.heard[-1]["type"] == "beat")  # type: ignore[misc]
    kinds = [[each["type"] for each in page.heard if each["type"] != "snapshot_end"] for page in pages]
    assert all(each.index("tick") < len(each) - 2 for each in kinds if "tick" in each)
    assert sum("tick" in each for each in kinds) <= 2
    assert all(each[-2:] == ["snapshot", "beat"] for each in kinds)
    await left(hub, pages)


async def test_who_leaves_while_a_tick_goes_round_holds_nobody_up() -> None:
    hub = Hub(snapshots([]))
    pages = await opened(hub, 5)
    spreading = asyncio.create_task(hub.spread({"type": "tick"}))
    await asyncio.sleep(0)
    gone, staying = pages[::2], pages[1::2]
    for page in gone:
        await page.leave()
    await spreading
    for page in staying:
        await page.until(lambda page=page: page.heard[-1]["type"] == "tick")  # type: ignore[misc]
    await left(hub, staying)


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
    live = LiveCity(site, City(site), Board(database, site), "1", Watch(database, site, 0), nowhere())
    pages = [Page(live.hub), Page(live.alarm_hub)]
    running = asyncio.create_task(live.run())
    try:
        async with asyncio.timeout(_SOON_S):
            while live.parts()["alarms"] == "ok" or not all(page.heard for page in pages):
                await asyncio.sleep(0.01)
        assert [page.heard[0]["alarms"] for page in pages] == [[], []]
        async with asyncio.timeout(_SOON_S):
            while live.summary()["alarms_stalled"] is None:
                await asyncio.sleep(0.1)
        ready.rename(away)
        for page in pages:
            await page.until(lambda page=page: any(each.get("alarms") for each in page.heard))  # type: ignore[misc]
        async with asyncio.timeout(_SOON_S):
            while live.summary()["alarms_stalled"] or live.parts()["alarms"] != "ok":
                await asyncio.sleep(0.01)
        # No message told of it: it was open before anybody looked.
        assert all(each["type"] != "alarm" for page in pages for each in page.heard)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        for page in pages:
            await page.leave()
        database.close()


async def test_open_alarms_that_could_not_be_read_at_first_are_shown_after_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database answers how far it is, and not at once which alarms are open."""
    site = small_site(tmp_path)
    database = AlarmDatabase(f"sqlite:///{tmp_path / 'alarms.db'}")
    database.migrate()
    occurrences.apply(database, "main", [transition("raise", 1)], 1, 1000)
    board = Board(database, site)
    listed, asked = board.listed, []

    def failing_once(*words: Any) -> list[dict[str, Any]]:
        asked.append(words)
        if len(asked) == 1:
            raise AlarmError("the database is locked")
        return listed(*words)

    monkeypatch.setattr(board, "listed", failing_once)
    live = LiveCity(site, City(site), board, "1", Watch(database, site, 0), nowhere())
    running = asyncio.create_task(live.run())
    try:
        async with asyncio.timeout(_SOON_S):
            while not live.open:
                await asyncio.sleep(0.01)
        assert live.summary()["alarms"]["open"] == 1
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        database.close()
