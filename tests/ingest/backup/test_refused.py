"""What is not a whole backup of ours is refused in a sentence, and nothing is left of it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ingest.errors import BackupError
from ingest.restore import restore
from tests.ingest.backup.breaking import BROKEN
from tests.ingest.backup.keeping import citydeck
from tests.servers.small_disk import small_disk


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


@pytest.mark.parametrize("kind", ["the current folder", "a volume", "a link"])
def test_a_folder_that_cannot_be_replaced_is_filled_or_stays_empty(
    kind: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a container has its volume, or an officer types a dot."""
    data = tmp_path / "data"
    with ExitStack() as mounted:
        if kind == "a volume":
            mounted.enter_context(small_disk(data, "16m"))
        else:
            data.mkdir()
        if kind == "the current folder":
            monkeypatch.chdir(data)
        named = {"the current folder": Path(), "a volume": data, "a link": tmp_path / "link"}[kind]
        if kind == "a link":
            named.symlink_to(data)
        node = data.stat().st_ino
        BROKEN["a changed member"][0](file, tmp_path / "broken.tar.gz")
        with pytest.raises(BackupError):
            restore(tmp_path / "broken.tar.gz", named, lambda _: None)
        assert list(data.iterdir()) == []
        manifest = restore(file, named, lambda _: None)
        assert {path.name for path in data.iterdir()} == {
            Path(member["name"]).parts[member["name"].startswith("data/")] for member in manifest["members"]
        }
        assert kind == "a link" or data.stat().st_ino == node


def test_a_volume_without_room_stays_empty(file: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", "64k") as data:
        with pytest.raises(BackupError, match=r"cannot be unpacked: .*No space left"):
            restore(file, data, lambda _: None)
        assert list(data.iterdir()) == []


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
