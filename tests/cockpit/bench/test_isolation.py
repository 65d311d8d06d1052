"""Nothing of a run reaches the live city, its alarms, its notices or its officers, however hard it is tried."""

import hmac
import json
import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from devices.site_file import load_site
from tests.cockpit.bench.recorded import CONC, messages, write
from tests.cockpit.conftest import CONTACTS
from tests.cockpit.town import Town
from tests.servers.waiting import wait_until
from tests.sites import small_site_text

BENCH = "/api/v1/bench"
PATIENCE_S = 90
pytestmark = pytest.mark.timeout(300)
# What is about alarms and people; a collector's own watchdog and the log-ins of this test go on meanwhile.
TABLES = {
    "occurrence": "WHERE rule NOT LIKE 'collector.%'",
    "audit": "WHERE rule NOT LIKE 'collector.%' AND action NOT LIKE 'log_in%'",
    "delivery": "",
    "announcement": "WHERE occurrence NOT IN (SELECT id FROM occurrence WHERE rule LIKE 'collector.%')",
    "escalation": "",
    "cases": "",
    "offence": "",
    "reply": "",
}


def kept(town: Town) -> dict[str, list[Any]]:
    """Return what the live alarm database holds."""
    database = sqlite3.connect(f"file:{town.folder / 'var' / 'alarms.db'}?mode=ro", uri=True)
    found = {name: sorted(map(repr, database.execute(f"SELECT * FROM {name} {only}"))) for name, only in TABLES.items()}
    database.close()
    return found


