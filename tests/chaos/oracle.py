"""Who judges a round: what the database, the alarm database, the quarantine and the journal hold, against the load.

It reads InfluxDB by its own query and the alarm database by its own SQL; of the product it uses the audit's check and
what a restart would read.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ingest.alarms.audit import first_broken
from ingest.alarms.database import AlarmDatabase
from ingest.errors import JournalError
from ingest.ledger import PRODUCED
from ingest.records import TICK
from ingest.watchdog import ROOT as WATCHDOG
from tests.chaos.load import CONFLICTING, Load, Point, Stands
from tests.chaos.town import Town
from tests.servers.influxdb import Influx

_SHOWN = 8
# The collector watches itself by the same means; what it says of its disk and its lag is no device's.
OWN_KIND = "collector"
# One-minute summaries of what is stored: made again whenever they are missing.
_MINUTES = "_1m"
# What happens by itself is known by its name; its nanoseconds are the product's own affair.
_NAMES = {"wim_pass": "pass_id", "bin_lift": "lift_id"}


def settled(town: Town, load: Load) -> bool:
    """Tell whether everything published is journaled, judged, and stored or refused."""
    ledger = town.collector.ledger()
    if ledger.decoded < load.readable or ledger.quarantined < load.half_readable + len(load.unreadable):
        return False
    stored = town.collector.stored()
    if ledger.produced != stored.stored + stored.refused:
        return False
    delivered = journaled(town)
    judged = ledger.decoded + ledger.quarantined + ledger.duplicate - beats(town)
    return judged == delivered.total() and not load.unreadable - delivered.keys()


def progress(town: Town) -> tuple[int, ...]:
    """Return counts that grow while the collector gets any further; none while a full disk lets nobody look."""
    try:
        ledger, stored = town.collector.ledger(), town.collector.stored()
    except (JournalError, sqlite3.Error):
        return ()
    # Not the positions: those grow with every tick, though nothing else may ever happen.
    return ledger.decoded, ledger.quarantined, ledger.duplicate, ledger.produced, stored.stored, stored.refused


def journaled(town: Town) -> Counter[tuple[str, bytes]]:
    """Return every device's message that the journal holds, with how often it was delivered."""
    return Counter(
        (record.topic, record.payload)
        for record in town.collector.journaled()
        if record.topic != TICK and not record.topic.startswith(WATCHDOG)
    )


def beats(town: Town) -> int:
    """Return how many messages of the collector's own watchdog the journal holds."""
    return sum(record.topic.startswith(WATCHDOG) for record in town.collector.journaled())


def differences(town: Town, load: Load) -> list[str]:
    """Return in sentences where the end differs from what it must be; empty when nothing was lost or doubled."""
    found = [*_points(town.influx, load), *_alarms(town, load), *_counts(town, load)]
    before, traceback, rest = town.collector.log.partition("Traceback")
    if traceback:
        found.append(f"the collector's log has a traceback: {before[-300:]}{traceback}{rest[:6000]}")
    return found


