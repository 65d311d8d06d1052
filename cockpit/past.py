"""The city at an instant of the past, from store and audit, in the shapes in which the live city is told.

It is the city as it was, not what its screens knew: what a device kept to itself and sent later counts at its own time.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from cockpit.board import Board, counted
from cockpit.city import City
from cockpit.kind_counts import kind_counts
from cockpit.past_city import PastCity
from cockpit.past_records import PastRecords
from cockpit.problems import Problem
from cockpit.reading import Reader
from cockpit.times import parse_instant, rfc3339
from cockpit.world import Clock
from devices.readings import Quality
from devices.site import Site
from ingest.alarms.absence import ABSENT_MS
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.own_kind import WATCHDOG, own_device
from ingest.alarms.tables import occurrence
from ingest.ledger_tables import ledger_minute
from ingest.store import Store

Document = dict[str, Any]
_DAY_MS = 86_400_000
_MINUTE_MS = 60_000
# A page asks several times about one instant; what comes late meanwhile is found a little later.
_KEPT_MS = 20_000
_KEPT_MOST = 4
_EVERY_ALARM = 100_000
_PASSAGES_BACK_MS = 7 * _DAY_MS
# Half a day of the bridges of the demo city.
_PASSAGES_MOST = 5_000


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant: the devices, and the alarms that were open."""

    at_ms: int
    city: City
    alarms: list[Document]