def acted_on(town: Town) -> list[Any]:
    """Return the live alarms and the acts on them; escalation goes its way meanwhile."""
    found = kept(town)
    return [*found["occurrence"], *found["reply"], *found["cases"]]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a town in which nothing else happens, and whose alarms would be told to somebody."""
    running = Town(tmp_path_factory.mktemp("apart"), small_site_text(tail=CONTACTS))
    write(running.folder / "var" / "recordings" / "apart.cdrec", load_site(running.site), messages())
    with running:
        yield running


@pytest.fixture
def engineer(town: Town) -> Iterator[httpx.Client]:
    with town.client("engineer") as client:
        yield client
        for run in client.get(f"{BENCH}/runs").json()["items"]:
            client.delete(f"{BENCH}/runs/{run['id']}")


def played(client: httpx.Client) -> tuple[str, list[dict[str, Any]]]:
    """Play the recording to its end; return the run and its alarms."""
    answer = client.post(f"{BENCH}/runs", json={"recording": "apart.cdrec", "speed": "max"})
    assert answer.status_code == 201, answer.text
    run = answer.json()["id"]
    wait_until(lambda: client.get(f"{BENCH}/runs/{run}").json()["state"] == "ended", PATIENCE_S, 0.1)
    items = client.get(f"/bench/city/{run}/api/v1/alarms", params={"state": "all"}).json()["items"]
    assert {item["priority"] for item in items} >= {"P1", "P2"}
    return run, items


def test_a_run_is_not_heard_not_kept_and_told_to_nobody(
    town: Town, engineer: httpx.Client, heard: list[tuple[str, bytes]]
) -> None:
    """P1 alarms of a played gas leak: in its own city, and nowhere else."""
    town.say("gas_alarm", "gas-1", {"conc_pct_lel": 1.25})
    town.until("/api/v1/devices/gas-1", lambda d: d["latest"].get("conc_pct_lel", {}).get("value") == 1.25)
    before, notices = kept(town), town.get("/api/v1/summary")["notices"]
    heard.clear()
    run, items = played(engineer)
    # The collector has spoken since: what it said, and what it did not.
    wait_until(lambda: sum(topic.endswith("/ledger") for topic, _ in heard) > 2, PATIENCE_S)
    own = ("citydeck/v1/live/main/", "citydeck/v1/watchdog/", "city/v1/demo/")
    assert {topic for topic, _ in heard if not topic.startswith(own)} <= {"citydeck/v1/live/ask"}
    said = b"".join(payload for _, payload in heard)
    assert str(CONC).encode() not in said
    assert [item["id"] for item in items if item["id"].encode() in said] == []
    assert kept(town) == before
    assert town.get("/api/v1/summary")["notices"] == notices
    live = town.get("/api/v1/devices/gas-1")["latest"]["conc_pct_lel"]
    assert (
        live["value"],
        engineer.get(f"/bench/city/{run}/api/v1/devices/gas-1").json()["latest"]["conc_pct_lel"]["value"],
    ) == (1.25, 3)
    city = sqlite3.connect(f"file:{town.folder / 'var' / 'bench' / run / 'city' / 'alarms.db'}?mode=ro", uri=True)
    assert city.execute("SELECT count(*) FROM delivery").fetchone() == (0,)
    city.close()


def test_the_names_of_its_alarms_mean_nothing_to_the_live_city(town: Town, engineer: httpx.Client) -> None:
    """Also where the live journal is played, whose records have the same places in both."""
    town.say("gas_alarm", "apart-1", {"conc_pct_lel": 70})
    live = town.alarm("apart-1")
    answer = engineer.post(f"{BENCH}/runs", json={"journal": {}, "speed": "max"})
    assert answer.status_code == 201, answer.text
    run = answer.json()["id"]
    wait_until(lambda: engineer.get(f"{BENCH}/runs/{run}").json()["state"] == "ended", PATIENCE_S, 0.1)
    items = engineer.get(f"/bench/city/{run}/api/v1/alarms", params={"state": "all", "limit": 5_000}).json()["items"]
    again = [item["id"] for item in items if item["device"] == "apart-1"]
    assert (bool(again), live["id"] in again) == (True, False)
    known = {item["id"] for item in town.get("/api/v1/alarms", state="all", limit=5_000)["items"]}
    assert known.isdisjoint(item["id"] for item in items)
    before = acted_on(town)
    body = {"seen_level": 2, "idempotency_key": "bench-apart"}
    with town.client("officer") as officer:
        for item in items[:5]:
            assert officer.get(f"/api/v1/alarms/{item['id']}").status_code == 404
            assert officer.post(f"/api/v1/alarms/{item['id']}/ack", json=body).status_code == 404
    assert acted_on(town) == before


def test_nothing_can_be_done_through_the_bench(town: Town, engineer: httpx.Client) -> None:
    """Every writing method, and some detours, to an alarm of the run and to a live one."""
    town.say("gas_alarm", "apart-2", {"conc_pct_lel": 70})
    live = town.alarm("apart-2")["id"]
    run, items = played(engineer)
    city = f"/bench/city/{run}"
    before, own = acted_on(town), engineer.get(f"{city}/api/v1/alarms/{items[0]['id']}").json()
    body = {"seen_level": 2, "idempotency_key": "bench-through"}
    for alarm in (items[0]["id"], live):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert engineer.request(method, f"{city}/api/v1/alarms/{alarm}/ack", json=body).status_code == 405
    detours = (
        f"{city}/_dash-update-component/../api/v1/alarms/{live}/ack",
        f"{city}/_dash-update-component%2f..%2fapi/v1/alarms/{live}/ack",
        f"{city}/%2e%2e/%2e%2e/%2e%2e/api/v1/alarms/{live}/ack",
        f"{city}//api/v1/alarms/{live}/ack",
        f"{city}/api/v1/login",
        f"/bench/city/none/api/v1/alarms/{live}/ack",
    )
    base = httpx.URL(town.address)
    for path in detours:
        request = engineer.build_request("POST", base.copy_with(raw_path=path.encode()), json=body)
        assert engineer.send(request).status_code in (403, 404, 405, 422), path
    assert engineer.get(f"{city}/api/v1/alarms/{items[0]['id']}").json() == own
    assert acted_on(town) == before
    # Who is logged in here is nobody there, and comes back with nothing.
    answer = engineer.get(f"{city}/api/v1/session")
    assert (answer.json()["user"], "set-cookie" in answer.headers) == (None, False)


def test_forged_live_messages_move_neither_city(town: Town, engineer: httpx.Client) -> None:
    """With the topics and names of the run, sealed with another secret or not at all."""
    run, items = played(engineer)
    told = {"shard": "main", "boot": "b", "seq": 1, "now": 1, "items": [{"id": items[0]["id"], "version": 9}]}
    values = {"devices": {"gas-1": {"kind": "gas_alarm", "district": "demo", "online": True, "silent": False, "seen": 1,
                                    "rows": {"gas_alarm": [{"conc_pct_lel": 99.0}, 1, 0, {}]}}}}  # fmt: skip
    for shard in ("main", "sandbox", run):
        for topic, more in (("alarm", {}), ("values", values)):
            body = json.dumps({**told, **more, "shard": shard}).encode()
            town.send(
                f"citydeck/v1/live/{shard}/{topic}",
                hmac.new(b"citydeck sandbox", body, sha256).hexdigest().encode() + body,
            )
            town.send(f"citydeck/v1/live/{shard}/{topic}", b"0" * 64 + body)
    town.say("gas_alarm", "gas-2", {"conc_pct_lel": 2.5})
    town.until("/api/v1/devices/gas-2", lambda d: d["latest"].get("conc_pct_lel", {}).get("value") == 2.5)
    assert town.get("/api/v1/devices/gas-1")["latest"].get("conc_pct_lel", {}).get("value") != 99.0
    assert items[0]["id"] not in {each["id"] for each in town.get("/api/v1/alarms", state="all", limit=5_000)["items"]}
    city = engineer.get(f"/bench/city/{run}/api/v1/devices/gas-1").json()
    assert city["latest"]["conc_pct_lel"]["value"] == 3
    assert list(town.get("/api/v1/ledger")["shards"]) == ["main"]


def test_its_news_go_to_engineers_and_leaders_alone(town: Town, engineer: httpx.Client) -> None:
    run, items = played(engineer)
    address = f"{town.address.replace('http', 'ws')}/bench/city/{run}"

    def cookie(name: str | None) -> dict[str, str]:
        with town.client(name) as client:
            return {"Cookie": "; ".join(f"{key}={value}" for key, value in client.cookies.items())}

    with connect(f"{address}/ws/live", additional_headers=cookie("leader"), max_size=None) as socket:
        first = json.loads(socket.recv(timeout=PATIENCE_S))
    assert (first["type"], first["replay"]["over"]) == ("snapshot", True)
    assert {alarm["id"] for alarm in first["alarms"]} <= {item["id"] for item in items}
    for name, path in (("officer", "ws/live"), ("viewer", "ws/live"), (None, "ws/live"), ("engineer", "ws/other")):
        with (
            pytest.raises((ConnectionClosed, InvalidStatus)),
            connect(f"{address}/{path}", additional_headers=cookie(name)) as socket,
        ):
            socket.recv(timeout=PATIENCE_S)


def test_a_backup_leaves_runs_out(town: Town, engineer: httpx.Client, tmp_path: Path) -> None:
    played(engineer)
    town.citydeck("backup", str(tmp_path / "all.tar"))
    assert b"/city/alarms.db" not in (tmp_path / "all.tar").read_bytes()
