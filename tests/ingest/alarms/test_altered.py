"""Whatever is changed in an occurrence behind the record's back is named, and nothing else is."""

from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from devices.site import Site
from ingest.alarms import verify
from ingest.alarms.altered import Altered, compare
from ingest.alarms.audit import Person
from ingest.alarms.commands.acknowledge import Acknowledgement, acknowledge
from ingest.alarms.commands.remark import Remark, remark
from ingest.alarms.commands.resetting import Reset, reset
from ingest.alarms.commands.verdict import Verdict, judge_false
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.rules import rule_book
from ingest.alarms.tables import audit, occurrence
from ingest.alarms.transitions import Transition, What
from tests.ingest.alarms.collecting import Town
from tests.ingest.alarms.feeding import message, tick
from tests.ingest.alarms.keeping import keep, transition

OFFICER, LEADER = Person("officer", ("officer",)), Person("leader", ("leader",))
GAS, LAMP = "gas-1/conc_pct_lel.high", "pole-1/supply_v.low"


def leak(site: Site, what: What, position: int, level: int = 1, **changes: Any) -> Transition:
    """Return a transition of the gas point by the rule in force."""
    version = rule_book(site).by_id["gas_alarm.conc_pct_lel.high"].version
    return transition(what, position, level, **{"rule_version": version, "latch": True, **changes})


def lamp(site: Site, what: What, position: int, level: int = 1) -> Transition:
    rule = rule_book(site).by_id["light_pole.supply_v.low"]
    about = {"point": LAMP, "device": "pole-1", "kind": "light_pole", "rule": rule.id, "rule_version": rule.version}
    return transition(what, position, level, priority="P4", field="supply_v", unit="V", **about)


def told(database: AlarmDatabase, site: Site) -> list[Altered]:
    with database.read() as connection:
        return compare(connection, site).altered


def identifier(database: AlarmDatabase, point: str) -> str:
    with database.read() as connection:
        return str(connection.execute(sa.select(occurrence.c.id).where(occurrence.c.point == point)).scalar_one())


@pytest.fixture
def night(database: AlarmDatabase, site: Site) -> AlarmDatabase:
    """Give a night: a leak that got worse and is open, an alarm that ended, one reset, a late one, a lone passage."""
    keep(
        database, leak(site, "raise", 1), leak(site, "change", 2, 2), lamp(site, "raise", 2), lamp(site, "return", 3, 0)
    )
    keep(database, lamp(site, "raise", 4))
    acknowledge(database, Acknowledgement(identifier(database, LAMP), 1, "k1"), OFFICER, 5_000)
    remark(database, Remark(identifier(database, LAMP), "on its way", "k2"), OFFICER, 5_500)
    judge_false(database, Verdict(identifier(database, LAMP), "a moth", "k3"), OFFICER, 5_600)
    keep(database, lamp(site, "return", 6, 0))
    other: dict[str, Any] = {"point": "gas-2/conc_pct_lel.high", "device": "gas-2"}
    keep(database, leak(site, "raise", 7, **other), leak(site, "return", 8, 0, **other))
    name = identifier(database, "gas-2/conc_pct_lel.high")
    acknowledge(database, Acknowledgement(name, 1, "k4"), OFFICER, 9_000)
    reset(database, Reset(name, "aired", "k5"), LEADER, 9_500)
    third: dict[str, Any] = {"point": "gas-3/conc_pct_lel.high", "device": "gas-3"}
    keep(database, leak(site, "raise", 10, **third), leak(site, "late", 11, 2, **third))
    keep(database, leak(site, "passage", 12, point="gas-1/conc_pct_lel.high/p1"))
    return database


def test_an_honest_night(night: AlarmDatabase, site: Site) -> None:
    with night.read() as connection:
        found = compare(connection, site)
    assert (found.occurrences, found.altered, found.unranked) == (5, [], 0)


