"""The record of exercises: one at a time, both ends in the audit, one that nobody plays is cut off."""

from dataclasses import replace

import pytest

from devices.site import Channel, Site
from ingest.alarms.audit import SYSTEM, Actor, first_broken
from ingest.alarms.database import AlarmDatabase
from ingest.cases.tables import cases
from ingest.drills import records
from ingest.drills.calling import Calling
from ingest.drills.records import FORSAKEN_MS, About, Expected
from ingest.errors import Refused, ReplayError
from tests.ingest.alarms.keeping import acts, keep, rows, transition

LEADER = Actor("leader", "leader", "10.0.0.1")
NOW = 1_767_225_600_000
ABOUT = About(
    name={"zh": "泄漏", "en": "Leak"}, description={"zh": "甲", "en": "A"}, lasts_s=390, played_from=NOW,
    expects=[Expected("gas_alarm.conc_pct_lel.high", 2, "gas-1", "night")],
)  # fmt: skip


def begin(database: AlarmDatabase, name: str, now_ms: int = NOW) -> None:
    records.begin(database, name, "gas_leak", ABOUT, "夜班", LEADER, now_ms)


def outcome(database: AlarmDatabase, name: str) -> str | None:
    with database.read() as connection:
        row = records.one(connection, name)
    assert row is not None
    return None if row["outcome"] is None else str(row["outcome"])


def test_begin_and_end_are_on_record_once(database: AlarmDatabase) -> None:
    begin(database, "a")
    records.end(database, "a", "ended", "", '{"points": 1}', LEADER, NOW + 1)
    # Whoever comes later changes nothing.
    records.end(database, "a", "over", "", None, SYSTEM, NOW + 2)
    with database.read() as connection:
        row = records.one(connection, "a")
        assert first_broken(connection) is None
    assert row is not None
    assert (row["outcome"], row["ended_by"], row["ended_at"], row["report"]) == (
        "ended",
        "leader",
        NOW + 1,
        '{"points": 1}',
    )
    assert records.about_of(row) == ABOUT
    assert [(actor, action) for actor, action, _, _ in acts(database)] == [
        ("leader", "drill_start"),
        ("leader", "drill_end"),
    ]


def test_there_is_one_at_a_time(database: AlarmDatabase) -> None:
    begin(database, "a")
    with pytest.raises(Refused, match="led by leader") as refused:
        begin(database, "b")
    assert (refused.value.code, refused.value.values) == ("drill_running", {"name": "leader"})
    records.end(database, "a", "over", "", None, SYSTEM, NOW + 1)
    begin(database, "b", NOW + 2)
    with database.read() as connection:
        listed = [records.newest(connection, only, 10, 0) for only in (True, False)]
    assert [[row["id"] for row in each] for each in listed] == [["b"], ["b", "a"]]


def test_one_that_nobody_plays_any_more_is_cut_off(database: AlarmDatabase) -> None:
    begin(database, "a")
    records.beat(database, ["a"], NOW + FORSAKEN_MS)
    records.beat(database, [], NOW + 2 * FORSAKEN_MS)
    assert outcome(database, "a") is None
    records.beat(database, [], NOW + 2 * FORSAKEN_MS + 1)
    assert outcome(database, "a") == "cut_off"


def test_the_ladder_climbs_within_an_exercise_and_opens_a_case(database: AlarmDatabase, site: Site) -> None:
    calling = Calling(site, database)
    keep(database, transition("raise", 10, level=2))
    for second in range(0, 311, 10):
        calling.look(10_000 + second * 1_000)
    assert [action for _, action, _, _ in acts(database)].count("escalated") == 3
    (alarm,) = rows(database)
    with database.read() as connection:
        assert connection.execute(cases.select()).mappings().one()["id"] == alarm["case"]


def test_a_site_that_could_tell_somebody_is_no_place_for_an_exercise(database: AlarmDatabase, site: Site) -> None:
    channel = Channel("mail", "mail", "NOWHERE", ("officer",), ("P1",))
    with pytest.raises(ReplayError, match="no channel"):
        Calling(replace(site, channels=(channel,)), database)