class Past:
    """Answers for any instant; every call blocks, so it is made in a thread.

    Alarms and cases are told of any time, from the audit. Values are as old as the site keeps its readings.
    """

    def __init__(
        self,
        site: Site,
        store: Store,
        database: AlarmDatabase,
        board: Board,
        reader: Reader,
        clock: Clock,
        version: str,
    ) -> None:
        """Keep the sources; ``version`` is that of the assets."""
        self._site = site
        self._store = store
        self._database = database
        self._board = board
        self._reader = reader
        self._clock = clock
        self._version = version
        self._records = PastRecords(database)
        self._devices = PastCity(site, store, database)
        self._kept: OrderedDict[int, tuple[int, Moment]] = OrderedDict()
        # One at a time: an instant of a large city is work, and whoever waits mostly waits for the same one.
        self._lock = threading.Lock()

    def instant(self, text: str) -> int:
        """Return the instant that a request names, epoch ms.

        Raises:
            Problem: 422, it is none, or lies in the future.
        """
        at_ms, now_ms = parse_instant(text, "at"), self._clock.now_ms()
        if at_ms > now_ms:
            raise Problem(
                422,
                f"at: {text!r} lies in the future; there it is {rfc3339(now_ms, self._site.timezone)}.",
                code="at_future",
                values={"at": text, "now": rfc3339(now_ms, self._site.timezone)},
            )
        return at_ms

    def instant_of_values(self, text: str) -> int:
        """Return the instant that a request for values names, epoch ms.

        Raises:
            Problem: 422, it is none, lies in the future, or is older than the readings that the site keeps.
        """
        at_ms, days = self.instant(text), self._site.store.raw_days
        if not self.keeps_values(at_ms):
            raise Problem(
                422,
                f"at: {text!r} is older than the {days} days for which this site keeps readings.",
                code="at_too_old",
                values={"at": text, "days": days},
            )
        return at_ms

    def keeps_values(self, at_ms: int) -> bool:
        """Tell whether the site still keeps the readings of an instant."""
        return at_ms >= self._clock.now_ms() - self._site.store.raw_days * _DAY_MS

    def moment(self, at_ms: int) -> Moment:
        """Return the city at an instant.

        Raises:
            StoreError: the store is away.
            AlarmError: the alarm database is away.
        """
        with self._lock:
            now_ms = self._clock.now_ms()
            kept_ms, moment = self._kept.get(at_ms, (0, None))
            if moment is not None and now_ms - kept_ms < _KEPT_MS:
                return moment
            alarms = self._open(at_ms)
            moment = Moment(at_ms, self._devices.all(at_ms, alarms), alarms)
            self._kept[at_ms] = (now_ms, moment)
            self._kept.move_to_end(at_ms)
            while len(self._kept) > _KEPT_MOST:
                self._kept.popitem(last=False)
            return moment

    def reader(self, at_ms: int) -> Reader:
        """Return who reads devices as they stood."""
        return self._reader.over(self.moment(at_ms).city)

    def device(self, name: str, at_ms: int) -> Document | None:
        """Return one device with what it had told within a week, or None when nobody knew it."""
        city = self._devices.one(name, at_ms, self._open(at_ms))
        return self._reader.over(city).device_document(name) if name in city.devices else None

    def summary(self, at_ms: int) -> Document:
        """Return counts per kind and of alarms, as they stood; of notices nothing is known."""
        moment = self.moment(at_ms)
        with self._database.read() as connection:
            rate, absent = self._rate(connection, at_ms), self._absent(connection, at_ms)
        return {
            "at": rfc3339(at_ms, self._site.timezone),
            "kinds": kind_counts(self._site, moment.city.devices.values(), moment.alarms),
            "alarms": counted(moment.alarms),
            "messages_per_s": rate,
            "watchdog": absent,
            "notices": None,
        }

    def snapshot(self, at_ms: int) -> Document:
        """Return the city as the first message of the live websocket gives it, and what there is of passages."""
        moment = self.moment(at_ms)
        city = moment.city
        values = city.live_values(city.devices)
        # Who had spoken once and then fell silent is known, also where nothing of it was found.
        spoken = (name for name, device in city.devices.items() if device.silent or device.seen_ms)
        known: dict[str, Document] = {name: {} for name in spoken}
        heard = sum(bool(device.latest) for device in city.devices.values())
        kinds = [kind.key for kind in self._site.catalog.kinds.values()]
        return {
            "type": "snapshot",
            "boot": "past",
            "seq": 0,
            "now": at_ms,
            "asset_version": self._version,
            "alarms": moment.alarms,
            "summary": self.summary(at_ms),
            "devices": {**known, **values},
            "online": {name: device.online for name, device in city.devices.items()},
            "passages": [passage for kind in kinds for passage in self.passages(kind, None, 30, None, at_ms)],
            "past": {
                "at": rfc3339(at_ms, self._site.timezone),
                "devices_with_readings": heard,
                "values_kept": self.keeps_values(at_ms),
                "days_kept": self._site.store.raw_days,
            },
        }

    def passages(
        self, kind: str, device: str | None, limit: int, least: tuple[str, float] | None, at_ms: int
    ) -> list[Document]:
        """Return the newest passages of a kind up to an instant, newest first; see :meth:`Reader.passages`."""
        known = self._site.catalog.kinds.get(kind)
        found: list[Document] = []
        for measurement in known.measurements if known is not None else ():
            if measurement.passage is None:
                continue
            most = limit if least is None else _PASSAGES_MOST
            whose = [device] if device is not None else []
            for row in self._store.before(measurement.key, at_ms, _PASSAGES_BACK_MS, whose, most):
                value = row.values.get(least[0]) if least is not None else None
                if least is not None and not (isinstance(value, float | int) and value >= least[1]):
                    continue
                quality = Quality(row.quality).word
                place = {"device": row.device, "kind": kind, "measurement": measurement.key, "at": row.at_ms}
                found.append({**place, "quality": quality, "values": row.values})
        return sorted(found, key=lambda passage: -int(passage["at"]))[:limit]

    def _open(self, at_ms: int) -> list[Document]:
        copy = self._records.open_alarms(at_ms)
        try:
            return self._board.over(copy).listed("open", None, _EVERY_ALARM, 0)
        finally:
            copy.close()

    def _rate(self, connection: sa.Connection, at_ms: int) -> float | None:
        """Return messages a second by the ledger's last minutes, None where there are none."""
        table = ledger_minute
        query = sa.select(table.c.shard, table.c.at, table.c.journaled).where(
            table.c.at > at_ms - 3 * _MINUTE_MS, table.c.at <= at_ms
        )
        minutes: dict[str, list[tuple[int, int]]] = {}
        for row in connection.execute(query.order_by(table.c.at)):
            minutes.setdefault(row.shard, []).append((int(row.at), int(row.journaled)))
        pairs = [(found[0], found[-1]) for found in minutes.values() if len(found) > 1]
        if not pairs:
            return None
        return round(sum(max(0, b[1] - a[1]) / ((b[0] - a[0]) / 1000) for a, b in pairs), 1)

    def _absent(self, connection: sa.Connection, at_ms: int) -> Mapping[str, Any] | None:
        """Return since when the alarm path had been interrupted, None when it was whole or nothing was known of it."""
        since: dict[str, int] = {}
        for shard in tuple(self._site.shards) or ("main",):
            query = sa.select(sa.func.max(occurrence.c.raised_at)).where(
                occurrence.c.device == own_device(shard), occurrence.c.rule == WATCHDOG, occurrence.c.raised_at <= at_ms
            )
            last_ms = connection.scalar(query)
            if last_ms is not None and at_ms - last_ms >= ABSENT_MS:
                since[shard] = int(last_ms)
        if not since:
            return None
        return {"since": rfc3339(min(since.values()), self._site.timezone), "shards": sorted(since)}
