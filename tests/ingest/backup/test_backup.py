"""Everything comes back, in an order in which no cursor is ahead of the journal; what is not ours is left to others."""

import sqlite3
import tarfile
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from devices.site import Site
from devices.site_file import load_site
from ingest import archive as archive_module
from ingest.alarms.audit import first_broken
from ingest.archive import Packing
from ingest.backup import back_up
from ingest.checkpoint import Checkpoint
from ingest.errors import BackupError
from ingest.journal import Journal
from ingest.places import Places
from ingest.restore import restore
from ingest.store import open_store
from tests.ingest.backup.keeping import NOW, backed_up, citydeck, closing_database, manifest_of
from tests.ingest.messages import gas
from tests.sites import small_site_text


def test_everything_comes_back(site: Site, places: Places, tmp_path: Path) -> None:
    told: list[str] = []
    file = tmp_path / "city.tar.gz"
    manifest = backed_up(site, places, file, told)
    assert file.stat().st_mode & 0o777 == 0o600
    assert manifest == manifest_of(file)
    assert (manifest["begun_at"], manifest["store"], manifest["alarms"]) == (
        "2026-01-01T08:00:00+00:00", "embedded", "embedded",
    )  # fmt: skip
    assert manifest["cursors"] == {
        ".": {"checkpoint": 29, "store": 0, "embedded store": 30},
        "shards/north": {"checkpoint": 6, "store": 0, "embedded store": 7},
    }
    assert manifest["journals"] == {".": [1, 30], "shards/north": [1, 7]}
    assert len(told) == len(manifest["members"])

    data = tmp_path / "new" / "data"
    assert restore(file, data, told.append) == manifest
    restored = {path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()}
    journal = {f"journal/{path.name}" for path in places.journal.glob("*.db")}
    north = {
        f"shards/north/journal/{path.name}" for path in (places.data / "shards" / "north" / "journal").glob("*.db")
    }
    assert len(journal) == 5
    assert restored == {
        *journal, *north, "checkpoint.db", "readings.db", "alarms.db", "users.db", "secret", "notes/about.txt",
        "shards/north/checkpoint.db",
        "site/city.toml", "site/common/base.toml", "site/common/routes.geojson", "site/more.csv",
        "site/my_kinds/own_gateway.py",
    }  # fmt: skip
    assert all(path.stat().st_mode & 0o077 == 0 for path in [data, *data.rglob("*.db")])
    assert (data / "notes" / "about.txt").read_bytes() == (places.data / "notes" / "about.txt").read_bytes()
    with closing(Journal(data / "journal")) as journal_:
        assert [r.payload for r in journal_.read(0, 100)] == [gas("gas-1", n)[1] for n in range(30)]
    with closing(Checkpoint(data / "checkpoint.db")) as checkpoint:
        assert (checkpoint.load().position, checkpoint.load().devices) == (29, {"gas-1": b"state"})
    store = open_store(site, Places(data))
    assert (len(store.rows("gas_alarm", [], 99)), store.position()) == (30, (30, 30, 0))
    store.close()
    again = load_site(data / manifest["site"])
    assert again.devices.keys() == site.devices.keys()
    assert "own-1" in again.devices


def test_a_restored_folder_can_be_backed_up_and_restored_again(site: Site, file: Path, tmp_path: Path) -> None:
    once, twice = tmp_path / "once", tmp_path / "twice"
    manifest = restore(file, once, lambda _: None)
    again = backed_up(load_site(once / manifest["site"]), Places(once), tmp_path / "again.tar.gz")
    assert {m["name"] for m in again["members"]} == {m["name"] for m in manifest["members"]}
    restore(tmp_path / "again.tar.gz", twice, lambda _: None)
    assert load_site(twice / again["site"]).devices.keys() == site.devices.keys()


def test_the_order_keeps_every_cursor_behind_the_journal(file: Path) -> None:
    names = [member["name"] for member in manifest_of(file)["members"]]
    checkpoints = [n for n, name in enumerate(names) if name.endswith(("checkpoint.db", "readings.db"))]
    journals = [n for n, name in enumerate(names) if "/journal/" in name]
    assert max(checkpoints) < names.index("data/alarms.db") < min(journals)
    assert [names[n] for n in journals] == sorted(
        (names[n] for n in journals), key=lambda name: ("north" in name, name)
    )
    assert max(journals) == len(names) - 1


