"""The checkpoint: everything that belongs to a position is saved with it, or nothing is."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest.checkpoint import Checkpoint, Saved
from ingest.decoding import Unregistered
from ingest.errors import JournalError
from ingest.ledger import Ledger, Stored
from ingest.quarantine import SAMPLES_PER_GROUP, Quarantined
from tests.ingest.messages import T_MS

FOUND = Quarantined(41, 1000, "json", "gas-1", "city/x", "not JSON")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "checkpoint.db"


@pytest.fixture
def checkpoint(path: Path) -> Iterator[Checkpoint]:
    opened = Checkpoint(path)
    yield opened
    opened.close()


def again(path: Path) -> Saved:
    opened = Checkpoint(path)
    try:
        return opened.load()
    finally:
        opened.close()


def test_a_new_one_is_an_empty_beginning(checkpoint: Checkpoint) -> None:
    assert checkpoint.load() == Saved()
    assert checkpoint.load_stored() == Stored()
    assert checkpoint.quarantine_groups() == []


def test_what_was_saved_is_what_a_restart_begins_with(checkpoint: Checkpoint, path: Path) -> None:
    ledger = Ledger(10, 2, 3, 44, {"drone": 5})
    newcomers = Unregistered({"a": 1, "b": 30}, {"b": 30}, hour=490_000, count=2, judged=31)
    checkpoint.save(20, 900, 1, Ledger(1), {"gas-1": b"old", "gas-2": b"two"}, Unregistered(fresh={"a": 1}), ())
    checkpoint.save(42, 1000, 7, ledger, {"gas-1": b"one"}, newcomers, [FOUND])
    saved = again(path)
    assert (saved.position, saved.now_ms, saved.listening_ms, saved.ledger) == (42, 1000, 7, ledger)
    assert saved.devices == {"gas-1": b"one", "gas-2": b"two"}
    assert saved.unregistered == Unregistered({"a": 1, "b": 30}, {}, 490_000, 2, judged=42)
    assert checkpoint.quarantine_samples("json", "gas-1") == [FOUND]


def test_a_save_that_fails_leaves_the_one_before(checkpoint: Checkpoint, path: Path) -> None:
    checkpoint.save(20, 900, 0, Ledger(5), {"gas-1": b"old"}, Unregistered(), ())

    def broken() -> Iterator[Quarantined]:
        yield FOUND
        raise RuntimeError("killed here")

    with pytest.raises(RuntimeError):
        checkpoint.save(42, 1000, 0, Ledger(9), {"gas-1": b"new"}, Unregistered(), broken())
    saved = again(path)
    assert (saved.position, saved.ledger.decoded, saved.devices) == (20, 5, {"gas-1": b"old"})
    assert checkpoint.quarantine_groups() == []


@pytest.mark.parametrize(("after", "most"), [(1, 10**6), (4, 10**6), (99, 300), (99, 1), (99, 10**6)])
def test_of_each_device_the_newest_state_is_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch, after: int, most: int
) -> None:
    """However many saves are kept in one piece each; what is folded into rows leaves nothing behind."""
    monkeypatch.setattr("ingest.checkpoint._FOLD_AFTER", after)
    monkeypatch.setattr("ingest.checkpoint._FOLD_BYTES", most)
    expected: dict[str, bytes] = {}
    pieces = []
    for number in range(1, 30):
        changed = {f"lamp-{device}": bytes([number]) * 20 for device in range(30) if number % (device + 1) == 0}
        expected.update(changed)
        opened = Checkpoint(path)
        opened.save(number, 0, 0, Ledger(), changed, Unregistered(), ())
        opened.close()
        assert again(path).devices == expected
        with closing(sqlite3.connect(path)) as database:
            pieces.append(database.execute("SELECT count(*) FROM device_changed").fetchone()[0])
    assert max(pieces) < after
    assert (0 in pieces) is (after < 30 or most < 1_000)


def test_whoever_reads_while_the_collector_folds_misses_no_device(
    checkpoint: Checkpoint, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in no row yet is looked at behind the rows; it must not have become rows meanwhile."""
    checkpoint.save(1, 0, 0, Ledger(), {"gas-1": b"one"}, Unregistered(), ())
    unfolded = Checkpoint._unfolded

    def late(self: Checkpoint) -> dict[str, bytes]:
        if self is not checkpoint:
            monkeypatch.setattr("ingest.checkpoint._FOLD_AFTER", 1)
            checkpoint.save(2, 0, 0, Ledger(), {"gas-2": b"two"}, Unregistered(), ())
        return unfolded(self)

    monkeypatch.setattr(Checkpoint, "_unfolded", late)
    saved = again(path)
    assert (saved.position, saved.devices) == (1, {"gas-1": b"one"})
    assert checkpoint.load().devices == {"gas-1": b"one", "gas-2": b"two"}


