"""Readings that the store refused are written again once it takes them: all, once, and over kills."""

import json
import time

import pytest

from ingest.checkpoint import Checkpoint
from ingest.quarantine import Quarantined
from ingest.records import RETRY, TICK
from ingest.store.influx import InfluxStore
from tests.ingest.collector import Collector
from tests.ingest.conftest import MakeCollector, store_url
from tests.ingest.counting import per_device
from tests.ingest.messages import T_MS, gas, native
from tests.ingest.publisher import Publisher
from tests.ingest.quarantine_command import command, times_of
from tests.ingest.test_stores import reading
from tests.servers.influxdb import Influx
from tests.servers.mosquitto import Mosquitto
from tests.sites import small_site

# Of this hour, or the collector would find it expired.
NOW_MS = time.time_ns() // 1_000_000 - 3_600_000
# Small batches, and a moment between what the database took and the note of it: there most of the kills come.
SLOW_TRIALS = """
import time
from ingest import refused
from ingest.checkpoint import Checkpoint
refused._BATCH = 100
save = Checkpoint.save_stored
Checkpoint.save_stored = lambda self, *more: (time.sleep(0.05), save(self, *more))[1]
"""


def type_taken(influx: Influx, collector: Collector, field: str) -> None:
    """Let the database hold a text where a field has numbers: from now on it refuses those."""
    opened = InfluxStore(store_url(influx), small_site(collector.data.parent).catalog)
    opened.write([reading({field: "plenty"}, NOW_MS - 1, "gas-9")], 1)
    opened.close()


def test_readings_that_the_store_refused_are_written_again(
    collector: Collector, publisher: Publisher, influx: Influx
) -> None:
    """Once the database takes them: the same points, counted as stored; judged and received they were before."""
    type_taken(influx, collector, "conc_pct_lel")
    collector.connected()
    array = [{"ts": NOW_MS + n, "id": f"a{n}", "data": {"conc_pct_lel": 2}} for n in range(5)]
    publisher.publish(
        *(gas(f"gas-{1 + n % 2}", 60, ts=NOW_MS + n, id=f"m{n}") for n in range(40)),
        *(native("gas_alarm", "gas-2", {"temp_c": 20}, ts=NOW_MS + 100 + n, id=f"t{n}") for n in range(10)),
        ("city/v1/demo/gas_alarm/gas-7/telemetry", json.dumps(array).encode()),
    )
    collector.wait(lambda: collector.settled(51))
    groups = {("refused", "gas-1"): 20, ("refused", "gas-2"): 20, ("refused", "gas-7"): 5}
    assert {key: group.count for key, group in collector.quarantine().items()} == groups
    alarms, judged = collector.alarms(), collector.ledger()
    assert "45 of 45 would be written again" in command(collector, "retry", "refused", "--dry-run")[1]
    code, said = command(collector, "retry", "refused")
    assert (code, "0 landed, 45 remain" in said, "conflict" in said) == (0, True, True), said
    assert {key: group.count for key, group in collector.quarantine().items()} == groups
    stored = collector.stored()
    assert (stored.stored, stored.refused) == (10, 45)
    influx.rows("DROP MEASUREMENT gas_alarm")
    code, said = command(collector, "retry", "refused", "gas-7")
    assert (code, "5 landed, 0 remain" in said) == (0, True), said
    assert {key: group.count for key, group in collector.quarantine().items()} == {
        key: count for key, count in groups.items() if key[1] != "gas-7"
    }
    code, said = command(collector, "retry", "refused")
    assert (code, "40 landed, 0 remain" in said) == (0, True), said
    assert collector.quarantine() == {}
    assert per_device(influx, "gas_alarm") == {"gas-1": 20, "gas-2": 20, "gas-7": 5}
    assert times_of(influx, "gas-1") == [NOW_MS + n for n in range(0, 40, 2)]
    stored, counted = collector.stored(), collector.counted("store")
    assert (stored.stored, stored.refused) == (55, 0)
    assert [counted["gas_alarm", f"gas-{n}"] for n in (1, 2, 7)] == [[20, 0], [30, 0], [5, 0]]
    assert (collector.alarms(), collector.ledger()) == (alarms, judged)
    assert [record for record in collector.journaled() if record.topic == RETRY] == []
    assert collector.stop() == 0


