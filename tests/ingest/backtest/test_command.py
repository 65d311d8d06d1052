"""``citydeck backtest``: a file of rules against what was recorded, from the journal and from history, kept nowhere."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import click.testing
import pytest

from devices.site import Site
from ingest.backtest.__main__ import main
from ingest.checkpoint import Checkpoint
from ingest.decoding import Decoder, Unregistered
from ingest.journal import Journal
from ingest.places import Places
from ingest.store import open_store
from tests.ingest.alarms.feeding import T0, message, tick
from tests.ingest.alarms.revisions.desk import record
from tests.servers.waiting import wait_until
from tests.sites import small_site

TIGHTER = "[limits.gas_alarm.conc_pct_lel]\nlevels = [10, 40]\n"
SPAN = ("--from", "2026-01-01T08:00", "--to", "2026-01-01T08:30")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a site, and below ``var`` a journal and a store with the same half hour of gas readings."""
    folder = tmp_path_factory.mktemp("town")
    site = small_site(folder)
    places = Places(folder / "var")
    Checkpoint(places.checkpoint).close()
    journal = Journal(places.journal)
    values = {second: 12.0 if 300 <= second < 400 else 1.0 for second in range(0, 1800, 10)}
    messages = [message(at_s, "gas_alarm", "gas-1", {"conc_pct_lel": each}) for at_s, each in values.items()]
    record(journal, [*messages, *(tick(second) for second in range(0, 1800, 10))])
    decoder, store = Decoder(site, Unregistered()), open_store(site, places)
    outcomes = [decoder.outcome(each) for each in journal.read(0, 10_000)]
    store.write([reading for outcome in outcomes for reading in outcome.readings], journal.last)
    store.close()
    journal.close()
    return folder


def run(town: Path, rules: str, *words: str, data: str = "var") -> click.testing.Result:
    (town / "draft.toml").write_text(rules, encoding="utf-8")
    options = ["--rules", str(town / "draft.toml"), "--site", str(town / "site.toml"), "--data", str(town / data)]
    return click.testing.CliRunner().invoke(main, [*options, *words])


@pytest.mark.parametrize("source", ["journal", "history"])
def test_both_sources_say_the_same(town: Path, source: str) -> None:
    found = run(town, TIGHTER, *SPAN, "--source", source, "--json", str(town / "result.json"))
    assert found.exit_code == 0, found.output
    assert "would appear: 1\n  2026-01-01 08:05:00  P2      gas-1/conc_pct_lel.high  12 %LEL\n" in found.output
    assert "08:04:50 1  08:05:00 12" in found.output
    assert "would vanish: 0\n" in found.output
    assert "this change would have spared 0 nuisance alarms and missed 0 confirmed" in found.output
    document = json.loads((town / "result.json").read_text())
    assert (document["source"], document["from"], document["appear"]["count"]) == (source, T0, 1)
    assert document["sentence"].startswith("this change would have spared 0 nuisance alarms and missed 0 confirmed")
    assert sorted(path.name for path in town.iterdir()) == ["draft.toml", "result.json", "site.toml", "var"]
    (town / "result.json").unlink()


