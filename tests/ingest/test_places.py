"""The data folder: one collector at a time, and a secret that both parts read whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.errors import JournalError
from ingest.places import Places, disk_used_pct, site_secret, take


def test_one_collector_a_folder(tmp_path: Path) -> None:
    """A second collector is refused with the first one's process; after the first has gone the folder is free."""
    with take(Places(tmp_path)), pytest.raises(JournalError, match=f"process {os.getpid()}.*--data"):
        take(Places(tmp_path))
    take(Places(tmp_path)).close()


def test_a_killed_collector_leaves_the_folder_free(tmp_path: Path) -> None:
    """The lock dies with its process, however that ended."""
    take_and_die = "lock = p.take(p.Places(pathlib.Path(sys.argv[1]))); os.kill(os.getpid(), 9)"
    code = f"import os, sys, pathlib, ingest.places as p; {take_and_die}"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == -9
    take(Places(tmp_path)).close()


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A file where the folder should be is one sentence."""
    (tmp_path / "var").write_text("")
    with pytest.raises(JournalError, match="cannot be written"):
        take(Places(tmp_path / "var"))


def test_secret_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same secret every time, readable by its owner only; the environment's comes first."""
    monkeypatch.delenv("CITYDECK_SECRET", raising=False)
    made = site_secret(Places(tmp_path))
    assert len(made) == 64
    assert site_secret(Places(tmp_path)) == made
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0
    monkeypatch.setenv("CITYDECK_SECRET", "given")
    assert site_secret(Places(tmp_path)) == b"given"


def test_how_full_the_disk_is_is_what_df_says(tmp_path: Path) -> None:
    """As a percentage that df, too, rounds up to the next whole one."""
    told = subprocess.run(["df", "--output=pcent", tmp_path], capture_output=True, text=True, check=True).stdout
    assert disk_used_pct(tmp_path) == pytest.approx(float(told.split()[1].rstrip("%")) - 0.5, abs=1.0)
