"""Journal and store of a sandbox kept by a process of its own: the same bytes, one clear sentence, and nothing left."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from io import BufferedWriter
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from devices.errors import RecordingError
from devices.readings import Quality, Reading
from devices.recording import Message, Writer
from ingest.errors import JournalError, ReplayError, StoreError
from ingest.journal import Journal
from ingest.places import Places
from ingest.records import packed_of
from ingest.replay.__main__ import main
from ingest.replay.apart import Apart, Filled
from ingest.replay.keeping import Keeper, Keeping, Kept, OwnKeeper, Part
from ingest.replay.pace import Pace
from ingest.replay.sandbox import Played, Sandbox
from ingest.replay.source import file_source, journal_source
from ingest.store import SqliteStore, open_store
from tests.ingest.messages import T_MS, gas
from tests.ingest.recording.test_recording import HEADER
from tests.ingest.replay.recorded import SECOND, SECONDS, dumped, journaled, site_of
from tests.servers.processes import children_of, command_of, has_ended
from tests.servers.programs import lacking
from tests.servers.small_disk import NEEDS_ROOT, SmallDisk
from tests.servers.waiting import wait_until

KEPT_BY = pytest.mark.parametrize("apart", [False, True], ids=["in a thread", "apart"])


def played(data: Path, into: Path, apart: bool, told: Callable[[Played], None] = lambda _: None) -> Played:
    source = journal_source(data / "var" / "journal", None, None)
    with Sandbox(site_of(data), into, apart=apart) as sandbox:
        return sandbox.play(source, Pace(source.from_ms, 0.0), told)


def children() -> set[int]:
    """Return the processes of this one that keep a sandbox."""
    return {pid for pid in children_of(os.getpid()) if "ingest.replay.apart" in command_of(pid)}


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let much be told and kept on the way, of a recording of some minutes."""
    monkeypatch.setattr("ingest.replay.source._BATCH", 7)
    monkeypatch.setattr("ingest.replay.keeping._BATCH", 20)


@pytest.fixture
def kept_apart(folder: Path) -> Iterator[Keeping[Filled]]:
    places = Places(folder / "a")
    places.data.mkdir()
    with closing(Keeping(Apart(places, open_store(site_of(folder), places, durable=False)))) as keeping:
        yield keeping


def a_part(second: int, at_ns: int | None = None) -> Part:
    at_ms = T_MS + second * SECOND
    reading = Reading(
        "gas_alarm", "gas_alarm", "gas-1", "demo", at_ms * 10**6 if at_ns is None else at_ns, {"conc_pct_lel": 3.0},
        {}, Quality.GOOD, {}, at_ms, second + 1,
    )  # fmt: skip
    return Part([packed_of(at_ms, [gas("gas-1", 3, ts=at_ms)])], [reading])


def pid_of(keeping: Keeping[Filled]) -> int:
    assert isinstance(keeping.keeper, Apart)
    return keeping.keeper.pid


def kept(keeping: Keeping[Filled], part: Part) -> Kept:
    keeping.add(part)
    keeping.write()
    keeping.settle()
    return keeping.kept


@pytest.mark.usefixtures("small_batches")
def test_whoever_keeps_it_the_bytes_are_the_same(dense: Path) -> None:
    in_thread, apart = (played(dense, dense / name, name == "apart") for name in ("thread", "apart"))
    assert in_thread == apart
    assert dumped(dense / "thread") == dumped(dense / "apart")
    assert journaled(dense / "thread" / "journal") == journaled(dense / "apart" / "journal")
    assert journaled(dense / "apart" / "journal") == journaled(dense / "var" / "journal")
    assert not children()


def test_as_fast_as_it_goes_the_command_has_a_second_process_and_slowly_it_has_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, type[Keeper[Any]]] = {}
    play = Sandbox.play

    def watched(self: Sandbox, *arguments: object) -> Played:
        seen[speed] = type(self.keeping.keeper)
        return play(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Sandbox, "play", watched)
    for speed in ("1000", "max"):
        options = ["--site", str(folder / "site.toml"), "--data", str(folder / "var"), "--speed", speed]
        found = CliRunner().invoke(main, ["--sandbox", str(folder / speed), *options])
        assert (found.exit_code, f"{SECONDS + 3:,} messages" in found.output) == (0, True), found.output
    assert seen == {"1000": OwnKeeper, "max": Apart}
    assert dumped(folder / "1000") == dumped(folder / "max")


@pytest.mark.usefixtures("small_batches")
def test_a_process_that_is_killed_is_told_in_one_sentence(folder: Path) -> None:
    killed: set[int] = set()

    def kill(so_far: Played) -> None:
        if so_far.readings and not killed:
            killed.update(children())
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(ReplayError, match=r"a: the process that writes journal and store ended by signal 9; they"):
        played(folder, folder / "a", True, kill)
    assert len(killed) == 1
    assert not children()