def stored_points(influx: Influx) -> dict[Point, dict[str, Any]]:
    """Return all points of the round's database but the one that was written by hand."""
    points: dict[Point, dict[str, Any]] = {}
    for measurement in [row["name"] for row in influx.rows("SHOW MEASUREMENTS")]:
        if measurement == OWN_KIND or measurement.endswith(_MINUTES):
            continue
        for row in influx.rows(f'SELECT * FROM "{measurement}"'):
            if row["device_id"] == CONFLICTING:
                continue
            name = _NAMES.get(measurement)
            key = row[name] if name else row["time"]
            points[Point(measurement, row["device_id"], key)] = {**row, "at_ms": row["time"] // 1_000_000}
    return points


def _points(influx: Influx, load: Load) -> Iterable[str]:
    stored = stored_points(influx)
    yield from _compared("stored points", load.points.keys(), stored.keys())
    for point, values in load.points.items():
        row = stored.get(point)
        wrong = {key: row.get(key) for key in values if row.get(key) != values[key]} if row is not None else {}
        if wrong:
            yield f"{point} holds {wrong}, expected {values}"


def _alarms(town: Town, load: Load) -> Iterable[str]:
    path = town.data / "alarms.db"
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute(
            "SELECT point, level_peak, activations, active FROM occurrence WHERE kind != ?", (OWN_KIND,)
        ).fetchall()
    finally:
        connection.close()
    points = Counter(str(point) for point, *_ in rows)
    yield from _compared("alarms", load.alarms.keys(), points.keys())
    yield from (f"{count} occurrences of {point}, expected one" for point, count in points.items() if count > 1)
    for point, *facts in rows:
        stands = Stands(facts[0], facts[1], bool(facts[2]))
        if load.alarms.get(point, stands) != stands:
            yield f"{point} stands as {stands}, expected {load.alarms[point]}"
    database = AlarmDatabase(f"sqlite:///{path}")
    try:
        with database.read() as reading:
            broken = first_broken(reading)
    finally:
        database.close()
    if broken is not None:
        yield f"the audit chain is broken at row {broken}"


def _counts(town: Town, load: Load) -> Iterable[str]:
    ledger, stored = town.collector.ledger(), town.collector.stored()
    delivered, own = journaled(town), beats(town)
    unreadable = sum(delivered[message] for message in load.unreadable)
    groups = town.collector.quarantine()
    published = {message for lane in load.lanes for message in lane}
    yield from _compared("journaled messages", published, delivered.keys())
    expected: Mapping[str, tuple[int, int]] = {
        "received = decoded + quarantined + duplicate": (
            delivered.total() + own, ledger.decoded + ledger.quarantined + ledger.duplicate,
        ),
        "decoded": (load.readable + own, ledger.decoded),
        "quarantined": (unreadable + load.half_readable, ledger.quarantined),
        "produced": (len(load.points) + len(load.refused), ledger.produced),
        "stored": (len(load.points), stored.stored),
        "refused": (len(load.refused), stored.refused),
        "in quarantine": (ledger.quarantined + stored.refused, sum(group.count for group in groups.values())),
        "refused, in quarantine": (
            len(load.refused), sum(group.count for (reason, _), group in groups.items() if reason == "refused"),
        ),
    }  # fmt: skip
    yield from (f"{name}: found {has}, expected {wanted}" for name, (wanted, has) in expected.items() if has != wanted)
    yield from _counts_per_device(town, (ledger.decoded, ledger.quarantined, ledger.duplicate, ledger.produced))


def _counts_per_device(town: Town, totals: tuple[int, ...]) -> Iterable[str]:
    """Compare the rows of the ledger: they add up to its totals, and the store's side of each is what was produced."""
    messages, stored = town.collector.counted("messages"), town.collector.counted("store")
    added = tuple(sum(row[column] for row in messages.values()) for column in range(len(totals)))
    if added != totals:
        yield f"decoded, quarantined, duplicate, produced of all devices add up to {added}, the ledger says {totals}"
    for key in sorted(messages.keys() | stored.keys()):
        produced, kept = messages.get(key, [0] * 6)[PRODUCED], stored.get(key, [0, 0])
        if produced != sum(kept):
            yield f"{key} produced {produced} readings; stored and refused are {kept}"


def _compared(what: str, expected: Iterable[Any], found: Iterable[Any]) -> Iterable[str]:
    wanted, has = set(expected), set(found)
    for word, some in (("missing", wanted - has), ("that nobody sent", has - wanted)):
        if some:
            first = ", ".join(str(item)[:200] for item in sorted(some, key=str)[:_SHOWN])
            yield f"{len(some)} {what} {word}, of {len(wanted)}: {first}"


def shown_by_cockpit(town: Town) -> list[str]:
    """Return the points of all alarms the cockpit shows."""
    page = json.loads(town.cockpit.get("/api/v1/alarms?state=all&limit=10000"))
    return sorted(item["point"] for item in page["items"] if item["kind"] != OWN_KIND)
