"""kill -9 of the collector in the midst of a flood of alarms: every alarm is there once, and the recount says so."""

import random
import subprocess
import sys
import threading

import pytest

from ingest.alarms.audit import check
from ingest.alarms.database import AlarmDatabase
from tests.ingest.collector import ROOT, Collector
from tests.ingest.conftest import MakeCollector
from tests.ingest.messages import T_MS, Message, gas, passage
from tests.ingest.publisher import Publisher
from tests.servers.mosquitto import Mosquitto

GAS, PASSAGES, KILLS = 900, 9_100, 4
TOTAL = GAS + PASSAGES


def flood(chance: random.Random) -> tuple[list[Message], list[tuple[str, int]]]:
    """Return 10,000 messages that each raise one alarm, with those alarms."""
    messages = [gas(f"leak-{n}", 60, id="one", ts=T_MS + n) for n in range(GAS)]
    messages += [passage("wim-1", f"p{n}", T_MS + n, 28_000) for n in range(PASSAGES)]
    chance.shuffle(messages)
    alarms = [(f"leak-{n}/conc_pct_lel.high", 2) for n in range(GAS)]
    alarms += [(f"wim-1/over_pct.overload/p{n}", 3) for n in range(PASSAGES)]
    return messages, sorted(alarms)


def raised(collector: Collector) -> list[tuple[str, int]]:
    return [each for each in collector.alarms() if not each[0].startswith("collector-")]


@pytest.mark.slow
def test_every_alarm_once(make_collector: MakeCollector, mosquitto: Mosquitto) -> None:
    chance = random.Random(7)
    messages, expected = flood(chance)
    collector = make_collector(mosquitto.port, "embedded")
    collector.connected()
    publisher, stopping = Publisher(mosquitto.port), threading.Event()
    thread = threading.Thread(target=publisher.pace, args=(messages, 1_500, stopping))
    thread.start()
    try:
        for moment in sorted(chance.sample(range(TOTAL // 10, TOTAL * 9 // 10), KILLS)):
            collector.wait(lambda moment=moment: publisher.confirmed >= moment)
            collector.kill()
            collector.start()
        thread.join()
        publisher.drained()
    finally:
        stopping.set()
        thread.join()
        publisher.close()
    collector.wait(lambda: len(raised(collector)) >= TOTAL)
    assert raised(collector) == expected
    assert collector.stop() == 0
    database = AlarmDatabase(f"sqlite:///{collector.data / 'alarms.db'}")
    with database.read() as connection:
        assert check(connection).broken is None
    database.close()
    where = ["--site", str(collector.site_file), "--data", str(collector.data)]
    done = subprocess.run(
        [sys.executable, "-m", "ingest.reconcile", "--alarms", *where],
        capture_output=True, text=True, cwd=ROOT, env=collector.env, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.splitlines()[-1].startswith("漏 0 / 多 0")
