"""kill -9 in the middle of a simulated hour: what the city published is what is stored, counted by a third party."""

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from devices.decode import STATUS
from devices.site_file import load_site
from ingest.decoding import Decoder, Unregistered
from ingest.records import TICK, Record
from tests.ingest.collector import ROOT
from tests.ingest.conftest import MakeCollector, store_url
from tests.ingest.counting import per_device
from tests.ingest.messages import Message, gas, records
from tests.ingest.publisher import Listener, Publisher
from tests.servers.influxdb import Influx
from tests.servers.mosquitto import Mosquitto
from tests.servers.waiting import wait_until

SITE = """
base = "demo"
[broker]
url = "{broker}"
[store]
url = "{store}"
"""
# At this speed an hour is gone in twenty seconds.
SPEED = "180"
KILL_AT = (1_200, 2_400)
ENOUGH = 4_000
LAST = gas("the-last", 1, id="last")
GARBLED = (LAST[0], LAST[1][:20])


def journaled(found: list[Record]) -> Counter[Message]:
    return Counter((record.topic, record.payload) for record in found if record.topic != TICK)


class Simulators:
    """``python -m simulators`` on a site file."""

    def __init__(self, site_file: Path, log: Path):
        command = [sys.executable, "-m", "simulators", "--site", str(site_file), "--speed", SPEED, "--seed", "7"]
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [*command, "--scenario", "bad_messages"], stdout=file, stderr=subprocess.STDOUT, cwd=ROOT
            )

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(30)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.mark.slow
def test_two_kills_in_a_simulated_hour_lose_and_double_nothing(
    make_collector: MakeCollector, mosquitto: Mosquitto, publisher: Publisher, influx: Influx, tmp_path: Path
) -> None:
    collector = make_collector(mosquitto.port, store_url(influx), SITE)
    listener = Listener(mosquitto.port, "city/v1/#", "hj212/#", "thing/product/#")
    collector.connected()
    simulators = Simulators(collector.site_file, tmp_path / "simulators.log")
    try:
        for count in KILL_AT:
            collector.wait(lambda count=count: len(listener.heard) >= count)
            collector.kill()
            # For a while nobody collects: the broker keeps what is said meanwhile.
            wait_until(lambda count=count: len(listener.heard) >= count + 300, 30)
            collector.connected()
        collector.wait(lambda: len(listener.heard) >= ENOUGH)
        assert simulators.stop() == 0, (tmp_path / "simulators.log").read_text()
        # A broker keeps the order: who has heard the last message has heard all.
        for message in (GARBLED, LAST, LAST):
            publisher.publish(message)
        wait_until(lambda: listener.heard[-2:] == [LAST, LAST], 30)
        everything = Counter(listener.heard)
        collector.wait(lambda: everything <= journaled(collector.journaled()))
        collector.wait(lambda: collector.settled(journaled(collector.journaled()).total()))
    finally:
        simulators.close()
        listener.close()

    decoder = Decoder(load_site(), Unregistered())
    outcomes = [
        decoder.outcome(record)
        for record in records(listener.heard, received_ms=time.time_ns() // 1_000_000, step_ms=1)
    ]
    fates = Counter(outcome.fate for outcome in outcomes)
    # InfluxDB tells points apart by their tags too.
    points = {
        (reading.measurement, reading.device, *sorted(reading.tags.items()), reading.at_ns)
        for outcome in outcomes
        for reading in outcome.readings
        if reading.measurement != STATUS
    }
    expected: dict[str, Counter[str]] = {}
    for measurement, device, *_ in points:
        expected.setdefault(measurement, Counter())[device] += 1
    assert {measurement: per_device(influx, measurement) for measurement in expected} == expected
    ledger, stored = collector.ledger(), collector.stored()
    heard = journaled(collector.journaled())
    assert ledger.decoded + ledger.quarantined + ledger.duplicate == heard.total()
    assert ledger.produced == stored.stored + stored.refused
    # The city did speak of everything; whether its trucks garble and repeat is a matter of the hour of the day.
    assert {"wim_pass", "bin_lift", "light_pole", "gas_alarm", "drone", "drone_dock", "gateway"} <= expected.keys()
    assert fates["quarantined"] and fates["duplicate"]
    # What nobody can read is in quarantine as often as the broker delivered it.
    unread = {each for each, outcome in zip(listener.heard, outcomes, strict=True) if outcome.fate == "quarantined"}
    assert ledger.quarantined == sum(heard[message] for message in unread)
    assert collector.stop() == 0