def test_a_database_is_copied_as_it_is_at_one_instant_whoever_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two columns always add up to a thousand; another connection moves from one to the other all the time."""
    monkeypatch.setattr(archive_module, "_PAGES_A_STEP", 50)
    path, stage = tmp_path / "busy.db", tmp_path / "stage"
    stage.mkdir()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE pair (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, filler BLOB)")
        database.executemany("INSERT INTO pair VALUES (?, 1000, 0, zeroblob(3000))", [(n,) for n in range(3_000)])
        database.commit()
    ended, moves = threading.Event(), [0]

    def move() -> None:
        with closing(sqlite3.connect(path, timeout=30)) as own:
            while not ended.is_set():
                with own:
                    own.execute("UPDATE pair SET a = a - 1, b = b + 1 WHERE id % 11 = ?", (moves[0] % 11,))
                moves[0] += 1

    mover = threading.Thread(target=move)
    mover.start()
    seen: list[int] = []

    def look(copy: Path) -> None:
        with closing(sqlite3.connect(copy)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert database.execute("SELECT count(*) FROM pair WHERE a + b != 1000").fetchone() == (0,)
            # Whole moves only: of each group of rows all or none.
            groups = database.execute("SELECT count(DISTINCT b) FROM pair GROUP BY id % 11").fetchall()
            assert groups == [(1,)] * 11
            seen.append(database.execute("SELECT sum(b) FROM pair").fetchone()[0])

    try:
        with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
            packing = Packing(archive, stage, lambda _: None)
            for _ in range(3):
                before = moves[0]
                packing.database(path, "data/busy.db", look)
                assert moves[0] > before, "the writer did not have to wait"
    finally:
        ended.set()
        mover.join()
    assert seen[0] < seen[1] < seen[2]
    assert list(stage.iterdir()) == []


def test_long_work_is_told_as_it_goes(tmp_path: Path) -> None:
    path, told = tmp_path / "large.db", []
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE t (b BLOB)")
        database.execute("INSERT INTO t VALUES (zeroblob(70000000))")
        database.commit()
    (tmp_path / "stage").mkdir()
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz", compresslevel=1) as archive:
        Packing(archive, tmp_path / "stage", told.append).file(path, "data/large.db")
    assert told[0].startswith("  data/large.db copied ")
    assert told[-2:] == ["  data/large.db copied 100 %", "  data/large.db  66.8 MiB"]


def test_what_cannot_be_backed_up_leaves_nothing(site: Site, places: Places, tmp_path: Path) -> None:
    file = tmp_path / "city.tar.gz"
    with pytest.raises(BackupError, match=r"no collector has worked in .*empty yet; name its folder by --data"):
        backed_up(site, Places(tmp_path / "empty"), file)
    with pytest.raises(BackupError, match=r"the backup cannot be written: .*No such file"):
        backed_up(site, places, tmp_path / "nowhere" / "city.tar.gz")
    (places.data / "users.db").write_bytes(b"SQLite format 3\x00" + b"rubbish" * 500)
    with pytest.raises(BackupError, match=r"the backup cannot be written: file is not a database"):
        backed_up(site, places, file)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    file.write_bytes(b"an older one")
    with pytest.raises(BackupError, match=r"city.tar.gz exists already; a backup never overwrites another file"):
        backed_up(site, places, file)
    assert file.read_bytes() == b"an older one"


def test_two_backups_to_one_file_do_not_spoil_each_other(site: Site, places: Places, tmp_path: Path) -> None:
    """Both have begun before either is through, and the file is there once, and whole."""
    folder = tmp_path / "kept"
    folder.mkdir()
    file, met = folder / "city.tar.gz", threading.Barrier(2)
    done: list[dict[str, Any]] = []
    refused: list[str] = []

    def one() -> None:
        waits = [True]

        def tell(_: str) -> None:
            if waits:
                waits.clear()
                met.wait(60)

        try:
            done.append(back_up(site, places, file, lambda: NOW, tell))
        except BackupError as error:
            refused.append(str(error))

    both = [threading.Thread(target=one) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert refused == [f"{file} appeared meanwhile; a backup never overwrites another file"]
    assert restore(file, tmp_path / "new", lambda _: None) == done[0]
    assert [path.name for path in folder.iterdir()] == ["city.tar.gz"]


def test_a_backup_within_the_data_folder_does_not_hold_itself(site: Site, places: Places) -> None:
    file = places.data / "city.tar.gz"
    manifest = backed_up(site, places, file)
    assert not [member["name"] for member in manifest["members"] if "city.tar.gz" in member["name"]]


def test_cursors_ahead_of_the_journal_are_refused(site: Site, places: Places, tmp_path: Path) -> None:
    sorted(places.journal.glob("*.db"))[-1].unlink()
    with pytest.raises(
        BackupError, match=r"the checkpoint in .*data is ahead of its journal: they do not belong togeth"
    ):
        backed_up(site, places, tmp_path / "city.tar.gz")


def test_postgresql_is_left_to_pg_dump(places: Places, tmp_path: Path) -> None:
    file = tmp_path / "pg.toml"
    tail = '[alarms]\ndatabase = "postgresql+psycopg://citydeck@127.0.0.1/alarms"'
    file.write_text(small_site_text(tail=tail), encoding="utf-8")
    told: list[str] = []
    manifest = backed_up(load_site(file), places, tmp_path / "city.tar.gz", told)
    assert "with the collectors stopped, run pg_dump" in told[-1]
    assert manifest["alarms"] == "postgresql"
    names = {member["name"] for member in manifest["members"]}
    assert "data/alarms.db" not in names, "the file of before is not the alarm database of this site"
    assert {"data/checkpoint.db", "data/users.db", "site/pg.toml"} <= names


def test_an_alarm_database_elsewhere_comes_along(places: Places, tmp_path: Path) -> None:
    elsewhere = tmp_path / "other" / "watch.db"
    elsewhere.parent.mkdir()
    places.alarms.rename(elsewhere)
    file = tmp_path / "site.toml"
    file.write_text(small_site_text(tail=f'[alarms]\ndatabase = "sqlite:///{elsewhere}"'), encoding="utf-8")
    done = citydeck("backup", tmp_path / "city.tar.gz", "--site", file, "--data", places.data)
    assert done.returncode == 0, done.stderr
    done = citydeck("restore", tmp_path / "city.tar.gz", "--data", tmp_path / "new")
    assert f"move {tmp_path / 'new' / 'alarms.db'} to where the site file has it: sqlite:///{elsewhere}" in done.stdout
    with closing_database(tmp_path / "new" / "alarms.db") as database, database.read() as connection:
        assert first_broken(connection) is None


def test_the_demo_city_needs_no_site_file(places: Places, tmp_path: Path) -> None:
    done = citydeck("backup", tmp_path / "city.tar.gz", "--data", places.data)
    assert done.returncode == 0, done.stderr
    assert manifest_of(tmp_path / "city.tar.gz")["site"] is None
    done = citydeck("restore", tmp_path / "city.tar.gz", "--data", tmp_path / "new")
    assert f"start: citydeck up --data {tmp_path / 'new'}\n" in done.stdout
