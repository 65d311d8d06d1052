"""When the time of a case runs out, people are told: the duty room at half and at amber, the leader at its end."""

from dataclasses import replace
from pathlib import Path

from devices.site import Channel
from ingest.alarms.database import AlarmDatabase
from ingest.cases.timers import due
from ingest.notices.deliveries import listed, take_out
from tests.ingest.cases.desk import HOUR_MS, NOON_MS, Desk
from tests.sites import small_site

ALL = ("P1", "P2", "P3", "P4")
CHANNELS = (Channel("duty", "webhook", "X", ("officer",), ALL), Channel("chief", "mail", "X", ("leader",), ALL))


def test_each_mark_is_told_once_to_whom_it_concerns(desk: Desk, database: AlarmDatabase, tmp_path: Path) -> None:
    site = replace(small_site(tmp_path), channels=CHANNELS)
    case = desk.case_in("HANDLING")
    for hours in (11.9, 12, 19.2, 23.9, 24, 25):
        desk.now_ms = NOON_MS + round(hours * HOUR_MS)
        due(database, desk.now_ms)
        take_out(database, site, desk.now_ms)
        take_out(database, site, desk.now_ms)
    with database.read() as connection:
        rows = listed(connection, "all", 100, 0)
    told = [(row["channel"], row["priority"], row["title"]) for row in sorted(rows, key=lambda row: row["made_at"])]
    assert [each[:2] for each in told] == [("duty", "P4"), ("duty", "P3"), ("chief", "P2")]
    assert [title.partition("]")[0] for _, _, title in told] == ["[案件 时限过半", "[案件 即将超期", "[案件 已超期"]
    body = rows[0]["body"].split("\n")
    assert body[0] == f"案件 {case['id']}" and body[1] == "期限 2026-09-23 12:00:00+0800"
    assert body[-2].endswith("First Street: overdue")


def test_a_case_closed_in_time_tells_nobody(desk: Desk, database: AlarmDatabase, tmp_path: Path) -> None:
    desk.case_in("CLOSED")
    desk.wait(30)
    due(database, desk.now_ms)
    assert take_out(database, replace(small_site(tmp_path), channels=CHANNELS), desk.now_ms) == 0
