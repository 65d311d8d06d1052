"""The collector as a real process, between a real mosquitto and a real InfluxDB."""

import time
from pathlib import Path

import pytest

from devices.catalog import load_catalog
from devices.site import Site
from ingest.decoding import NEW_PER_HOUR
from ingest.live import ASK, ROOT, unsealed
from ingest.records import TICK
from ingest.store import SqliteStore
from ingest.store.influx import InfluxStore
from ingest.watchdog import topic_of
from tests.ingest.collector import Collector
from tests.ingest.conftest import MakeCollector, store_url
from tests.ingest.counting import per_device, per_measurement
from tests.ingest.messages import T_MS, Message, dji, gas, hj212, native, passage
from tests.ingest.publisher import Listener, Publisher
from tests.ingest.test_decoding import POISON, UNREADABLE
from tests.ingest.test_stores import reading
from tests.servers.influxdb import Influx
from tests.servers.mosquitto import Mosquitto
from tests.servers.waiting import wait_until

SUBSCRIBED = ("city/v1/", "thing/product/", "hj212/")


def of_all_kinds(count: int, base_ms: int = T_MS) -> tuple[list[Message], dict[str, int]]:
    """Return so many messages of each sort, and the points they make."""
    messages: list[Message] = []
    for n in range(count):
        ts, number = base_ms + n * 10, {"id": f"m{n}"}
        stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(base_ms // 1000 + 8 * 3600 + 1000 + n))
        messages += [
            gas(f"gas-{1 + n % 2}", n % 20, ts=ts, **number),
            native("gateway", "gw-1", {"children": n}, ts=ts, seq=n),
            native("light_pole", "pole-1", {"dim_pct": n % 100, "pm25_ugm3": 20}, ts=ts, **number),
            native("drone", "drone-1", {"batt_pct": 80, "speed_mps": n % 2 or 0.5}, ts=ts, **number),
            native("drone_dock", "dock-1", {"cover": 0, "wind_mps": 2}, ts=ts, **number),
            native("refuse_truck", "truck-1", {"load_kg": n, "lat": 30.3, "lon": 120.1}, ts=ts, **number),
            native("refuse_truck", "truck-1", {"lift_id": f"l{n}", "net_kg": 60}, "event", ts=ts, **number),
            native("bridge_wim", "wim-1", {"uptime_s": n, "temp_c": 30}, ts=ts, **number),
            passage("wim-1", f"a{n}", ts),
            passage("wim-1", f"b{n}", ts),
            dji("4TADCDK001", {"latitude": 30.1, "longitude": 120.1}, tid=f"t{n}", timestamp=ts),
            hj212("MN0001", f"LA-Rtd={40 + n % 20}", stamp),
        ]
    points = dict.fromkeys(("gas_alarm", "gateway", "light_pole", "drone_dock", "refuse_truck", "bin_lift"), count)
    points |= {"wim_health": count, "wim_pass": 2 * count, "drone": 2 * count, "pole_env": 2 * count}
    return messages, points


def test_what_is_published_is_what_is_stored(collector: Collector, publisher: Publisher, influx: Influx) -> None:
    messages, points = of_all_kinds(200)
    collector.connected()
    publisher.publish(*messages)
    collector.wait(lambda: collector.settled(len(messages)))
    assert per_measurement(influx) == points
    assert per_device(influx, "gas_alarm") == {"gas-1": 100, "gas-2": 100}
    ledger = collector.ledger()
    assert (ledger.decoded, ledger.quarantined, ledger.duplicate) == (len(messages), 0, 0)
    assert ledger.produced == sum(points.values())
    assert collector.stop() == 0
    assert len([r for r in collector.journaled() if r.topic != TICK]) == len(messages)
    assert collector.lines("WARNING") == collector.lines("ERROR") == []


def test_the_ledger_and_the_city_on_the_live_topics(
    collector: Collector, publisher: Publisher, mosquitto: Mosquitto
) -> None:
    live = Listener(mosquitto.port, f"{ROOT}/+/#")
    collector.connected()
    publisher.publish(gas("gas-1", 60, ts=T_MS, id="a"), gas("gas-1", 60, ts=T_MS, id="a"), ("city/v1/x", b""))
    collector.wait(lambda: collector.settled(3))
    secret = (collector.data / "secret").read_bytes()

    def told(topic: str) -> list[dict]:  # type: ignore[type-arg]
        found = [unsealed(payload, secret) for name, payload in live.heard if name == f"{ROOT}/main/{topic}"]
        assert None not in found
        return found  # type: ignore[return-value]

    def balanced() -> bool:
        ledger = told("ledger")[-1]["ledger"] if told("ledger") else {"messages": {}, "readings": {}}
        return (ledger["messages"], ledger["readings"]) == (
            {"received": 3, "journaled": 3, "decoded": 1, "quarantined": 1, "duplicate": 1},
            {"produced": 1, "stored": 1, "refused": 0, "waiting": 0},
        ) and ledger["lag_s"]["store"] == 0

    collector.wait(balanced)
    assert [len(document["items"]) for document in told("alarm")] == [1]
    publisher.publish((ASK, b""))
    collector.wait(lambda: told("snapshot_end"))
    assert told("snapshot_end")[0]["devices_total"] == 8
    live.close()
    devices: dict[str, dict[str, object]] = {}
    for document in told("values"):
        devices.update(document["devices"])
    assert devices["gas-1"]["rows"] == {"gas_alarm": [{"conc_pct_lel": 60.0}, T_MS, 0, {}]}


def test_broken_input_of_every_sort_costs_nothing_else(
    collector: Collector, publisher: Publisher, influx: Influx
) -> None:
    broken = [(message, reason) for _, message, reason in UNREADABLE] + [(message, "") for _, message in POISON]
    # Topics outside the subscriptions never arrive.
    broken = [(m, reason) for m, reason in broken if m[0].startswith(SUBSCRIBED)]
    collector.connected()
    for n, (message, _) in enumerate(broken):
        publisher.send([gas("gas-2", 1, ts=T_MS + n, id=f"g{n}"), message])
    publisher.drained()
    collector.wait(lambda: collector.settled(2 * len(broken)))
    assert per_device(influx, "gas_alarm") == {"gas-2": len(broken)}
    ledger = collector.ledger()
    assert (ledger.decoded, ledger.quarantined) == (len(broken), len(broken))
    groups = collector.quarantine()
    assert sum(group.count for group in groups.values()) == len(broken)
    assert {reason for _, reason in broken if reason} <= {reason for reason, _ in groups}
    journal = {record.position: (record.topic, record.payload) for record in collector.journaled()}
    kept = [sample for reason, device in groups for sample in collector.samples(reason, device)]
    assert sorted(journal[sample.position] for sample in kept) == sorted(message for message, _ in broken)
    assert all(journal[sample.position][0].startswith(sample.topic[:500]) and sample.sentence for sample in kept)
    assert collector.stop() == 0


def test_a_flood_of_strangers_and_of_rubbish_is_bounded(
    collector: Collector, publisher: Publisher, influx: Influx
) -> None:
    strangers = [gas(f"new-{n}", 1, ts=T_MS, id="a") for n in range(NEW_PER_HOUR + 50)]
    rubbish = [("city/v1/demo/gas_alarm/gas-1/telemetry", b"{%d" % n) for n in range(300)]
    collector.connected()
    publisher.publish(*strangers, *rubbish)
    collector.wait(lambda: collector.settled(len(strangers) + len(rubbish)))
    groups = collector.quarantine()
    assert groups["json", "gas-1"].count == 300
    assert len(collector.samples("json", "gas-1")) == 100
    assert sum(group.count for (reason, _), group in groups.items() if reason == "unregistered") == 50
    assert len(per_device(influx, "gas_alarm")) == NEW_PER_HOUR
    # A restart within the hour does not open the door again, and the store does not get them by reading once more.
    collector.kill()
    collector.connected()
    publisher.publish(*(gas(f"late-{n}", 1, ts=T_MS, id="a") for n in range(5)))
    collector.wait(lambda: collector.settled(len(strangers) + 305))
    assert len(per_device(influx, "gas_alarm")) in (NEW_PER_HOUR, NEW_PER_HOUR + 5)  # the hour may have turned
    assert collector.stop() == 0


def test_a_line_the_database_refuses_goes_to_quarantine_with_its_words(
    collector: Collector, publisher: Publisher, influx: Influx, site: Site
) -> None:
    store = InfluxStore(store_url(influx), site.catalog)
    store.write([reading({"temp_c": "warm"}, T_MS, "somebody-else")], 1)
    store.close()
    messages = [gas("gas-1", 1, ts=T_MS + n, id=f"a{n}") for n in range(1000)]
    messages[637] = native("gas_alarm", "gas-1", {"temp_c": 21.5}, ts=T_MS + 637, id="poison")
    collector.connected()
    publisher.publish(*messages)
    collector.wait(lambda: collector.settled(1000))
    assert per_device(influx, "gas_alarm") == {"gas-1": 999, "somebody-else": 1}
    stored = collector.stored()
    assert (stored.stored, stored.refused, collector.ledger().produced) == (999, 1, 1000)
    ((key, group),) = collector.quarantine().items()
    assert (key, group.count) == (("refused", "gas-1"), 1)
    assert "field type conflict" in group.sentence
    (sample,) = collector.samples("refused", "gas-1")
    (record,) = [record for record in collector.journaled() if record.position == sample.position]
    assert (record.topic, record.payload) == messages[637]


def test_it_stops_in_order_and_goes_on_where_it_was(collector: Collector, publisher: Publisher, influx: Influx) -> None:
    for round_ in range(3):
        collector.connected()
        publisher.publish(*(gas("gas-1", 1, ts=T_MS + n, id=f"a{n}") for n in range(round_ * 100, round_ * 100 + 100)))
        collector.wait(lambda round_=round_: collector.settled(100 + round_ * 100))
        assert collector.stop() == 0
    assert per_device(influx, "gas_alarm") == {"gas-1": 300}
    assert len(collector.lines("broker connected", "session=resumed")) == 2
    assert collector.ledger().decoded == 300
    assert "Traceback" not in collector.log


def test_the_embedded_store_keeps_the_same_promise(
    make_collector: MakeCollector, mosquitto: Mosquitto, publisher: Publisher
) -> None:
    collector = make_collector(mosquitto.port, "embedded")
    # Of these days, for what is older than the retention is dropped at the start.
    messages, points = of_all_kinds(50, time.time_ns() // 1_000_000 - 3_600_000)
    collector.connected()
    publisher.publish(*messages[:300])
    collector.wait(lambda: collector.ledger().decoded >= 300)
    collector.kill()
    collector.connected()
    publisher.publish(*messages[300:])
    store = SqliteStore(collector.data / "readings.db", load_catalog())
    collector.wait(lambda: store.position()[1] >= sum(points.values()))
    assert {name: len(store.rows(name, [], 10_000)) for name in points} == points
    assert collector.stop() == 0
    assert store.position()[1:] == (collector.ledger().produced, 0)
    store.close()


FAULTS = [
    ("journal", "but the checkpoint is at"),
    ("journal checkpoint.db checkpoint.db-wal checkpoint.db-shm", "but the alarm database is at"),
]  # fmt: skip


@pytest.mark.parametrize(("lost", "sentence"), FAULTS)
def test_a_lost_journal_is_one_sentence_and_not_a_silent_city(
    collector: Collector, publisher: Publisher, lost: str, sentence: str
) -> None:
    collector.connected()
    publisher.publish(*(gas("gas-1", 60, ts=T_MS + n, id=f"a{n}") for n in range(50)))
    collector.wait(lambda: collector.settled(50))
    assert collector.stop() == 0
    for name in lost.split():
        if (collector.data / name).exists():
            (collector.data / name).rename(collector.data / f"lost-{name}")
    collector.start()
    assert collector.ended() == 1
    (line,) = collector.lines("citydeck ingest:")
    assert f"the journal ends at position 0, {sentence}" in line
    assert "Traceback" not in collector.log


def test_a_site_file_with_mistakes_is_refused_before_any_connection(collector: Collector, mosquitto: Mosquitto) -> None:
    text = collector.site_file.read_text(encoding="utf-8")
    collector.site_file.write_text(
        text.replace('kind = "drone"', 'kind = "dron"').replace("30.32", '"north"'), encoding="utf-8"
    )
    collector.start()
    assert collector.ended() == 1
    assert collector.lines("2 faults")
    assert collector.lines("did you mean 'drone'?")
    assert not collector.data.exists()
    assert "Traceback" not in collector.log


def test_a_shard_that_is_none_is_one_sentence(
    make_collector: MakeCollector, mosquitto: Mosquitto, influx: Influx
) -> None:
    collector = make_collector(mosquitto.port, store_url(influx))
    collector.options("--shard", "north")
    collector.start()
    assert collector.ended() == 1
    assert collector.log.strip().endswith("citydeck ingest: the site has no shard 'north'; it has none")


def test_a_whole_city_is_quiet_in_the_log(collector: Collector, publisher: Publisher) -> None:
    """Rates are counters, not lines."""
    collector.connected()
    messages, _ = of_all_kinds(100)
    publisher.publish(*messages)
    collector.wait(lambda: collector.settled(len(messages)))
    wait_until(lambda: collector.stop() == 0)
    assert len(collector.log.splitlines()) == 3, collector.log


def test_a_clock_set_back_by_an_hour_stops_nothing(
    tmp_path: Path, collector: Collector, publisher: Publisher, influx: Influx
) -> None:
    """Receive times stand still then; what is saved and told each second must not."""
    behind = tmp_path / "behind_s"
    behind.write_text("0")
    collector.run_after(
        "import pathlib, time\n"
        "real_ns = time.time_ns\n"
        f"time.time_ns = lambda: real_ns() - int(pathlib.Path({str(behind)!r}).read_text() or 0) * 10**9"
    )
    collector.connected()
    publisher.publish(gas("gas-1", 1, seq=0, ts=T_MS))
    collector.wait(lambda: collector.settled(1))
    behind.write_text("3600")
    collector.wait(lambda: collector.lines("the clock of this machine is", "behind the journal"))
    publisher.publish(*(gas("gas-1", 1, seq=n, ts=T_MS + n) for n in range(1, 6)))
    collector.wait(lambda: collector.settled(6))
    assert per_measurement(influx) == {"gas_alarm": 6}
    received = [record.received_ms for record in collector.journaled()]
    assert received == sorted(received)
    assert collector.stop() == 0


def test_no_beat_that_somebody_made_up_stops_the_collector(collector: Collector, publisher: Publisher) -> None:
    """It would stop every restart as well: the message stands in the journal."""
    collector.connected()
    publisher.publish((topic_of("main"), b'{"at":-%b}' % (b"9" * 300)), gas("gas-1", 1))
    collector.wait(lambda: collector.settled(2))
    assert {key: group.count for key, group in collector.quarantine().items()} == {("topic", "watchdog"): 1}
    assert collector.stop() == 0
