"""What a command was asked for."""

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """The options all figures share. ``quick`` shows in seconds that a command works; its numbers mean nothing."""

    runs: int = 3
    seconds: float | None = None
    quick: bool = False
    cache: Path = Path(".bench-cache")
    only: tuple[str, ...] = ()
    started_s: float = field(default_factory=time.monotonic)

    @property
    def devices(self) -> int:
        """How many topics the load has."""
        return 200 if self.quick else 5_000

    def length_s(self, usual_s: float, quick_s: float = 2.0) -> float:
        """Return how long a run lasts: as asked, else what the figure usually takes."""
        if self.quick:
            return quick_s
        return usual_s if self.seconds is None else self.seconds

    def wants(self, key: str) -> bool:
        """Tell whether a contestant takes part."""
        return not self.only or key in self.only

    def say(self, text: str) -> None:
        """Tell how far the work is."""
        print(f"[{time.monotonic() - self.started_s:6.1f} s] {text}", file=sys.stderr, flush=True)
