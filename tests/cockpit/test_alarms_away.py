"""While PostgreSQL is away: what comes in is shown, counted and stored, people are told, and no alarm is missed."""

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cockpit.town import Town
from tests.servers.postgres import Postgres
from tests.sites import small_site_text

pytestmark = pytest.mark.servers

_LEAK = 30.0


@pytest.fixture
def town(tmp_path: Path, postgres_server: Postgres) -> Iterator[Town]:
    """Give a town whose alarms are in a PostgreSQL server that runs again in the end."""
    name = postgres_server.create()
    tail = f'[alarms]\ndatabase = "{postgres_server.url(name)}"\n'
    try:
        with Town(tmp_path, small_site_text(tail=tail)) as running:
            yield running
    finally:
        postgres_server.stop()
        postgres_server.start()
        postgres_server.drop(name)


def leak(town: Town, device: str) -> None:
    """Let a device say what is an alarm."""
    town.say("gas_alarm", device, {"conc_pct_lel": _LEAK, "state": 0})


def raised_of(page: Any, device: str) -> list[dict[str, Any]]:
    """Return the alarms of a device in a page."""
    return [alarm for alarm in page["items"] if alarm["device"] == device and alarm["field"] == "conc_pct_lel"]


def test_all_but_alarms_goes_on_and_they_come_in_the_end(town: Town, postgres_server: Postgres) -> None:
    leak(town, "gas-2")
    town.until("/api/v1/alarms", lambda page: raised_of(page, "gas-2"))
    assert town.get("/api/v1/summary")["alarms_stalled"] is None
    stored = town.get("/api/v1/ledger")["readings"]["stored"]
    postgres_server.stop()
    leak(town, "gas-1")
    for load_kg in (800.0, 900.0):
        town.say("refuse_truck", "truck-1", {"load_kg": load_kg})
    town.until("/api/v1/devices/truck-1", lambda found: found["latest"].get("load_kg", {}).get("value") == 900.0)
    # Behind the alarm that waits.
    town.until("/api/v1/ledger", lambda found: found["readings"]["stored"] >= stored + 4)
    series = town.until("/api/v1/devices/gas-1/series", lambda found: found["points"], field="conc_pct_lel")
    assert (series["limits"], series["limits_unread"]) == ([], True)
    town.until("/api/v1/summary", lambda found: found["alarms_stalled"])
    parts = town.get("/healthz")["parts"]
    assert (parts["ingest"], parts["store"]) == ("ok", "ok")
    assert parts["alarms"].startswith("the alarm database cannot be ")
    back_ms = time.time_ns() // 1_000_000
    postgres_server.start()
    page = town.until("/api/v1/alarms", lambda page: raised_of(page, "gas-1"))
    (alarm,) = raised_of(page, "gas-1")
    assert alarm["activations"] == 1
    assert _ms(alarm["raised_at"]) < back_ms
    town.until("/api/v1/summary", lambda found: found["alarms_stalled"] is None)
    town.until("/healthz", lambda found: found["parts"]["alarms"] == "ok")
    again = town.get("/api/v1/devices/gas-1/series", field="conc_pct_lel")
    assert again["limits"] and not again["limits_unread"]


def _ms(instant: str) -> int:
    return int(datetime.fromisoformat(instant).timestamp() * 1000)
