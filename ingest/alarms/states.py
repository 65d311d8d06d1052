"""The display state of an occurrence, derived from its facts and never stored (ALARMS §2)."""

from typing import Literal

State = Literal["UNACK", "ACKED", "RTN_UNACK", "LATCHED", "CLOSED"]
OPEN_STATES: tuple[State, ...] = ("UNACK", "ACKED", "RTN_UNACK", "LATCHED")


def state_of(active: bool, acked: bool, latched: bool) -> State:
    """Return the state of the facts; ``latched`` means a reset is still owed."""
    if active:
        return "ACKED" if acked else "UNACK"
    if not acked:
        return "RTN_UNACK"
    return "LATCHED" if latched else "CLOSED"
