"""kill -9 at random moments: the counts of every device are exact, of messages and of stored readings."""

import random
import sqlite3
import threading
import time
from collections import Counter

import pytest

from ingest.counts import Key
from ingest.ledger import DECODED, DUPLICATE, PRODUCED, QUARANTINED, REFUSED, STORED
from ingest.records import TICK
from tests.ingest.collector import Collector
from tests.ingest.conftest import MakeCollector, store_url
from tests.ingest.counting import per_device
from tests.ingest.messages import Message, gas, native
from tests.ingest.publisher import Publisher
from tests.servers.influxdb import Influx
from tests.servers.mosquitto import Mosquitto

KILLS = 4
TOTAL = 8_000
NOW_MS = time.time_ns() // 1_000_000 - 3_600_000


def day(seed: int) -> list[Message]:
    """Return messages of registered and other devices, some twice, some that cannot be read."""
    chance = random.Random(seed)
    messages: list[Message] = []
    while len(messages) < TOTAL:
        n = len(messages)
        sort = chance.choices(["gas", "pole", "stranger", "rubbish", "wrong"], [50, 20, 20, 5, 5])[0]
        if sort == "gas":
            messages.append(gas(f"gas-{1 + n % 2}", n % 9, id=f"g{n}", ts=NOW_MS + n))
        elif sort == "pole":
            data = {"dim_pct": n % 100, "pm25_ugm3": 12}
            messages.append(native("light_pole", "pole-1", data, id=f"p{n}", ts=NOW_MS + n))
        elif sort == "stranger":
            messages.append(native("refuse_truck", f"t-{n % 300}", {"load_kg": n}, id=f"t{n}", ts=NOW_MS + n))
        elif sort == "rubbish":
            messages.append((f"city/v1/demo/gas_alarm/gas-{1 + n % 2}/telemetry", b"{%d" % n))
        else:
            messages.append((f"city/v1/demo/submarine/made-up-{n % 50}/telemetry", b"{}"))
        if chance.random() < 0.1:
            messages.append(messages[-1])
    return messages


def of_journal(collector: Collector) -> Counter[str]:
    """Return how many messages of each device the journal holds, by their topics."""
    return Counter(record.topic.split("/")[4] for record in collector.journaled() if record.topic != TICK)


def by_device(counted: dict[Key, list[int]], *columns: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for (_, device), numbers in counted.items():
        found[device] += sum(numbers[column] for column in columns)
    return +found


@pytest.mark.slow
@pytest.mark.parametrize("store", ["embedded", "influx"])
def test_kills_leave_the_counts_of_every_device_exact(
    make_collector: MakeCollector, mosquitto: Mosquitto, influx: Influx, store: str
) -> None:
    collector = make_collector(mosquitto.port, "embedded" if store == "embedded" else store_url(influx))
    messages, chance, stopping = day(7), random.Random(7), threading.Event()
    collector.connected()
    publisher = Publisher(mosquitto.port)
    thread = threading.Thread(target=publisher.pace, args=(messages, 1_500, stopping))
    thread.start()
    try:
        for moment in sorted(chance.sample(range(500, TOTAL - 500), KILLS)):
            collector.wait(lambda moment=moment: publisher.confirmed >= moment)
            collector.kill()
            collector.start()
        thread.join()
        publisher.drained()
    finally:
        stopping.set()
        thread.join()
        publisher.close()
    distinct = Counter(topic.split("/")[4] for topic, payload in set(messages) if b'"data"' in payload)
    readings = Counter({device: 2 * n if device == "pole-1" else n for device, n in distinct.items()})

    def settled() -> bool:
        journaled = of_journal(collector)
        return (
            collector.ledger().decoded == sum(distinct.values())
            and by_device(collector.counted("messages"), DECODED, QUARANTINED, DUPLICATE) == journaled
            and by_device(collector.counted("store"), STORED) == readings
        )

    collector.wait(settled)
    counted, stored = collector.counted("messages"), collector.counted("store")
    assert by_device(counted, DECODED) == distinct
    assert by_device(counted, PRODUCED) == by_device(stored, STORED, REFUSED) == readings
    # A registered device has all its messages in one row, whether they could be read or not.
    assert {kind for kind, device in counted if device == "gas-1"} == {"gas_alarm"}
    assert {kind for kind, device in counted if device.startswith("made-up")} == {""}
    ledger = collector.ledger()
    for column, total in ((DECODED, ledger.decoded), (QUARANTINED, ledger.quarantined), (DUPLICATE, ledger.duplicate)):
        assert sum(numbers[column] for numbers in counted.values()) == total
    assert collector.stop() == 0
    truly = {device: n for device, n in distinct.items() if device.startswith("gas-")}
    if store == "influx":
        assert per_device(influx, "gas_alarm") == truly
        return
    with sqlite3.connect(collector.data / "readings.db") as database:
        assert dict(database.execute("SELECT device_id, count(*) FROM gas_alarm GROUP BY 1")) == truly
        assert database.execute("SELECT stored FROM reached").fetchone()[0] == sum(readings.values())
    database.close()
