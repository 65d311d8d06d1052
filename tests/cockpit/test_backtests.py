"""A back-test in a process of its own: whatever becomes of that process is told."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.backtests import Backtests
from cockpit.rule_board import RuleBoard
from cockpit.rule_results import named
from devices.site import Site
from ingest.alarms.audit import Person
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.revisions import backtesting, drafting, records
from ingest.alarms.revisions.recordings import recordings
from ingest.alarms.revisions.revision import Change
from ingest.checkpoint import Checkpoint
from ingest.decoding import Decoder, Unregistered
from ingest.journal import Journal
from ingest.places import Places
from ingest.records import TICK
from ingest.store import open_store
from tests.ingest.messages import gas
from tests.servers.waiting import wait_until
from tests.sites import small_site

ENGINEER = Person("engineer", ("engineer",), "")
LEADER = Person("leader", ("leader",), "")
T0 = 1_767_225_600_000


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return small_site(tmp_path)


@pytest.fixture
def database(site: Site, tmp_path: Path) -> Iterator[AlarmDatabase]:
    """Give an alarm database where the process looks for it, beside a journal with a minute and one message."""
    places = Places(tmp_path / "var")
    Checkpoint(places.checkpoint).close()
    journal = Journal(places.journal)
    journal.append([(TICK, b""), gas("gas-1", 1, ts=T0)], T0)
    journal.append([(TICK, b"")], T0 + 60_000)
    journal.close()
    opened = AlarmDatabase(f"sqlite:///{places.alarms}")
    opened.migrate()
    yield opened
    opened.close()


def asked(database: AlarmDatabase, site: Site, places: Places) -> str:
    change = Change({"gas_alarm": {"conc_pct_lel": {"levels": [10, 40]}}})
    drafting.draft(database, drafting.Draft(change, "x", "x", "", "C", "draft"), site, ENGINEER, T0)
    wish = backtesting.Wish(1, None, T0 + 60_001, "test")
    return backtesting.ask(database, wish, site, recordings(site, places), ENGINEER, T0).id


def outcome(database: AlarmDatabase) -> tuple[str, str]:
    """Wait until the back-test has ended, and return its state and sentence."""

    def ended() -> tuple[str, str] | None:
        with database.read() as connection:
            (row,) = records.backtests(connection)
        return (row["state"], row["sentence"]) if row["state"] in ("done", "failed") else None

    return wait_until(ended, 60)


def test_it_is_done(database: AlarmDatabase, site: Site, tmp_path: Path) -> None:
    """The result stands in the alarm database when the process has ended."""
    places = Places(tmp_path / "var")
    Backtests(database, site, places).start(asked(database, site, places))
    assert outcome(database) == ("done", "")


def test_its_alarms_stand_with_their_readings(database: AlarmDatabase, site: Site, tmp_path: Path) -> None:
    """As the site's store has them; the desk of the rules shows what is kept here."""
    places = Places(tmp_path / "var")
    journal = Journal(places.journal)
    for second in range(70, 130, 10):
        journal.append([gas("gas-1", 12 if second == 100 else 1, ts=T0 + second * 1000)], T0 + second * 1000)
    store, decoder = open_store(site, places), Decoder(site, Unregistered())
    outcomes = [decoder.outcome(each) for each in journal.read(0, 100)]
    store.write([reading for outcome in outcomes for reading in outcome.readings], journal.last)
    store.close()
    journal.close()
    change = Change({"gas_alarm": {"conc_pct_lel": {"levels": [10, 40]}}})
    drafting.draft(database, drafting.Draft(change, "x", "x", "", "C", "draft"), site, ENGINEER, T0)
    wish = backtesting.Wish(1, None, T0 + 130_001, "test")
    begun = backtesting.ask(database, wish, site, recordings(site, places), ENGINEER, T0 + 130_000)
    Backtests(database, site, places).start(begun.id)
    assert outcome(database) == ("done", "")
    result = RuleBoard(database, site).revision(1, T0 + 130_000)["backtest"]["result"]
    (item,) = result["appear"]["items"]
    assert [each["value"] for each in item["readings"]] == [1, 1, 1, 12, 1, 1]
    assert item["readings"][3] == {"at": item["at"], "value": 12, "quality": 0}
    assert item["readings_unit"] == item["unit_label"] == {"zh": "%LEL", "en": "%LEL"}
    assert item["codes"] == {}
    again = {"rule": "light_pole.lamp_fail.fault", "at": T0, "until": None, "readings": [], "readings_unit": "1"}
    result["appear"]["items"] = [{**item, **again}]
    (flag,) = named(result, site)["appear"]["items"]
    assert flag["codes"] == {"0": {"zh": "否", "en": "no"}, "1": {"zh": "是", "en": "yes"}}


