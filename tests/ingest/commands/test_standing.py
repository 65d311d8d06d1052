"""Commanded against actual: when a lamp counts as obeying, when not, and when its own schedule has it again."""

from typing import Any

import pytest

from ingest.commands.standing import FAILED_FOR_MS, Reading, standing
from tests.ingest.commands.lighting import NOON

PERIOD_MS = 60_000
DARK = Reading(0.0, NOON - 1, 0.0, NOON - 1)


def command(state: str = "acked", **more: Any) -> dict[str, Any]:
    return {
        "state": state, "accepted": {"acked": True, "refused": False}.get(state), "dim_pct": 40, "until": None,
        "made_at": NOON, "answered_at": NOON if state in ("acked", "refused") else None,
        "settled_at": NOON, "obeyed_at": None, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "found", "reading", "after_ms"),
    [
        ("own", None, DARK, 0),
        ("waiting", command("waiting"), DARK, 0),
        ("waiting", command("sent"), Reading(40.0, NOON + 1), 2),
        ("following", command(), DARK, 2 * PERIOD_MS),
        ("not_obeyed", command(), DARK, 2 * PERIOD_MS + 1),
        ("not_obeyed", command(), Reading(), 2 * PERIOD_MS + 1),
        # Seen before it was ordered is no obedience.
        ("following", command(), Reading(40.0, NOON - 1), 1),
        ("obeyed", command(), Reading(41.0, NOON + 1), 2),
        ("obeyed", command(), Reading(40.0, NOON + 1), 13 * 3_600_000),
        ("following", command(), Reading(45.0, NOON + 1, 40.0, NOON + 1), 2),
        ("not_obeyed", command(obeyed_at=NOON), Reading(0.0, NOON + 9, 40.0, NOON + 9), 10),
        # It did as told; then the schedule of the pole changed.
        ("own", command(obeyed_at=NOON), Reading(100.0, NOON + 9, 100.0, NOON + 9), 10),
        ("own", command(until=NOON + 5), Reading(40.0, NOON + 1), 5),
        ("own", command(dim_pct=None), DARK, 1),
        ("refused", command("refused"), DARK, 1),
        ("timed_out", command("timed_out"), DARK, 1),
        ("expired", command("expired"), DARK, FAILED_FOR_MS),
        ("own", command("expired"), DARK, FAILED_FOR_MS + 1),
        ("obeyed", command("timed_out", accepted=True, answered_at=NOON), Reading(40.0, NOON + 1), 2),
    ],
)
def test_standing(expected: str, found: dict[str, Any] | None, reading: Reading, after_ms: int) -> None:
    assert standing(found, reading, NOON + after_ms, PERIOD_MS) == expected
