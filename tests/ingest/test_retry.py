"""Quarantined messages land with their original time once the mapping is mended: all, once, and over kills."""

import time
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from devices.site import Site
from ingest.alarms.audit import Actor
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.engine import Engine
from ingest.alarms.tables import occurrence
from ingest.decoding import Decoder, Unregistered, packed
from ingest.errors import Refused
from ingest.journal import Journal
from ingest.ledger import PRODUCED, QUARANTINED, STORED
from ingest.outcomes import Outcome
from ingest.positions import Stand
from ingest.quarantine import Origin
from ingest.records import RETRY, TICK, Record
from ingest.retry import ask, records_at, requests, shards_of
from tests.ingest.collector import Collector
from tests.ingest.counting import per_device
from tests.ingest.messages import T_MS, Message, gas, native
from tests.ingest.publisher import Publisher
from tests.ingest.quarantine_command import command, times_of
from tests.servers.influxdb import Influx

# Of this hour, or the collector would find it expired.
NOW_MS = time.time_ns() // 1_000_000 - 3_600_000
ENGINEER = Actor("engineer", "engineer", "desk")
WRONG, RIGHT = 'id = "gas-2"\nkind = "light_pole"', 'id = "gas-2"\nkind = "gas_alarm"'
# Long runs of good ones between, and a gap: positions far from each other.
BAD = [gas("gas-2", n % 9, ts=NOW_MS + n, id=f"m{n}") for n in range(3_000)]


def mapped_wrongly(collector: Collector) -> None:
    """Let the site list gas-2 as something else: all it says goes to quarantine."""
    text = collector.site_file.read_text(encoding="utf-8")
    assert RIGHT in text
    collector.site_file.write_text(text.replace(RIGHT, WRONG), encoding="utf-8")


def mended(collector: Collector) -> None:
    text = collector.site_file.read_text(encoding="utf-8")
    collector.site_file.write_text(text.replace(WRONG, RIGHT), encoding="utf-8")


def quarantined(collector: Collector, publisher: Publisher, messages: list[Message], others: int = 0) -> None:
    """Run with the wrong mapping until all of it is in quarantine, and end in order."""
    mapped_wrongly(collector)
    collector.connected()
    publisher.publish(*messages)
    collector.wait(lambda: collector.settled(len(messages)))
    assert collector.ledger().quarantined == len(messages) - others
    assert collector.stop() == 0


def test_what_was_mapped_wrongly_lands_with_its_own_time(
    collector: Collector, publisher: Publisher, influx: Influx
) -> None:
    """The whole way of an engineer: list, mend, restart, try dry, retry; nothing is received twice."""
    good = [gas("gas-1", 1, ts=NOW_MS + n, id=f"g{n}") for n in range(50)]
    rubbish: list[Message] = [("city/v1/demo/gas_alarm/gas-2/telemetry", b"{")]
    quarantined(collector, publisher, [*BAD[:700], *good, *BAD[700:750], *rubbish], others=50)
    code, said = command(collector, "retry", "mismatch", "--dry-run")
    assert (code, "0 of 750 would land" in said, "registered as light_pole" in said) == (0, True, True)
    mended(collector)
    assert "750 of 750 would land" in command(collector, "retry", "mismatch", "gas-2", "--dry-run")[1]
    before = len([record for record in collector.journaled() if record.topic != TICK])
    collector.connected()
    code, said = command(collector, "retry", "mismatch", "gas-2")
    assert (code, "750 landed, 0 remain" in said) == (0, True), said
    collector.wait(lambda: collector.settled(801))
    assert times_of(influx, "gas-2") == [NOW_MS + n for n in range(750)]
    ledger = collector.ledger()
    assert (ledger.decoded, ledger.quarantined, ledger.duplicate, ledger.produced) == (800, 1, 0, 800)
    assert set(collector.quarantine()) == {("json", "gas-2")}
    assert collector.samples("mismatch", "gas-2") == []
    again = [record for record in collector.journaled() if record.topic == RETRY]
    assert (len(again), collector.journal_messages()) == (750, before)
    code, said = command(collector, "retry", "mismatch")
    assert (code, "nothing of 'mismatch'" in said) == (1, True)
    counted = collector.counted("messages")
    assert (counted["gas_alarm", "gas-2"][PRODUCED], counted["gas_alarm", "gas-2"][QUARANTINED]) == (750, 0)
    # What no topic or site explained otherwise stays where it was counted.
    assert counted["light_pole", "gas-2"][QUARANTINED] == 1
    assert collector.stop() == 0