def test_what_was_kept_before_is_whole(folder: Path, kept_apart: Keeping[Filled]) -> None:
    assert kept(kept_apart, a_part(0)) == Kept(1, 1, 0, {"gas_alarm": [1, 0]})
    os.kill(pid_of(kept_apart), signal.SIGKILL)
    with pytest.raises(ReplayError, match="they are whole up to position 1"):
        for second in range(1, 3):
            kept(kept_apart, a_part(second))
    assert len(journaled(folder / "a" / "journal")) == 1


def test_what_is_gathered_while_a_batch_is_written_is_none_of_it(folder: Path, kept_apart: Keeping[Filled]) -> None:
    pid = pid_of(kept_apart)
    os.kill(pid, signal.SIGSTOP)
    kept_apart.add(a_part(0))
    kept_apart.write()
    kept_apart.add(a_part(1))
    os.kill(pid, signal.SIGCONT)
    kept_apart.write()
    kept_apart.settle()
    heard = [record.payload for record in Journal(folder / "a" / "journal").read(0, 10)]
    assert heard == [gas("gas-1", 3, ts=T_MS + second * SECOND)[1] for second in range(2)]


def test_it_keeps_on_when_a_stop_is_told_to_everyone(folder: Path, kept_apart: Keeping[Filled]) -> None:
    """The one who plays decides when it ends."""
    kept(kept_apart, a_part(0))
    for number, each in enumerate((signal.SIGTERM, signal.SIGINT), 1):
        os.kill(pid_of(kept_apart), each)
        assert kept(kept_apart, a_part(number)).position == number + 1


def test_what_the_store_cannot_hold_is_refused_as_ever(kept_apart: Keeping[Filled]) -> None:
    assert kept(kept_apart, a_part(0, at_ns=2**70)) == Kept(1, 0, 1, {"gas_alarm": [0, 1]})
    assert kept(kept_apart, a_part(1)) == Kept(2, 1, 1, {"gas_alarm": [1, 1]})


@pytest.mark.parametrize("buffering", [0, 1_000_000], ids=["at once", "when it is handed over"])
def test_no_memory_for_what_is_to_be_written_is_one_sentence(kept_apart: Keeping[Filled], buffering: int) -> None:
    assert isinstance(kept_apart.keeper, Apart)
    kept_apart.keeper._rooms[0].close()
    full = os.open("/dev/full", os.O_WRONLY)
    kept_apart.keeper._rooms[0] = cast("BufferedWriter", os.fdopen(full, "wb", buffering=buffering))
    with pytest.raises(ReplayError, match="a: there is no memory for what is to be written: No space left"):
        kept_apart.add(a_part(0))
        kept_apart.write()


