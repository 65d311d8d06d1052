"""Whoever is responsible for some streets acts in no other: refused, and on record (ALARMS §3, wrong area)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from devices.site import Site
from ingest.alarms.areas import Area, streets_of, unknown_keys
from ingest.alarms.audit import Person
from ingest.alarms.commands.acknowledge import (
    Acknowledgement,
    ListAcknowledgement,
    Seen,
    acknowledge,
    acknowledge_list,
)
from ingest.alarms.commands.agreeing import Agreement, answer
from ingest.alarms.commands.deciding import Deciding, decide
from ingest.alarms.commands.remark import Remark, remark
from ingest.alarms.commands.resetting import Reset, reset
from ingest.alarms.commands.service import Ending, OutOfService, ask, end_early
from ingest.alarms.commands.shelving import Shelving, Unshelving, shelve, unshelve
from ingest.alarms.commands.verdict import Verdict, judge_false
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.tables import audit, occurrence, suppression
from ingest.errors import Refused
from tests.ingest.alarms.keeping import keep, rows, transition
from tests.sites import small_site

NOW = 100_000
HOUR = 3_600_000
STREETS = {"gas-1": "s01", "gas-2": "s02", "circuit:F-1": "s02"}
HERE = Area(frozenset({"s01"}), lambda device: STREETS.get(device, ""))
EVERY_ROLE = ("leader", "officer", "maintenance")
WANG = Person("wang", EVERY_ROLE, area=HERE)
ZHAO = Person("zhao", EVERY_ROLE)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return small_site(tmp_path)


def raised(database: AlarmDatabase, device: str, position: int, **more: Any) -> str:
    about = {"device": device, "point": f"{device}/conc_pct_lel.high", "priority": "P3", **more}
    ((name, _),) = keep(database, transition("raise", position, **about))
    return name


def refusals(database: AlarmDatabase) -> list[tuple[str, str]]:
    query = sa.select(audit.c.action, audit.c.reason).where(audit.c.action.like("%refused")).order_by(audit.c.seq)
    with database.read() as connection:
        return [(row.action, row.reason) for row in connection.execute(query)]


Act = Callable[[AlarmDatabase, str, Person], Any]
ACTS: dict[str, Act] = {
    "ack": lambda database, name, who: acknowledge(database, Acknowledgement(name, 1, "k"), who, NOW),
    "comment": lambda database, name, who: remark(database, Remark(name, "seen", "k"), who, NOW),
    "decide": lambda database, name, who: decide(database, Deciding(name, "observe", "k"), who, NOW),
    "shelve": lambda database, name, who: shelve(database, Shelving(name, "works", "k", 600), who, NOW, NOW + HOUR),
    "unshelve": lambda database, name, who: unshelve(database, Unshelving(name, "k"), who, NOW),
    "reset": lambda database, name, who: reset(database, Reset(name, "looked at", "k"), who, NOW),
    "verdict": lambda database, name, who: judge_false(database, Verdict(name, "nothing there", "k"), who, NOW),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("device", ["gas-2", "stranger", "circuit:F-1"])
def test_no_act_on_an_alarm_outside(database: AlarmDatabase, act: str, device: str) -> None:
    """Nor on one of a device that nobody registered, which stands in no street; a repeat is refused the same way."""
    name = raised(database, device, 10)
    before = rows(database)
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            ACTS[act](database, name, WANG)
        assert (refused.value.why, refused.value.occurrence) == ("area", name)
    assert rows(database) == before
    assert refusals(database) == [(f"{act}_refused", f"{device} is outside your area (s01).")]


def test_inside_and_with_the_whole_city(database: AlarmDatabase) -> None:
    mine, other = raised(database, "gas-1", 10), raised(database, "gas-2", 11)
    assert acknowledge(database, Acknowledgement(mine, 1, "k1"), WANG, NOW).result == "acked"
    assert acknowledge(database, Acknowledgement(other, 1, "k2"), ZHAO, NOW).result == "acked"


def test_of_a_list_what_is_outside_is_left_alone(database: AlarmDatabase) -> None:
    mine, other = raised(database, "gas-1", 10), raised(database, "gas-2", 11)
    wish = ListAcknowledgement((Seen(other, 1), Seen(mine, 1)), "k")
    done = acknowledge_list(database, wish, WANG, NOW)
    assert [(each.result, each.why) for each in done] == [("refused", "area"), ("acked", None)]
    assert refusals(database) == [("ack_refused", "gas-2 is outside your area (s01).")]


def test_what_is_folded_under_a_cause_is_acknowledged_inside_alone(database: AlarmDatabase) -> None:
    cause = raised(database, "gas-1", 10, rule="gas_alarm.no_data")
    for position, device in enumerate(("gas-2", "gas-1"), 11):
        about = {"point": f"{device}/x", "suppression": "by_design", "cause": "gas-1"}
        raised(database, device, position, **about)
    acknowledge(database, Acknowledgement(cause, 1, "k"), WANG, NOW, causes=frozenset({"gas_alarm.no_data"}))
    assert {row["point"]: row["acked"] for row in rows(database)} == {
        "gas-1/conc_pct_lel.high": True,
        "gas-1/x": True,
        "gas-2/x": False,
    }


def test_nobody_is_the_second_person_outside(database: AlarmDatabase) -> None:
    """Neither agreeing nor declining: to a verdict, to taking a device out of service."""
    name = raised(database, "gas-2", 10, priority="P1")
    asked = [judge_false(database, Verdict(name, "nothing there", "v"), ZHAO, NOW)]
    wish = OutOfService("point", "gas-2/no_data", "permit 7", "calibration", NOW + HOUR, "o")
    asked.append(ask(database, wish, ZHAO, NOW))
    for number, done in enumerate(asked):
        assert done.pending is not None
        for agree in (True, False):
            with pytest.raises(Refused) as refused:
                answer(database, Agreement(done.pending["id"], agree, f"a{number}{agree}"), WANG, NOW)
            assert refused.value.why == "area"
    assert [action for action, _ in refusals(database)] == ["agree_refused"] * 4


def test_out_of_service_outside(database: AlarmDatabase) -> None:
    """Neither asked for nor ended early."""
    wish = OutOfService("device", "gas-2", "permit 7", "calibration", NOW + HOUR, "o1")
    with pytest.raises(Refused) as refused:
        ask(database, wish, WANG, NOW)
    assert refused.value.why == "area"
    asked = ask(database, OutOfService("device", "gas-2", "permit 7", "calibration", NOW + HOUR, "o2"), ZHAO, NOW)
    assert asked.pending is not None
    answer(database, Agreement(asked.pending["id"], True, "a"), Person("li", ("leader",)), NOW)
    with database.read() as connection:
        (standing,) = connection.execute(sa.select(suppression.c.id)).scalars()
        assert connection.execute(sa.select(occurrence.c.id)).first() is None
    with pytest.raises(Refused) as refused:
        end_early(database, Ending(standing, "e1"), WANG, NOW)
    assert refused.value.why == "area"
    assert end_early(database, Ending(standing, "e2"), ZHAO, NOW).result == "ended"


def test_the_role_is_asked_first(database: AlarmDatabase) -> None:
    name = raised(database, "gas-2", 10)
    with pytest.raises(Refused) as refused:
        acknowledge(database, Acknowledgement(name, 1, "k"), Person("eve", ("viewer",), area=HERE), NOW)
    assert refused.value.why == "role"


def test_keys_of_streets_and_districts(site: Site) -> None:
    assert streets_of(site, ["s02"]) == {"s02"}
    assert streets_of(site, ["demo"]) == streets_of(site, ["s01", "s02", "gone"]) == {"s01", "s02"}
    assert streets_of(site, ["gone"]) == set()
    assert unknown_keys(site, ["demo", "s01", "gone", "S01"]) == ["S01", "gone"]
