"""Backup and restore: while everything goes on, whole or not at all, and the copy goes on where it was."""

import gzip
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from devices.site import Site
from devices.site_file import load_site
from ingest import archive as archive_module
from ingest.alarms.audit import first_broken
from ingest.alarms.database import AlarmDatabase
from ingest.archive import FORMAT, HEAD, MANIFEST, Packing
from ingest.backup import back_up
from ingest.checkpoint import Checkpoint
from ingest.decoding import Unregistered
from ingest.errors import BackupError
from ingest.journal import TICK, Journal
from ingest.places import Places
from ingest.restore import restore
from ingest.store import open_store
from tests.ingest.collector import ROOT, Collector
from tests.ingest.conftest import MakeCollector
from tests.ingest.messages import T_MS, gas
from tests.ingest.publisher import Publisher
from tests.ingest.test_kill import Day
from tests.ingest.test_stores import reading
from tests.servers.mosquitto import Mosquitto
from tests.sites import small_site_text

NOW = datetime(2026, 1, 1, 8, tzinfo=UTC)


def citydeck(command: str, *words: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", f"ingest.{command}", *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, check=False, cwd=ROOT)


# --- the real thing ---


@pytest.mark.slow
def test_a_collector_on_the_copy_goes_on_where_the_backup_was_made(
    make_collector: MakeCollector, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    first = make_collector(mosquitto.port, "embedded")
    day = Day(5).fill(24_000)
    first.connected()
    publisher, stopping = Publisher(mosquitto.port), threading.Event()
    sending = threading.Thread(target=publisher.pace, args=(day.messages, 2_000, stopping))
    sending.start()
    try:
        first.wait(lambda: first.ledger().decoded >= 4_000)
        file = tmp_path / "city.tar.gz"
        done = citydeck("backup", file, "--site", first.site_file, "--data", first.data)
        assert done.returncode == 0, done.stderr
        first.wait(lambda: judged(first) >= judged_in(file) + 1_000)
        assert publisher.confirmed < len(day.messages), "the load ended before the backup did"
        first.kill()
        done = citydeck("restore", file, "--data", tmp_path / "elsewhere")
        assert done.returncode == 0, done.stderr
        second = make_collector(mosquitto.port, "embedded")
        second.data.parent.joinpath("elsewhere").rename(second.data)
        second.connected()
        sending.join()
        publisher.drained()
    finally:
        stopping.set()
        sending.join()
        publisher.close()
    manifest = manifest_of(file)
    copied_to = manifest["journals"]["."][1]
    assert max(manifest["cursors"]["."].values()) <= copied_to
    # What the first one acknowledged after the backup is gone with it; nothing else is.
    lost = Counter((r.topic, r.payload) for r in first.journaled() if r.position > copied_to and r.topic != TICK)
    expected = Counter(day.messages) - lost
    assert 1_000 < expected.total() < len(day.messages)

    def arrived() -> bool:
        return not expected - messages_of(second)

    second.wait(arrived)
    second.wait(lambda: judged(second) == messages_of(second).total() and stored(second) == second.ledger().produced)
    ledger = second.ledger()
    assert ledger.decoded + ledger.quarantined + ledger.duplicate == messages_of(second).total()
    own = [(point, level) for point, level in second.alarms() if ".high" in point or ".overload/" in point]
    assert own == alarms_in(second), "of the two rules that this test knows"
    assert len(own) > 20
    assert second.stop() == 0
    assert second.lines("ERROR") == []
    with closing_database(second.data / "alarms.db") as database, database.read() as connection:
        assert first_broken(connection) is None
    assert (second.data / "secret").read_bytes() == (first.data / "secret").read_bytes()
    kept = rows_of(second.data / "readings.db")
    assert kept["gas_alarm"] == len(
        {(m[0].split("/")[4], json.loads(m[1])["ts"]) for m in messages_of(second) if b"conc_pct_lel" in m[1]}
    )


def judged(collector: Collector) -> int:
    ledger = collector.ledger()
    return ledger.decoded + ledger.quarantined + ledger.duplicate


def judged_in(file: Path) -> int:
    return int(manifest_of(file)["cursors"]["."]["checkpoint"])


def stored(collector: Collector) -> int:
    with closing(sqlite3.connect(collector.data / "readings.db")) as database:
        row = database.execute("SELECT stored + refused FROM reached").fetchone()
    return int(row[0])


def rows_of(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as database:
        return {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("gas_alarm",)}


def messages_of(collector: Collector) -> Counter[tuple[str, bytes]]:
    return Counter((r.topic, r.payload) for r in collector.journaled() if r.topic != TICK)


def alarms_in(collector: Collector) -> list[tuple[str, int]]:
    """Return the alarms that the messages of a collector's journal must have raised."""
    found = set()
    for topic, payload in messages_of(collector):
        device = topic.split("/")[4]
        if b"conc_pct_lel" in payload and json.loads(payload)["data"]["conc_pct_lel"] == 70:
            found.add((f"{device}/conc_pct_lel.high", 2))
        if b"pass_id" in payload and json.loads(payload)["data"]["gvw_kg"] == 28_000:
            found.add((f"{device}/over_pct.overload/{json.loads(payload)['id']}", 3))
    return sorted(found)


class closing_database:
    """An alarm database that is closed at the end."""

    def __init__(self, path: Path) -> None:
        self._database = AlarmDatabase(f"sqlite:///{path}")

    def __enter__(self) -> AlarmDatabase:
        return self._database

    def __exit__(self, *_: object) -> None:
        self._database.close()


# --- a small data folder, made by hand ---


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return ``etc`` with a site file that builds on others, and ``data`` as collectors leave it; nobody changes it."""
    folder = tmp_path_factory.mktemp("town")
    common = folder / "etc" / "common"
    common.mkdir(parents=True)
    (common / "base.toml").write_text(small_site_text(head='routes = "routes.geojson"'), encoding="utf-8")
    (common / "routes.geojson").write_text('{"type":"FeatureCollection","features":[]}', encoding="utf-8")
    kind = (ROOT / "devices" / "kinds" / "gateway.py").read_text(encoding="utf-8").replace('"gateway"', '"own_gateway"')
    (folder / "etc" / "my_kinds").mkdir()
    (folder / "etc" / "my_kinds" / "own_gateway.py").write_text(kind, encoding="utf-8")
    (folder / "etc" / "more.csv").write_text("id,kind,street\nown-1,own_gateway,s01\n", encoding="utf-8")
    (folder / "etc" / "city.toml").write_text(
        'base = "common/base.toml"\ndevices_file = "more.csv"\n[site]\nkinds = "my_kinds"\n', encoding="utf-8"
    )
    site, places = load_site(folder / "etc" / "city.toml"), Places(folder / "data")
    fill(places, site, 30, None)
    fill(places, site, 7, "north")
    with closing_database(places.alarms) as database:
        database.migrate()
    with closing(sqlite3.connect(places.data / "users.db")) as users:
        users.execute("CREATE TABLE who (name TEXT)")
        users.execute("INSERT INTO who VALUES ('officer')")
        users.commit()
    (places.data / "secret").write_bytes(b"s3cret")
    (places.data / "notes").mkdir()
    (places.data / "notes" / "about.txt").write_bytes(os.urandom(70_000))
    for name in ("collector.lock", "secret-x1", ".hidden", "old.tar.gz.partial"):
        (places.data / name).write_bytes(b"left out")
    backed_up(site, places, folder / "city.tar.gz")
    return folder


@pytest.fixture
def site(town: Path) -> Site:
    return load_site(town / "etc" / "city.toml")


@pytest.fixture
def places(town: Path, tmp_path: Path) -> Places:
    """Return a copy of the data folder, to be changed."""
    shutil.copytree(town / "data", tmp_path / "data")
    return Places(tmp_path / "data")


@pytest.fixture
def file(town: Path) -> Path:
    """Return a whole backup; nobody changes it."""
    return town / "city.tar.gz"


def fill(data: Places, site: Site, count: int, shard: str | None) -> None:
    places = data.for_shard(shard)
    with closing(Journal(places.journal)) as journal:
        for n in range(count):
            journal.append([gas("gas-1", n)], T_MS + n * 600_000)
    with closing(Checkpoint(places.checkpoint)) as checkpoint:
        ledger = checkpoint.load().ledger
        checkpoint.save(count - 1, T_MS, 0, ledger, {"gas-1": b"state"}, Unregistered(), [])
    store = open_store(site, data, shard)
    store.write([reading({"conc_ppm": float(n)}, T_MS + n) for n in range(count)], count)
    store.close()


def backed_up(site: Site, places: Places, file: Path, told: list[str] | None = None) -> dict[str, Any]:
    return back_up(site, places, file, lambda: NOW, (told if told is not None else []).append)


def manifest_of(file: Path) -> dict[str, Any]:
    with tarfile.open(file) as archive:
        found = archive.extractfile(MANIFEST)
        assert found is not None
        manifest: dict[str, Any] = json.load(found)
    return manifest


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


# --- what is refused ---


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


Break = Callable[[Path, Path], None]


def cut(share: float) -> Break:
    return lambda whole, file: file.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)]) and None


def rewritten(change: Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]]) -> Break:
    """Break a backup by packing its members anew, somehow else."""

    def write(whole: Path, file: Path) -> None:
        members = []
        with tarfile.open(whole) as archive:
            for info in archive:
                content = archive.extractfile(info)
                assert content is not None
                members.append((info.name, content.read()))
        with tarfile.open(file, "w:gz") as archive:
            for name, body in change(members):
                info = tarfile.TarInfo(name)
                info.size = len(body)
                archive.addfile(info, io.BytesIO(body))

    return write


def head(**changes: object) -> Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]]:
    return lambda members: [(HEAD, json.dumps({**json.loads(members[0][1]), **changes}).encode()), *members[1:]]


def flipped(members: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [(n, bytes([b[0] ^ 1]) + b[1:] if n == "data/secret" else b) for n, b in members]


def other_archive(_: Path, file: Path) -> None:
    with tarfile.open(file, "w:gz") as archive:
        archive.add(__file__, "test.py")


def link(whole: Path, file: Path) -> None:
    rewritten(lambda members: members[:1])(whole, file)
    with tarfile.open(whole) as source, tarfile.open(file, "w:gz") as archive:
        info = source.getmember(HEAD)
        archive.addfile(info, source.extractfile(info))
        escape = tarfile.TarInfo("data/secret")
        escape.type, escape.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(escape)


CUT, FOREIGN = "is cut off or damaged: ", "is no backup of CityDeck: "
BROKEN: dict[str, tuple[Break, str]] = {
    "cut in its head": (cut(0.001), FOREIGN),
    "cut after a third": (cut(0.3), CUT),
    "cut after two thirds": (cut(0.7), CUT),
    "cut near its end": (cut(0.999), CUT),
    "empty": (lambda _, file: file.write_bytes(b"") and None, FOREIGN),
    "an empty archive": (rewritten(lambda _: []), "is empty"),
    "without its list": (rewritten(lambda members: members[:-1]), CUT + "its list of contents is missing"),
    "a text": (lambda _, file: file.write_text("no backup\n" * 99) and None, FOREIGN),
    "a packed text": (lambda _, file: file.write_bytes(gzip.compress(b"no backup\n" * 99)) and None, FOREIGN),
    "another archive": (other_archive, FOREIGN + "it begins with 'test.py'"),
    "a head that is none": (rewritten(lambda m: [(HEAD, b"[]"), *m[1:]]), FOREIGN),
    "a newer format": (
        rewritten(head(format=FORMAT + 1, citydeck="9.0")),
        f"has format {FORMAT + 1}, written by CityDeck 9.0; this version reads up to {FORMAT}",
    ),
    "a changed member": (rewritten(flipped), "is damaged: data/secret is not what was written"),
    "a missing member": (
        rewritten(lambda members: [m for m in members if m[0] != "data/alarms.db"]),
        "is damaged: data/alarms.db is not what was written",
    ),
    "one member more": (
        rewritten(lambda members: [*members[:-1], ("data/more", b"x"), members[-1]]),
        "is damaged: data/more is not what was written",
    ),
    "something behind its end": (rewritten(lambda m: [*m, ("data/more", b"x")]), FOREIGN + "it holds 'data/more'"),
    "the same twice": (rewritten(lambda m: [*m[:2], m[1], *m[2:]]), "cannot be unpacked: "),
    "a way out": (rewritten(lambda m: [*m[:-1], ("data/../../x", b"x"), m[-1]]), FOREIGN + "it holds 'data/../../x'"),
    "a place of its own": (rewritten(lambda m: [*m[:-1], ("/tmp/x", b"x"), m[-1]]), FOREIGN + "it holds '/tmp/x'"),
    "a link": (link, FOREIGN + "it holds 'data/secret'"),
    "a list that is none": (rewritten(lambda m: [*m[:-1], (MANIFEST, b"{")]), CUT),
    "a list of nothing": (rewritten(lambda m: [*m[:-1], (MANIFEST, b"[]")]), CUT),
}  # fmt: skip


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
