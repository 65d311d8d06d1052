"""What lamps were told from outside: each holds its command until an instant, then its own schedule has it again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hold:
    """A lamp at so many percent from one real instant to another; a stuck one is told so and shines as it likes."""

    dim_pct: float
    since_ms: int
    until_ms: int
    stuck: bool = False


class LampHolds:
    """The holds of a city; what is asked about an instant does not depend on when it is asked."""

    def __init__(self) -> None:
        self._holds: dict[str, list[Hold]] = {}

    def at(self, device: str, real_ms: int) -> Hold | None:
        """Return the hold under which a lamp is at an instant."""
        found = self._holds.get(device)
        if found is None:
            return None
        newest = next((hold for hold in reversed(found) if hold.since_ms <= real_ms), None)
        return newest if newest is not None and real_ms < newest.until_ms else None

    def take(self, device: str, hold: Hold) -> None:
        """Add a hold that ends the one before; with no length it only ends that."""
        # Of the one before a report may still be due.
        self._holds[device] = [*self._holds.get(device, [])[-1:], hold]
