"""What the pages ask of the city when they draw on the server; the cockpit's back end gives it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

Record = Mapping[str, Any]


class CityReader(Protocol):
    """Reading access to devices, history and alarms, in the shapes of the REST API (CONTRACTS.md)."""

    def now_ms(self) -> int:
        """Return the instant at which the city is."""
        ...

    async def device(self, device: str) -> Record | None:
        """Return a Device, or None when nobody knows the identifier."""
        ...

    async def series(self, device: str, field: str, start_ms: int, stop_ms: int, width: int) -> Record:
        """Return a Series between two instants, thinned to about ``width`` pixels."""
        ...

    async def alarms(self, device: str, limit: int) -> Sequence[Record]:
        """Return the newest alarms of a device, open and closed."""
        ...
