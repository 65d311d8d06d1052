"""kill -9 at any moment, again and again: nothing is lost and nothing is doubled, counted in InfluxDB."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from ingest.records import TICK
from tests.ingest.collector import Collector
from tests.ingest.counting import per_device
from tests.ingest.messages import T_MS, Message, gas, native, passage
from tests.ingest.publisher import Publisher
from tests.servers.influxdb import Influx
from tests.servers.mosquitto import Mosquitto

ROUNDS = 8
PER_S = 2_000
# Most of the time something has arrived and is not yet durable: a kill then finds what was acknowledged too early.
SLOW_DISK = """
import time
from ingest.journal import Journal
append = Journal.append
Journal.append = lambda self, messages, now_ms: (time.sleep(0.05), append(self, messages, now_ms))[1]
"""


@dataclass
class Day:
    """What some devices say, and what must come of it."""

    seed: int
    messages: list[Message] = field(default_factory=list)
    points: dict[str, Counter[str]] = field(default_factory=dict)
    alarms: list[tuple[str, int]] = field(default_factory=list)
    unreadable: int = 0
    repeats: int = 0

    def fill(self, count: int) -> "Day":
        chance = random.Random(self.seed)
        while len(self.messages) < count:
            n = len(self.messages)
            getattr(self, chance.choices(["_gas", "_pole", "_truck", "_vehicle", "_rubbish"], [40, 20, 20, 18, 2])[0])(
                n
            )
            if chance.random() < 0.05:
                self.messages.append(self.messages[-1])
                self.repeats += self.messages[-1][1][:1] == b"{" and b'"data"' in self.messages[-1][1]
                self.unreadable += b'"data"' not in self.messages[-1][1]
        return self

    def _add(self, message: Message, device: str, *measurements: str) -> None:
        self.messages.append(message)
        for measurement in measurements:
            self.points.setdefault(measurement, Counter())[device] += 1

    def _gas(self, n: int) -> None:
        device = f"gas-{self.seed}-{n % 40}"
        # Each leaks once, halfway through; the quiet that follows is too short for a return.
        leaking = (f"{device}/conc_pct_lel.high", 2) not in self.alarms and n > 1000
        if leaking:
            self.alarms.append((f"{device}/conc_pct_lel.high", 2))
        self._add(gas(device, 70 if leaking else 2, id=f"g{n}", ts=T_MS + n), device, "gas_alarm")

    def _pole(self, n: int) -> None:
        device = f"pole-{self.seed}-{n % 30}"
        data = {"dim_pct": n % 100, "supply_v": 220, "pm25_ugm3": 12}
        self._add(native("light_pole", device, data, seq=n, ts=T_MS + n), device, "light_pole", "pole_env")

    def _truck(self, n: int) -> None:
        device = f"truck-{self.seed}-{n % 20}"
        self._add(native("refuse_truck", device, {"load_kg": n % 9000}, id=n, ts=T_MS + n), device, "refuse_truck")

    def _vehicle(self, n: int) -> None:
        device, identifier = f"wim-{self.seed}-{n % 3}", f"p{self.seed}-{n}"
        overloaded = n % 50 == 0
        if overloaded:
            self.alarms.append((f"{device}/over_pct.overload/{identifier}", 3))
        # Many vehicles on one millisecond: their identifiers alone keep them apart.
        self._add(passage(device, identifier, T_MS + n // 40, 28_000 if overloaded else 10_000), device, "wim_pass")

    def _rubbish(self, n: int) -> None:
        self.messages.append((f"city/v1/demo/gas_alarm/gas-{self.seed}-0/telemetry", b"{%d" % n))
        self.unreadable += 1


def kill_now_and_then(collector: Collector, publishers: list[Publisher], total: int, chance: random.Random) -> int:
    """Kill and restart the collector at random moments while the publishers are at work."""

    def confirmed() -> int:
        return sum(publisher.confirmed for publisher in publishers)

    moments = sorted(chance.sample(range(total // 20, total * 19 // 20), ROUNDS))
    for moment in moments:
        collector.wait(lambda moment=moment: confirmed() >= moment)
        # Somewhere between its first batch and far behind, not always in the same state.
        if chance.random() < 0.5:
            grown = len(collector.lines("broker connected"))
            collector.wait(lambda grown=grown, half=moment // 2: grown and collector.ledger().decoded >= half)
        collector.kill()
        collector.start()
    return len(moments)


@contextmanager
def publishing(port: int, days: list[Day]) -> Iterator[list[Publisher]]:
    """Publish the days side by side; at the end everything is with the broker."""
    publishers, stopping = [Publisher(port) for _ in days], threading.Event()
    threads = [
        threading.Thread(target=publisher.pace, args=(day.messages, PER_S // len(days), stopping))
        for publisher, day in zip(publishers, days, strict=True)
    ]
    for thread in threads:
        thread.start()
    try:
        yield publishers
        for thread in threads:
            thread.join()
        for publisher in publishers:
            publisher.drained()
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
        for publisher in publishers:
            publisher.close()


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "disk"), [(1, "quick"), pytest.param(20260101, "slow", marks=pytest.mark.long)])
def test_kills_at_random_moments_lose_and_double_nothing(
    collector: Collector, mosquitto: Mosquitto, influx: Influx, seed: int, disk: str
) -> None:
    if disk == "slow":
        collector.run_after(SLOW_DISK)
    days = [Day(seed).fill(12_000), Day(seed + 1).fill(12_000)]
    total = sum(len(day.messages) for day in days)
    collector.connected()
    with publishing(mosquitto.port, days) as publishers:
        kills = kill_now_and_then(collector, publishers, total, random.Random(seed))
    assert kills == ROUNDS
    readable = total - sum(day.unreadable + day.repeats for day in days)
    # The broker's repeats count as messages too, so the total alone may be reached too early.
    collector.wait(lambda: collector.ledger().decoded >= readable and collector.settled(total))
    for measurement in days[0].points:
        assert per_device(influx, measurement) == days[0].points[measurement] + days[1].points[measurement]
    passages = [row["pass_id"] for row in influx.rows("SELECT pass_id FROM wim_pass")]
    assert len(set(passages)) == len(passages) == sum(sum(day.points["wim_pass"].values()) for day in days)
    ledger, stored = collector.ledger(), collector.stored()
    produced = sum(sum(counts.values()) for day in days for counts in day.points.values())
    assert (ledger.produced, stored.stored, stored.refused) == (produced, produced, 0)
    # What the broker sent once more after a kill was journaled twice; as repeats these, and only these, count more.
    journaled = [record for record in collector.journaled() if record.topic != TICK]
    assert ledger.decoded + ledger.quarantined + ledger.duplicate == len(journaled)
    assert ledger.decoded == readable
    assert Counter((record.topic, record.payload) for record in journaled) >= published(days)
    assert collector.alarms() == sorted(alarm for day in days for alarm in day.alarms)
    assert collector.stop() == 0


def published(days: list[Day]) -> Counter[Message]:
    return Counter(message for day in days for message in day.messages)
