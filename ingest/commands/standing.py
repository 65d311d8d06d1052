"""What stands of a command to a lamp: on its way, answered, obeyed or not, over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Standing = Literal["own", "waiting", "following", "obeyed", "not_obeyed", "refused", "timed_out", "expired"]
# How long a lamp that did not take its command is shown as one; a newer command ends it sooner.
FAILED_FOR_MS = 12 * 3_600_000
# In how many reporting periods a reading has to follow.
_PERIODS = 2
# What a lamp may differ from its command: its driver rounds.
_CLOSE_PCT = 2.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What a pole says of itself: actual and commanded brightness in %, each with the device's time (epoch ms)."""

    dim_pct: float | None = None
    dim_at: int = 0
    cmd_pct: float | None = None
    cmd_at: int = 0

    def shows(self, wanted: int, since_ms: int) -> bool:
        """Tell whether the lamp has shone as wanted since an instant."""
        return self.dim_at >= since_ms and _close(self.dim_pct, wanted)


def standing(command: Mapping[str, Any] | None, reading: Reading, now_ms: int, period_ms: float) -> Standing:
    """Return how a lamp stands to its newest command.

    ``own`` follows its own schedule · ``waiting`` for the answer · ``following``: accepted, no reading shows it yet ·
    ``obeyed`` · ``not_obeyed``: accepted, and two reporting periods later the reading says otherwise · ``refused``,
    ``timed_out``, ``expired`` (never sent): it does what it did before.
    """
    if command is None or (command["until"] is not None and now_ms >= command["until"]):
        return "own"
    state, accepted = command["state"], command["accepted"]
    if state in ("waiting", "sending", "sent"):
        return "waiting"
    if not accepted:
        over = now_ms - command["settled_at"] > FAILED_FOR_MS
        return "own" if over else state
    wanted = command["dim_pct"]
    if wanted is None:
        return "own"
    if reading.shows(wanted, command["made_at"]):
        return "obeyed"
    if command["obeyed_at"] is not None and not _close(reading.cmd_pct, wanted):
        # It did as told, and then its schedule came.
        return "own"
    if command["obeyed_at"] is None and now_ms - command["answered_at"] <= _PERIODS * period_ms:
        return "following"
    return "not_obeyed"


def _close(found: float | None, wanted: int) -> bool:
    return found is not None and abs(found - wanted) <= _CLOSE_PCT
