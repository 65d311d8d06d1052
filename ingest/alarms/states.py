"""The display state of an occurrence, derived from its facts and never stored (ALARMS §2)."""

from collections.abc import Mapping
from typing import Any, Literal

State = Literal["UNACK", "ACKED", "RTN_UNACK", "LATCHED", "CLOSED"]
OPEN_STATES: tuple[State, ...] = ("UNACK", "ACKED", "RTN_UNACK", "LATCHED")


def state_of(active: bool, acked: bool, latched: bool) -> State:
    """Return the state of the facts; ``latched`` means a reset is still owed."""
    if active:
        return "ACKED" if acked else "UNACK"
    if not acked:
        return "RTN_UNACK"
    return "LATCHED" if latched else "CLOSED"


def row_state(row: Mapping[str, Any]) -> State:
    """Return the state of an occurrence's columns; a closed one stays closed whatever its facts were."""
    if row["closed_at"] is not None:
        return "CLOSED"
    return state_of(row["active"], row["acked"], row["latched"])
