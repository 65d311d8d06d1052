"""The table of what may be done about a case, in which state, by whom, and where it leads (ALARMS §5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["REPORTED", "REGISTERED", "DISPATCHED", "HANDLING", "VERIFYING", "CLOSED", "VOID"]
STATES: tuple[State, ...] = ("REPORTED", "REGISTERED", "DISPATCHED", "HANDLING", "VERIFYING", "CLOSED", "VOID")
OPEN_STATES: tuple[State, ...] = STATES[:5]

_OFFICERS = frozenset({"officer", "leader"})
_DISPATCHER = frozenset({"dispatcher"})
_HANDLER = frozenset({"handler"})
_VERIFIER = frozenset({"verifier"})
_LEADER = frozenset({"leader"})
_DIRECTOR = frozenset({"director"})
_STAFF = frozenset({"officer", "leader", "dispatcher", "handler", "verifier", "maintenance", "engineer", "director"})
# Who may make a case known; the system does so for alarms and findings that come as messages.
REPORTERS = frozenset({"officer", "leader", "dispatcher", "handler", "verifier", "engineer", "system"})
FORCE_WINDOW_MS = 10 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Move:
    """Where an act leads from one state, and which roles may do it there."""

    to: State
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Act:
    """One act. ``reason``: somebody must say why. ``while_suspended``: it is allowed although the clock stands."""

    moves: Mapping[State, Move] = field(default_factory=dict)
    reason: bool = False
    while_suspended: bool = False


def _stay(states: Iterable[State], roles: frozenset[str]) -> dict[State, Move]:
    return {state: Move(state, roles) for state in states}


_RUNNING: tuple[State, ...] = OPEN_STATES[1:]
ACTS: Mapping[str, Act] = {
    "register": Act({"REPORTED": Move("REGISTERED", _OFFICERS)}),
    "void": Act({"REPORTED": Move("VOID", _OFFICERS)}, reason=True),
    "dispatch": Act({"REGISTERED": Move("DISPATCHED", _DISPATCHER)}),
    "accept": Act({"DISPATCHED": Move("HANDLING", _HANDLER)}),
    "return": Act(
        {
            "DISPATCHED": Move("REGISTERED", _HANDLER | _DISPATCHER),
            "HANDLING": Move("DISPATCHED", _HANDLER | _DISPATCHER),
            "VERIFYING": Move("HANDLING", _VERIFIER | _HANDLER),
        },
        reason=True,
    ),
    "done": Act({"HANDLING": Move("VERIFYING", _HANDLER)}),
    "verify": Act({"VERIFYING": Move("CLOSED", _VERIFIER)}),
    "rework": Act({"VERIFYING": Move("HANDLING", _VERIFIER)}, reason=True),
    "suspend": Act(_stay(_RUNNING, _LEADER), reason=True),
    "resume": Act(_stay(_RUNNING, _LEADER), while_suspended=True),
    "extend": Act(_stay(_RUNNING, _LEADER), reason=True),
    "force_request": Act(_stay(_RUNNING, _OFFICERS | _DISPATCHER), reason=True, while_suspended=True),
    "force_close": Act({state: Move("CLOSED", _DIRECTOR) for state in _RUNNING}, while_suspended=True),
    "link": Act(_stay(OPEN_STATES, _OFFICERS), while_suspended=True),
    "comment": Act(_stay(STATES, _STAFF), while_suspended=True),
}


def role_for(act: str, state: str, roles: Iterable[str]) -> str | None:
    """Return the first of somebody's roles in which they may do an act in a state; None when there is none.

    A state in which nobody may do it asks for the roles of the act elsewhere, so that who has none of them learns that
    first and nothing about the case.
    """
    moves = ACTS[act].moves
    wanted = moves[state].roles if state in moves else roles_of(act)  # type: ignore[index]
    return next((role for role in roles if role in wanted), None)


def roles_of(act: str) -> frozenset[str]:
    """Return every role that may do an act in some state."""
    return frozenset(role for move in ACTS[act].moves.values() for role in move.roles)


def open_acts(row: Mapping[str, Any], user: str, roles: Iterable[str], now_ms: int) -> list[str]:
    """Return the acts that somebody may try now: what a page offers. What only the database can refuse is left in."""
    held = list(roles)
    found = []
    for name, act in ACTS.items():
        move = act.moves.get(row["state"])
        if move is None or not move.roles.intersection(held):
            continue
        suspended = row["suspended_at"] is not None
        if (suspended and not act.while_suspended) or (name == "resume" and not suspended):
            continue
        if name in ("suspend", "extend") and (row["overdue_at"] is not None or row["deadline_at"] <= now_ms):
            continue
        if name in ("verify", "rework") and user in (row["handler"], row["done_by"]):
            continue
        pending = force_pending(row, now_ms)
        if (name == "force_request" and pending) or (
            name == "force_close" and (not pending or row["force_by"] == user)
        ):
            continue
        found.append(name)
    return found


def force_pending(row: Mapping[str, Any], now_ms: int) -> bool:
    """Tell whether a forced closing has been asked for within the last ten minutes."""
    asked_ms = row["force_at"]
    return asked_ms is not None and now_ms - asked_ms <= FORCE_WINDOW_MS
