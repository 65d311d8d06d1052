"""Repeat offenders: three overloads of one vehicle within seven days, whichever bridges and collectors saw them."""

from typing import Any

import pytest
import sqlalchemy as sa

from ingest.alarms import occurrences, offenders
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.offences import keyed, offence
from ingest.alarms.transitions import Transition
from tests.ingest.alarms.feeding import message, records, transitions
from tests.ingest.alarms.keeping import acts, rows
from tests.ingest.alarms.rule_city import city

SECRET = b"of the site"
HOUR, DAY = 3_600_000, 86_400_000
T0 = 1_767_225_600_000


def passage(
    number: int,
    at_ms: int,
    who: str = "plate-a",
    device: str = "wim-1",
    level: int = 1,
    rule: str = "over_pct.overload",
) -> Transition:
    return Transition(
        "passage", number, 1, f"{device}/{rule}/p{number}", device, "bridge_wim",
        f"bridge_wim.{rule}", "v1", level, "P4", T0 + at_ms, T0 + at_ms, "over_pct", 12.0, "%", who=who,
    )  # fmt: skip


def keep(database: AlarmDatabase, *found: Transition, shard: str = "main") -> None:
    occurrences.apply(database, shard, found, found[-1].position, found[-1].now_ms, SECRET)


def repeated(database: AlarmDatabase) -> list[dict[str, Any]]:
    return [row for row in rows(database) if row["rule"] == "bridge_wim.repeat_offender"]


def test_the_third_within_seven_days_is_told_once(database: AlarmDatabase) -> None:
    keep(database, passage(1, 0), passage(2, DAY))
    assert offenders.look(database, T0 + DAY) == 0
    keep(database, passage(3, 7 * DAY - 1, device="wim-9"))
    assert offenders.look(database, T0 + 7 * DAY) == 1
    (found,) = repeated(database)
    assert (found["device"], found["priority"], found["value"], found["state"]) == ("wim-9", "P3", 3.0, "RTN_UNACK")
    keep(database, passage(4, 7 * DAY + 5))
    assert offenders.look(database, T0 + 8 * DAY) == 0
    assert len(repeated(database)) == 1


def test_seven_days_later_it_begins_anew(database: AlarmDatabase) -> None:
    keep(database, passage(1, 0), passage(2, HOUR), passage(3, 2 * HOUR))
    offenders.look(database, T0 + 3 * HOUR)
    keep(database, passage(4, 9 * DAY), passage(5, 10 * DAY))
    assert offenders.look(database, T0 + 10 * DAY) == 0
    keep(database, passage(6, 11 * DAY))
    assert offenders.look(database, T0 + 11 * DAY) == 1


@pytest.mark.parametrize("third_ms", [7 * DAY, 8 * DAY])
def test_three_in_more_than_seven_days_are_none(database: AlarmDatabase, third_ms: int) -> None:
    keep(database, passage(1, 0), passage(2, 5), passage(3, third_ms))
    assert offenders.look(database, T0 + third_ms) == 0


def test_vehicles_are_not_mixed_up_and_nameless_ones_are_nobody(database: AlarmDatabase) -> None:
    keep(database, passage(1, 0, "a"), passage(2, 1, "b"), passage(3, 2, "a"), passage(4, 3, "b"))
    keep(database, *(passage(n, n, "") for n in range(5, 10)))
    assert offenders.look(database, T0 + DAY) == 0


def test_several_collectors_are_counted_together(database: AlarmDatabase) -> None:
    for n, shard in enumerate(("east", "west", "north"), 1):
        keep(database, passage(n, n * HOUR, device=f"wim-{shard}"), shard=shard)
    assert offenders.look(database, T0 + DAY) == 1


def test_one_that_comes_late_completes_three(database: AlarmDatabase) -> None:
    keep(database, passage(1, 6 * DAY), passage(2, 6 * DAY + 5))
    assert offenders.look(database, T0 + 7 * DAY) == 0
    keep(database, passage(3, 2 * DAY))
    assert offenders.look(database, T0 + 7 * DAY) == 1


def test_a_restart_that_judges_again_counts_nothing_twice(database: AlarmDatabase) -> None:
    two = passage(1, 0), passage(2, 5)
    keep(database, *two)
    keep(database, *two)
    assert offenders.look(database, T0 + 5) == 0
    assert offenders.look(database, T0 + 6) == 0


def test_counting_that_dies_in_the_middle_is_done_again_as_a_whole(
    database: AlarmDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(database, *(passage(n, n) for n in range(1, 4)))

    def dies(*_: object) -> None:
        raise OSError("the machine stops here")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="stops"):
        patched.setattr(occurrences, "add", dies)
        offenders.look(database, T0 + 5)
    assert offenders.look(database, T0 + 6) == 1
    assert [act[:2] for act in acts(database)].count(("system", "passage")) == 4


def test_the_database_holds_no_name_that_a_station_gave(database: AlarmDatabase) -> None:
    keep(database, passage(1, 0, "hash-of-zhe-a-12345"))
    with database.read() as connection:
        (vehicle,) = connection.execute(sa.select(offence.c.vehicle)).scalars().all()
    assert vehicle == keyed(SECRET, "hash-of-zhe-a-12345") != keyed(b"another", "hash-of-zhe-a-12345")
    assert "12345" not in str(rows(database)) + str(acts(database))


def test_old_ones_are_forgotten(database: AlarmDatabase) -> None:
    keep(database, passage(1, 0))
    offenders.look(database, T0)
    keep(database, passage(2, 40 * DAY))
    offenders.look(database, T0 + 40 * DAY)
    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(offence)).scalar() == 1


def test_the_engine_says_which_vehicle_passed() -> None:
    data = {"pass_id": "p1", "axle_count": 2, "gvw_kg": 20_000, "plate_hash": "abc"}
    (found,) = transitions(city(), records([message(0, "bridge_wim", "wim", data, channel="event")]))[-1:]
    assert (found.rule, found.who) == ("bridge_wim.over_pct.overload", "abc")


def test_whichever_limit_tells_of_a_vehicle_counts(database: AlarmDatabase) -> None:
    """A vehicle is told by the most urgent of its limits only, and is overloaded all the same."""
    rules = ("over_pct.overload", "gvw_kg.hundred_tonnes", "over_posted_kg.posted")
    keep(database, *(passage(n, n, rule=rule) for n, rule in enumerate(rules, 1)))
    assert offenders.look(database, T0 + 10) == 1
    assert len(repeated(database)) == 1
