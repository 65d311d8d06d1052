"""What a trial says of people's findings: only of alarms that are in what was played, and only where it was heard here.

The town's live city has one alarm that became a case, put back to the minutes of the recordings.
"""

import sqlite3
from typing import Any

import httpx
import pytest

from devices.site_file import load_site
from tests.cockpit.bench.recorded import CALM_CONC, messages, write
from tests.cockpit.town import Town
from tests.ingest.messages import T_MS
from tests.servers.waiting import wait_until

PATIENCE_S = 90
STRICTER = "[limits.gas_alarm.conc_pct_lel.high]\nlevels = [10, 40]"
OWN = {"site": {"zh": "测试区", "en": "Test District"}, "district": "demo"}
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def confirmed(town: Town) -> str:
    """Put a case of the live city back to the leak of the recordings, and return its alarm."""
    site, folder = load_site(town.site), town.folder / "var" / "recordings"
    leak = messages()
    write(folder / "whole.cdrec", site, leak, **OWN)
    write(folder / "without.cdrec", site, [each for each in leak if "gas-1" not in each.topic], **OWN)
    write(folder / "elsewhere.cdrec", site, leak, **{**OWN, "district": "far"})
    town.say("gas_alarm", "gas-1", {"conc_pct_lel": 70})
    alarm = str(town.alarm("gas-1")["id"])
    with sqlite3.connect(town.folder / "var" / "alarms.db", timeout=30) as database:
        at = (T_MS + 60_000, T_MS + 60_000, "C-1", alarm)
        database.execute('UPDATE occurrence SET raised_at = ?, noticed_at = ?, "case" = ? WHERE id = ?', at)
    database.close()
    return alarm


def tried(client: httpx.Client, recording: str, rules: str) -> dict[str, Any]:
    answer = client.post("/api/v1/bench/runs", json={"recording": recording, "speed": "max"})
    assert answer.status_code == 201, answer.text
    run = f"/api/v1/bench/runs/{answer.json()['id']}"

    def begun() -> bool:
        return client.post(f"{run}/trial", json={"rules": rules}).status_code == 202

    def done() -> dict[str, Any] | None:
        trial = client.get(run).json()["trial"]
        return trial if trial["state"] != "running" else None

    wait_until(begun, PATIENCE_S, 0.2)
    trial = wait_until(done, PATIENCE_S, 0.1)
    assert trial is not None
    assert trial["state"] == "done", trial["sentence"]
    assert client.delete(run).status_code == 204
    found: dict[str, Any] = trial["result"]
    return found


@pytest.mark.parametrize(
    ("recording", "counts"),
    [
        ("whole.cdrec", {"confirmed": 1, "missed": 0, "absent": 0}),
        ("without.cdrec", {"confirmed": 0, "missed": 0, "absent": 1}),
        ("elsewhere.cdrec", {"confirmed": 0, "missed": 0, "absent": 0}),
    ],
)
def test_a_case_counts_only_where_its_alarm_is_in_what_was_played(
    town: Town, confirmed: str, recording: str, counts: dict[str, int]
) -> None:
    """A stricter limit misses none of them, whatever was played."""
    with town.client("engineer") as client:
        verdicts = tried(client, recording, STRICTER)["verdicts"]
    assert {key: verdicts[key] for key in counts} == counts
    assert verdicts["missed_items"] == []


def test_each_alarm_stands_with_its_readings(town: Town, confirmed: str) -> None:
    """Of the messages that were played: the live store has never had them."""
    with town.client("engineer") as client:
        (item,) = tried(client, "whole.cdrec", STRICTER)["appear"]["items"]
    assert item["device"] == "gas-2"
    read = item["readings"]
    assert [each["value"] for each in read] == [CALM_CONC] * len(read)
    assert (read[0]["at"], read[0]["quality"], len(read)) == ("2026-01-01T08:00:00.000+08:00", 0, 12)
    assert (item["readings_unit"], item["readings_of"] >= len(read)) == ({"zh": "%LEL", "en": "%LEL"}, True)
