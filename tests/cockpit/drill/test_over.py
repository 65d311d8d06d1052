"""An exercise that nobody answers, played to its end as fast as it goes: it ends by itself, and its report says so."""

import time
from pathlib import Path
from typing import Any

import pytest

from cockpit.bench.sources import Sources
from cockpit.drill.desk import Drills
from devices.site_file import load_site
from ingest.alarms.audit import Actor
from ingest.alarms.database import AlarmDatabase
from ingest.places import Places
from tests.servers.waiting import wait_until
from tests.simulators.test_recorder import HOUSES
from tests.sites import small_site_text

PATIENCE_S = 90
pytestmark = pytest.mark.timeout(200)


def test_what_nobody_answered_is_told(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(small_site_text(tail=HOUSES))
    site, places = load_site(tmp_path / "site.toml"), Places(tmp_path / "var")
    places.data.mkdir()
    database = AlarmDatabase(f"sqlite:///{places.alarms}")
    database.migrate()
    drills = Drills(site, places, database, Sources(site, places), lambda: time.time_ns() // 1_000_000, speed=0.0)
    drills.begin()
    try:
        name = drills.start("gas_leak", "", Actor("leader", "leader"))["id"]

        def ended() -> dict[str, Any] | None:
            found = drills.one(name)
            return None if found["running"] else found

        found = wait_until(ended, PATIENCE_S, 0.1)
    finally:
        drills.close()
        database.close()
    report = found["report"]
    stated = [line for line in report["alarms"] if line["stated"]]
    assert (found["outcome"], found["ended_by"], found["sentence"]) == ("over", "system", "")
    assert {line["rule"].partition(".")[2] for line in stated} == {
        "conc_pct_lel.high",
        "conc_pct_lel.rate",
        "state.state",
    }
    urgent = next(line for line in stated if line["rule"].endswith(".high"))
    # The ladder climbed its three steps and opened a case, which is nobody's decision.
    assert (urgent["in_time"], urgent["acked_by"], urgent["escalations"] >= 2) == (False, "", True)
    assert {part["key"]: (part["good"], part["of"] > 0) for part in report["score"]["parts"]} == {
        "acked": (0, True), "decided": (0, False), "right": (0, False),
    }  # fmt: skip
    assert (report["score"]["points"], report["officers"], report["never_acked"] >= 3) == (0, [], True)
    assert list(places.drills.iterdir()) == []
