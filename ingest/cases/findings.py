"""What a drone's recognition reports, from a reading to a case."""

import logging
from collections.abc import Callable, Iterable

from devices.readings import Reading
from devices.site import Site
from ingest.alarms.audit import Person
from ingest.alarms.database import AlarmDatabase
from ingest.cases.opening import Report, report
from ingest.cases.places import street_at
from ingest.cases.records import CaseRules, Picture
from ingest.errors import AlarmError, Refused, Unkeepable

log = logging.getLogger(__name__)

MEASUREMENT = "drone_finding"
_DRONE = ("system",)
_LONGEST_REFERENCE = 160

Position = tuple[float, float]
PositionOf = Callable[[str], Position | None]
"""Where a device was last, latitude and longitude; None where nobody knows."""


def _nowhere(_device: str) -> None:
    return None


class Findings:
    """Makes cases of findings, each once however often it is read: its number is its case's reference."""

    def __init__(self, database: AlarmDatabase, site: Site, position_of: PositionOf = _nowhere) -> None:
        self._database = database
        self._rules = CaseRules(site)
        self._position_of = position_of

    def reports(self, readings: Iterable[Reading]) -> list[tuple[str, Report]]:
        """Return what each reading that is a finding reports, with its drone; what cannot be a case is told."""
        found = []
        for reading in readings:
            try:
                wish = finding_of(reading, self._rules, self._position_of(reading.device))
            except Refused as error:
                _tell(reading.device, str(reading.values.get("finding_id", "")), error)
            else:
                if wish is not None:
                    found.append((reading.device, wish))
        return found

    def keep(self, reports: Iterable[tuple[str, Report]], now_ms: int) -> None:
        """Make a case of every report; one that cannot be a case is told in the log.

        Raises:
            AlarmError: the database could not be written; calling again makes the cases that are missing.
        """
        for device, wish in reports:
            try:
                report(self._database, self._rules, wish, Person(device, _DRONE), None, now_ms)
            except (Refused, Unkeepable) as error:
                _tell(device, wish.reference.removeprefix(f"{device}/"), error)


def finding_of(reading: Reading, rules: CaseRules, drone_at: Position | None = None) -> Report | None:
    """Return the report that a reading of a drone's finding makes, or None when it is none.

    A finding without its spot is where the drone is (``drone_at``). Where no street's outline holds that, or nobody
    knows it, the drone's own street counts.

    Raises:
        Refused: it says no class.
    """
    if reading.measurement != MEASUREMENT:
        return None
    values = reading.values
    name, lat, lon = values.get("finding_class"), values.get("spot_lat"), values.get("spot_lon")
    if not isinstance(name, str):
        raise Refused("not_allowed", f"finding_class: expected a text, found {name!r}.", code="finding_class")
    spot = (lat, lon) if isinstance(lat, float) and isinstance(lon, float) else drone_at
    percent = values.get("confidence_pct")
    picture = Picture(
        reference=str(values.get("picture", ""))[:300],
        route=str(values.get("route_id", ""))[:64],
        finding=name[:64],
        confidence=percent / 100 if isinstance(percent, float) else None,
    )
    drone = rules.site.devices.get(reading.device)
    return Report(
        source="drone",
        sub_class=rules.limits.of_finding(name).key,
        street=(street_at(rules.site, *spot) if spot else None) or (drone.street if drone is not None else ""),
        lat=spot[0] if spot else None,
        lon=spot[1] if spot else None,
        reference=f"{reading.device}/{values.get('finding_id', reading.at_ns)}"[:_LONGEST_REFERENCE],
        found_at_ms=reading.at_ns // 1_000_000,
        pictures=(picture,),
    )


def _tell(device: str, name: str, error: AlarmError) -> None:
    log.warning("finding %.200r of %s makes no case: %s", name, device, error)
