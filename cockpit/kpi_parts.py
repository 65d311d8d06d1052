"""What the indicators of all kinds share: what they are asked for, what they read, and the documents of shares."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from cockpit.kpi_days import Days
from cockpit.kpi_period import Day, Period
from cockpit.past_records import PastRecords
from devices.site import Device, Site
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import occurrence
from ingest.cases.indicators import Ratio
from ingest.store import Asked, Store, Tally

Document = dict[str, Any]
Row = Mapping[str, Any]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which period and which part of the city; ``go_on`` says whether there is time for more.

    With ``at_ms`` that is told which was known at that instant: what was done and what came about later is left out.
    Only readings count at the time of the device, however late they came: nobody keeps when they did.
    """

    period: Period
    now_ms: int
    district: str | None = None
    street: str | None = None
    go_on: Callable[[], bool] = lambda: True
    at_ms: int | None = None

    @property
    def known_ms(self) -> int:
        """Return the instant up to which things are known: the present, or that of the past."""
        return self.now_ms if self.at_ms is None else self.at_ms

    def takes(self, device: Device) -> bool:
        """Tell whether a device stands in this part of the city."""
        return self.street in (None, device.street) and self.district in (None, device.district)


@dataclass(frozen=True, slots=True)
class Sources:
    """What indicators are made of."""

    site: Site
    store: Store
    database: AlarmDatabase
    days: Days

    def devices(self, kind: str, wanted: Wanted) -> dict[str, Device]:
        """Return the devices of a kind in the part of the city that is asked for."""
        return {key: each for key, each in self.site.devices.items() if each.kind == kind and wanted.takes(each)}

    def streets(self, wanted: Wanted) -> list[str]:
        """Return the streets of that part, in the site's own order."""
        return [
            street.key
            for district in self.site.districts
            if wanted.district in (None, district.key)
            for street in district.streets
            if wanted.street in (None, street.key)
        ]

    def tallies(self, asked: Asked, wanted: Wanted) -> tuple[dict[Day, dict[str, list[Tally]]], int]:
        """Return the tallies of each day by device, and how many days are not reckoned yet.

        Raises:
            StoreError: the store is away.
        """

        def reckon(day: Day) -> dict[str, list[Tally]]:
            return self.store.tallies(asked, day.from_ms, min(day.to_ms, wanted.known_ms))

        return self.daily(asked, wanted, reckon)

    def daily(self, what: Hashable, wanted: Wanted, reckon: Callable[[Day], Value]) -> tuple[dict[Day, Value], int]:
        """Return what is known of each day, and how many days are not reckoned yet; see :class:`Days`."""
        return self.days.of(what, wanted.period, wanted.now_ms, reckon, wanted.go_on, wanted.at_ms)

    def alarms(self, wanted: Wanted, *conditions: sa.ColumnElement[bool]) -> list[Row]:
        """Return the alarms raised in the period at devices of that part of the city, oldest first.

        Raises:
            AlarmError: the database is away.
        """
        names = ("id", "device", "rule", "priority", "raised_at", "noticed_at", "acked_at", "closed_at")
        within = (occurrence.c.raised_at >= wanted.period.from_ms, occurrence.c.raised_at < wanted.period.to_ms)
        query = sa.select(*(occurrence.c[name] for name in names)).where(*within, *conditions)
        with self.records(wanted, sa.select(occurrence).where(*within)) as database, database.read() as connection:
            rows = [dict(row) for row in connection.execute(query.order_by(occurrence.c.raised_at)).mappings()]
        known = self.site.devices
        return [row for row in rows if row["device"] in known and wanted.takes(known[row["device"]])]

    @contextmanager
    def records(self, wanted: Wanted, closed: sa.Select[Any]) -> Iterator[AlarmDatabase]:
        """Give the alarms as they are known: all of them, or a copy of what stood, and of what ``closed`` selects."""
        if wanted.at_ms is None:
            yield self.database
            return
        copy = PastRecords(self.database).alarms(wanted.at_ms, closed)
        try:
            yield copy
        finally:
            copy.close()


def share(numerator: float, denominator: float) -> Document:
    """Return a share with what it is a share of; nothing of nothing has no value."""
    ratio = Ratio(round(numerator), round(denominator))
    return {"numerator": ratio.numerator, "denominator": ratio.denominator, "value": ratio.value}


def on_day(rows: Iterable[Row], day: Day) -> list[Row]:
    """Return the alarms that were raised on a day."""
    return [row for row in rows if day.from_ms <= row["raised_at"] < day.to_ms]
