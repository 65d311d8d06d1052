"""How cases begin: reports, calls, findings and alarms; where they are; and what they repeat."""

import logging
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from devices.readings import Quality, Reading
from ingest.alarms.audit import Actor, AuditWriter, Person
from ingest.alarms.tables import occurrence
from ingest.cases.findings import Findings, finding_of
from ingest.cases.opening import Report, merge_alarm, report
from ingest.cases.places import metres_apart, street_at
from ingest.cases.records import CaseRules, Picture
from ingest.cases.tables import cases, evidence
from ingest.errors import Refused
from tests.ingest.cases.desk import NOON_MS, Desk
from tests.sites import small_site

OFFICER = Person("officer", ("officer",))
SQUARES = """
[[districts]]
key = "squares"
name = {zh = "方区", en = "Squares"}
streets = [
  {key = "q1", name = {zh = "东街", en = "East"}, polygon = [[120, 30], [120.1, 30], [120.1, 30.1], [120, 30.1]]},
  {key = "q2", name = {zh = "西街", en = "West"}, polygon = [[120.1, 30], [120.2, 30], [120.2, 30.1], [120.1, 30.1]]},
]
"""


def refused(desk: Desk, **more: Any) -> Refused:
    """Report what must be refused."""
    with pytest.raises(Refused) as found:
        desk.report(**more)
    return found.value


def test_number_is_the_citys_day(desk: Desk) -> None:
    """Cases are counted by the day of the city, which begins at 16:00 UTC."""
    assert [desk.report()["id"] for _ in range(2)] == ["C20260922-00001", "C20260922-00002"]
    desk.wait(12)
    assert desk.report()["id"] == "C20260923-00001"


def test_a_number_of_an_exercise_is_none_of_the_real_ones(desk: Desk) -> None:
    """Also where both are in one database, each is counted by itself."""
    assert desk.report()["id"] == "C20260922-00001"
    desk.rules = CaseRules(replace(desk.rules.site, drill=True))
    assert [desk.report()["id"] for _ in range(2)] == ["D20260922-00001", "D20260922-00002"]


def test_numbers_are_unique_in_a_rush(desk: Desk) -> None:
    together = threading.Barrier(8)
    found: list[str] = []

    def press() -> None:
        together.wait()
        found.extend(desk.report()["id"] for _ in range(3))

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [f"C20260922-{number:05d}" for number in range(1, 25)]


def test_report(desk: Desk) -> None:
    """An officer's words are kept; found, but not yet on any clock."""
    case = desk.report("manhole", description="盖板翘起", place="东门外", lat=30.1, lon=120.1, found_at_ms=NOON_MS - 5)
    assert (case["state"], case["source"], case["street"], case["deadline_at"]) == ("REPORTED", "officer", "s01", None)
    assert (case["description"], case["place"], case["found_at"]) == ("盖板翘起", "东门外", NOON_MS - 5)
    assert desk.acts(case) == [("officer", "report", "", "REPORTED")]


def test_report_at_a_device(desk: Desk) -> None:
    """A device brings its place and its unit."""
    case = desk.report(street="", device="gas-1")
    assert (case["street"], case["lat"], case["lon"], case["unit"]) == ("s01", 30.32, 120.14, "unit-gas")


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"sub_class": "ufo"}, "no sub-class 'ufo'"),
        ({"street": "nowhere"}, "street 'nowhere'"),
        ({"street": "", "lat": 1.0, "lon": 1.0}, "position is in none"),
        ({"device": "gas-99"}, "no registered device 'gas-99'"),
        ({"place": "x" * 201}, "place has 201 characters"),
        ({"pictures": (Picture("p" * 301),)}, "of a picture has 301 characters"),
    ],
)
def test_report_that_cannot_be(desk: Desk, more: dict[str, Any], word: str) -> None:
    error = refused(desk, **more)
    assert error.why == "not_allowed"
    assert word in str(error)
    with desk.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(cases)).scalar() == 0


def test_report_by_a_viewer_is_on_record(desk: Desk) -> None:
    wish = Report("officer", "other", street="s01")
    with pytest.raises(Refused) as found:
        report(desk.database, desk.rules, wish, Person("viewer", ("viewer",)), None, NOON_MS)
    assert found.value.why == "role"
    with desk.database.read() as connection:
        row = connection.exec_driver_sql("SELECT actor, action, reason FROM audit").one()
    assert tuple(row) == ("viewer", "report_refused", "role viewer")


def test_found_is_never_in_the_future(desk: Desk) -> None:
    assert desk.report(found_at_ms=NOON_MS + 60_000)["found_at"] == NOON_MS


def test_a_call_is_one_case(desk: Desk) -> None:
    """The same call number twice is one case; without a number each is its own."""
    first = desk.report(source="hotline", reference="12345-0042")
    assert desk.report(source="hotline", reference="12345-0042") == first
    assert desk.report(source="drone", reference="12345-0042")["id"] != first["id"]
    assert desk.report(source="hotline")["id"] != desk.report(source="hotline")["id"]


