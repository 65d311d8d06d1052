"""What the cockpit and the process of a run tell each other: lines of JSON on standard input and output."""

from typing import Any, Literal

import msgspec

from ingest.alarms.revisions.revision import SITE_FILE, Revision

SLOWEST, FASTEST = 0.1, 1000.0
# Only the cockpit that started a run knows what stands here, so nobody else on the machine reads it.
TOKEN_HEADER = "X-CityDeck-Bench"
# Who acts in an exercise, as the cockpit has proved it; it counts with the token alone.
OFFICER_HEADER = "X-CityDeck-Officer"
State = Literal["starting", "preparing", "playing", "ended", "stopped", "failed"]


class Span(msgspec.Struct, frozen=True):
    """A recording's file, or the folder of a journal, from an instant to another."""

    path: str
    is_file: bool
    from_ms: int | None = None
    to_ms: int | None = None


class Scripted(msgspec.Struct, frozen=True):
    """A scenario that is made into a recording first, with faults laid over it; ``begin`` is by the site's clock."""

    scenario: str
    begin: str
    faults: tuple[str, ...] = ()


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to play, how fast (0: as fast as it goes), by which rules, and where.

    In a ``drill`` people act. Its first ``warm_ms`` are played at once, or with ``by_wall`` only as many of them as the
    clock of the wall has come to by then.
    """

    site: str
    folder: str
    prefix: str
    token: str
    span: Span | None = None
    scripted: Scripted | None = None
    speed: float = 1.0
    paused: bool = False
    revision: Revision = SITE_FILE
    drill: bool = False
    warm_ms: int = 0
    by_wall: bool = False


class Officer(msgspec.Struct, frozen=True):
    """Who acts in an exercise, from which address."""

    name: str
    roles: tuple[str, ...]
    areas: tuple[str, ...] = ()
    address: str = ""


class Act(msgspec.Struct, frozen=True):
    """One thing to do with a run: ``speed`` belongs to ``speed``, ``at_ms`` to ``seek``."""

    act: Literal["pause", "go_on", "speed", "seek", "stop"]
    speed: float = 1.0
    at_ms: int = 0


class Standing(msgspec.Struct, frozen=True):
    """How the desk of an exercise stands: open alarms in sight, the worst, and since when the oldest waits."""

    open: int = 0
    unacked: int = 0
    worst: str = ""
    oldest_unacked_ms: int | None = None


class Progress(msgspec.Struct, kw_only=True):
    """How a run is; ``port`` is 0 until its city can be looked at, ``sentence`` says why it failed."""

    state: State = "starting"
    sentence: str = ""
    port: int = 0
    done: int = 0
    total: int = 0
    from_ms: int = 0
    to_ms: int = 0
    at_ms: int = 0
    speed: float = 1.0
    rate: float = 0.0
    paused: bool = False
    messages: int = 0
    readings: int = 0
    quarantined: int = 0
    alarms: dict[str, int] = {}
    span: Span | None = None
    standing: Standing | None = None


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What a draft is tried on, and what people have found of the alarms of that span (rows of the alarm database)."""

    site: str
    span: Span
    base: Revision
    draft: Revision
    recorded: list[dict[str, Any]] = []


class Tried(msgspec.Struct, kw_only=True):
    """How far a trial is, and what came of it: a result, or a sentence that says why there is none."""

    done: int = 0
    total: int = 0
    result: dict[str, Any] | None = None
    sentence: str = ""


def speed_of(given: object) -> float:
    """Return a speed as a factor, 0 for ``max``.

    Raises:
        ValueError: it is none, in a sentence.
    """
    if given == "max":
        return 0.0
    if isinstance(given, bool) or not isinstance(given, int | float) or not SLOWEST <= given <= FASTEST:
        raise ValueError(f"speed {given!r}: expected a number from {SLOWEST:g} to {FASTEST:g}, or max.")
    return float(given)
