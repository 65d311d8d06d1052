"""The promise every store keeps."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from devices.readings import Reading, flag_quality
from ingest.store.history import Column, Sought, Source, Told
from ingest.store.tallies import Asked, Tally
from ingest.store.usual import UsualReadings

# t_ms, value (None: no value in this step), worst quality in the step (0 good, 1 uncertain, 2 bad)
Point = tuple[int, float | str | None, int]


@dataclass(frozen=True, slots=True)
class WriteResult:
    """How a write went: how many readings are durable, and which were refused for good, each with a sentence."""

    stored: int
    refused: Sequence[tuple[Reading, str]] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """One field of one device over time. ``step_s`` is 0 for raw points, else the width of a min/max pair."""

    points: list[Point] = field(default_factory=list)
    step_s: float = 0.0


class Held(NamedTuple):
    """One row as it is kept; ``values`` are the fields and tags of the measurement, ``flags`` their words."""

    device: str
    district: str
    at_ms: int
    values: dict[str, float | str]
    quality: int
    flags: str


def point_quality(key: str, quality: float | None, flags: str | None) -> int:
    """Return the quality of a field by what is stored: that of the reading, or of the field's own flag if worse."""
    worst = int(quality or 0)
    for word in (flags or "").split(" "):
        field_key, colon, code = word.rpartition(":")
        if colon and field_key == key:
            worst = max(worst, int(flag_quality(code)))
    return worst


class Store(Protocol):
    """A place for readings. A reading written again overwrites itself; fields of one instant are merged."""

    transactional: bool
    """Whether the position is committed together with the readings (then the store itself remembers it)."""

    def write(self, readings: Sequence[Reading], position: int, usual: Sequence[UsualReadings] = ()) -> WriteResult:
        """Make readings durable, together with the journal position they reach up to.

        ``usual`` are readings received between those, by column.

        Raises:
            StoreError: nothing is lost, the same call will be made again.
        """

    def position(self) -> tuple[int, int, int]:
        """Return (journal position, readings stored, readings refused) of a transactional store."""

    def series(self, measurement: str, device: str, key: str, start_ms: int, stop_ms: int, step_ms: int) -> Series:
        """Return a field's points in [start, stop), oldest first; with a step, the minimum and maximum of each.

        Where readings have expired, the minimum and maximum of each minute stand for them; over a long span steps are
        whole minutes (ingest.store.spans).

        Raises:
            StoreError: the store is away.
        """

    def rows(
        self, measurement: str, devices: Sequence[str], limit: int
    ) -> list[tuple[str, int, dict[str, float | str]]]:
        """Return the newest rows of a measurement as (device, t_ms, values), newest first; all devices when none given.

        Values are the fields and tags of the measurement and ``quality``.

        Raises:
            StoreError: the store is away.
        """

    def before(
        self, measurement: str, at_ms: int, horizon_ms: int, devices: Sequence[str] = (), most: int | None = None
    ) -> list[Held]:
        """Return the rows of the time up to an instant, itself counted in, newest first; all devices when none given.

        ``horizon_ms`` is how far back from the instant to look, ``most`` how many rows there may be in all.

        Raises:
            StoreError: the store is away.
        """

    def count(self, measurement: str, start_ns: int, stop_ns: int) -> dict[str, int]:
        """Return how many points each device has in [start, stop).

        Raises:
            StoreError: the store is away.
        """

    def instants(
        self, measurement: str, start_ns: int, stop_ns: int, device: str | None = None
    ) -> dict[str, Sequence[int]]:
        """Return the instants of every point in [start, stop) by device; of one device when it is named.

        Raises:
            StoreError: the store is away.
        """

    def tallies(self, asked: Asked, start_ms: int, stop_ms: int) -> dict[str, list[Tally]]:
        """Return the tallies of [start, stop) by device, one for each case that is asked for.

        Raises:
            StoreError: the store is away, or knows no such field.
        """

    def reach(self, measurement: str) -> tuple[int, int] | None:
        """Return the instants of the first and last reading that is kept (epoch ms), None when there is none.

        Raises:
            StoreError: the store is away.
        """

    def extremes(self, sought: Sought, highest: bool, tell: Told = lambda _done, _total: None) -> dict[Source, float]:
        """Return the highest (or lowest) value of a field for every device that has one, added up in the store itself.

        Raises:
            StoreError: the store is away, or knows no such field.
        """

    def column(self, sought: Sought, source: Source) -> Column:
        """Return a field's values of one device in columns.

        Raises:
            StoreError: the store is away, knows no such field, or it is more than is read of one device at a time.
        """

    def summarise(self, until_ms: int) -> int | None:
        """Make the summaries of minutes one small step further, at most up to an instant.

        Returns:
            The instant that step reached, or None when nothing is left to do. Every reading up to the instant asked
            for should be written; what comes later has its minute made again.

        Raises:
            StoreError: the same step will be made again.
        """

    def expire(self, now_ms: int) -> int:
        """Drop a small part of what is older than the site keeps; return how much was dropped, 0 when nothing is left.

        That is how many readings, or 1 for a measurement of which a server does not tell how many it deletes.

        Raises:
            StoreError: the store is away or cannot delete.
        """

    def close(self) -> None:
        """Release connections."""