def test_the_process_cannot_work(database: AlarmDatabase, site: Site, tmp_path: Path) -> None:
    """A site file that is gone since: told with the process's own words."""
    places = Places(tmp_path / "var")
    gone = replace(site, source=tmp_path / "gone.toml")
    Backtests(database, gone, places).start(asked(database, site, places))
    state, sentence = outcome(database)
    assert (state, sentence.startswith("It ended early: "), "gone.toml" in sentence) == ("failed", True, True), sentence
    told = RuleBoard(database, site).revision(1, T0)["backtest"]["problem"]
    assert (told["code"], told["values"]["file"]) == ("site_unfit", "gone.toml")


def test_a_damaged_journal_has_a_code(database: AlarmDatabase, site: Site, tmp_path: Path) -> None:
    """Nobody refused it: what it is told with is known by its form."""
    places = Places(tmp_path / "var")
    identifier, found = asked(database, site, places), recordings(site, places)
    for path in places.journal.glob("[0-9]*.db"):
        path.write_bytes(b"no database" * 500)
    backtesting.run(database, identifier, site, found, lambda: T0)
    state, sentence = outcome(database)
    told = RuleBoard(database, site).revision(1, T0)["backtest"]["problem"]
    assert (state, told["code"], told["faults"]) == ("failed", "journal_damaged", []), sentence


def test_a_rule_in_force_that_fits_no_more_has_its_faults_in_parts(
    database: AlarmDatabase, site: Site, tmp_path: Path
) -> None:
    """The device it was made for is gone from the site file."""
    change = Change(limits_for=[{"device": "gas-2", "kind": "gas_alarm", "field": "conc_pct_lel", "levels": [10, 40]}])
    drafting.draft(database, drafting.Draft(change, "x", "x", "", "C", "draft"), site, ENGINEER, T0)
    found = recordings(site, Places(tmp_path / "var"))
    asked_for = backtesting.ask(database, backtesting.Wish(1, None, T0 + 60_001, "test"), site, found, ENGINEER, T0)
    backtesting.run(database, asked_for.id, site, found, lambda: T0)
    drafting.approve(database, drafting.Approval(1, None, "approve"), site, LEADER, T0)
    left = replace(site, devices={name: each for name, each in site.devices.items() if name != "gas-2"})
    told = RuleBoard(database, left).in_force(T0 + 1)
    (fault,) = told["unfit_faults"]
    assert (fault["code"], fault["values"]["found"]) == ("scope_empty", "gas-2")
    assert told["unfit"] == [f"{fault['where']}: {fault['sentence']}"]


def test_the_cockpit_ends(database: AlarmDatabase, site: Site, tmp_path: Path) -> None:
    """What runs is ended and says so; nothing is begun any more."""
    places = Places(tmp_path / "var")
    runner = Backtests(database, site, places)
    identifier = asked(database, site, places)
    runner.close()
    runner.start(identifier)
    assert outcome(database) == ("failed", "The cockpit ended while it ran; run it again.")
