"""The readings behind each alarm that would vanish, appear or change: what a person wants to see before agreeing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from devices.site import Site
from ingest.alarms.rules import Rule, kind_book
from ingest.store import Store

Document = dict[str, Any]
Point = tuple[int, Any, int]
"""Instant, value and quality."""

# So many alarms of each list are shown with theirs, and so many readings of each.
_ALARMS = 50
_READINGS = 12
_BEFORE = 3


@dataclass(frozen=True, slots=True)
class Sought:
    """What stands behind one alarm of a result: a field of a device in [from, to], around the alarm's beginning."""

    item: Document
    measurement: str
    device: str
    field: str
    unit: str
    begin_ms: int
    from_ms: int
    to_ms: int

    def found(self, points: Sequence[Point]) -> None:
        """Add to the alarm the readings around its beginning, and how many there are of them in all."""
        before = [point for point in points if point[0] < self.begin_ms][-_BEFORE:]
        whole = [*before, *(point for point in points if point[0] >= self.begin_ms)]
        self.item.update(readings=whole[:_READINGS], readings_of=len(whole), readings_unit=self.unit)


def sought(document: Document, site: Site) -> list[Sought]:
    """Return what has to be looked up for the alarms that a result names."""
    rules = kind_book(site.catalog).by_id
    return [
        _around(item, rule, site)
        for item in _named(document)
        if isinstance(rule := rules.get(item["rule"]), Rule) and rule.kind in site.catalog.kinds
    ]


def add_readings(document: Document, site: Site, store: Store) -> None:
    """Add to the alarms of a result what their device measured around their beginning: (instant, value, quality).

    Raises:
        StoreError: the store is away.
    """
    for each in sought(document, site):
        each.found(store.series(each.measurement, each.device, each.field, each.from_ms, each.to_ms, 0).points)


def _named(document: Document) -> Iterator[Document]:
    for key in ("vanish", "appear", "moved"):
        yield from document[key]["items"][:_ALARMS]
    yield from document["verdicts"]["missed_items"][:_ALARMS]


def _around(item: Document, rule: Rule, site: Site) -> Sought:
    kind = site.catalog.kinds[rule.kind]
    period_ms = round(kind.period_s * 1000)
    begin_ms = item["at"]
    end_ms = begin_ms + _READINGS * period_ms if item["until"] is None else item["until"]
    unit = kind.field(rule.field).unit
    from_ms = begin_ms - _BEFORE * period_ms
    return Sought(item, rule.measurement, item["device"], rule.field, unit, begin_ms, from_ms, end_ms + period_ms)
