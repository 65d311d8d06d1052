"""The streets somebody may act in: whoever is responsible for a part of the city acts nowhere else (ALARMS §3)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from devices.site import Site
from ingest.errors import Refused


@dataclass(frozen=True, slots=True)
class Area:
    """Some streets of a site; ``street_of`` tells the street of a device, circuit or street, empty where it has none.

    What stands in no street, as a device that nobody registered, is in no area: that is for who has the whole city.
    """

    streets: frozenset[str]
    street_of: Callable[[str], str]

    def holds(self, device: str) -> bool:
        """Tell whether a device stands in it."""
        return self.street_of(device) in self.streets

    def require_device(self, device: str, occurrence: str | None = None) -> None:
        """Refuse what is done about a device outside.

        Raises:
            Refused: area.
        """
        if not self.holds(device):
            raise Refused(
                "area",
                f"{device} is outside your area ({self}).",
                occurrence,
                code="device_outside",
                values={"device": device, "area": self},
            )

    def require_street(self, street: str, case: str) -> None:
        """Refuse what is done about a case outside.

        Raises:
            Refused: area.
        """
        if street not in self.streets:
            raise Refused(
                "area",
                f"Case {case} is outside your area ({self}).",
                case=case,
                code="case_outside",
                values={"case": case, "area": self},
            )

    def __str__(self) -> str:
        return ", ".join(sorted(self.streets)) or "no street of this site"


def streets_of(site: Site, keys: Iterable[str]) -> frozenset[str]:
    """Return the streets that keys of streets and districts name; a key that the site has no longer names none."""
    wanted = set(keys)
    return frozenset(
        street.key
        for district in site.districts
        for street in district.streets
        if street.key in wanted or district.key in wanted
    )


def unknown_keys(site: Site, keys: Iterable[str]) -> list[str]:
    """Return the keys that name neither a street nor a district of a site."""
    return sorted(set(keys) - {district.key for district in site.districts} - set(site.streets))