CHANGED: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "closed by hand": (
        GAS, {"active": False, "acked": True, "latched": False, "closed_at": 2_001},
        ["it stands as CLOSED, the record says UNACK", "active is false, the record says true",
         "acked is true, the record says false", "latched is false, the record says true",
         "closed_at is 2001, the record says none"],
    ),
    "acknowledged by hand": (GAS, {"acked": True}, ["it stands as ACKED, the record says UNACK"]),
    "in somebody's name": (GAS, {"acked_by": "officer"}, ["acked_by is officer, the record says none"]),
    "no longer latched": (GAS, {"latched": False}, ["latched is false, the record says true"]),
    "milder": (GAS, {"level_now": 1}, ["level_now is 1, the record says 2"]),
    "never so bad": (GAS, {"level_peak": 1}, ["level_peak is 1, the record says 2"]),
    "acknowledged at a level nobody saw": (GAS, {"level_acked": 2}, ["level_acked is 2, the record says 0"]),
    "less urgent": (GAS, {"priority": "P2"}, ["priority is P2, the record says P1"]),
    "more urgent": (LAMP, {"priority": "P1"}, ["priority is P1, the record says P4"]),
    "hidden": (GAS, {"suppression": "shelved"}, ["suppression is shelved, what hides it on record is none"]),
    "folded": (GAS, {"cause": "gw-1", "suppression": "by_design"}, ["cause is gw-1, the record says it is not folded"]),
    "another value": (GAS, {"value": 1.0}, ["value is 1.0, the record says 20.0"]),
    "another device": (GAS, {"device": "gas-9"}, [f"device is gas-9, the record says {GAS}"]),
    "another point": (GAS, {"point": "gas-1/x"}, [f"point is gas-1/x, the record says {GAS}"]),
    "another rule": (
        GAS, {"rule": "gas_alarm.x"}, ["rule is gas_alarm.x, the record says gas_alarm.conc_pct_lel.high"],
    ),
    "another version": (GAS, {"version": 9}, ["version is 9, the record says 2"]),
    "noticed later": (GAS, {"noticed_at": 9_000}, ["noticed_at is 9000, the record says 1000"]),
    "returned": (GAS, {"returned_at": 2_500}, ["returned_at is 2500, the record says UNACK"]),
    "put into a case": (GAS, {"case": "C1"}, ["case is C1, the record says none"]),
    "judged false": (
        GAS, {"verdict": "false_alarm", "verdict_at": 2_500, "verdict_by": "officer"},
        ["verdict is false_alarm, the record says none was given"],
    ),
    "opened again": (LAMP, {"closed_at": None}, ["closed_at is none, the record says 6000"]),
    "closed sooner": (LAMP, {"closed_at": 4_500}, ["closed_at is 4500, the record says 6000"]),
    "by somebody else": (LAMP, {"acked_by": "leader"}, ["acked_by is leader, the record says officer"]),
    "sooner": (LAMP, {"acked_at": 4_100}, ["acked_at is 4100, the record says 5000"]),
    "less often": (LAMP, {"activations": 1}, ["activations is 1, the record says 2"]),
    "no verdict": (
        LAMP, {"verdict": None, "verdict_at": None, "verdict_by": None},
        ["verdict is none, the record says one was given"],
    ),
    "reset by somebody else": (
        "gas-2/conc_pct_lel.high", {"reset_by": "officer"}, ["reset_by is officer, the record says leader"],
    ),
    "late, never so bad": (
        "gas-3/conc_pct_lel.high", {"level_peak": 1}, ["level_peak is 1, the record says more than 1"],
    ),
    "late, less urgent": ("gas-3/conc_pct_lel.high", {"priority": "P2"}, ["priority is P2, the record says P1"]),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGED)
def test_what_was_changed_by_hand_is_named(night: AlarmDatabase, site: Site, what: str) -> None:
    """With the occurrence, what stands there and what the record says; the others are left alone."""
    point, changes, sentences = CHANGED[what]
    name = identifier(night, point)
    with night.write() as connection:
        connection.execute(occurrence.update().where(occurrence.c.id == name).values(**changes))
    (found,) = told(night, site)
    assert (found.verdict, found.occurrence) == ("changed", name)
    assert found.sentence.startswith(f"occurrence {name} of {point}: ")
    parts = found.sentence.split(": ", 1)[1].split("; ")
    assert set(sentences) <= set(parts)
    # Nothing is named that was not touched, but what follows from it.
    assert len(parts) <= len(sentences) + 2


def test_what_was_invented_is_named(night: AlarmDatabase, site: Site) -> None:
    with night.write() as connection:
        row = dict(connection.execute(sa.select(occurrence).where(occurrence.c.point == GAS)).mappings().one())
        connection.execute(
            occurrence.insert().values(**{**row, "id": "Invented", "point": "gas-9/x", "device": "gas-9"})
        )
    (found,) = told(night, site)
    assert found == Altered(
        "phantom", "Invented", "gas-9", row["rule"],
        "occurrence Invented of gas-9/x: it stands, the record has no row of it",
    )  # fmt: skip


