"""Looking into quarantine from the command line."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from ingest.checkpoint import Checkpoint, Saved
from ingest.decoding import Unregistered
from ingest.inspection import main
from ingest.journal import Journal
from ingest.places import Places
from ingest.quarantine import Quarantined

BROKEN = b"{broken \xff"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a data folder with one message in quarantine."""
    places = Places(tmp_path)
    journal = Journal(places.journal)
    journal.append([("city/v1/demo/gas_alarm/gas-1/event", BROKEN)], 1_767_225_600_000)
    journal.close()
    checkpoint = Checkpoint(places.checkpoint)
    found = Quarantined(1, 1_767_225_600_000, "json", "gas-1", "city/v1/demo/gas_alarm/gas-1/event", "not JSON")
    checkpoint.save(1, 1_767_225_600_000, 0, Saved().ledger, {}, Unregistered(), [found])
    checkpoint.close()
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    """Run the command and return its exit code and all it said."""
    done = CliRunner().invoke(main, arguments)
    return done.exit_code, done.output


def test_list(data: Path) -> None:
    """A group is told with its count, reason, device and sentence."""
    code, said = run("list", "--data", str(data))
    assert code == 0
    assert all(word in said for word in ("1", "json", "gas-1", "not JSON"))


def test_show(data: Path) -> None:
    """A message is shown with its topic and its bytes as they came."""
    code, said = run("show", "json", "gas-1", "--data", str(data))
    assert code == 0
    assert repr(BROKEN) in said
    assert "city/v1/demo/gas_alarm/gas-1/event" in said


def test_bytes_that_are_gone(data: Path) -> None:
    """When the journal file has been removed, the rest is still told."""
    for file in (data / "journal").iterdir():
        file.unlink()
    code, said = run("show", "json", "gas-1", "--data", str(data))
    assert (code, "is gone" in said) == (0, True)


@pytest.mark.parametrize("arguments", [("show", "json", "nobody"), ("show", "nothing")])
def test_no_such_group(data: Path, arguments: tuple[str, ...]) -> None:
    """A group that is none leads to the list."""
    code, said = run(*arguments, "--data", str(data))
    assert (code, "quarantine list" in said) == (1, True)


def test_no_such_folder(tmp_path: Path) -> None:
    """A folder nobody collected in is named."""
    code, said = run("list", "--data", str(tmp_path / "nowhere"))
    assert (code, "--data" in said) == (1, True)


@pytest.fixture
def divided(data: Path) -> Path:
    """Give a data folder in which two shards have a message in quarantine each, beside what came before."""
    for number, shard in enumerate(("north", "south"), 1):
        places = Places(data).for_shard(shard)
        journal = Journal(places.journal)
        journal.append([(f"city/v1/demo/gas_alarm/gas-{shard}/event", BROKEN)] * number, 1_767_225_600_000)
        journal.close()
        checkpoint = Checkpoint(places.checkpoint)
        found = [
            Quarantined(n, 1_767_225_600_000, "json", f"gas-{shard}", "topic", "not JSON") for n in range(1, number + 1)
        ]
        checkpoint.save(number, 1_767_225_600_000, 0, Saved().ledger, {}, Unregistered(), found)
        checkpoint.close()
    return data


def test_the_shards_of_a_site_are_listed_together(divided: Path) -> None:
    code, said = run("list", "--data", str(divided))
    assert code == 0
    assert [line.split()[:4] for line in said.splitlines()] == [
        ["count", "shard", "reason", "device"],
        ["2", "south", "json", "gas-south"],
        ["1", "main", "json", "gas-1"],
        ["1", "north", "json", "gas-north"],
    ]
    assert "gas-south" not in run("list", "--data", str(divided), "--shard", "north")[1]
    code, said = run("list", "--data", str(divided), "--shard", "west")
    assert (code, "no collector of shard 'west' has worked in" in said) == (1, True)


def test_a_message_is_found_in_whichever_shard_it_is(divided: Path) -> None:
    code, said = run("show", "json", "gas-south", "--data", str(divided))
    assert (code, said.count(repr(BROKEN))) == (0, 2)
    code, said = run("retry", "json", "--dry-run", "--data", str(divided))
    assert code == 0
    assert said.startswith("0 of 4 would land; nothing was changed")
