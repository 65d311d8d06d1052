"""Collectors put a revision into force: a record of the journal, once, whatever ends in between."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ingest.alarms.audit import check
from ingest.alarms.books import Books
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.engine import Engine
from ingest.alarms.revisions import records
from ingest.alarms.revisions.adopting import Adopter
from ingest.alarms.revisions.revision import SITE_FILE, Revision, packed, unpacked
from ingest.alarms.revisions.tables import rule_adoption
from ingest.alarms.tables import audit
from ingest.checkpoint import Checkpoint
from ingest.decoding import Decoder, Unregistered
from ingest.errors import JournalError
from ingest.journal import Journal
from ingest.ledger import Ledger
from ingest.records import RULES
from ingest.rounds import ShardParts
from tests.ingest.alarms.feeding import T0
from tests.ingest.alarms.revisions.desk import TIGHTER, Desk
from tests.ingest.test_journal_failing import written_all_the_same


class Collector:
    """A journal, a checkpoint and the adopter between them; the pipeline's part is done by :meth:`judge`."""

    def __init__(self, folder: Path, desk: Desk) -> None:
        self.folder = folder / "own"
        self.journal = Journal(self.folder)
        self.checkpoint = Checkpoint(folder / "checkpoint.db")
        self.desk = desk
        self.adopter = self.started()

    def started(self) -> Adopter:
        return Adopter(ShardParts("main", self.desk.database, self.checkpoint, self.journal, lambda: self.desk.now_ms))

    def look(self, now_s: float) -> float:
        self.desk.now_s = now_s
        return self.adopter.look(self.desk.now_ms)

    def judge(self) -> Engine:
        """Judge the whole journal and save that."""
        engine, decoder = Engine(self.desk.site), Decoder(self.desk.site, Unregistered())
        engine.feed([decoder.outcome(record) for record in self.journal.read(0, 1_000)])
        memory = engine.memory
        self.checkpoint.save(
            self.journal.last, memory.now_ms, 0, Ledger(), {}, Unregistered(), [], rules=engine.books.saved()
        )
        return engine

    def journaled(self) -> list[Revision]:
        return [unpacked(each.payload) for each in self.journal.read(0, 1_000) if each.topic == RULES]

    def close(self) -> None:
        self.journal.close()
        self.checkpoint.close()


@pytest.fixture
def collector(tmp_path: Path, desk: Desk) -> Iterator[Collector]:
    made = Collector(tmp_path, desk)
    yield made
    made.close()


def adoptions(database: AlarmDatabase) -> list[tuple[str, int, int, int]]:
    with database.read() as connection:
        assert check(connection).broken is None
        rows = connection.execute(sa.select(rule_adoption).order_by(rule_adoption.c.revision)).all()
    return [tuple(row) for row in rows]


def test_at_its_instant_and_once(collector: Collector, desk: Desk) -> None:
    """Nothing before; from the record on by the new rules; told to the alarm database, on the chain."""
    at_s = desk.now_s + 100
    desk.draft(**TIGHTER)
    desk.test(1)
    desk.approve(1, at_s)
    assert collector.look(at_s - 90) == 1.0
    assert collector.look(at_s - 0.25) == pytest.approx(0.25)
    assert collector.journaled() == []
    collector.look(at_s)
    collector.look(at_s + 1)
    (made,) = collector.journaled()
    assert (made.number, made.limits["gas_alarm"]["conc_pct_lel"]["high"]["levels"]) == (1, [10, 40])
    assert collector.journal.messages == 0
    assert adoptions(desk.database) == [("main", 1, 1, T0 + round(at_s * 1000))]
    with desk.database.read() as connection:
        row = connection.execute(sa.select(audit).order_by(audit.c.seq.desc()).limit(1)).mappings().one()
    assert (row["actor"], row["action"], row["point"], row["position"]) == ("system", "rule_in_force", "rules/1", 1)
    assert collector.judge().books.number == 1


def test_a_collector_that_was_down(collector: Collector, desk: Desk) -> None:
    """Only the one that is in force now is put into force; a restart does not repeat it."""
    desk.publish(**TIGHTER)
    desk.publish(limits={"gas_alarm": {"conc_pct_lel": {"deadband": 3}}})
    collector.look(desk.now_s + 10)
    assert [made.number for made in collector.journaled()] == [2]
    collector.judge()
    collector.adopter = collector.started()
    collector.look(desk.now_s + 10)
    assert [made.number for made in collector.journaled()] == [2]


def test_killed_between_journal_and_database(collector: Collector, desk: Desk) -> None:
    """The record stands, the word about it does not: the next collector waits until it is judged, then tells it."""
    desk.publish(**TIGHTER)
    collector.look(desk.now_s + 10)
    with desk.database.write() as connection:
        connection.execute(rule_adoption.delete())
    collector.adopter = collector.started()
    collector.look(desk.now_s + 10)
    assert adoptions(desk.database) == []
    collector.judge()
    collector.look(desk.now_s + 10)
    assert [made.number for made in collector.journaled()] == [1]
    assert [each[:3] for each in adoptions(desk.database)] == [("main", 1, 1)]


def test_what_a_failing_disk_has_all_the_same_is_not_journaled_again(collector: Collector, desk: Desk) -> None:
    """The append fails and its record stands: that is found out, judged, and told as the one that put it in force."""
    collector.look(desk.now_s)
    collector.journal.append([("city/x", b"")], desk.now_ms)
    desk.publish(**TIGHTER)
    with desk.database.read() as connection:
        revision, _ = records.due(connection, desk.now_ms + 10_000)
    written_all_the_same(collector.folder, 2, [(RULES, packed(revision))], 1)
    with pytest.raises(JournalError):
        collector.look(desk.now_s + 10)
    collector.look(desk.now_s)
    collector.judge()
    collector.look(desk.now_s)
    collector.look(desk.now_s)
    assert [made.number for made in collector.journaled()] == [1]
    assert [each[:3] for each in adoptions(desk.database)] == [("main", 1, 2)]


def test_rolled_back(collector: Collector, desk: Desk) -> None:
    """The site file again is a record, too."""
    desk.publish(**TIGHTER)
    collector.look(desk.now_s + 10)
    desk.roll_back(0)
    collector.look(desk.now_s + 10)
    assert [(made.number, bool(made.limits)) for made in collector.journaled()] == [(1, True), (2, False)]
    engine = collector.judge()
    assert (engine.books.number, engine.books.book) == (2, Books(desk.site, SITE_FILE).book)
