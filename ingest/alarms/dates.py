"""Dates the site registers of its devices: the end of a detector's life, the next verification of a scale.

Looked at when the collector starts and as a day of the site's own calendar begins: level 1 from thirty days before,
level 2 once the date is past.
"""

from collections.abc import Iterator

from devices.calendar import local
from devices.site import Device, Site
from ingest.alarms.memory import DeviceState, Memory
from ingest.alarms.rules import EXPIRES, VERIFY_DUE
from ingest.alarms.transitions import Transition, What

DATES_VERSION = "1"
_SOON_D = 30


class Dates:
    """The dated devices of a site."""

    def __init__(self, site: Site, memory: Memory) -> None:
        self._site = site
        self._memory = memory

    def turned(self, from_ms: int, until_ms: int) -> bool:
        """Tell whether a new day has begun."""
        zone = self._site.timezone
        return local(from_ms, zone).date() != local(until_ms, zone).date()

    def look(self) -> Iterator[Transition]:
        """Judge every date by the engine's now."""
        for device in self._site.devices.values():
            state = self._memory.device(device.id)
            if state is not None and (device.expires or device.verify_due or state.dates):
                yield from self._of(device, state)

    def _of(self, device: Device, state: DeviceState) -> Iterator[Transition]:
        today = local(self._memory.now_ms, self._site.timezone).date()
        for key, day in ((EXPIRES, device.expires), (VERIFY_DUE, device.verify_due)):
            left_d = None if day is None else (day - today).days
            level = 0 if left_d is None or left_d > _SOON_D else 1 if left_d >= 0 else 2
            before = state.dates.get(key, 0)
            if level == before:
                continue
            state.dates[key] = level
            if not level:
                del state.dates[key]
            self._memory.note(device.id)
            what: What = "raise" if before == 0 else "return" if level == 0 else "change"
            yield self._memory.transition(
                what, device.id, state, f"{device.id}/{key}", f"{device.kind}.{key}", DATES_VERSION, level, "health",
                field=key, value=None if left_d is None else float(left_d), unit="d",
            )  # fmt: skip
