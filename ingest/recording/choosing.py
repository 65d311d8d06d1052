"""Which messages a wish for some kinds and districts is about: told by topic and register, never by what can be read.

So a repeat and what cannot be read come along with everything else of their device. A foreign topic belongs to the
device that is registered for its number; one that nobody is registered for to the district under which such are kept.
What no format knows is of no kind and no district.
"""

from devices.decode import decode
from devices.errors import Undecodable
from devices.formats import hj212
from devices.site import Device, Site

_NATIVE, _DJI = "city/v1/", ("thing/product/", "sys/product/")
_KINDS_OF_DJI = frozenset({"drone", "drone_dock"})
_KINDS_OF_HJ212 = frozenset({"light_pole"})
_TOPICS_KEPT = 200_000


class Choice:
    """Tells of each message whether it is wanted; none named means all."""

    def __init__(self, site: Site, kinds: frozenset[str], districts: frozenset[str]) -> None:
        self._site = site
        self._kinds = kinds
        self._districts = districts
        self._known: dict[str, bool] = {}

    def takes(self, topic: str, payload: bytes) -> bool:
        """Tell whether a message is wanted."""
        if not self._kinds and not self._districts:
            return True
        found = self._known.get(topic)
        if found is not None:
            return found
        of = self._of(topic)
        if of is None:
            # A dock and an aircraft that nobody registered are told apart by what they say.
            kinds, district = self._told(topic, payload), self._site.district
            return self._fits(kinds, district)
        if len(self._known) >= _TOPICS_KEPT:
            self._known.clear()
        found = self._known[topic] = self._fits(*of)
        return found

    def _fits(self, kinds: frozenset[str], district: str) -> bool:
        return (not self._kinds or not kinds.isdisjoint(self._kinds)) and (
            not self._districts or district in self._districts
        )

    def _of(self, topic: str) -> tuple[frozenset[str], str] | None:
        """Return the kinds a topic can be of, and the district; None where the payload has to tell."""
        levels = topic.split("/")
        if topic.startswith(_NATIVE) and len(levels) >= 5:
            own = self._site.devices.get(levels[4])
            kinds = frozenset({levels[3]}) if own is None else frozenset({levels[3], own.kind})
            return kinds, levels[2] if own is None else own.district
        if hj212.owns(topic):
            station = self._site.device_of("HJ212", levels[1])
            return _registered(station) or (_KINDS_OF_HJ212, self._site.district)
        if topic.startswith(_DJI) and len(levels) > 2:
            return _registered(self._site.device_of("DJI", levels[2]))
        return frozenset(), ""

    def _told(self, topic: str, payload: bytes) -> frozenset[str]:
        try:
            found = decode(topic, payload, 0, 0, self._site)
        except Undecodable:
            return _KINDS_OF_DJI
        return frozenset({found.kind}) if found.kind else _KINDS_OF_DJI


def _registered(device: Device | None) -> tuple[frozenset[str], str] | None:
    return None if device is None else (frozenset({device.kind}), device.district)
