"""The keeper: what is due at a turn, beside a writer that is at work, and journal files as long as they are wanted."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

from devices.site import Site
from ingest.errors import JournalError, StoreError
from ingest.journal import Journal
from ingest.ledger import Stored
from ingest.retention import Keeper
from ingest.store import SqliteStore
from tests.ingest.messages import T_MS, gas
from tests.ingest.test_stores import reading
from tests.servers.small_disk import small_disk
from tests.servers.waiting import wait_until

MIN_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


@dataclass
class Writer:
    """What the keeper asks of the store's writer."""

    stored: Stored
    behind_s: float = 0.0
    trouble: str = ""
    unsaved: int = 0

    @property
    def saved_to(self) -> int:
        return self.stored.position - self.unsaved

    def lag_s(self, now_ms: int) -> float:
        return self.behind_s


@pytest.fixture
def store(tmp_path: Path, site: Site) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "readings.db", site.catalog)
    yield opened
    opened.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal")
    yield opened
    opened.close()


def keeper_of(
    site: Site, journal: Journal, store: SqliteStore, writer: Writer, judged: Callable[[], int] = lambda: 2**62
) -> Keeper:
    return Keeper(site, journal, store, writer, judged)  # type: ignore[arg-type]


def files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "journal").glob("*.db"))


def test_journal_files_stay_as_long_as_the_site_says_and_a_cursor_needs_them(
    tmp_path: Path, site: Site, journal: Journal, store: SqliteStore
) -> None:
    for day in range(5):
        journal.append([gas("gas-1", 1)], T_MS + day * DAY_MS)
    writer, judged = Writer(Stored(2)), [5]
    keeper = keeper_of(replace(site, journal_days=2), journal, store, writer, lambda: judged[0])
    days = [f"2026010{day}00.db" for day in range(1, 6)]
    assert files(tmp_path) == days
    for position, judged[0], day, left in (
        (2, 5, 1, days),
        (5, 1, 2.5, days),
        (2, 5, 3, days[1:]),
        (4, 5, 4, days[2:]),
        (5, 3, 4.5, days[2:]),
        (5, 5, 5, days[3:]),
        (5, 5, 30, days[4:]),
    ):
        writer.stored = Stored(position)
        keeper.turn(T_MS + round(day * DAY_MS))
        assert files(tmp_path) == left, f"position {position} on day {day}"
    assert journal.first() == 5


def test_what_is_stored_stays_until_a_restart_would_know(
    tmp_path: Path, site: Site, journal: Journal, store: SqliteStore
) -> None:
    for day in range(3):
        journal.append([gas("gas-1", 1)], T_MS + day * DAY_MS)
    writer = Writer(Stored(3), unsaved=2)
    keeper = keeper_of(replace(site, journal_days=1), journal, store, writer)
    keeper.turn(T_MS + 9 * DAY_MS)
    assert journal.first() == 1
    writer.unsaved = 0
    keeper.turn(T_MS + 10 * DAY_MS)
    assert journal.first() == 3


def test_a_minute_is_made_when_it_has_passed_and_everything_of_it_is_written(
    site: Site, journal: Journal, store: SqliteStore
) -> None:
    writer = Writer(Stored(1))
    keeper = keeper_of(site, journal, store, writer)
    store.write([reading({"temp_c": float(n)}, T_MS + n * MIN_MS) for n in range(20)], 1)

    def minutes() -> int:
        return len(store._read("SELECT at_ns FROM gas_alarm_1m", ()))

    for now_ms, behind_s, expected in (
        (T_MS + MIN_MS + 59_999, 0, 0),
        (T_MS + 2 * MIN_MS, 0, 1),
        (T_MS + 8 * MIN_MS, 240, 3),
        (T_MS + 8 * MIN_MS, 0, 7),
        (T_MS + DAY_MS, 0, 20),
    ):
        writer.behind_s = behind_s
        keeper.turn(now_ms)
        assert minutes() == expected