def test_same_key_again(desk: Desk) -> None:
    wish = Report("officer", "other", street="s01")
    first = report(desk.database, desk.rules, wish, OFFICER, "once", NOON_MS)
    assert report(desk.database, desk.rules, wish, OFFICER, "once", NOON_MS + 9) == first
    with pytest.raises(Refused) as found:
        report(desk.database, desk.rules, Report("officer", "noise", street="s01"), OFFICER, "once", NOON_MS)
    assert found.value.why == "key_reused"


def test_streets_by_position(tmp_path: Path) -> None:
    """A point lies in the street whose outline holds it, a shared border in exactly one."""
    site = small_site(tmp_path, tail=SQUARES)
    found = [street_at(site, 30.05, lon) for lon in (119.99, 120.05, 120.1, 120.15, 120.21)]
    assert found == [None, "q1", "q2", "q2", None]


def test_distance() -> None:
    """A thousandth of a degree of latitude is 111.2 m; of longitude at 60 degrees half of that."""
    assert metres_apart(30, 120, 30.001, 120) == pytest.approx(111.19, abs=0.01)
    assert metres_apart(60, 120, 60, 120.001) == pytest.approx(55.6, abs=0.01)


def reading(desk: Desk, measurement: str = "drone_finding", **values: Any) -> Reading:
    """Return what a drone saw."""
    told: dict[str, Any] = {
        "finding_id": "f-7",
        "finding_class": "pothole",
        "picture": "m/7.jpg",
        "route_id": "R-12",
        "confidence_pct": 87.0,
        "spot_lat": 30.05,
        "spot_lon": 120.05,
    }
    return Reading(
        "drone",
        measurement,
        "drone-1",
        "demo",
        NOON_MS * 1_000_000,
        {**told, **values},
        {},
        Quality.GOOD,
        {},
        NOON_MS,
        7,
    )


def test_a_drones_finding(tmp_path: Path, desk: Desk) -> None:
    """A finding becomes a report with its picture, route, class and confidence; the same one twice is one case."""
    findings = Findings(desk.database, small_site(tmp_path, tail=SQUARES))
    for now_ms in (NOON_MS, NOON_MS + 1):
        findings.keep(findings.reports([reading(desk)]), now_ms)
    with desk.database.read() as connection:
        (case,) = connection.execute(cases.select()).mappings().all()
    assert (case["source"], case["sub_class"], case["street"]) == ("drone", "road_damage", "q1")
    assert case["reference"] == "drone-1/f-7"
    with desk.database.read() as connection:
        row = connection.execute(evidence.select()).mappings().one()
    assert (row["reference"], row["route"], row["finding"], row["confidence"]) == ("m/7.jpg", "R-12", "pothole", 0.87)


def test_a_reading_that_is_no_finding(desk: Desk) -> None:
    assert finding_of(reading(desk, measurement="drone"), desk.rules) is None


def test_a_finding_without_a_class_is_told(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "ingest"):
        assert Findings(desk.database, desk.rules.site).reports([reading(desk, finding_class=3.0)]) == []
    (sentence,) = [record.getMessage() for record in caplog.records]
    assert "of drone-1 makes no case: finding_class: expected a text, found 3.0." in sentence


@pytest.mark.parametrize("gone", [("spot_lat", "spot_lon"), ("spot_lat",), ("spot_lon",)])
@pytest.mark.parametrize(
    ("drone_at", "place"),
    [((30.05, 120.15), ("q2", 30.05, 120.15)), ((31.0, 121.0), ("s01", 31.0, 121.0)), (None, ("s01", None, None))],
    ids=["in a street", "outside of every outline", "unknown"],
)
def test_a_finding_without_its_spot_is_where_the_drone_is(
    tmp_path: Path,
    desk: Desk,
    gone: tuple[str, ...],
    drone_at: tuple[float, float] | None,
    place: tuple[str, float | None, float | None],
) -> None:
    found = reading(desk)
    for key in gone:
        del found.values[key]
    findings = Findings(desk.database, small_site(tmp_path, tail=SQUARES), lambda _device: drone_at)
    findings.keep(findings.reports([found]), NOON_MS)
    with desk.database.read() as connection:
        (case,) = connection.execute(cases.select()).mappings().all()
    assert (case["street"], case["lat"], case["lon"]) == place


def test_an_unknown_class_is_something_else(desk: Desk) -> None:
    found = finding_of(reading(desk, finding_class="ufo"), desk.rules)
    assert found is not None
    assert (found.sub_class, found.pictures) == ("other", (Picture("m/7.jpg", "R-12", "ufo", 0.87),))


