"""What is not a whole backup of ours is refused in a sentence, and nothing is left of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.errors import BackupError
from ingest.restore import restore
from tests.ingest.backup.breaking import BROKEN
from tests.ingest.backup.keeping import citydeck


@pytest.fixture(params=list(BROKEN))
def broken(request: pytest.FixtureRequest, file: Path, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    make, sentence = BROKEN[request.param]
    make(file, tmp_path / "broken.tar.gz")
    yield tmp_path / "broken.tar.gz", sentence


def test_what_is_not_whole_is_refused_and_nothing_is_left(broken: tuple[Path, str], tmp_path: Path) -> None:
    file, sentence = broken
    before = sorted(path.name for path in tmp_path.iterdir())
    for data in (tmp_path / "new", tmp_path / "made"):
        if data.name == "made":
            data.mkdir()
        with pytest.raises(BackupError) as refusal:
            restore(file, data, lambda _: None)
        assert sentence in str(refusal.value)
        assert "\n" not in str(refusal.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*before, "made"])
    assert list((tmp_path / "made").iterdir()) == []


def test_a_folder_with_something_in_it_is_left_alone(file: Path, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine").write_text("mine")
    done = citydeck("restore", file, "--data", full)
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr == f"citydeck restore: {full} is not empty; a backup is restored into an empty or new folder only\n"
    )
    assert [path.name for path in full.iterdir()] == ["mine"]
    done = citydeck("restore", file, "--data", full / "mine")
    assert "is not empty" in done.stderr
    done = citydeck("restore", tmp_path / "none.tar.gz", "--data", tmp_path / "new")
    assert done.stderr == f"citydeck restore: {tmp_path / 'none.tar.gz'}: no such file\n"
