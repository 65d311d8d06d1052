"""The readings behind each alarm that would vanish, appear or change: what a person wants to see before agreeing."""

from collections.abc import Iterator, Mapping
from typing import Any

from devices.site import Site
from ingest.alarms.rules import Rule, kind_book
from ingest.store import Store

Document = dict[str, Any]

# So many alarms of each list are shown with theirs, and so many readings of each.
_ALARMS = 50
_READINGS = 12
_BEFORE = 3


def add_readings(document: Document, site: Site, store: Store) -> None:
    """Add to the alarms of a result what their device measured around their beginning: (instant, value, quality).

    Raises:
        StoreError: the store is away.
    """
    rules = kind_book(site.catalog).by_id
    for item in _named(document):
        rule = rules.get(item["rule"])
        if isinstance(rule, Rule):
            item["readings"] = _around(item, rule, round(site.catalog.kinds[rule.kind].period_s * 1000), store)


def _named(document: Document) -> Iterator[Document]:
    for key in ("vanish", "appear", "moved"):
        yield from document[key]["items"][:_ALARMS]
    yield from document["verdicts"]["missed_items"][:_ALARMS]


def _around(item: Mapping[str, Any], rule: Rule, period_ms: int, store: Store) -> list[tuple[int, Any, int]]:
    begin_ms = item["at"]
    end_ms = begin_ms + _READINGS * period_ms if item["until"] is None else item["until"]
    from_ms, to_ms = begin_ms - _BEFORE * period_ms, end_ms + period_ms
    points = store.series(rule.measurement, item["device"], rule.field, from_ms, to_ms, 0).points
    before = [point for point in points if point[0] < begin_ms][-_BEFORE:]
    return [*before, *(point for point in points if point[0] >= begin_ms)][:_READINGS]