def test_what_still_cannot_be_read_stays_and_says_why(collector: Collector, publisher: Publisher) -> None:
    """Some of a group land; the rest stays countable, under its new reason where that changed."""
    worse = [native("gas_alarm", "gas-2", {"conc_pct_lel": "high"}, ts=NOW_MS + n, id=f"w{n}") for n in range(20)]
    quarantined(collector, publisher, [*BAD[:30], *worse])
    mended(collector)
    collector.connected()
    code, said = command(collector, "retry", "mismatch", "gas-2")
    assert (code, "30 landed, 20 remain" in said, "expected a number" in said) == (0, True, True), said
    assert {key: group.count for key, group in collector.quarantine().items()} == {("type", "gas-2"): 20}
    assert len(collector.samples("type", "gas-2")) == 20
    code, said = command(collector, "retry", "type")
    assert (code, "0 landed, 20 remain" in said) == (0, True), said
    ledger = collector.ledger()
    assert (ledger.decoded, ledger.quarantined) == (30, 20)
    assert {key: group.count for key, group in collector.quarantine().items()} == {("type", "gas-2"): 20}


@pytest.mark.slow
def test_kills_in_the_middle_land_each_message_once(collector: Collector, publisher: Publisher, influx: Influx) -> None:
    """A request goes on behind the last message that was tried, whenever the collector dies."""
    quarantined(collector, publisher, BAD)
    mended(collector)
    code, said = command(collector, "retry", "mismatch")
    assert (code, "next one to start" in said) == (0, True), said
    for kill_at in (300, 1_000, 2_000):
        collector.connected()
        collector.wait(lambda kill_at=kill_at: collector.ledger().decoded >= kill_at)
        collector.kill()
    collector.connected()
    collector.wait(lambda: collector.ledger().decoded >= len(BAD) and collector.settled(len(BAD)))
    (request,) = collector.wait(lambda: [row for row in collector.requests() if row["state"] == "done"])
    assert (request["total"], request["landed"], request["why"]) == (len(BAD), len(BAD), {})
    assert times_of(influx, "gas-2") == [NOW_MS + n for n in range(len(BAD))]
    again = Counter(record.payload for record in collector.journaled() if record.topic == RETRY)
    assert set(again.values()) == {1}
    ledger = collector.ledger()
    assert (ledger.decoded, ledger.quarantined, ledger.duplicate) == (len(BAD), 0, 0)
    assert collector.counted("store")["gas_alarm", "gas-2"][STORED] == len(BAD)
    assert per_device(influx, "gas_alarm") == {"gas-2": len(BAD)}


def test_an_old_alarm_comes_as_over(collector: Collector, publisher: Publisher) -> None:
    """What raised then and is not so now is born returned and unacknowledged (ALARMS, late samples)."""
    quarantined(collector, publisher, [gas("gas-2", 70, ts=NOW_MS, id="leak")])
    mended(collector)
    collector.connected()
    publisher.publish(gas("gas-2", 1, ts=NOW_MS + 60_000, id="now"))
    collector.wait(lambda: collector.ledger().decoded == 1)
    assert "1 landed" in command(collector, "retry", "mismatch")[1]
    collector.wait(lambda: collector.alarms() == [("gas-2/conc_pct_lel.high", 2)])
    database = AlarmDatabase(f"sqlite:///{collector.data / 'alarms.db'}")
    with database.read() as connection:
        (row,) = connection.execute(sa.select(occurrence)).mappings().all()
    database.close()
    assert (row["active"], row["acked"], row["raised_at"], row["closed_at"]) == (False, False, NOW_MS, None)


# The decoder's own part.


def again(position: int, message: Message, at: int = 5, received_ms: int = T_MS) -> Record:
    origin = Origin("r", "mismatch", "gas-1", "gas_alarm", "gas-1", at, received_ms)
    return Record(position, T_MS + 3_600_000, RETRY, packed(origin, *message))


def test_a_message_without_a_time_keeps_its_first_receipt_and_place(site: Site) -> None:
    message = native("gas_alarm", "gas-1", {"conc_pct_lel": 3})
    then = Decoder(site, Unregistered()).outcome(Record(5, T_MS, *message))
    now = Decoder(site, Unregistered()).outcome(again(9_000, message))
    assert [r.at_ns for r in now.readings] == [r.at_ns for r in then.readings]
    assert (now.position, now.topic, now.fate) == (9_000, message[0], "decoded")
    assert [(r.position, r.received_ms, r.history) for r in now.readings] == [(9_000, T_MS, True)]