def test_a_finding_outside_every_outline_belongs_to_the_drones_street(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be placed at all is told in a sentence, and the next one is a case nevertheless."""
    lost = reading(desk)
    lost.device = "drone-77"
    with caplog.at_level(logging.WARNING, "ingest"):
        findings = Findings(desk.database, desk.rules.site)
        findings.keep(findings.reports([lost, reading(desk)]), NOON_MS)
    with desk.database.read() as connection:
        (case,) = connection.execute(cases.select()).mappings().all()
    assert (case["street"], case["state"], case["reported_by"]) == ("s01", "REPORTED", "drone-1")
    (sentence,) = [record.getMessage() for record in caplog.records]
    assert sentence.startswith("finding 'f-7' of drone-77 makes no case: Where is it?")


def test_what_no_database_holds_keeps_no_other_finding_waiting(desk: Desk) -> None:
    """PostgreSQL knows no character 0: trying again for ever would let every alarm behind it wait."""
    odd = [reading(desk, **{key: "f\0"}) for key in ("finding_id", "finding_class", "picture", "route_id")]
    findings = Findings(desk.database, desk.rules.site)
    findings.keep(findings.reports([*odd, reading(desk, finding_id="f-8")]), NOON_MS)
    with desk.database.read() as connection:
        references = connection.execute(sa.select(cases.c.reference)).scalars().all()
    assert "drone-1/f-8" in references


def test_case_of_an_alarm(desk: Desk) -> None:
    """It is registered at once, with the device's place and unit, the rule's sub-class and its clock."""
    desk.wait(-0.5)
    alarm = desk.alarm()
    desk.wait(0.5)
    case = desk.case_of_alarm(alarm)
    assert (case["state"], case["source"], case["sub_class"], case["severe"]) == (
        "REGISTERED",
        "alarm",
        "gas_leak",
        True,
    )
    assert (case["street"], case["lat"], case["unit"], case["device"]) == ("s01", 30.32, "unit-gas", "gas-1")
    assert case["deadline_at"] == NOON_MS + 2 * 3_600_000
    assert case["registered_at"] - case["found_at"] == 1_800_000
    assert desk.acts(case) == [("officer", "register", "", "REGISTERED")]
    assert desk.case_of_alarm(alarm)["id"] == case["id"]


def merge(desk: Desk, alarm: str, case: str | None = None) -> str:
    """Merge an alarm as an acknowledge with that decision does."""
    with desk.database.write() as connection:
        chain = AuditWriter(connection)
        row = desk.alarm_row(alarm)
        found = merge_alarm(connection, chain, desk.rules, row, Actor("officer", "officer"), desk.now_ms, case)
        connection.execute(occurrence.update().where(occurrence.c.id == alarm).values(case=found))
        chain.finish()
    return found


def test_merge(desk: Desk) -> None:
    """Without a name it is the open case at the same device; there must be one."""
    first = desk.alarm()
    with pytest.raises(Refused) as found:
        merge(desk, first)
    assert found.value.why == "not_found"
    case = desk.case_in("HANDLING", "gas_leak", device="gas-1")
    assert merge(desk, first) == case["id"]
    assert merge(desk, desk.alarm("gas-2"), case["id"]) == case["id"]
    assert [what for _, what, _, _ in desk.acts(case)][-2:] == ["link", "link"]
    with pytest.raises(Refused) as found:
        merge(desk, desk.alarm("gas-3"), desk.case_in("CLOSED")["id"])
    assert found.value.why == "state"


@pytest.mark.parametrize(
    ("metres", "days", "sub_class", "repeats"),
    [(0, 1, "noise", True), (49, 1, "noise", True), (51, 1, "noise", False), (0, 29.99, "noise", True),
     (0, 30.01, "noise", False), (0, 1, "other", False)],
)  # fmt: skip
def test_recurrence(desk: Desk, metres: float, days: float, sub_class: str, repeats: bool) -> None:
    """The same sub-class within 50 m and 30 days of the closing is a new case that names the old one."""
    old = desk.case_in("CLOSED", "noise", lat=30.0, lon=120.0)
    desk.wait(24 * days)
    new = desk.case_in("REGISTERED", sub_class, lat=30.0 + metres / 111_195, lon=120.0)
    assert new["id"] != old["id"]
    assert new["recurrence_of"] == (old["id"] if repeats else None)
    assert desk.case(old["id"]) == old


def test_recurrence_at_a_device_without_position(desk: Desk) -> None:
    """A device that has no coordinates is its own place; what is open or void is repeated by nothing."""
    desk.case_in("VOID", device="gas-2")
    desk.case_in("HANDLING", device="gas-2")
    assert desk.report(device="gas-2")["recurrence_of"] is None
    old = desk.case_in("CLOSED", device="gas-2")
    assert desk.report(device="gas-2")["recurrence_of"] == old["id"]
    assert desk.report(device="pole-1")["recurrence_of"] is None


def test_a_void_case_had_no_clock(desk: Desk) -> None:
    case = desk.case_in("VOID")
    assert (case["registered_at"], case["deadline_at"], case["closed_by"]) == (None, None, "officer")
