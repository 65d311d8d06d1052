"""A database that answers nothing any more holds up nobody who does not ask it."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.chaos.gate import Gate
from tests.cockpit.town import Town
from tests.servers.influxdb import Influx
from tests.servers.waiting import wait_until
from tests.sites import small_site_text

ASKING = 8
# Sooner no question to the database is given up.
ANSWERED_S = 9.0


@pytest.fixture
def gate(influx: Influx) -> Iterator[Gate]:
    """Give a gate before a real database."""
    found = Gate(influx.url)
    yield found
    found.close()


def test_alarms_are_listed_and_acknowledged_while_the_database_hangs(
    tmp_path: Path, influx: Influx, gate: Gate
) -> None:
    store = f"{gate.url}?org={influx.org}&bucket={influx.database}"
    with Town(tmp_path, small_site_text(store=store)) as town, ExitStack() as desks:
        done: list[int] = []

        def ask(number: int) -> None:
            town.ask("/api/v1/devices/gas-1/series", field="conc_pct_lel", step="0")
            done.append(number)

        try:
            town.say("gas_alarm", "gas-1", {"conc_pct_lel": 60.0})
            alarm = town.alarm("gas-1")
            town.until("/api/v1/devices/gas-1/series", lambda found: found["points"], field="conc_pct_lel", step="0")
            officer = desks.enter_context(town.client("officer"))
            gate.become("hanging")
            began_s = time.monotonic()
            asking = [threading.Thread(target=ask, args=(number,)) for number in range(ASKING)]
            for thread in asking:
                thread.start()
            # The collector asks as well, once at a time.
            wait_until(lambda: gate.turned_away >= ASKING - 2, 30)
            act = {"seen_level": alarm["level_now"], "idempotency_key": "k1"}
            answer = officer.post(f"/api/v1/alarms/{alarm['id']}/ack", json=act)
            listed = town.get("/api/v1/alarms", device="gas-1")["items"]
            waited = list(done)
            if time.monotonic() - began_s < ANSWERED_S:
                assert waited == [], "all that asked the database still wait for it"
            assert (answer.status_code, listed[0]["acked"]) == (200, True), answer.text
            gate.become("open")
            for thread in asking:
                thread.join(60)
            assert sorted(done) == [*range(ASKING)]
        finally:
            gate.become("open")
