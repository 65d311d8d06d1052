"""Metrics of one collector: what is observed once a batch, figures read when asked, and direct scrapes."""

import socket
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from ingest.metrics import Figures, Meters
from ingest.quarantine import Quarantined
from tests.ingest.conftest import MakeCollector
from tests.ingest.publisher import Publisher
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import free_port
from tests.servers.waiting import wait_until

LEDGER = {
    "messages": {"received": 12, "journaled": 11, "decoded": 7, "quarantined": 3, "duplicate": 1},
    "readings": {"produced": 70, "stored": 50, "refused": 5, "waiting": 15},
    "lag_s": {"store": 2.5, "alarms": 0.25},
    "unknown_keys": {"gas_alarm": 4},
}


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return every sample by name and the values of its labels."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_latency_is_that_of_the_oldest_record() -> None:
    """From the receive time to now, by the clock that was given; a clock that went back counts as no time."""
    meters = Meters(lambda: 10_000)
    meters.judged(9_970)
    meters.judged(10_500)
    meters.stored(4_000, 700)
    told = samples(meters.text())
    assert told["citydeck_journaled_to_judged_seconds_sum", ()] == 0.03
    assert told["citydeck_journaled_to_judged_seconds_bucket", ("0.02",)] == 1
    assert told["citydeck_journaled_to_judged_seconds_bucket", ("0.05",)] == 2
    assert told["citydeck_journaled_to_stored_seconds_bucket", ("5.0",)] == 0
    assert told["citydeck_journaled_to_stored_seconds_bucket", ("10.0",)] == 1
    assert told["citydeck_store_batch_readings_sum", ()] == 700


def test_figures_are_read_when_asked(tmp_path: Path) -> None:
    """Totals are those of the ledger at that moment."""
    (tmp_path / "1.db").write_bytes(b"x" * 1000)
    meters = Meters(lambda: 0)
    meters.watch(lambda: Figures(LEDGER, True, 3, 1, tmp_path))
    told = samples(meters.text())
    for part, key in (("messages", "received"), ("messages", "journaled"), ("readings", "stored")):
        assert told[f"citydeck_{part}_{key}_total", ()] == LEDGER[part][key]
    assert told["citydeck_store_lag_seconds", ()] == 2.5
    assert told["citydeck_readings_waiting", ()] == 15
    assert told["citydeck_broker_reconnects_total", ()] == 2
    assert told["citydeck_journal_bytes", ()] == 1000
    assert told["citydeck_unknown_keys_total", ("gas_alarm",)] == 4
    assert told["citydeck_disk_used_bytes", ()] < told["citydeck_disk_size_bytes", ()]
    assert not [name for name, _ in told if name.endswith("_created")]


def test_a_disk_that_is_gone_leaves_out_its_own_figures_alone(tmp_path: Path) -> None:
    meters = Meters(lambda: 0)
    folder = tmp_path / "journal"
    meters.watch(lambda: Figures(LEDGER, True, 1, 0, folder))
    told = samples(meters.text())
    of_disk = {("citydeck_journal_bytes", ()), ("citydeck_disk_used_bytes", ()), ("citydeck_disk_size_bytes", ())}
    assert told["citydeck_messages_received_total", ()] == 12
    assert not of_disk & told.keys()
    folder.mkdir()
    again = samples(meters.text())
    assert of_disk < again.keys() and told.keys() < again.keys()


def test_quarantine_is_counted_by_reason(tmp_path: Path) -> None:
    """Each batch adds to its reasons; what is in quarantine now is the ledger's figure."""
    meters = Meters(lambda: 0)
    meters.watch(lambda: Figures(LEDGER, True, 1, 0, tmp_path))
    meters.quarantined([_item(1, "json"), _item(2, "topic")])
    meters.quarantined([_item(3, "json")])
    told = samples(meters.text())
    found = {labels: value for (name, labels), value in told.items() if name == "citydeck_messages_quarantined_total"}
    assert found == {("json",): 2, ("topic",): 1}
    assert told["citydeck_quarantine_messages", ()] == 3


def _item(position: int, reason: str) -> Quarantined:
    return Quarantined(position, 0, reason, "gas-1", "topic", "sentence")


def test_direct_scrapes(make_collector: MakeCollector, mosquitto: Mosquitto, publisher: Publisher) -> None:
    """`--metrics-port` answers for one collector; the ledger's figures go on after a restart."""
    port = free_port()
    collector = make_collector(mosquitto.port, "embedded")
    collector.options("--metrics-port", str(port))

    def quarantined() -> float | None:
        return samples(httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text).get(
            ("citydeck_quarantine_messages", ())
        )

    collector.connected()
    publisher.publish(*[("city/v1/demo/gas_alarm/gas-1/telemetry", b"{%d" % i) for i in range(3)])
    collector.wait(lambda: quarantined() == 3)
    assert collector.stop() == 0
    collector.connected()
    publisher.publish(("city/v1/demo/gas_alarm/gas-1/telemetry", b"{again"))
    collector.wait(lambda: quarantined() == 4)
    assert collector.stop() == 0


def test_a_taken_port_is_told_before_anything_is_collected(make_collector: MakeCollector, mosquitto: Mosquitto) -> None:
    """One sentence, and an exit code."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        collector = make_collector(mosquitto.port, "embedded")
        collector.options("--metrics-port", str(port))
        collector.start()
        assert collector.ended() == 1
    wait_until(lambda: collector.lines(f"--metrics-port {port}: cannot listen on 127.0.0.1:{port}", "another port"))
