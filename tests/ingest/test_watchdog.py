"""The watchdog goes through the real path: broker, session, journal, engine, alarm database."""

import pytest
import sqlalchemy as sa

from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.own_kind import WATCHDOG
from ingest.alarms.tables import occurrence
from ingest.decoding import Decoder, Unregistered
from ingest.records import TICK, Record
from ingest.watchdog import Watchdog, read_beat, topic_of
from tests.ingest.collector import Collector
from tests.ingest.conftest import MakeCollector
from tests.ingest.messages import T_MS
from tests.servers.mosquitto import Mosquitto


def beats(collector: Collector) -> list[tuple[str, bool]]:
    """Return (device, whether closed) of every alarm of a watchdog."""
    database = AlarmDatabase(f"sqlite:///{collector.data / 'alarms.db'}")
    try:
        with database.read() as connection:
            query = sa.select(occurrence.c.device, occurrence.c.closed_at).where(occurrence.c.rule == WATCHDOG)
            return [(device, closed_at is not None) for device, closed_at in connection.execute(query)]
    finally:
        database.close()


def test_it_publishes_when_it_is_time() -> None:
    sent: list[tuple[str, bytes, int]] = []
    dog = Watchdog("north", lambda *message: sent.append(message), 60, 1_000)
    for now_ms in (1_000, 60_999, 61_000, 61_500, 121_000):
        dog.look(now_ms)
    assert [read_beat(topic, payload) for topic, payload, _ in sent] == [("north", 61_000), ("north", 121_000)]
    assert {qos for _, _, qos in sent} == {1}


def test_what_is_no_beat() -> None:
    assert read_beat("city/v1/demo/gas_alarm/gas-1/event", b'{"at":1}') is None
    assert read_beat(topic_of("main"), b"woof") is None
    assert read_beat(topic_of("main"), b'{"at":"now"}') is None


@pytest.mark.parametrize("at", ["9" * 300, "-" + "9" * 300, "1" + "0" * 13, "-1"])
def test_no_number_anybody_sends_there_stops_the_pipeline(site: Site, at: str) -> None:
    record = Record(1, T_MS, topic_of("main"), b'{"at":%b}' % at.encode())
    outcome = Decoder(site, Unregistered()).outcome(record)
    assert (outcome.fate, outcome.own) == ("quarantined", {})


def test_a_clock_set_back_does_not_put_it_off() -> None:
    sent: list[tuple[str, bytes, int]] = []
    dog = Watchdog("north", lambda *message: sent.append(message), 60, 10_000_000)
    for now_ms in (10_060_000, 5_000_000, 5_030_000, 5_060_000):
        dog.look(now_ms)
    assert [read_beat(*message[:2]) for message in sent] == [("north", at) for at in (10_060_000, 5_000_000, 5_060_000)]


def test_it_is_an_alarm_of_the_real_path(make_collector: MakeCollector, mosquitto: Mosquitto) -> None:
    """It is journaled, counted as the collector's own message, judged, written, and closed; nonsense is quarantined."""
    collector = make_collector(mosquitto.port, "embedded")
    collector.watched(0.3)
    collector.connected()
    collector.wait(lambda: (collector.data / "alarms.db").exists() and len(beats(collector)) >= 3)
    assert collector.stop() == 0
    found = beats(collector)
    assert set(found) == {("collector-main", True)}
    sent = [record for record in collector.journaled() if record.topic != TICK]
    assert {record.topic for record in sent} == {topic_of("main")}
    ledger = collector.ledger()
    assert (ledger.decoded, ledger.quarantined, ledger.produced) == (len(sent), 0, 0)
    assert collector.counted("messages")[("collector", "collector-main")][0] == len(sent) == len(found)
