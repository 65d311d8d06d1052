"""The ladder: who is called next when nobody acknowledges (ALARMS §4; CityDeck's proposal, a city confirms it)."""

from dataclasses import dataclass

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Rung:
    """One step: how long after the announcement, which role is called, and whether a case is opened."""

    after_ms: int
    role: str
    opens_case: bool = False


# Step 0 is the announcement itself, to the officers on duty.
FIRST = Rung(0, "officer")
LADDERS: dict[str, tuple[Rung, ...]] = {
    "P1": (
        Rung(1 * _MINUTE_MS, "officer"),
        Rung(3 * _MINUTE_MS, "leader"),
        Rung(5 * _MINUTE_MS, "director", opens_case=True),
    ),
    "P2": (Rung(5 * _MINUTE_MS, "officer"), Rung(15 * _MINUTE_MS, "leader"), Rung(30 * _MINUTE_MS, "director")),
    "P3": (Rung(30 * _MINUTE_MS, "officer"), Rung(120 * _MINUTE_MS, "leader")),
}
# The last rung of these is called again and again until somebody acknowledges.
REPEATED_MS = {"P1": 1 * _MINUTE_MS}


def rung(priority: str, step: int) -> Rung | None:
    """Return a step of a priority's ladder; 0 is the announcement, None is beyond its end."""
    ladder = LADDERS.get(priority, ())
    if step == 0:
        return FIRST
    return ladder[step - 1] if step <= len(ladder) else None


def next_step(priority: str, step: int, since_ms: int, now_ms: int) -> tuple[int, int] | None:
    """Return (step, when it is due) after a step was called at ``now_ms``, None when the ladder has ended."""
    following = rung(priority, step + 1)
    if following is not None:
        return step + 1, since_ms + following.after_ms
    again_ms = REPEATED_MS.get(priority)
    return None if again_ms is None else (step, now_ms + again_ms)