@pytest.mark.parametrize(
    ("rules", "words", "sentence"),
    [
        ("[limits.gas_alarn.conc_pct_lel]\nlevels = [10, 40]", SPAN, "did you mean 'gas_alarm'?"),
        ("[limits.gas_alarm.conc_pct_lel]\nlevels = [30, 60]", SPAN, "of a capped limit"),
        ("[limits.gas_alarm.conc_pct_lel]\nlevels = [20, 10]", SPAN, "must be worse"),
        ("", SPAN, "the draft changes nothing"),
        ("levels = [1]", SPAN, "levels is not a word of a draft"),
        ("[limits", SPAN, "is not TOML"),
        (TIGHTER, ("--from", "2026-01-01T09:00", "--to", "2026-01-01T08:00"), "The span is empty: from must"),
        (TIGHTER, ("--from", "2025-01-01T08:00", "--to", "2025-01-02T08:00"), "The span holds no records; the journal"),
        (TIGHTER, ("--from", "2025-01-01", "--to", "2025-01-02", "--source", "history"), "The span holds no readings;"),
        (TIGHTER, ("--from", "soon"), "--from 'soon': expected an instant"),
        ("[limits.drone.pdop]\nlevels = [2.2]", (*SPAN, "--source", "history"),
         "the rule drone.pdop.poor needs more than that (other fields, the order of arrival, or other"),
        ("[limits.drone.gnss_sats]\nlevels = [7]\n[limits.drone.pdop]\nlevels = [2.2]",
         (*SPAN, "--source", "history"), "the rules drone.gnss_sats.few, drone.pdop.poor need more than that"),
    ],
)  # fmt: skip
def test_contradictions_are_sentences(town: Path, rules: str, words: tuple[str, ...], sentence: str) -> None:
    found = run(town, rules, *words)
    assert (found.exit_code, "Traceback" in found.output) == (1, False), found.output
    assert found.output.startswith("Error: ")
    assert sentence in found.output


def test_a_folder_that_is_not_there_is_not_made(town: Path) -> None:
    found = run(town, TIGHTER, *SPAN, data="vat")
    assert (found.exit_code, "no folder vat" in found.output) == (1, True)
    assert not (town / "vat").exists()


def test_what_history_cannot_judge_of_a_draft_is_named(town: Path) -> None:
    """The rest of it is judged; the recording judges all."""
    rules = TIGHTER + "[limits.drone.pdop]\nlevels = [2.2]\n"
    found = run(town, rules, *SPAN, "--source", "history", "--json", str(town / "mixed.json"))
    assert found.exit_code == 0, found.output
    assert "\nnot judged: drone.pdop.poor (history holds one field at a time; see --source journal)\n" in found.output
    assert "would appear: 1\n" in found.output
    assert json.loads((town / "mixed.json").read_text())["not_judged"] == ["drone.pdop.poor"]
    (town / "mixed.json").unlink()
    assert "not judged" not in run(town, rules, *SPAN).output


def test_what_history_cannot_judge_the_journal_does(town: Path) -> None:
    found = run(town, "[limits.gas_alarm.conc_pct_lel.rate]\nlevels = [4]\n", *SPAN)
    assert found.exit_code == 0, found.output
    assert "rules gas_alarm.conc_pct_lel.rate" in found.output


def test_a_result_that_cannot_be_written_says_so(town: Path) -> None:
    found = run(town, TIGHTER, *SPAN, "--json", str(town / "no" / "result.json"))
    assert (found.exit_code, "No such file or directory" in found.output) == (1, True)


def test_whoever_interrupts_it_leaves_nothing_behind(town: Path, site: Site) -> None:
    """A second while it works: it ends with the code of an abort, and no file is new."""
    before = sorted(path.name for path in town.rglob("*"))
    (town / "draft.toml").write_text(TIGHTER)
    process = subprocess.Popen(
        [
            sys.executable, "-c",
            "import signal, ingest.backtest.__main__ as it\n"
            "compare = it.compare\n"
            "def slow(*words):\n"
            "    print('at work', flush=True)\n"
            "    signal.pause()\n"
            "it.compare = slow\n"
            "it.main()",
            "--rules", str(town / "draft.toml"), "--site", str(town / "site.toml"), "--data", str(town / "var"), *SPAN,
            "--json", str(town / "result.json"),
        ],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        process.send_signal(signal.SIGINT)
        assert wait_until(process.poll, 30) == 1
    finally:
        process.kill()
        process.communicate()
    after = sorted(path.name for path in town.rglob("*"))
    assert set(after) - set(before) <= {"draft.toml"}
    with_database = run(town, TIGHTER, *SPAN)
    assert with_database.exit_code == 0