@pytest.mark.slow
@pytest.mark.long
def test_kills_while_refused_readings_are_written_again(
    collector: Collector, publisher: Publisher, influx: Influx
) -> None:
    """Whenever the collector dies, none is lost or counted as stored twice; what is refused anew stays."""
    collector.run_after(SLOW_TRIALS)
    type_taken(influx, collector, "conc_pct_lel")
    collector.connected()
    leaks = [gas("gas-2", 60, ts=NOW_MS + n, id=f"m{n}") for n in range(1_500)]
    warm = [
        native("gas_alarm", "gas-1", {"conc_pct_lel": 2, "temp_c": 20}, ts=NOW_MS + n, id=f"w{n}") for n in range(200)
    ]
    # Those that stay lie all along the way.
    said = [message for n, leak in enumerate(leaks) for message in ([leak, warm[n // 10]] if n % 10 == 0 else [leak])]
    said += warm[150:]
    publisher.publish(*said)
    collector.wait(lambda: collector.settled(len(said)))
    assert collector.stored().refused == len(said) == 1_700
    alarms, judged = collector.alarms(), collector.ledger()
    assert collector.stop() == 0

    influx.rows("DROP MEASUREMENT gas_alarm")
    type_taken(influx, collector, "temp_c")
    code, told = command(collector, "retry", "refused")
    assert (code, "next one to start" in told) == (0, True), told
    for kill_at in (150, 500, 1_000, 1_300):
        collector.connected()
        collector.wait(lambda kill_at=kill_at: collector.stored().stored >= kill_at)
        assert [row["state"] for row in collector.requests()] == ["running"], "killed in the middle"
        collector.kill()
    collector.connected()
    (request,) = collector.wait(lambda: [row for row in collector.requests() if row["state"] == "done"])

    assert (request["total"], request["landed"], request["why"]["refused"]["count"]) == (1_700, 1_500, 200)
    assert times_of(influx, "gas-2") == [NOW_MS + n for n in range(1_500)]
    assert times_of(influx, "gas-1") == []
    assert {key: group.count for key, group in collector.quarantine().items()} == {("refused", "gas-1"): 200}
    stored, counted = collector.stored(), collector.counted("store")
    assert (stored.stored, stored.refused) == (1_500, 200)
    assert [counted["gas_alarm", f"gas-{n}"] for n in (1, 2)] == [[0, 200], [1_500, 0]]
    assert (collector.alarms(), collector.ledger()) == (alarms, judged)
    # Each of those that stayed can be tried once more, once.
    influx.rows("DROP MEASUREMENT gas_alarm")
    code, told = command(collector, "retry", "refused")
    assert (code, "200 landed, 0 remain" in told) == (0, True), told
    assert times_of(influx, "gas-1") == [NOW_MS + n for n in range(200)]
    stored = collector.stored()
    assert (stored.stored, stored.refused, collector.quarantine()) == (1_700, 0, {})
    assert collector.stop() == 0


def test_what_the_embedded_store_refused_it_never_holds(
    make_collector: MakeCollector, mosquitto: Mosquitto, publisher: Publisher
) -> None:
    collector = make_collector(mosquitto.port, "embedded")
    collector.connected()
    publisher.publish(gas("gas-1", 1, ts=NOW_MS, id="a"))
    collector.wait(lambda: collector.settled(1))
    checkpoint = Checkpoint(collector.data / "checkpoint.db")
    position = next(record.position for record in collector.journaled() if record.topic != TICK)
    found = Quarantined(position, T_MS, "refused", "gas-1", "gas_alarm", "beyond 64 bits", "gas_alarm", "gas-1")
    checkpoint.save_stored(collector.stored(), [found])
    checkpoint.close()
    code, said = command(collector, "retry", "refused")
    assert (code, "cannot hold; nothing was tried" in said) == (1, True), said
