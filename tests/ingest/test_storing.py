"""The store's writer: how old the oldest reading is that waits, at every instant, and whom it may admit."""

import itertools
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from devices.readings import Reading
from ingest import handed, journal, storing
from ingest.decoding import Decoder, Unregistered
from ingest.errors import JournalError, StoreError
from ingest.handed import Handed
from ingest.ledger import STORED, Stored, stored_counts
from ingest.retention import Keeper
from ingest.store.base import WriteResult
from ingest.store.influx import InfluxStore
from ingest.store.usual import UsualReadings, in_order
from tests.ingest.conftest import store_url
from tests.ingest.messages import T_MS, gas
from tests.ingest.store_flow import COUNT, NOW_MS, STEP_MS, Flow
from tests.ingest.test_stores import reading
from tests.servers.influxdb import Influx
from tests.servers.waiting import wait_until


def test_the_lag_is_the_age_of_the_oldest_reading_that_is_not_stored(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while the store is far behind, its hand-over was cut, and it reads and decodes the journal again."""
    monkeypatch.setattr(handed, "_LIMIT", 5_000)
    monkeypatch.setattr(storing, "_BATCH", 5_000)
    monkeypatch.setattr(storing, "_MOST", 5_000)
    for start in range(0, COUNT, 1_000):
        flow.receive([gas("gas-1", 1, ts=T_MS + n, seq=n) for n in range(start, start + 1_000)], T_MS + start * STEP_MS)
    writer = flow.writer()
    assert writer.lag_s(NOW_MS) == (NOW_MS - T_MS) / 1000, "before it has begun"
    while flow.hand(writer):
        assert writer.lag_s(NOW_MS) == (NOW_MS - T_MS) / 1000, "before it has begun"

    def age_s(stored: int) -> float:
        """Return the age of the first reading behind a position."""
        return (NOW_MS - T_MS - stored // 1_000 * 1_000 * STEP_MS) / 1000 if stored < COUNT else 0.0

    told: list[tuple[int, float, int]] = []

    def done() -> bool:
        before = writer.stored.position
        told.append((before, writer.lag_s(NOW_MS), writer.stored.position))
        return before == COUNT

    writer.start()
    wait_until(done, 60, 0.001)
    wrong = [(before, lag_s, after) for before, lag_s, after in told if lag_s < age_s(after)]
    assert wrong == [], f"{len(wrong)} of {len(told)}"
    # Told too late by no more than the batch that was just written.
    assert [each for each in told if each[1] > age_s(max(0, each[0] - storing._BATCH))] == []
    assert len({before for before, _, _ in told}) > 5, "it was asked in between"
    assert wait_until(lambda: writer.lag_s(NOW_MS) == 0) and writer.lag_s(NOW_MS) == 0


def test_what_the_pipeline_has_not_decoded_yet_is_not_stored_either(flow: Flow) -> None:
    """Who makes minutes waits for it; ticks and messages without readings are waited for by nobody."""
    flow.receive([gas("gas-1", 1, ts=T_MS, id="a")], T_MS)
    writer = flow.writer()
    flow.hand(writer)
    writer.start()
    wait_until(lambda: writer.lag_s(T_MS + 60_000) == 0)
    flow.receive([gas("gas-1", 1, ts=T_MS, id="b")], T_MS + 50_000)
    assert writer.lag_s(T_MS + 60_000) > 0
    flow.hand(writer)
    wait_until(lambda: writer.lag_s(T_MS + 60_000) == 0)
    for n in range(50):
        flow.receive([("city/v1/demo/gas_alarm/gas-1/telemetry", b"{")], T_MS + 51_000 + n)
        flow.hand(writer)
        assert writer.lag_s(T_MS + 60_000) == 0


def test_what_comes_in_drops_is_written_together(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write costs a database as much as a thousand lines: each waits for more, and no drop cuts that short."""
    monkeypatch.setattr(handed, "_LINGER_S", 3_600)
    monkeypatch.setattr(handed, "_COMES_S", 3_600)
    monkeypatch.setattr(storing, "_BATCH", 50)
    for n in range(70):
        flow.receive([gas("gas-1", 1, ts=T_MS + n, seq=n)], T_MS)
    written: list[int] = []
    looked: list[int] = []
    write, holds = flow.store.write, handed.Waiting.holds

    def looking(waiting: handed.Waiting, count: int) -> bool:
        looked.append(count)
        return holds(waiting, count)

    def looked_since(before: int) -> bool:
        return bool(written) or len(looked) > before

    def counted(readings: Sequence[Reading], position: int, usual: Sequence[UsualReadings]) -> WriteResult:
        written.append(len(in_order(readings, usual)))
        return write(readings, position, usual)

    monkeypatch.setattr(flow.store, "write", counted)
    monkeypatch.setattr(handed.Waiting, "holds", looking)
    writer = flow.writer()
    writer.start()
    for _ in range(70):
        seen = partial(looked_since, len(looked))
        flow.hand(writer, 1)
        wait_until(seen)
    wait_until(lambda: writer.stored.position >= 50)
    writer.stop(20)
    assert (len(written), sum(written), writer.stored) == (2, 70, Stored(70, 70))


def test_while_the_journal_holds_more_a_moment_without_any_is_not_the_end(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow disk, or an alarm's commit, may keep the pipeline for longer than that."""
    for name, value in (("_BUSY", 4), ("_LINGER_S", 2), ("_BUSY_LINGER_S", 12), ("_COMES_S", 1)):
        monkeypatch.setattr(handed, name, value)
    clock_s = [0.0]
    writer = flow.writer()
    flow.receive([gas("gas-1", 1, ts=T_MS + n, seq=n) for n in range(20)], T_MS)
    flow.receive([gas("gas-1", 1, ts=T_MS + n, seq=n) for n in range(20, 40)], T_MS)
    flow.hand(writer, 20)

    def over(_condition: threading.Condition, enough: Callable[[], bool], timeout_s: float) -> bool:
        clock_s[0] += timeout_s
        if clock_s[0] == 5:
            flow.hand(writer, 20)
        return enough()

    with monkeypatch.context() as patched:
        patched.setattr(threading.Condition, "wait_for", over)
        patched.setattr(handed, "time", SimpleNamespace(monotonic=lambda: clock_s[0]))
        batch = writer._next()
    assert isinstance(batch, Handed) and len(batch) == 40
    assert clock_s[0] == 6


@pytest.mark.parametrize(
    ("more", "wait_s"),
    [
        pytest.param([], 2, id="few"),
        pytest.param([4], 2, id="many and nothing behind them"),
        pytest.param([2] * 6, 7, id="until nobody comes any more"),
        pytest.param([2] * 50, 12, id="as long as can be"),
    ],
)
def test_where_many_come_a_write_waits_for_those_that_do(
    flow: Flow, monkeypatch: pytest.MonkeyPatch, more: list[int], wait_s: int
) -> None:
    for name, value in (("_BUSY", 4), ("_LINGER_S", 2), ("_BUSY_LINGER_S", 12), ("_COMES_S", 1)):
        monkeypatch.setattr(handed, name, value)
    clock_s = [0.0]
    writer = flow.writer()

    def hear(count: int) -> None:
        flow.receive([gas("gas-1", 1, ts=T_MS + n, seq=flow.handed_to + n) for n in range(count)], T_MS)
        flow.hand(writer)

    def over(_condition: threading.Condition, enough: Callable[[], bool], timeout_s: float) -> bool:
        clock_s[0] += timeout_s
        if more:
            hear(more.pop(0))
        return enough()

    hear(1)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Condition, "wait_for", over)
        patched.setattr(handed, "time", SimpleNamespace(monotonic=lambda: clock_s[0]))
        batch = writer._next()
    assert isinstance(batch, Handed) and len(batch) == flow.handed_to
    assert clock_s[0] == wait_s


def test_a_store_that_is_behind_catches_up_though_nothing_new_comes(flow: Flow) -> None:
    """After a restart with a full disk nothing is journaled, and what is stored makes room."""
    flow.receive([gas("gas-1", 1, ts=T_MS + n, seq=n) for n in range(100)], T_MS)
    writer = flow.writer()
    writer.resume(flow.journal.last, T_MS)
    assert writer.lag_s(T_MS + 60_000) == 60
    writer.start()
    wait_until(lambda: writer.stored == Stored(100, 100))
    assert writer.lag_s(T_MS + 60_000) == 0


def test_what_a_restart_would_begin_with_is_told_beside_what_is_stored(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who removes journal files may not go by what a kill would forget."""
    flow.receive([gas("gas-1", 1, ts=T_MS + n, seq=n) for n in range(10)], T_MS)
    noted, waiting = flow.writer(), flow.writer()
    flow.hand(noted)
    noted.start()
    wait_until(lambda: noted.saved_to == 10 == flow.checkpoint.load_stored().position)
    noted.stop(20)
    monkeypatch.setattr(storing, "_COUNTED_S", float("inf"))
    waiting.resume(10, T_MS)
    waiting.start()
    flow.receive([gas("gas-1", 1, ts=T_MS + n, seq=n) for n in range(10, 20)], T_MS)
    flow.hand(waiting)
    wait_until(lambda: waiting.stored.position == 20)
    assert waiting.saved_to == 10 == flow.checkpoint.load_stored().position


def test_minutes_wait_for_a_store_that_is_behind(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour late, the minutes of the last hour are made when their readings are there, and once."""
    monkeypatch.setattr(handed, "_LIMIT", 5)
    for n in range(60):
        flow.receive([gas("gas-1", n, ts=T_MS + n * 60_000, seq=n)], T_MS + n * 60_000)
    writer, now_ms = flow.writer(), T_MS + 3_600_000
    while flow.hand(writer, 1):
        pass
    keeper = Keeper(replace(flow.site, journal_days=7), flow.journal, flow.store, writer, lambda: flow.handed_to)
    flow.store.write([], 0)

    def rows(table: str) -> int:
        return int(flow.store._read(f"SELECT count(*) FROM {table}", ())[0][0])

    keeper.turn(now_ms)
    writer.start()
    wait_until(lambda: writer.stored == Stored(60, 60, 0) and writer.lag_s(now_ms) == 0)
    assert rows("minutes_late") == 0, "none was made before its readings came"
    keeper.turn(now_ms)
    assert rows("gas_alarm_1m") == 59


def test_batches_without_readings_are_one(flow: Flow) -> None:
    """A flood that nobody can read, while the store is away: its steps are not kept one by one."""
    waiting = handed.Waiting()
    ages: list[int | None] = []
    for n in range(1_000):
        waiting.hand(Handed(n, n + 1, T_MS + n, []))
    ages.append(waiting.oldest_ms(1_000))
    flow.receive([gas("gas-1", 1, ts=T_MS)], T_MS)
    (reading,) = flow.decoder.outcomes(flow.journal.read(0, 1))[0].readings
    waiting.hand(Handed(1_000, 1_001, T_MS + 5_000, [reading]))
    for n in range(1_001, 2_000):
        waiting.hand(Handed(n, n + 1, T_MS + 5_000 + n, []))
    assert len(waiting._handed) == 2
    ages.append(waiting.oldest_ms(2_000))
    batch = waiting.take(100)
    assert (batch.after, batch.position, batch.received_ms, batch.readings) == (0, 2_000, T_MS + 5_000, [reading])
    ages.append(waiting.oldest_ms(2_000))
    waiting.stored(2_000)
    ages.append(waiting.oldest_ms(2_000))
    assert ages == [None, T_MS + 5_000, T_MS + 5_000, None]


def test_a_store_that_is_ahead_at_a_start_admits_nobody_before_the_pipeline_does(flow: Flow) -> None:
    """A kill left the alarms' cursor behind the store's; who is new is judged by the pipeline, in its order."""
    flow.receive([gas(f"new-{n}", 1, ts=T_MS + n, seq=n) for n in (1, 2, 3)], T_MS)
    flow.receive([gas("new-1", 2, ts=T_MS + 9, seq=9)], T_MS)
    alone = Decoder(flow.site, Unregistered())
    fates = [outcome.fate for outcome in alone.outcomes(flow.journal.read(0, 10))]
    flow.store.write([], 4)
    flow.unregistered.judged = 1
    flow.checkpoint.save_stored(Stored(2, 0, 0))
    flow.handed_to = 1
    writer = flow.writer()
    writer.start()
    wait_until(lambda: writer.stored.position == 4)
    records = flow.journal.read(1, 10)
    outcomes = list(itertools.chain.from_iterable(flow.decoder.outcomes([record]) for record in records))
    assert [outcome.fate for outcome in outcomes] == fates[1:]
    assert flow.unregistered.admitted == {"new-2": 2, "new-3": 3, "new-1": 4}
    assert writer.counts.kinds() == {}, "nothing was recounted before"
    writer.hand(Handed(1, 4, T_MS, []))
    wait_until(lambda: writer.counts.kinds() == {"gas_alarm": [2, 0]})


def test_one_that_never_began_is_stopped_like_any(flow: Flow) -> None:
    """A pipeline that cannot read the journal at its start ends before it starts its writer."""
    writer = flow.writer()
    writer.stop(1)
    assert writer.failed is None


def test_a_store_that_answers_only_as_all_ends_is_left_alone(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """How far it is and what it has counted was never found out: what waits is written by the next run."""
    flow.receive([gas("gas-1", 1, ts=T_MS + n, seq=n) for n in range(60)], T_MS)
    before = stored_counts()
    for n, outcome in enumerate(flow.decoder.outcomes(flow.journal.read(0, 60)), 1):
        # The sixtieth save folds all counts: one that knew nothing of them would go through and stand for them.
        flow.store.write(outcome.readings, n)
        before.add("gas_alarm", "gas-1", STORED, 1)
        flow.checkpoint.save_stored(Stored(n, n), (), before)
    flow.handed_to = 60
    flow.receive([gas("gas-1", 1, ts=T_MS + 100, seq=100)], T_MS)
    away, answers = threading.Event(), flow.store.position
    away.set()

    def position() -> tuple[int, int, int]:
        if away.is_set():
            raise StoreError("the store is away")
        return answers()

    monkeypatch.setattr(flow.store, "position", position)
    # Between two tries all is over.
    monkeypatch.setattr(storing, "_RETRY_S", (3_600.0,))
    writer = flow.writer()
    flow.hand(writer)
    writer.start()
    wait_until(lambda: writer.trouble)
    away.clear()
    writer.stop(20)
    counts = stored_counts()
    flow.checkpoint.load_counts(counts)
    assert (flow.checkpoint.load_stored(), counts.kinds()) == (Stored(60, 60), {"gas_alarm": [60, 0]})
    assert answers() == (60, 60, 0)


def test_a_journal_that_is_away_is_waited_for(flow: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is gone while the store is behind: alarms go on from memory, and readings wait."""
    monkeypatch.setattr(journal, "_TAIL_RECORDS", 10)
    flow.receive([gas("gas-1", 1, ts=T_MS - 1, seq=0)], T_MS)
    writer = flow.writer()
    flow.hand(writer)
    writer.start()
    wait_until(lambda: writer.stored == Stored(1, 1))
    for start in range(1, 100, 11):
        flow.receive([gas("gas-1", 1, ts=T_MS + n, seq=n) for n in range(start, start + 11)], T_MS)
    shutil.move(tmp_path / "journal", tmp_path / "elsewhere")
    (tmp_path / "journal").mkdir()
    with pytest.raises(JournalError, match="nothing is found behind position 1, and it reached 100"):
        flow.journal.read(1, 10)
    writer.hand(Handed(90, 100, T_MS, []))
    wait_until(lambda: "nothing is found" in writer.trouble or writer.failed)
    assert (writer.failed, writer.is_alive()) == (None, True)
    (tmp_path / "journal").rmdir()
    shutil.move(tmp_path / "elsewhere", tmp_path / "journal")
    wait_until(lambda: writer.stored == Stored(100, 100))
    assert writer.trouble == ""


def test_what_is_refused_is_noted_with_the_position_or_not_at_all(flow: Flow, influx: Influx) -> None:
    """A disk with room for the position and not for the sentences, as all ends: the next run finds them refused."""
    store = InfluxStore(store_url(influx), flow.site.catalog)
    store.write([reading({"conc_pct_lel": "plenty"}, NOW_MS - 1, "gas-9")], 1)
    flow.receive([gas(f"new-{n}", 1, ts=NOW_MS, seq=n) for n in range(500)], NOW_MS)
    (pages,) = flow.checkpoint._database.execute("PRAGMA page_count").fetchone()
    flow.checkpoint._database.execute(f"PRAGMA max_page_count={pages + 5}")
    writer = flow.writer(store)
    flow.hand(writer)
    writer.start()
    wait_until(lambda: "full" in writer.trouble)
    writer.stop(20)
    assert (flow.checkpoint.load_stored(), flow.checkpoint.quarantine_groups()) == (Stored(), [])
    assert isinstance(writer.failed, JournalError)
    flow.checkpoint._database.execute("PRAGMA max_page_count=1000000")
    again = flow.writer(store)
    again.resume(500, NOW_MS)
    again.start()
    wait_until(lambda: flow.checkpoint.load_stored() == Stored(500, 0, 500))
    again.stop(20)
    assert sum(group.count for group in flow.checkpoint.quarantine_groups()) == 500
    store.close()
