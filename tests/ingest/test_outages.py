"""Whatever is away, nothing is lost: the store, the token, the bucket, the broker, the password."""

import threading
from typing import Any

import pytest

from ingest.records import TICK, read_tick
from tests.ingest.collector import Collector
from tests.ingest.conftest import MakeCollector, store_url
from tests.ingest.counting import per_device
from tests.ingest.messages import T_MS, Message, gas
from tests.ingest.publisher import Publisher
from tests.servers.answering import answering
from tests.servers.influxdb import Influx
from tests.servers.mosquitto import Mosquitto


def some(start: int, count: int, conc: float = 1, device: str = "gas-1") -> list[Message]:
    return [gas(device, conc, ts=T_MS + n, id=f"a{n}") for n in range(start, start + count)]


def waiting(collector: Collector) -> int:
    stored = collector.stored()
    return collector.ledger().produced - stored.stored - stored.refused


def test_a_store_that_is_down_only_makes_readings_wait(
    collector: Collector, publisher: Publisher, influx: Influx
) -> None:
    influx.kill()
    collector.connected()
    publisher.publish(*some(0, 1000))
    collector.wait(lambda: waiting(collector) == 1000)
    publisher.publish(*some(0, 10, 60, "gas-2"))
    collector.wait(lambda: collector.alarms() == [("gas-2/conc_pct_lel.high", 2)])
    collector.wait(lambda: waiting(collector) == 1010)
    (line,) = collector.lines("WARNING")
    assert line.endswith(f"InfluxDB at {influx.url} answers 502: Bad Gateway; readings wait in the journal")
    influx.start()
    collector.wait(lambda: collector.settled(1010))
    assert per_device(influx, "gas_alarm") == {"gas-1": 1000, "gas-2": 10}
    assert collector.lines("store takes readings again")

    influx.kill()
    publisher.publish(*some(1000, 500), *some(10, 10, 1, "gas-2"))
    collector.wait(lambda: waiting(collector) == 510)
    collector.kill()
    collector.connected()
    publisher.publish(*some(1500, 500))
    collector.wait(lambda: waiting(collector) == 1010)
    assert collector.stop() == 0, "an outage does not keep it from stopping"
    collector.connected()
    influx.start()
    collector.wait(lambda: collector.settled(2020))
    assert per_device(influx, "gas_alarm") == {"gas-1": 2000, "gas-2": 20}
    ledger, stored = collector.ledger(), collector.stored()
    # What was saved when it was killed may not have been acknowledged yet: then it came again, as a repeat.
    assert (ledger.decoded, ledger.quarantined) == (2020, 0)
    assert (ledger.produced, stored.stored, stored.refused) == (2020, 2020, 0)
    assert len(collector.alarms()) == 1


def test_a_long_outage_is_caught_up_from_the_journal(
    make_collector: MakeCollector, mosquitto: Mosquitto, publisher: Publisher, influx: Influx
) -> None:
    """More than is kept in memory: what was dropped there is read again from the journal."""
    collector = make_collector(mosquitto.port, store_url(influx))
    collector.run_after("import ingest.handed; ingest.handed._LIMIT = 500")
    influx.kill()
    collector.connected()
    for start in range(0, 6000, 1000):
        publisher.publish(*some(start, 1000), *some(start, 500))
        collector.wait(lambda start=start: collector.ledger().decoded >= start + 1000)
    influx.start()
    collector.wait(lambda: collector.settled(9000))
    assert collector.lines("store is behind, reading the journal again")
    assert per_device(influx, "gas_alarm") == {"gas-1": 6000}
    ledger, stored = collector.ledger(), collector.stored()
    assert (ledger.decoded, ledger.duplicate, ledger.produced, stored.stored) == (6000, 3000, 6000, 6000)


ANSWERS = [
    (401, b'{"message":"unauthorized access"}', "refuses the token (401); check CITYDECK_INFLUX_TOKEN"),
    (500, b'{"error":"timeout"}', "answers 500: timeout"),
]


@pytest.mark.parametrize(("status", "body", "sentence"), ANSWERS)
def test_a_store_that_refuses_is_one_sentence_and_the_data_wait(
    make_collector: MakeCollector, mosquitto: Mosquitto, publisher: Publisher, status: int, body: bytes, sentence: str
) -> None:
    mended, asked = threading.Event(), []

    def answer(request: Any) -> tuple[int, bytes]:
        asked.append(request.headers["Authorization"])
        return (204, b"") if mended.is_set() else (status, body)

    with answering(answer) as address:
        collector = make_collector(
            mosquitto.port, f"{address}?org=o&bucket=b", env={"CITYDECK_INFLUX_TOKEN": "not-this"}
        )
        collector.connected()
        publisher.publish(*some(0, 100), *some(0, 1, 60, "gas-2"))
        collector.wait(lambda: len(asked) >= 3)
        collector.wait(lambda: waiting(collector) == 101)
        assert collector.alarms() == [("gas-2/conc_pct_lel.high", 2)]
        (line,) = collector.lines("WARNING")
        assert line.endswith(f"InfluxDB at {address} {sentence}; readings wait in the journal")
        assert "not-this" not in collector.log
        mended.set()
        collector.wait(lambda: collector.settled(101))
        assert set(asked) == {"Token not-this"}
        assert collector.stop() == 0


