"""The ledger: what came in and what became of it, so that "nothing lost" is an equation and not a hope.

messages: received = journaled = decoded + quarantined + duplicate; readings: produced = stored + refused + waiting.
Both hold for everything together, for each kind and for each device (ingest.counts). A message can be told a kind only
after it was journaled, so per kind ``received`` and ``journaled`` are what the other three add up to.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np

from devices.readings import Reading
from ingest.counts import Counts
from ingest.outcomes import AnyOutcome, Batch, Outcome
from ingest.sheets import Sheet
from ingest.store.usual import UsualReadings

# The columns of a row of counts: messages by fate, readings, and how many of the messages were old or ran ahead.
DECODED, QUARANTINED, DUPLICATE, PRODUCED, LATE, SKEWED = range(6)
STORED, REFUSED = range(2)
LATE_MS = 5 * 60_000
_whose = attrgetter("kind", "device")
_position = attrgetter("position")


def message_counts() -> Counts:
    """Return empty counts of messages."""
    return Counts("messages", 6)


@dataclass(slots=True)
class Ledger:
    """Counts up to one position of the journal; saved with that position, so a restart counts nothing twice."""

    decoded: int = 0
    quarantined: int = 0
    duplicate: int = 0
    produced: int = 0
    unknown: dict[str, int] = field(default_factory=dict)
    counts: Counts = field(default_factory=message_counts, compare=False)

    def count(self, outcomes: Batch | Sequence[Outcome]) -> list[AnyOutcome]:
        """Count outcomes; return those that are more than counted: quarantined, tried again, or with a clock ahead."""
        if not isinstance(outcomes, Batch):
            return self._count_single(outcomes)
        odd = self._count_single(outcomes.single.values())
        for sheet in outcomes.sheets:
            odd += self._count_sheet(outcomes, sheet)
        return sorted(odd, key=_position)

    def _count_sheet(self, outcomes: Batch, sheet: Sheet) -> list[AnyOutcome]:
        """Count usual messages: one reading each, and of its own device."""
        kind = sheet.ways[0].kind
        failed: list[AnyOutcome] = [outcomes.usual(sheet, row) for row in sorted(sheet.failed)]
        for outcome in failed:
            self._count_odd(outcome)
        good = np.ones(len(sheet.ways), dtype=np.bool_)
        good[list(sheet.failed)] = False
        places = sheet.places[good] if failed else sheet.places
        self.counts.add_at(kind, sheet.lanes, places, (DECODED, PRODUCED))
        self.decoded += len(places)
        self.produced += len(places)
        late = sheet.at_ms < sheet.received_ms - LATE_MS
        late[list(sheet.history)] = True
        if late.any():
            self.counts.add_at(kind, sheet.lanes, sheet.places[late & good], (LATE,))
        return failed

    def _count_single(self, outcomes: Iterable[Outcome]) -> list[AnyOutcome]:
        rows, touch, change = self.counts.rows, self.counts.touch, self.counts.change
        odd: list[AnyOutcome] = []
        decoded = produced = received_ms = late_ns = 0
        for outcome in outcomes:
            fate = outcome.fate
            if fate == "tick":
                continue
            if outcome.unknown:
                self.unknown[outcome.kind] = self.unknown.get(outcome.kind, 0) + outcome.unknown
            if fate != "decoded" or outcome.origin is not None:
                self._count_odd(outcome)
                if fate != "duplicate" or outcome.origin is not None:
                    odd.append(outcome)
                continue
            device = outcome.device
            try:
                row = rows[outcome.kind][device]
                if not row.changed:
                    change(row)
            except KeyError:
                row = touch(outcome.kind, device)
            numbers, of_kind = row.numbers, row.of_kind
            decoded += 1
            numbers[DECODED] += 1
            of_kind[DECODED] += 1
            readings = outcome.readings
            if readings:
                first = readings[0]
                produced += len(readings)
                for reading in readings:
                    if reading.device == device:
                        numbers[PRODUCED] += 1
                        of_kind[PRODUCED] += 1
                    else:
                        self.counts.add(reading.kind, reading.device, PRODUCED, 1)
                if outcome.received_ms != received_ms:
                    received_ms = outcome.received_ms
                    late_ns = (received_ms - LATE_MS) * 1_000_000
                if first.at_ns < late_ns or first.history:
                    numbers[LATE] += 1
                    of_kind[LATE] += 1
            if outcome.ahead_ms:
                numbers[SKEWED] += 1
                of_kind[SKEWED] += 1
                odd.append(outcome)
        self.decoded += decoded
        self.produced += produced
        return odd

    def _count_odd(self, outcome: AnyOutcome) -> None:
        kind, device, readings, counts = outcome.kind, outcome.device, outcome.readings, self.counts
        if outcome.fate == "decoded":
            self.decoded += 1
            counts.add(kind, device, DECODED, 1)
        elif outcome.fate == "duplicate":
            self.duplicate += 1
            counts.add(kind, device, DUPLICATE, 1)
        else:
            self.quarantined += 1
            counts.add(kind, device, QUARANTINED, 1)
        if readings:
            self.produced += len(readings)
            count_readings(counts, PRODUCED, readings)
        origin = outcome.origin
        if origin is not None:
            # It was counted when it came; now it only moves.
            self.quarantined -= 1
            counts.add(origin.kind, origin.row, QUARANTINED, -1)
            return
        if readings and (readings[0].history or readings[0].at_ns < (outcome.received_ms - LATE_MS) * 1_000_000):
            counts.add(kind, device, LATE, 1)
        if outcome.ahead_ms:
            counts.add(kind, device, SKEWED, 1)

    def totals(self) -> dict[str, Any]:
        """Return what is saved of it beside the counts per device."""
        names = ("decoded", "quarantined", "duplicate", "produced", "unknown")
        return {name: getattr(self, name) for name in names}


@dataclass(slots=True)
class Stored:
    """What the store took and refused, up to one position of the journal."""

    position: int = 0
    stored: int = 0
    refused: int = 0


def stored_counts() -> Counts:
    """Return empty counts of readings stored and refused."""
    return Counts("store", 2)


def count_readings(counts: Counts, column: int, readings: Iterable[Reading], sign: int = 1) -> None:
    """Add readings to one number of their devices; with a sign of -1 take them away."""
    for (kind, device), count in Counter(map(_whose, readings)).items():
        counts.add(kind, device, column, sign * count)


def count_stored(
    counts: Counts,
    readings: Iterable[Reading],
    refused: Sequence[tuple[Reading, str]],
    usual: Iterable[UsualReadings] = (),
) -> None:
    """Count readings that were given to a store, some of which it refused."""
    count_readings(counts, STORED, readings)
    for each in usual:
        counts.add_each(each.kind, each.devices, (STORED,))
    if refused:
        count_readings(counts, STORED, [reading for reading, _ in refused], -1)
        count_readings(counts, REFUSED, [reading for reading, _ in refused])


@dataclass(frozen=True, slots=True)
class Hops:
    """The moving ends of the pipeline, read at one instant."""

    now_ms: int
    received: int
    journaled: int
    store_lag_s: float
    alarms_lag_s: float


def ledger_document(
    ledger: Ledger, stored: Stored, hops: Hops, stored_kinds: Mapping[str, Sequence[int]]
) -> dict[str, Any]:
    """Return the ledger as CONTRACTS.md lays it out, with ``at`` in epoch ms, the kinds, and the unknown keys of each.

    Args:
        ledger: the messages.
        stored: the readings.
        hops: the moving ends.
        stored_kinds: per kind the readings stored and refused.
    """
    return {
        "at": hops.now_ms,
        "messages": {
            "received": hops.received,
            "journaled": hops.journaled,
            "decoded": ledger.decoded,
            "quarantined": ledger.quarantined,
            "duplicate": ledger.duplicate,
        },
        "readings": readings_document(ledger.produced, stored.stored, stored.refused),
        "lag_s": {"store": round(hops.store_lag_s, 3), "alarms": round(hops.alarms_lag_s, 3)},
        "unknown_keys": dict(ledger.unknown),
        "kinds": {
            kind: row_document(numbers, stored_kinds.get(kind, (0, 0)))
            for kind, numbers in sorted(ledger.counts.kinds().items())
        },
    }


def row_document(messages: Sequence[int], stored: Sequence[int]) -> dict[str, Any]:
    """Return the equations of one row of counts (of a kind or of a device)."""
    journaled = messages[DECODED] + messages[QUARANTINED] + messages[DUPLICATE]
    return {
        "messages": {
            "received": journaled,
            "journaled": journaled,
            "decoded": messages[DECODED],
            "quarantined": messages[QUARANTINED],
            "duplicate": messages[DUPLICATE],
        },
        "readings": readings_document(messages[PRODUCED], stored[STORED], stored[REFUSED]),
        "late": messages[LATE],
        "skewed": messages[SKEWED],
    }


def readings_document(produced: int, stored: int, refused: int) -> dict[str, int]:
    """Return the equation of the readings."""
    waiting = max(0, produced - stored - refused)
    return {"produced": produced, "stored": stored, "refused": refused, "waiting": waiting}