def test_what_the_store_has_is_saved_with_what_it_refused(checkpoint: Checkpoint, path: Path) -> None:
    checkpoint.save(42, 1000, 0, Ledger(9), {}, Unregistered(), ())
    checkpoint.save_stored(Stored(30, 99, 1), [FOUND])
    other = Checkpoint(path)
    assert other.load_stored() == Stored(30, 99, 1)
    assert other.load().position == 42
    assert [(group.reason, group.count) for group in other.quarantine_groups()] == [("json", 1)]
    other.close()


def test_two_threads_write_one_file(path: Path, checkpoint: Checkpoint) -> None:
    """The pipeline and the store's writer each save through a connection of their own."""
    faults: list[Exception] = []

    def pipeline() -> None:
        own = Checkpoint(path)
        try:
            for n in range(1, 101):
                own.save(n, n, 0, Ledger(n), {"gas-1": b"%d" % n}, Unregistered(), [FOUND])
        except sqlite3.Error as error:
            faults.append(error)
        own.close()

    thread = threading.Thread(target=pipeline)
    thread.start()
    for n in range(1, 101):
        checkpoint.save_stored(Stored(n, n, n), [FOUND])
    thread.join(30)
    assert faults == []
    assert (checkpoint.load().position, checkpoint.load_stored()) == (100, Stored(100, 100, 100))
    assert checkpoint.quarantine_groups()[0].count == 200


def test_a_path_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(JournalError, match=r"checkpoint checkpoint.db: cannot be opened"):
        Checkpoint(tmp_path / "file" / "checkpoint.db")
    (tmp_path / "checkpoint.db").write_bytes(b"no database" * 500)
    with pytest.raises(JournalError, match=r"checkpoint checkpoint.db: cannot be opened: file is not a database"):
        Checkpoint(tmp_path / "checkpoint.db")


def test_a_save_that_found_the_disk_full_is_made_again(checkpoint: Checkpoint, path: Path) -> None:
    ledger = Ledger(5)
    ledger.counts.add("gas_alarm", "gas-1", 0, 5)
    checkpoint.save(20, 900, 0, ledger, {"gas-1": b"old"}, Unregistered(), [FOUND])
    full, devices = "PRAGMA max_page_count = %d", {f"gas-{n}": b"x" * 1000 for n in range(50)}
    ledger.decoded += 4
    ledger.counts.add("gas_alarm", "gas-1", 0, 4)
    again_found = [FOUND._replace(position=position) for position in range(42, 42 + SAMPLES_PER_GROUP)]
    checkpoint._database.execute(full % 1)
    for _ in range(2):
        with pytest.raises(JournalError, match="checkpoint: cannot be written"):
            checkpoint.save(42, 1000, 0, ledger, devices, Unregistered(), again_found)
    assert (again(path).position, again(path).devices) == (20, {"gas-1": b"old"})
    checkpoint._database.execute(full % 100_000)
    checkpoint.save(42, 1000, 0, ledger, devices, Unregistered(), again_found)
    saved = again(path)
    assert (saved.position, saved.ledger.decoded, saved.devices) == (42, 9, devices)
    assert saved.ledger.counts.total(("gas_alarm", "gas-1"))[0] == 9
    assert [group.count for group in checkpoint.quarantine_groups()] == [1 + SAMPLES_PER_GROUP]
    assert len(checkpoint.quarantine_samples("json", "gas-1")) == SAMPLES_PER_GROUP


def test_what_a_store_refused_had_been_read(checkpoint: Checkpoint) -> None:
    """Its repeat is a repeat; only what could not be read is news when it comes again."""
    refused = [Quarantined(7, T_MS, "refused", "gas-1", "gas_alarm", "type conflict", "gas_alarm", "gas-1")]
    broken = [Quarantined(9, T_MS, "json", "gas-1", "city/x", "no JSON", "gas_alarm", "gas-1")]
    checkpoint.save_stored(Stored(9, 1, 1), [*refused, *broken])
    unread, quarantined = checkpoint.unread(), checkpoint.quarantined()
    assert [position for position in range(1, 12) if position in unread] == [9]
    assert [position for position in range(1, 12) if position in quarantined] == [7, 9]
    assert [(stand.position, stand.place[0]) for stand in checkpoint.walk(None, None)] == [(7, "refused"), (9, "json")]


def test_a_damaged_one_is_told_in_one_sentence(checkpoint: Checkpoint, path: Path) -> None:
    checkpoint.save(1, 2, 3, Ledger(), {"gas-1": b"one"}, Unregistered(), ())
    with sqlite3.connect(path) as database:
        database.execute("UPDATE meta SET value = 'broken' WHERE key = 'pipeline'")
    database.close()
    with pytest.raises(JournalError, match=r"^checkpoint: cannot be read: "):
        checkpoint.load()
