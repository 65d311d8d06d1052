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
from cockpit.ledger import added_up
from cockpit.link import LiveLink
from cockpit.metrics import CityMetrics
from cockpit.times import rfc3339
from cockpit.watch import Watch
from devices.site import Site
from ingest.errors import AlarmError

log = logging.getLogger(__name__)

_BEAT_S = 2.0
_CHUNK = 1_000
_SILENT_MS = 5_000


class LiveCity:
    """The city now, kept current from the live topics and the alarm database."""

    def __init__(self, site: Site, city: City, board: Board, asset_version: str, watch: Watch) -> None:
        self._site = site
        self._board = board
        self._asset_version = asset_version
        self._watch = watch
        self._boot = secrets.token_hex(8)
        self._head: int | None = None
        self._nudge = asyncio.Event()
        self._asked_s = 0.0
        self._rate = _Rate()
        self.city = city
        self.open: dict[str, Document] = {}
        self.link: LiveLink | None = None
        self.alarms_trouble = ""
        self.hub = Hub(self._snapshot)
        self.metrics = CityMetrics(tuple(site.shards) or ("main",))

    def hear(self, topic: str, document: dict[str, Any]) -> None:
        """Take one live message (in the event loop)."""
        self.metrics.live_messages.labels(topic).inc()
        if topic == "metrics":
            self.metrics.hear(str(document["shard"]), str(document["metrics"]), _now_ms())
            return
        whole = self.city.hear(topic, document, _now_ms())
        if topic == "alarm":
            self._nudge.set()
        if not whole and topic != "snapshot_end" and self.link is not None and time.monotonic() - self._asked_s > 2.0:
            self._asked_s = time.monotonic()
            self.link.ask()

    async def run(self) -> None:
        """Keep everything going until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._alarms())
            tasks.create_task(self._ticks())
            tasks.create_task(self._beats())
            tasks.create_task(self._watch.run())

    def nudge(self) -> None:
        """Look at the alarm database now instead of within the next second."""
        self._nudge.set()

    def summary(self) -> Document:
        """Return counts per kind and of alarms, as they stand."""
        kinds: dict[str, dict[str, int]] = {
            kind: dict.fromkeys(("total", "online", "alarming", "faulty", "silent"), 0)
            for kind in self._site.catalog.kinds
        }
        for device in self.city.devices.values():
            counts = kinds.get(device.kind)
            if counts is not None:
                counts["total"] += 1
                counts["online"] += device.online
                counts["silent"] += device.silent
        alarming: set[tuple[str, str]] = set()
        faulty: set[tuple[str, str]] = set()
        for alarm in self.open.values():
            if alarm["active"]:
                (faulty if alarm["priority"] == "health" else alarming).add((alarm["kind"], alarm["device"]))
        for key, found in (("alarming", alarming), ("faulty", faulty)):
            for kind, _ in found:
                if kind in kinds:
                    kinds[kind][key] += 1
        return {
            "at": rfc3339(_now_ms(), self._site.timezone),
            "kinds": kinds,
            "alarms": counted(list(self.open.values())),
            "messages_per_s": self._rate.per_s,
            **self._watch.summary(),
        }

    def parts(self) -> dict[str, str]:
        """Return the health of each part: ``ok`` or a sentence."""
        now_ms = _now_ms()
        shards = self.city.shards.values()
        heard_ms = max((shard.heard_ms for shard in shards), default=0)
        silent = now_ms - heard_ms > _SILENT_MS
        trouble = [str(shard.ledger["trouble"]) for shard in shards if shard.ledger.get("trouble")]
        connected = self.link is not None and self.link.connected
        return {
            "broker": "ok" if connected else "the cockpit is not connected to the broker; it tries again for ever",
            "ingest": "ok" if not silent else "nothing heard from the collector for over 5 s",
            "store": "; ".join(trouble) or "ok",
            "alarms": self.alarms_trouble or "ok",
            **self._watch.parts(),
        }

    def ledger(self) -> Document:
        """Return the ledgers of all collectors, added up; lags are the worst."""
        found = added_up({name: shard.ledger for name, shard in self.city.shards.items()}, self._site)
        for name in {*self.metrics.expected, *self.city.shards}:
            link = self.city.shards.get(name)
            shard = found["shards"].setdefault(name, {})
            shard["heard_at"] = rfc3339(link.heard_ms if link else None, self._site.timezone)
            shard["trouble"] = str(link.ledger.get("trouble") or "") if link else ""
            shard["recount"] = link.ledger.get("recount") if link else None
        return {**found, "msg_per_s": self._rate.per_s}

    def _snapshot(self, seq: int) -> Iterator[Document]:
        names = sorted(self.city.devices)
        head = {
            "type": "snapshot",
            "boot": self._boot,
            "seq": seq,
            "now": _now_ms(),
            "asset_version": self._asset_version,
            "alarms": list(self.open.values()),
            "summary": self.summary(),
        }
        yield {**head, **self._part(names[:_CHUNK])}
        for start in range(_CHUNK, len(names), _CHUNK):
            yield {"type": "snapshot_part", "seq": seq, **self._part(names[start : start + _CHUNK])}
        yield {"type": "snapshot_end", "seq": seq}

    def _part(self, names: list[str]) -> Document:
        online = {name: self.city.devices[name].online for name in names}
        return {"devices": self.city.live_values(names), "online": online}

    async def _alarms(self) -> None:
        # Hints only say "look now"; looking each second anyway makes a lost hint harmless.
        while True:
            try:
                if self._head is None:
                    self._head = await asyncio.to_thread(self._board.head)
                    rows = await asyncio.to_thread(self._board.listed, "open", None, 100_000, 0)
                    self.open = {row["id"]: row for row in rows}
                self._head, changed = await asyncio.to_thread(self._board.changed_since, self._head)
                self.alarms_trouble = ""
                for alarm in changed:
                    if alarm["state"] == "CLOSED":
                        self.open.pop(alarm["id"], None)
                    else:
                        self.open[alarm["id"]] = alarm
                    self.hub.broadcast({"type": "alarm", "alarm": alarm})
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
        while True:
            await asyncio.sleep(1.0)
            values, online, passages = self.city.tick()
            if values or online:
                self.hub.broadcast({"type": "tick", "now": _now_ms(), "devices": values, "online": online})
            for passage in passages:
                self.hub.broadcast({"type": "passage", "passage": passage})

    async def _beats(self) -> None:
        while True:
            journaled = sum(s.ledger.get("messages", {}).get("journaled", 0) for s in self.city.shards.values())
            # Before a collector was heard there is no total: the step from nothing to all it ever took is no rate.
            if journaled:
                self._rate.look(journaled)
            heard_ms = max((shard.heard_ms for shard in self.city.shards.values()), default=0)
            self.hub.broadcast({"type": "beat", "now": _now_ms(), "data_at": heard_ms or None})
            self.hub.broadcast({"type": "summary", **self.summary()})
            await asyncio.sleep(_BEAT_S)


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


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
