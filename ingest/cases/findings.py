"""What a drone's recognition reports, from a reading to a case."""

from devices.readings import Reading
from ingest.alarms.database import AlarmDatabase
from ingest.cases.opening import Report, report
from ingest.cases.records import CaseRules, Person, Picture, Row

MEASUREMENT = "drone_finding"
_DRONE = ("system",)


def finding_of(reading: Reading, rules: CaseRules) -> Report | None:
    """Return the report that a reading of a drone's finding makes, or None when it is none or names no place.

    The reading's values are ``class``, ``picture``, ``route``, ``confidence_pct``, ``lat`` and ``lon``. The device and
    its time are the finding's own number, so that a message that comes twice is one case.
    """
    values = reading.values
    name, lat, lon = values.get("class"), values.get("lat"), values.get("lon")
    if reading.measurement != MEASUREMENT or not isinstance(name, str):
        return None
    if not isinstance(lat, float) or not isinstance(lon, float):
        return None
    percent = values.get("confidence_pct")
    picture = Picture(
        reference=str(values.get("picture", "")),
        route=str(values.get("route", "")),
        finding=name,
        confidence=percent / 100 if isinstance(percent, float) else None,
    )
    return Report(
        source="drone",
        sub_class=rules.limits.of_finding(name).key,
        lat=lat,
        lon=lon,
        reference=f"{reading.device} {reading.at_ns}",
        found_at_ms=reading.at_ns // 1_000_000,
        pictures=(picture,),
    )


def report_finding(database: AlarmDatabase, rules: CaseRules, reading: Reading, now_ms: int) -> Row | None:
    """Make a case of a reading, if it is a finding.

    Raises:
        Refused: its position is in no street of the site.
        AlarmError: the database could not be written; nothing happened.
    """
    wish = finding_of(reading, rules)
    return None if wish is None else report(database, rules, wish, Person(reading.device, _DRONE), None, now_ms)