def test_it_ends_with_whoever_plays_however_that_ends(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from devices.site_file import load_site\n"
        "from ingest.replay.sandbox import Sandbox\n"
        "sandbox = Sandbox(load_site(Path(sys.argv[1])), Path(sys.argv[2]), apart=True)\n"
        "print(sandbox.keeping.keeper.pid, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(folder / "site.toml"), str(folder / "a")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as player:
        assert player.stdout is not None
        pid = int(player.stdout.readline())
        assert not has_ended(pid)
        player.kill()
    wait_until(lambda: has_ended(pid))


@KEPT_BY
@pytest.mark.usefixtures("small_batches")
def test_a_full_disk_is_told_as_what_it_is(folder: Path, apart: bool) -> None:
    disk = SmallDisk(folder / "disk")
    if not disk.mount():
        lacking(NEEDS_ROOT)
    try:
        with pytest.raises(JournalError, match="the disk is full but for"):
            played(folder, disk.folder / "a", apart, lambda _: None if disk.was_full else disk.fill())
    finally:
        disk.unmount()
    assert not children()


@KEPT_BY
@pytest.mark.usefixtures("small_batches")
def test_a_stop_in_the_middle_keeps_all_that_was_played(folder: Path, apart: bool) -> None:
    source = journal_source(folder / "var" / "journal", None, None)
    pace = Pace(source.from_ms, 0.0)
    with Sandbox(site_of(folder), folder / "a", apart=apart) as sandbox:
        so_far = sandbox.play(source, pace, lambda at: pace.stop() if at.messages > 100 else None)
    assert 100 < so_far.messages < 200
    assert journaled(folder / "a" / "journal") == journaled(folder / "var" / "journal")[: so_far.messages]
    readings = sqlite3.connect(folder / "a" / "readings.db")
    assert readings.execute("SELECT count(*) FROM gas_alarm").fetchone() == (so_far.readings,)
    readings.close()


@KEPT_BY
def test_what_came_before_the_damage_is_played_and_kept(folder: Path, apart: bool) -> None:
    path = folder / "r.cdrec"
    writer = Writer(path, HEADER)
    for block in range(2):
        writer.write(
            [Message(at, *gas("gas-1", 3, ts=at)) for at in range(T_MS + block * 100, T_MS + block * 100 + 50)]
        )
    writer.close()
    source = file_source(site_of(folder), path, None, None)
    path.write_bytes(path.read_bytes()[:-30])
    with (
        Sandbox(site_of(folder), folder / "a", apart=apart) as sandbox,
        pytest.raises(RecordingError, match="is cut off"),
    ):
        sandbox.play(source, Pace(source.from_ms, 0.0), lambda _: None)
    before = journaled(folder / "a" / "journal")
    assert (len(before), sandbox.played.messages, sandbox.played.readings) in {(50, 50, 50), (100, 100, 100)}
    readings = sqlite3.connect(folder / "a" / "readings.db")
    assert readings.execute("SELECT count(*) FROM gas_alarm").fetchone() == (len(before),)
    readings.close()


def test_times_that_go_back_are_played_as_a_journal_takes_them(folder: Path) -> None:
    path = folder / "r.cdrec"
    writer = Writer(path, HEADER)
    for times in ([1, 5, 3, 9], [2, 12], [13, 11, 14]):
        writer.write([Message(T_MS + at, *gas("gas-1", at, ts=T_MS + at)) for at in times])
    writer.close()
    source = file_source(site_of(folder), path, None, T_MS + 14)
    found = [(m.received_ms - T_MS, m.payload) for records in source.records() for m in records]
    assert [at for at, _ in found] == [1, 5, 5, 9, 9, 12, 13, 13]
    sent = [1, 5, 3, 9, 2, 12, 13, 11]
    assert [payload for _, payload in found] == [gas("gas-1", at, ts=T_MS + at)[1] for at in sent]
    journal = Journal(folder / "j", durable=False)
    for at, own in zip(sent, found, strict=True):
        journal.append([("t", own[1])], T_MS + at)
    assert [r.received_ms - T_MS for r in journal.read(0, 100)] == [at for at, _ in found]
    journal.close()


def test_what_was_received_before_the_first_or_after_the_last_message_is_played_too(folder: Path) -> None:
    """Where times go back, neither the first message is the earliest nor the last one the latest."""
    path = folder / "r.cdrec"
    writer = Writer(path, HEADER)
    for times in ([4, 1, 9], [5]):
        writer.write([Message(T_MS + at, *gas("gas-1", at, ts=T_MS + at)) for at in times])
    writer.close()
    source = file_source(site_of(folder), path, None, None)
    assert (source.from_ms - T_MS, source.to_ms - T_MS) == (1, 10)
    assert [r.received_ms - T_MS for records in source.records() for r in records] == [4, 4, 9, 9]


class _Noting(OwnKeeper):
    """Notes how many records each batch had."""

    most = 100

    def __init__(self, places: Places, store: SqliteStore) -> None:
        super().__init__(places, store)
        self.batches: list[int] = []

    def keep(self, batch: list[Part]) -> Kept:
        self.batches.append(sum([each.records for part in batch for each in part.batches]))
        return super().keep(batch)


@pytest.mark.usefixtures("small_batches")
def test_the_more_was_played_the_more_is_written_at_once_up_to_a_limit(folder: Path) -> None:
    places = Places(folder / "a")
    noting = _Noting(places, SqliteStore(places.readings, site_of(folder).catalog, durable=False))
    with closing(Keeping(noting)) as keeping:
        for second in range(2_000):
            keeping.add(a_part(second))
    assert noting.batches[:8] == [20] * 8
    assert noting.batches == sorted(noting.batches)
    assert noting.batches[-1] == 100


def test_who_begins_without_indexes_has_them_in_the_end(folder: Path) -> None:
    """A search by time must not read a recorded month."""

    def indexed() -> bool:
        with closing(sqlite3.connect(folder / "a" / "readings.db")) as readings:
            plan = readings.execute("EXPLAIN QUERY PLAN SELECT count(*) FROM gas_alarm WHERE at_ns > 1").fetchone()[3]
        return "gas_alarm_at" in plan

    during: list[bool] = []
    played(folder, folder / "a", True, lambda _: during.append(indexed()))
    assert (any(during), indexed()) == (False, True)


@pytest.mark.usefixtures("small_batches")
def test_a_disk_that_is_full_in_the_end_is_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_store: SqliteStore) -> None:
        raise StoreError("the embedded store readings.db cannot be used: database or disk is full")

    monkeypatch.setattr(SqliteStore, "index", full)
    options = ["--site", str(folder / "site.toml"), "--data", str(folder / "var"), "--speed", "max"]
    found = CliRunner().invoke(main, ["--sandbox", str(folder / "a"), *options])
    assert found.exit_code != 0
    assert "database or disk is full" in found.output
    assert "Traceback" not in found.output
    assert not children()