def test_a_message_half_read_before_is_no_repeat_of_itself(site: Site) -> None:
    """The live window knows its key; only a second try of the same is a repeat."""
    decoder = Decoder(site, Unregistered())
    message = gas("gas-1", 3, ts=T_MS, id="a")

    def fate(record: Record) -> str:
        outcome: Outcome = decoder.outcome(record)
        return outcome.fate

    assert fate(Record(5, T_MS, *message)) == "decoded"
    assert fate(again(6, message)) == "decoded"
    assert fate(again(7, message)) == "duplicate"


def test_an_old_last_will_says_nothing_about_now(site: Site) -> None:
    outcome = Decoder(site, Unregistered()).outcome(again(9, ("city/v1/demo/gas_alarm/gas-1/status", b"offline")))
    assert (outcome.status, [r.values for r in outcome.readings]) == (None, [{"online": 0.0}])


def test_an_old_message_does_not_wake_a_silent_device(site: Site) -> None:
    """It was sent long ago; the device is as dead as before, and its alarm of silence stands."""
    engine, decoder = Engine(site), Decoder(site, Unregistered())
    first, old = (native("refuse_truck", "truck-1", {"load_kg": 5}, ts=T_MS + n, id=f"m{n}") for n in range(2))
    ticks = [Record(2 + n, T_MS + n * 1_000, TICK, b"") for n in range(3 * 3600)]
    engine.feed([decoder.outcome(Record(1, T_MS, *first))])
    before = engine.feed([decoder.outcome(tick) for tick in ticks])
    assert ("raise", "truck-1/no_data") in {(found.what, found.point) for found in before}
    late = again(ticks[-1].position + 1, old)._replace(received_ms=ticks[-1].received_ms)
    found = engine.feed([decoder.outcome(late)])
    assert [(transition.what, transition.point) for transition in found] == []


# Requests.


@pytest.fixture
def database(tmp_path: Path) -> AlarmDatabase:
    opened = AlarmDatabase(f"sqlite:///{tmp_path / 'alarms.db'}")
    opened.migrate()
    return opened


def test_a_key_is_one_request(database: AlarmDatabase) -> None:
    first = ask(database, ["north", "south"], "json", "gas-1", ENGINEER, "k", 1000)
    assert [row["shard"] for row in first] == ["north", "south"]
    assert ask(database, ["north", "south"], "json", "gas-1", ENGINEER, "k", 2000) == first
    assert requests(database, "k") == first
    for reason, device, actor in [
        ("type", "gas-1", ENGINEER),
        ("json", None, ENGINEER),
        ("json", "gas-1", Actor("other", "engineer")),
    ]:
        with pytest.raises(Refused, match="belongs to another request"):
            ask(database, ["north"], reason, device, actor, "k", 3000)
    with pytest.raises(Refused, match="role engineer"):
        ask(database, ["north"], "json", None, Actor("officer", "officer"), "l", 3000)
    assert requests(database, "l") == shards_of(database, "json", None) == []
    database.close()


def test_records_far_apart_and_before_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    for start in range(0, 4_000, 100):
        journal.append([("t", b"%d" % n) for n in range(start + 1, start + 101)], T_MS)
    journal.close()
    read = Journal(tmp_path)
    wanted = [1, 2, 99, 100, 101, 1_500, 1_999, 2_000, 2_501, 4_000]
    place = ("json", "gas-1", "gas_alarm", "gas-1")
    found = [(r.payload, stands) for r, stands in records_at(read, [Stand(n, place, 1) for n in wanted])]
    assert found == [(b"%d" % n, [Stand(n, place, 1)]) for n in wanted]
    assert list(records_at(read, [])) == []
    assert list(records_at(read, [Stand(4_001, place, 1)])) == []
    monkeypatch.setattr("ingest.journal_files._MOST_BYTES", 10)
    assert [(r.payload, stands) for r, stands in records_at(read, [Stand(n, place, 1) for n in wanted])] == found
    read.close()


def test_what_is_tried_too_early_is_not_lost(collector: Collector, publisher: Publisher, influx: Influx) -> None:
    """A try that failed leaves no trace: after the mend, and over a restart, the same messages land."""
    quarantined(collector, publisher, BAD[:50])
    collector.connected()
    code, said = command(collector, "retry", "mismatch")
    assert (code, "0 landed, 50 remain" in said) == (0, True), said
    assert collector.stop() == 0
    mended(collector)
    collector.connected()
    # Sent once more by the device: news, for it was never read.
    publisher.publish(*BAD[:10])
    collector.wait(lambda: collector.ledger().decoded == 10)
    code, said = command(collector, "retry", "mismatch")
    assert (code, "50 landed, 0 remain" in said) == (0, True), said
    collector.wait(lambda: collector.settled(60))
    assert per_device(influx, "gas_alarm") == {"gas-2": 50}
    assert collector.quarantine() == {}
