"""A draft is tested on what was imported, and on what a sandbox played: nobody admitted devices there before."""

from pathlib import Path

import click.testing
import pytest

from ingest.backtest.__main__ import main
from ingest.recording.__main__ import main as record
from ingest.replay.__main__ import main as replay
from tests.ingest.recording.test_scope import FAR, SHARDS, fill
from tests.sites import small_site_text

STRICTER = "[limits.gas_alarm.conc_pct_lel]\nlevels = [10, 20]\n"
SPAN = ("--from", "2026-01-01T00:00:00+00:00", "--to", "2026-01-01T00:15:00+00:00")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site.toml").write_text(small_site_text(tail=FAR))
    fill(tmp_path / "var" / "journal")
    return tmp_path


def do(folder: Path, command: click.Command, *arguments: str) -> str:
    found = click.testing.CliRunner().invoke(command, [*arguments, "--site", str(folder / "site.toml")])
    assert found.exit_code == 0, found.output
    return found.output


def backtested(folder: Path, data: str, *span: str) -> click.testing.Result:
    (folder / "draft.toml").write_text(STRICTER)
    options = ["--rules", str(folder / "draft.toml"), "--site", str(folder / "site.toml"), "--data", str(folder / data)]
    return click.testing.CliRunner().invoke(main, [*options, *(span or SPAN)])


@pytest.mark.parametrize("divided", [False, True], ids=["undivided", "divided"])
def test_where_no_collector_has_worked(folder: Path, divided: bool) -> None:
    """With everything that a part leaves out, silences are no alarms before or after."""
    path = str(folder / "r.cdrec")
    data = ["--data", str(folder / "var")]
    do(folder, record, "export", path, *SPAN, *data, "--kind", "gas_alarm", "--pseudonymise")
    if divided:
        (folder / "site.toml").write_text(small_site_text(tail=FAR + SHARDS))
    do(folder, record, "import", path, "--into", str(folder / "in"))
    do(folder, replay, path, "--sandbox", str(folder / "played"), "--speed", "1000")
    for name in ("in", "played"):
        found = backtested(folder, name)
        assert found.exit_code == 0, found.output
        assert "would vanish: 0" in found.output
        assert "no_data" not in found.output
        row = next(line for line in found.output.splitlines() if line.strip().startswith("health"))
        assert row.split()[1:3] == ["0", "0"], found.output


def test_a_span_in_which_somebody_only_listened_holds_no_records(folder: Path) -> None:
    found = backtested(folder, "var", "--from", "2026-01-01T00:00:05+00:00", "--to", "2026-01-01T00:00:55+00:00")
    assert (found.exit_code, "The span holds no records" in found.output) == (1, True), found.output


def test_where_nothing_was_recorded(folder: Path) -> None:
    (folder / "empty").mkdir()
    found = backtested(folder, "empty")
    assert (found.exit_code, "no collector has worked in empty yet" in found.output) == (1, True), found.output
