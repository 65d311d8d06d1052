"""A sandbox judges by the rules in force when its recording begins, unless others are asked for, and says by which."""

import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from devices.site_file import load_site
from ingest.alarms.database import open_alarms
from ingest.journal import Journal
from ingest.places import Places
from ingest.records import TICK
from ingest.replay.__main__ import main
from tests.ingest.alarms.revisions.desk import TIGHTER, Desk
from tests.ingest.messages import T_MS, gas
from tests.sites import small_site_text

SECOND = 1_000
# Between the site file's limits and those of the revision.
CONC = 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a data folder that heard two minutes of a detector."""
    (tmp_path / "site.toml").write_text(small_site_text())
    journal = Journal(tmp_path / "var" / "journal", durable=False)
    for second in range(0, 120, 2):
        at_ms = T_MS + second * SECOND
        journal.append([(TICK, b""), gas("gas-2", CONC, ts=at_ms, seq=second)], at_ms)
    journal.close()
    return tmp_path


def approve(folder: Path, at_s: float) -> None:
    """Let stricter rules be in force from an instant of the recording on."""
    site = load_site(folder / "site.toml")
    database = open_alarms(site, Places(folder / "var"))
    database.migrate()
    journal = Journal(folder / "var" / "journal")
    desk = Desk(database, site, journal)
    number = desk.draft(limits=TIGHTER["limits"]).row["number"]
    assert desk.test(number, 0, 100)["state"] == "done"
    desk.now_s = at_s
    desk.approve(number)
    journal.close()
    database.close()


def judged(folder: Path, *more: str) -> Result:
    options = ["--site", str(folder / "site.toml"), "--data", str(folder / "var"), "--speed", "1000"]
    return CliRunner().invoke(main, ["--sandbox", str(folder / "s"), *options, *more])


def raised(folder: Path) -> set[str]:
    database = sqlite3.connect(folder / "s" / "alarms.db")
    found = {
        device for (device,) in database.execute("SELECT device FROM occurrence WHERE rule LIKE 'gas_alarm.%high'")
    }
    database.close()
    return found


@pytest.mark.parametrize(
    ("in_force_s", "more", "said", "expected"),
    [
        (None, [], "the site file, in force when it begins", set()),
        (-10, [], "revision 1, in force when it begins", {"gas-2"}),
        (60, [], "the site file, in force when it begins", set()),
        (60, ["--from", "2026-01-01T08:01:10"], "revision 1, in force when it begins", {"gas-2"}),
        (-10, ["--rules", "site"], "the site file", set()),
        (-10, ["--rules", "inforce"], "revision 1, in force when it begins", {"gas-2"}),
        (None, ["--rules", "{draft}"], "draft.toml on the site file", {"gas-2"}),
    ],
)
def test_which_rules_judge(
    folder: Path, in_force_s: float | None, more: list[str], said: str, expected: set[str]
) -> None:
    if in_force_s is not None:
        approve(folder, in_force_s)
    (folder / "draft.toml").write_text("[limits.gas_alarm.conc_pct_lel]\nlevels = [10, 40]\n")
    found = judged(folder, *(each.format(draft=folder / "draft.toml") for each in more))
    assert found.exit_code == 0, found.output
    assert found.output.splitlines()[0] == f"judged by {said}"
    assert raised(folder) == expected
    assert (folder / "var" / "alarms.db").exists() == (in_force_s is not None)


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ("{folder}/nothing.toml", "expected inforce, site or a file of rules"),
        ("{folder}", "expected inforce, site or a file of rules"),
        ("{folder}/site.toml", "is not a word of a draft"),
        ("{folder}/loose.toml", "looser than the cap"),
    ],
)
def test_rules_that_cannot_judge_are_told_and_leave_nothing(folder: Path, rules: str, sentence: str) -> None:
    (folder / "loose.toml").write_text("[limits.gas_alarm.conc_pct_lel]\nlevels = [70, 80]\n")
    found = judged(folder, "--rules", rules.format(folder=folder))
    assert (found.exit_code, sentence in found.output) == (1, True), found.output
    assert not (folder / "s").exists()


def test_nothing_is_judged_on_the_way_to_a_broker(folder: Path) -> None:
    found = CliRunner().invoke(main, ["--broker", "mqtt://127.0.0.1:2", "--rules", "site"])
    assert (found.exit_code, "--rules goes with --sandbox" in found.output) == (2, True)