def test_a_bucket_that_is_not_there_yet_is_one_sentence(
    make_collector: MakeCollector, mosquitto: Mosquitto, publisher: Publisher, influx: Influx
) -> None:
    name = f"{influx.database}_late"
    collector = make_collector(mosquitto.port, f"{influx.url}?org=o&bucket={name}")
    collector.connected()
    publisher.publish(*some(0, 100))
    collector.wait(lambda: waiting(collector) == 100 and collector.lines("WARNING"))
    (line,) = collector.lines("WARNING")
    assert line.endswith(
        f"InfluxDB at {influx.url} has no bucket '{name}' (404); create it or mend store.url; "
        "readings wait in the journal"
    )
    influx.create_database(name)
    collector.wait(lambda: collector.settled(100))
    (row,) = influx.rows("SELECT count(quality) FROM gas_alarm", name)
    influx.drop_database(name)
    assert row["count"] == 100


def test_a_broker_that_is_down_at_the_start_and_goes_away_later(
    make_collector: MakeCollector, mosquitto: Mosquitto, influx: Influx
) -> None:
    collector = make_collector(mosquitto.port, store_url(influx))
    mosquitto.stop()
    collector.start()
    collector.wait(lambda: collector.lines("does not answer; trying again for ever"))
    mosquitto.start()
    collector.wait(lambda: collector.lines("broker connected", "session=new"))
    for round_ in range(1, 3):
        publisher = Publisher(mosquitto.port)
        publisher.send(some(round_ * 1000, 1000))
        publisher.drained()
        publisher.close()
        # In order, so that the broker keeps what it has accepted and the collector has not acknowledged.
        mosquitto.restart()
        collector.wait(lambda round_=round_: len(collector.lines("session=resumed")) == round_)
    # What the broker sends once more counts as a message: only the decoded ones tell that all are here.
    collector.wait(lambda: collector.ledger().decoded >= 2000 and collector.settled(2000))
    assert per_device(influx, "gas_alarm") == {"gas-1": 2000}
    assert collector.ledger().produced == 2000
    assert len(collector.lines("is gone")) == 2
    assert collector.stop() == 0


def test_what_is_published_while_it_is_away_is_kept_by_the_broker_over_a_restart(
    collector: Collector, mosquitto: Mosquitto, influx: Influx
) -> None:
    collector.connected()
    collector.kill()
    publisher = Publisher(mosquitto.port)
    publisher.publish(*some(0, 3000))
    publisher.close()
    mosquitto.restart()
    collector.connected()
    collector.wait(lambda: collector.settled(3000))
    assert per_device(influx, "gas_alarm") == {"gas-1": 3000}


def test_a_wrong_password_of_the_broker_is_one_sentence(
    make_collector: MakeCollector, guarded_mosquitto: Mosquitto, influx: Influx
) -> None:
    secrets = {"CITYDECK_MQTT_USER": "citydeck", "CITYDECK_MQTT_PASSWORD": "not-this"}
    collector = make_collector(guarded_mosquitto.port, store_url(influx), env=secrets)
    collector.start()
    collector.wait(lambda: collector.lines("WARNING"))
    # Ticks go on, one a second: after some of them it has tried again.
    collector.wait(lambda: len(collector.journaled()) >= 4)
    assert collector.stop() == 0
    (line,) = collector.lines("WARNING")
    assert line.endswith(
        f"broker 127.0.0.1:{guarded_mosquitto.port} refuses the connection: Not authorized; "
        "check CITYDECK_MQTT_USER and CITYDECK_MQTT_PASSWORD"
    )
    assert {(record.topic, read_tick(record.payload)[0]) for record in collector.journaled()} == {(TICK, False)}
    assert "not-this" not in collector.log

    collector.env |= {"CITYDECK_MQTT_USER": "citydeck", "CITYDECK_MQTT_PASSWORD": "right"}
    collector.connected()
    publisher = Publisher(guarded_mosquitto.port, "citydeck", "right")
    publisher.publish(*some(0, 10))
    publisher.close()
    collector.wait(lambda: collector.settled(10))
