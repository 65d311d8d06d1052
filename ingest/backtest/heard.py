"""Readings behind alarms, taken from the messages that were judged: what was played need not be in any store."""

from bisect import bisect_right
from collections.abc import Iterable

from devices.site import Site
from ingest.backtest.readings import Document, Point, Sought, sought
from ingest.decoding import Decoder, Unregistered
from ingest.records import Records

# A message is received that much before or after the instant that its device gives it, or is not looked for.
_APART_MS = 120_000


def add_heard(document: Document, site: Site, batches: Iterable[Records]) -> None:
    """Add to the alarms of a result what their device measured; only the messages around them are decoded once more."""
    wanted = sought(document, site)
    spans = _merged([(each.from_ms - _APART_MS, each.to_ms + _APART_MS) for each in wanted])
    begins = [begin_ms for begin_ms, _ in spans]
    by_source: dict[tuple[str, str], list[Sought]] = {}
    for each in wanted:
        by_source.setdefault((each.measurement, each.device), []).append(each)
    found: dict[tuple[str, str, str], list[Point]] = {}
    # Whoever has an alarm was let in.
    decoder = Decoder(site, Unregistered(per_hour=None))
    for records in batches:
        if not spans or records[0].received_ms > spans[-1][1]:
            break
        near = [record for record in records if _within(record.received_ms, begins, spans)]
        for outcome in decoder.outcomes(near):
            for reading in outcome.readings:
                for key in {each.field for each in by_source.get((reading.measurement, reading.device), ())}:
                    if key in reading.values:
                        point = (reading.at_ns // 1_000_000, reading.values[key], int(reading.quality_of(key)))
                        found.setdefault((reading.measurement, reading.device, key), []).append(point)
    for each in wanted:
        points = sorted(found.get((each.measurement, each.device, each.field), ()), key=lambda point: point[0])
        each.found([point for point in points if each.from_ms <= point[0] < each.to_ms])


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for begin_ms, end_ms in sorted(spans):
        if found and begin_ms <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end_ms))
        else:
            found.append((begin_ms, end_ms))
    return found


def _within(at_ms: int, begins: list[int], spans: list[tuple[int, int]]) -> bool:
    place = bisect_right(begins, at_ms) - 1
    return place >= 0 and at_ms <= spans[place][1]
