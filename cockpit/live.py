"""What keeps pages alive: live messages and alarm changes turned into the hub's stream."""

import asyncio
import logging
import secrets
import time
from collections.abc import Iterator
from typing import Any

from cockpit.board import Board, Document, counted
from cockpit.city import City
from cockpit.hub import Hub
from cockpit.kind_counts import kind_counts
from cockpit.ledger import added_up
from cockpit.metrics import CityMetrics
from cockpit.times import rfc3339
from cockpit.trouble_words import parted
from cockpit.watch import Watch
from cockpit.world import World
from devices.site import Site
from ingest.errors import AlarmError

log = logging.getLogger(__name__)

_BEAT_S = 2.0
_TICK_S, _TICK_REST_S = 1.0, 0.2
_UNHEARD = "nothing heard from the collector for over 5 s"
_CHUNK = 1_000
_SILENT_MS = 5_000


class LiveCity:
    """The city now, kept current from the live topics and the alarm database."""

    def __init__(self, site: Site, city: City, board: Board, asset_version: str, watch: Watch, world: World) -> None:
        self._site = site
        self._board = board
        self._asset_version = asset_version
        self._watch = watch
        self._source = world.source
        self._clock = world.clock
        self._boot = secrets.token_hex(8)
        self._head: int | None = None
        self._nudge = asyncio.Event()
        self._asked_s = 0.0
        self._rate = _Rate()
        self.city = city
        self.open: dict[str, Document] = {}
        self.alarms_trouble = ""
        self._alarms_read_ms = _real_ms()
        self.hub = Hub(self._snapshot)
        # For a page that looks at another city and must hear of this one's alarms all the same.
        self.alarm_hub = Hub(self._alarm_snapshot)
        self.metrics = CityMetrics(tuple(site.shards) or ("main",))

    def hear(self, topic: str, document: dict[str, Any]) -> None:
        """Take one live message (in the event loop)."""
        self.metrics.live_messages.labels(topic).inc()
        if topic == "metrics":
            self.metrics.hear(str(document["shard"]), str(document["metrics"]), _real_ms())
            return
        whole = self.city.hear(topic, document, _real_ms())
        if topic == "alarm":
            self._nudge.set()
        if not whole and topic != "snapshot_end" and time.monotonic() - self._asked_s > 2.0:
            self._asked_s = time.monotonic()
            self._source.ask()

    async def run(self) -> None:
        """Keep everything going until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._alarms())
            tasks.create_task(self._ticks())
            tasks.create_task(self._beats())
            # A recording holds no promise that an alarm comes through each minute.
            if not self._site.replayed:
                tasks.create_task(self._watch.run())

    def now_ms(self) -> int:
        """Return the instant at which the city is."""
        return self._clock.now_ms()

    def nudge(self) -> None:
        """Look at the alarm database now instead of within the next second."""
        self._nudge.set()

    def summary(self) -> Document:
        """Return counts per kind and of alarms, as they stand."""
        return {
            "at": rfc3339(self.now_ms(), self._site.timezone),
            "kinds": kind_counts(self._site, self.city.devices.values(), self.open.values()),
            "alarms": counted(list(self.open.values())),
            "alarms_stalled": self._stalled(),
            "messages_per_s": self._rate.per_s,
            **self._watch.summary(),
        }

    def parts(self) -> dict[str, str]:
        """Return the health of each part: ``ok`` or a sentence."""
        now_ms = _real_ms()
        shards = self.city.shards.values()
        heard_ms = max((shard.heard_ms for shard in shards), default=0)
        silent = now_ms - heard_ms > _SILENT_MS
        trouble = [str(shard.ledger["trouble"]) for shard in shards if shard.ledger.get("trouble")]
        unkept = [str(shard.ledger["alarms_trouble"]) for shard in shards if shard.ledger.get("alarms_trouble")]
        return {
            "broker": "ok"
            if self._source.connected
            else "the cockpit is not connected to the broker; it tries again for ever",
            "ingest": "ok" if not silent else _UNHEARD,
            "store": "; ".join(trouble) or "ok",
            "alarms": self.alarms_trouble or "; ".join(unkept) or "ok",
            **self._watch.parts(),
        }

    def ledger(self) -> Document:
        """Return the ledgers of all collectors, added up; lags are the worst."""
        found = added_up({name: shard.ledger for name, shard in self.city.shards.items()}, self._site)
        for name in {*self.metrics.expected, *self.city.shards}:
            link = self.city.shards.get(name)
            shard = found["shards"].setdefault(name, {})
            shard["heard_at"] = rfc3339(self._at(link.heard_ms) if link else None, self._site.timezone)
            shard["trouble"] = str(link.ledger.get("trouble") or "") if link else ""
            shard["problem"] = parted(shard["trouble"])
            shard["recount"] = link.ledger.get("recount") if link else None
        return {**found, "msg_per_s": self._rate.per_s}

    def _stalled(self) -> Document | None:
        """Return since when no alarm comes through the alarm database: it cannot be read, or a collector's wait."""
        unread = [self._alarms_read_ms] if _real_ms() - self._alarms_read_ms > _SILENT_MS else []
        unkept = [
            shard.heard_ms - int(shard.ledger["lag_s"]["alarms"] * 1000)
            for shard in self.city.shards.values()
            if shard.ledger.get("alarms_trouble")
        ]
        since_ms = min(unread + unkept, default=None)
        return None if since_ms is None else {"since": rfc3339(self._at(since_ms), self._site.timezone)}

    def _snapshot(self) -> Iterator[Document]:
        names = sorted(self.city.devices)
        yield {**self._opening(), "summary": self.summary(), **self._part(names[:_CHUNK])}
        for start in range(_CHUNK, len(names), _CHUNK):
            yield {"type": "snapshot_part", **self._part(names[start : start + _CHUNK])}
        yield {"type": "snapshot_end"}

    def _alarm_snapshot(self) -> Iterator[Document]:
        yield self._opening()
        yield {"type": "snapshot_end"}

    def _opening(self) -> Document:
        return {
            "type": "snapshot",
            "boot": self._boot,
            **self._time(),
            "asset_version": self._asset_version,
            "alarms": list(self.open.values()),
        }

    def _part(self, names: list[str]) -> Document:
        online = {name: self.city.devices[name].online for name in names}
        return {"devices": self.city.live_values(names), "online": online}

    async def _alarms(self) -> None:
        # Hints only say "look now"; looking each second anyway makes a lost hint harmless.
        while True:
            try:
                if self._head is None:
                    head = await asyncio.to_thread(self._board.head)
                    rows = await asyncio.to_thread(self._board.listed, "open", None, 100_000, 0)
                    # Only with both: a head alone would pass over what is open for good.
                    self._head, self.open = head, {row["id"]: row for row in rows}
                    # Who came before has seen none of them, and most will not change soon.
                    for hub in (self.hub, self.alarm_hub):
                        hub.renew()
                self._head, changed = await asyncio.to_thread(self._board.changed_since, self._head)
                self.alarms_trouble, self._alarms_read_ms = "", _real_ms()
                for alarm in changed:
                    if alarm["state"] == "CLOSED":
                        self.open.pop(alarm["id"], None)
                    else:
                        self.open[alarm["id"]] = alarm
                    for hub in (self.hub, self.alarm_hub):
                        hub.broadcast({"type": "alarm", "alarm": alarm})
            except AlarmError as error:
                if not self.alarms_trouble:
                    log.warning("%s", error)
                self.alarms_trouble = str(error)
            try:
                await asyncio.wait_for(self._nudge.wait(), 1.0)
            except TimeoutError:
                continue
            self._nudge.clear()

    async def _ticks(self) -> None:
        rest_s = _TICK_S
        while True:
            await asyncio.sleep(rest_s)
            begun_s = time.monotonic()
            values, online, passages = self.city.tick()
            for passage in passages:
                self.hub.broadcast({"type": "passage", "passage": passage})
            if values or online:
                await self.hub.spread({"type": "tick", **self._time(), "devices": values, "online": online})
            # With many pages it may take longer than a second; what changes meanwhile is in the next one.
            rest_s = max(_TICK_REST_S, _TICK_S - (time.monotonic() - begun_s))

    async def _beats(self) -> None:
        while True:
            journaled = sum(s.ledger.get("messages", {}).get("journaled", 0) for s in self.city.shards.values())
            # Before a collector was heard there is no total: the step from nothing to all it ever took is no rate.
            if journaled:
                self._rate.look(journaled)
            heard_ms = max((shard.heard_ms for shard in self.city.shards.values()), default=0)
            data_at = self._at(heard_ms) if heard_ms else None
            for hub in (self.hub, self.alarm_hub):
                hub.broadcast({"type": "beat", **self._time(), "data_at": data_at})
            self.hub.broadcast({"type": "summary", **self.summary()})
            await asyncio.sleep(_BEAT_S)

    def _time(self) -> Document:
        replay = self._clock.replay()
        return {"now": self.now_ms()} if replay is None else {"now": self.now_ms(), "replay": replay}

    def _at(self, real_ms: int) -> int:
        """Return the city's instant of something that happened a while ago here."""
        return self.now_ms() - (_real_ms() - real_ms)


class _Rate:
    """Messages a second, over about ten seconds."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, int]] = []

    def look(self, total: int) -> None:
        self._seen = [*self._seen[-5:], (time.monotonic(), total)]

    @property
    def per_s(self) -> float:
        if len(self._seen) < 2:
            return 0.0
        (first_s, first), (last_s, last) = self._seen[0], self._seen[-1]
        return round(max(0.0, (last - first) / max(0.1, last_s - first_s)), 1)


def _real_ms() -> int:
    return time.time_ns() // 1_000_000