def test_the_writer_comes_between_the_steps(
    site: Site, journal: Journal, store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Both want the one write lock of the file; the writer does not wait for a long turn to end."""
    store.write([reading({"conc_ppm": 1.0}, T_MS + n * 6_000, f"gas-{n % 9}") for n in range(11_000)], 1)
    caplog.set_level(logging.INFO)
    keeper = keeper_of(site, journal, store, Writer(Stored(1)))
    keeper.start()
    keeper.look(T_MS + 95 * DAY_MS, 0)
    wait_until(lambda: store._read("SELECT 1 FROM gas_alarm_1m", ()))
    for n in range(10):
        store.write([reading({"conc_ppm": 2.0}, T_MS + 95 * DAY_MS + n, "gas-99")], n + 2)
    made = store._read("SELECT count(DISTINCT at_ns) FROM gas_alarm_1m", ())[0][0]
    assert 0 < made < 1_100, "the turn goes on"
    wait_until(lambda: "expired readings removed" in caplog.text, 60)
    keeper.stop()
    assert not keeper.is_alive()
    assert store.position() == (11, 11_010, 0)
    assert "minutes steps=1000 reached=2026-01-01T" in caplog.text
    assert caplog.records[-1].getMessage() == "expired readings removed count=11000"
    assert len(store.rows("gas_alarm", [], 100)) == 10


def test_a_turn_once_a_minute(site: Site, journal: Journal, store: SqliteStore) -> None:
    turns: list[int] = []
    keeper = keeper_of(site, journal, store, Writer(Stored(1)))
    keeper.turn = lambda now_ms, _believed: turns.append(now_ms)  # type: ignore[method-assign]
    keeper.start()
    for now_ms in (T_MS, T_MS + 1, T_MS + 59_999, T_MS + 60_000, T_MS + 60_001):
        keeper.look(now_ms, now_ms)
        wait_until(lambda now_ms=now_ms: turns and turns[-1] // MIN_MS == now_ms // MIN_MS)
    keeper.stop()
    assert turns == [T_MS, T_MS + MIN_MS]


def test_nothing_is_removed_by_a_clock_that_leapt_ahead(
    tmp_path: Path, site: Site, journal: Journal, store: SqliteStore
) -> None:
    for day in range(3):
        journal.append([gas("gas-1", 1)], T_MS + day * DAY_MS)
    store.write([reading({"conc_ppm": 1.0}, T_MS)], 1)
    keeper = keeper_of(replace(site, journal_days=3), journal, store, Writer(Stored(3)))
    begun_ms, turns = T_MS + 2 * DAY_MS, []
    work, keeper.turn = keeper.turn, lambda *told: turns.append(told)  # type: ignore[method-assign]
    keeper.start()

    def worked(now_ms: int, passed_ms: int) -> tuple[int, int]:
        keeper.look(now_ms, passed_ms)
        wait_until(lambda: turns)
        work(*turns.pop())
        return len(files(tmp_path)), len(store.rows("gas_alarm", [], 100))

    assert worked(begun_ms + 60_000, 60_000) == (3, 1)
    assert worked(begun_ms + 365 * DAY_MS, 120_000) == (3, 1)
    assert worked(begun_ms + 180_000, 180_000) == (3, 1)
    assert worked(begun_ms + 365 * DAY_MS, 240_000) == (3, 1)
    assert worked(begun_ms + 366 * DAY_MS, 240_000 + DAY_MS) == (1, 0), "a day later it is the clock's word"
    keeper.stop()


def test_stopping_does_not_wait_for_a_turn_to_end(site: Site, journal: Journal, store: SqliteStore) -> None:
    store.write([reading({"conc_ppm": 1.0}, T_MS + n * MIN_MS) for n in range(5_000)], 1)
    keeper = keeper_of(site, journal, store, Writer(Stored(1)))
    keeper.start()
    keeper.look(T_MS + DAY_MS * 5, 0)
    wait_until(lambda: store._read("SELECT 1 FROM gas_alarm_1m", ()))
    keeper.stop()
    assert len(store._read("SELECT at_ns FROM gas_alarm_1m", ())) < 5_000


def test_trouble_that_lasts_is_told_once_unless_the_writer_has_told_it(
    site: Site, journal: Journal, store: SqliteStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_until_ms: int) -> int | None:
        raise StoreError("the store is away")

    writer = Writer(Stored(1))
    keeper = keeper_of(site, journal, store, writer)
    # Its first turn is at the start, and a full minute may begin within the second.
    turns = [(T_MS - 900, "", 0), (T_MS, "", 0)]
    turns += [(T_MS + n * MIN_MS, trouble, told) for n, trouble, told in ((1, "away", 0), (2, "", 1), (3, "", 1))]
    with monkeypatch.context() as patched:
        patched.setattr(store, "summarise", broken)
        for now_ms, trouble, told in turns:
            writer.trouble = trouble
            keeper.turn(now_ms)
            assert len(caplog.records) == told
    assert caplog.records[0].getMessage() == "the store is away; minutes are made later"
    store.write([reading({"conc_ppm": 1.0}, T_MS)], 1)
    keeper.turn(T_MS + HOUR_MS)
    assert len(store._read("SELECT at_ns FROM gas_alarm_1m", ())) == 1


def test_a_checkpoint_that_cannot_be_read_for_a_moment_does_not_end_the_keeper(
    site: Site, journal: Journal, store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    journal.append([gas("gas-1", 1)], T_MS)

    def locked() -> int:
        raise sqlite3.OperationalError("database is locked")

    keeper = keeper_of(site, journal, store, Writer(Stored(1)), locked)
    for minute in range(3):
        keeper.turn(T_MS + minute * HOUR_MS)
    assert [record.getMessage() for record in caplog.records] == ["database is locked; journal files stay"]


def test_a_store_that_answers_no_query_keeps_no_journal_file(
    tmp_path: Path, site: Site, journal: Journal, store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    for day in range(4):
        journal.append([gas("gas-1", 1)], T_MS + day * DAY_MS)
    store.write([reading({"conc_ppm": 1.0}, T_MS)], 1)
    # As an InfluxDB 2 without its mapping, which takes writes and says 404 to every query.
    with closing(sqlite3.connect(tmp_path / "readings.db")) as database:
        database.execute("ALTER TABLE minutes_late RENAME TO away")
        database.commit()
    keeper = keeper_of(replace(site, journal_days=2), journal, store, Writer(Stored(4)))
    for minute in range(3):
        keeper.turn(T_MS + 3 * DAY_MS + minute * MIN_MS)
    assert files(tmp_path) == ["2026010200.db", "2026010300.db", "2026010400.db"]
    trouble = "the embedded store readings.db cannot be kept in order: no such table: minutes_late"
    told = [record.getMessage() for record in caplog.records]
    assert told == [f"{trouble}; minutes are made later", f"{trouble}; expired readings stay"]


def test_a_fault_in_one_duty_keeps_the_keeper_from_nothing_else(
    tmp_path: Path, site: Site, journal: Journal, store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    for day in range(3):
        journal.append([gas("gas-1", 1)], T_MS + day * DAY_MS)
    # No number: what is compared with it fails.
    keeper = keeper_of(replace(site, journal_days=2), journal, store, Writer(Stored(3)), lambda: "3")  # type: ignore[arg-type, return-value]
    keeper.start()
    store.write([reading({"temp_c": 1.0}, T_MS)], 1)
    keeper.look(T_MS + DAY_MS, 0)
    wait_until(lambda: store._read("SELECT 1 FROM gas_alarm_1m", ()))
    keeper.look(T_MS + DAY_MS + MIN_MS, 0)
    keeper.stop()
    (told,) = [record for record in caplog.records if record.exc_info]
    assert told.getMessage() == "keeper failed; journal files stay"


def test_before_a_flood_fills_the_disk_the_oldest_of_the_recording_goes(
    tmp_path: Path, site: Site, store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    """No file that a cursor has not passed, and none more than it takes; what is received goes on for ever."""
    with small_disk(tmp_path / "disk", "48m") as disk:
        journal = Journal(disk / "journal", durable=False)
        writer, judged = Writer(Stored(0)), [10]
        keeper = keeper_of(replace(site, journal_days=7), journal, store, writer, lambda: judged[0])
        names: list[list[str]] = []
        for hour in range(60):
            journal.append([("city/v1/demo/gas_alarm/gas-1/telemetry", b"x" * 2_000_000)], T_MS + hour * HOUR_MS)
            if hour == 15:
                writer.stored = Stored(8)
                # Somebody has read the oldest: nothing of theirs may stay taken on the disk.
                held = Journal(disk / "journal")
                assert len(held.read(0, 7)) == 7
            elif hour > 15:
                judged[0] = hour
                writer.stored = Stored(hour + 1)
            # Not for their age, so it makes no difference whether the clock is believed.
            keeper.turn(T_MS + hour * HOUR_MS + 1, believed=hour < 8)
            names.append(sorted(path.name for path in (disk / "journal").glob("*.db")))
            kept = names[-1]
        assert [len(names[hour]) for hour in (0, 14, 15)] == [1, 15, 16], "there was room for those"
        assert 17 <= min(len(there) for there in names[20:]) <= max(len(there) for there in names[20:]) <= 22
        assert kept[-1] == "2026010311.db", "the newest stay"
        assert journal.first() == 61 - len(kept)
        assert [record.position for record in journal.read(journal.first() - 1, 100)] == list(range(61 - len(kept), 61))
        assert "journal files removed before their time count=1 from=2026010100.db" in caplog.text
        assert len(caplog.records) == sum(before[0] != after[0] for before, after in pairwise(names))
        journal.close()


def test_what_no_cursor_has_passed_stays_on_a_full_disk(tmp_path: Path, site: Site, store: SqliteStore) -> None:
    with small_disk(tmp_path / "disk", "48m") as disk:
        journal = Journal(disk / "journal", durable=False)
        keeper = keeper_of(site, journal, store, Writer(Stored(3)), lambda: 100)
        full = []
        for hour in range(40):
            try:
                journal.append([("city/v1/demo/gas_alarm/gas-1/telemetry", b"x" * 2_000_000)], T_MS + hour * HOUR_MS)
            except JournalError as error:
                full.append(str(error))
            keeper.turn(T_MS + hour * HOUR_MS + 1)
        assert journal.first() == 3, "of three files that are stored the last is needed to go on behind it"
        assert "messages stay with the broker" in full[0]
        journal.close()
