"""The ledger: what came in and what became of it, so that "nothing lost" is an equation and not a hope.

messages: received = journaled = decoded + quarantined + duplicate; readings: produced = stored + refused + waiting.
"""

from dataclasses import dataclass, field
from typing import Any

from ingest.decoding import Outcome


@dataclass(slots=True)
class Ledger:
    """Counts up to one position of the journal; saved with that position, so a restart counts nothing twice."""

    decoded: int = 0
    quarantined: int = 0
    duplicate: int = 0
    produced: int = 0
    unknown: dict[str, int] = field(default_factory=dict)

    def count(self, outcome: Outcome) -> None:
        """Count one outcome."""
        if outcome.fate == "tick":
            return
        if outcome.fate == "decoded":
            self.decoded += 1
        elif outcome.fate == "duplicate":
            self.duplicate += 1
        else:
            self.quarantined += 1
        self.produced += len(outcome.readings)
        if outcome.unknown:
            self.unknown[outcome.kind] = self.unknown.get(outcome.kind, 0) + outcome.unknown


@dataclass(slots=True)
class Stored:
    """What the store took and refused, up to one position of the journal."""

    position: int = 0
    stored: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Hops:
    """The moving ends of the pipeline, read at one instant."""

    now_ms: int
    received: int
    journaled: int
    store_lag_s: float
    alarms_lag_s: float


def ledger_document(ledger: Ledger, stored: Stored, hops: Hops) -> dict[str, Any]:
    """Return the ledger as CONTRACTS.md lays it out, with ``at`` in epoch ms and the unknown keys per kind."""
    return {
        "at": hops.now_ms,
        "messages": {
            "received": hops.received,
            "journaled": hops.journaled,
            "decoded": ledger.decoded,
            "quarantined": ledger.quarantined,
            "duplicate": ledger.duplicate,
        },
        "readings": {
            "produced": ledger.produced,
            "stored": stored.stored,
            "refused": stored.refused,
            "waiting": max(0, ledger.produced - stored.stored - stored.refused),
        },
        "lag_s": {"store": round(hops.store_lag_s, 3), "alarms": round(hops.alarms_lag_s, 3)},
        "unknown_keys": dict(ledger.unknown),
    }