def test_what_is_gone_is_named(night: AlarmDatabase, site: Site) -> None:
    name = identifier(night, GAS)
    with night.write() as connection:
        connection.execute(occurrence.delete().where(occurrence.c.id == name))
    (found,) = told(night, site)
    assert (found.verdict, found.occurrence, found.device) == ("changed", name, "gas-1")
    assert found.sentence.endswith("it does not stand, the record has 2 rows of it, up to UNACK")


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        (1, "begin with row"),
        (2, "goes on from version 2 RTN_UNACK, the one before it ends at 1 UNACK"),
        (5, "version is 5, the record says 4"),
    ],
)
def test_a_row_taken_out_of_its_middle(night: AlarmDatabase, site: Site, version: int, sentence: str) -> None:
    """Also where the chain is written anew behind it: its versions have no gap (ALARMS I7)."""
    name = identifier(night, LAMP)
    with night.write() as connection:
        taken = (audit.c.occurrence == name) & (audit.c.version_after >= version)
        if version < 5:
            taken = (audit.c.occurrence == name) & (audit.c.version_after == version)
        connection.execute(audit.delete().where(taken))
        if version == 5:
            connection.execute(occurrence.update().where(occurrence.c.id == name).values(version=5))
    (found,) = told(night, site)
    assert sentence in found.sentence


def test_the_priority_of_an_unknown_version_is_told_to_be_unjudged(database: AlarmDatabase, site: Site) -> None:
    keep(database, transition("raise", 1, priority="P4"))
    with database.read() as connection:
        found = compare(connection, site)
    assert (found.altered, found.unranked) == ([], 1)


def test_one_among_many_with_a_long_record(database: AlarmDatabase, site: Site) -> None:
    """More than are looked up at once, and one with more rows than are fetched at once."""
    crowd = [leak(site, "raise", 1, point=f"gas-{n}/x", device=f"gas-{n}") for n in range(1_100)]
    keep(database, *crowd)
    keep(database, *(leak(site, "change", 2 + n, 2 - n % 2, point="gas-7/x", device="gas-7") for n in range(2_500)))
    assert told(database, site) == []
    names = [identifier(database, f"gas-{n}/x") for n in (7, 1_099)]
    with database.write() as connection:
        connection.execute(occurrence.update().where(occurrence.c.id.in_(names)).values(acked=True))
    assert {each.occurrence for each in told(database, site)} == set(names)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def town(request: pytest.FixtureRequest, tmp_path: Any) -> Any:
    """Give a town whose collector has raised an alarm."""
    if request.param == "sqlite":
        made, name, server = Town(tmp_path / "town"), "", None
    else:
        server = request.getfixturevalue("postgres_server")
        name = server.create(request.getfixturevalue("migrated"))
        made = Town(tmp_path / "town", alarms=server.url(name))
    made.receive([message(0, "gas_alarm", "gas-1", {"conc_pct_lel": 60}), tick(1), tick(2)])
    made.judge()
    yield made
    if server is not None:
        server.drop(name)


def test_both_commands_name_it(town: Town) -> None:
    """``citydeck audit verify`` and ``citydeck reconcile --alarms``: exit code 1 and a sentence each."""
    words = ["verify", "--site", str(town.folder / "site.toml"), "--data", str(town.places.data)]
    honest = CliRunner().invoke(verify.main, words)
    assert honest.exit_code == 0, honest.output
    assert honest.output.splitlines()[-1].endswith("alarms held against the rows, 0 altered")
    assert (town.recount()[0], town.recount()[1]["altered"]) == (0, [])
    town.change(occurrence.update().where(occurrence.c.point == GAS).values(priority="P3", level_now=1))
    database = town.database()
    with database.read() as connection:
        row = dict(connection.execute(sa.select(occurrence).where(occurrence.c.point == GAS)).mappings().one())
    database.close()
    town.change(occurrence.insert().values(**{**row, "id": "invented", "point": "gas-2/x", "device": "gas-2"}))
    sentences = [
        f"occurrence {row['id']} of {GAS}: level_now is 1, the record says 2; priority is P3, the record says P1",
        "occurrence invented of gas-2/x: it stands, the record has no row of it",
    ]
    altered = CliRunner().invoke(verify.main, words)
    assert altered.exit_code == 1
    assert [f"altered: {each}" for each in sentences] == altered.output.splitlines()[:2]
    code, found = town.recount()
    assert (code, found["missing"], found["phantom"], found["changed"]) == (1, 0, 1, 1)
    assert [each["sentence"] for each in found["altered"]] == sentences
    code, said = town.say()
    assert code == 1
    assert said.splitlines()[-3:] == [f"改 {sentences[0]}", f"多 {sentences[1]}", "漏 0 / 多 1 / 改 1"]
